/* SPDX-License-Identifier: MIT */
/*
 * Id mappings as a config.json writes them (config-linux.md, "User namespace mappings"): of a user
 * namespace, or of one mount.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/* user_namespaces(7): so many lines since Linux 4.15. */
#define ID_MAP_MAX_RANGES 340
/* The kernel takes less than a page in one write; no page is smaller than this. */
#define ID_MAP_MAX_BYTES 4095

struct id_range {
	uint32_t container_id, host_id, size;
};

struct id_map {
	struct id_range *ranges; /* owned */
	size_t n_ranges;
};

/* Both empty: none were given. */
struct id_maps {
	struct id_map uids, gids;
};

/**
 * id_map_parse() - an array of {containerID, hostID, size}
 * @map: all zero; to be given to id_maps_deinit(), also after a failure
 *
 * What the kernel would refuse with nothing but EINVAL is refused here in words: a size of 0, ids
 * past 4294967294 (-1 is no id), ranges that overlap on either side, too many of them.
 *
 * Return: 0 (also where @array is missing) or a negative errno.
 */
int id_map_parse(struct id_map *map, struct json_value array, const char *field,
		 struct error *error);

/**
 * id_maps_parse_text() - the mappings of crun's mount option, what stands behind "idmap=":
 * "uids=0-1000-10#10-2000-1;gids=0-1000-10", each FILE_SYSTEM_ID-HOST_ID-SIZE
 *
 * Return: 0 or a negative errno.
 */
int id_maps_parse_text(struct id_maps *maps, const char *text, struct error *error);

void id_maps_deinit(struct id_maps *maps);

/** id_map_contains() - is @container_id in one of its ranges? */
bool id_map_contains(const struct id_map *map, uint32_t container_id);

/** id_maps_equal() - range for range */
bool id_maps_equal(const struct id_maps *a, const struct id_maps *b);

/**
 * id_map_print() - as /proc/PID/uid_map takes it
 * @text: ID_MAP_MAX_BYTES + 1 bytes
 *
 * Return: its length; id_map_parse() has made sure that it fits.
 */
size_t id_map_print(const struct id_map *map, char *text);
