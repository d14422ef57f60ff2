/* SPDX-License-Identifier: MIT */
#include "launch/config/id_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "launch/config/value.h"

#define LAST_ID (UINT32_MAX - 1)

static bool overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
	return a <= b + (n_b - 1) && b <= a + (n_a - 1);
}

static size_t range_print(const struct id_range *range, char text[40])
{
	return (size_t)snprintf(text, 40, "%u %u %u\n", range->container_id, range->host_id,
				range->size);
}

/* The last range that was added, by itself and against the others. */
static int last_check(const struct id_map *map, const char *field, struct error *error)
{
	size_t last = map->n_ranges - 1;
	const struct id_range *range = &map->ranges[last];

	if (range->size == 0)
		return error_say(error, -EINVAL, "'%s[%zu]': its size is 0", field, last);
	if (range->container_id > LAST_ID - (range->size - 1) ||
	    range->host_id > LAST_ID - (range->size - 1))
		return error_say(error, -EINVAL, "'%s[%zu]': it reaches past the last id, %u",
				 field, last, LAST_ID);
	for (size_t i = 0; i < last; i++) {
		const struct id_range *other = &map->ranges[i];

		if (overlap(range->container_id, range->size, other->container_id, other->size))
			return error_say(error, -EINVAL,
					 "'%s[%zu]': its container ids overlap those of '%s[%zu]'",
					 field, last, field, i);
		if (overlap(range->host_id, range->size, other->host_id, other->size))
			return error_say(error, -EINVAL,
					 "'%s[%zu]': its host ids overlap those of '%s[%zu]'",
					 field, last, field, i);
	}
	return 0;
}

static int whole_check(const struct id_map *map, const char *field, struct error *error)
{
	size_t n_bytes = 0;
	char line[40];

	for (size_t i = 0; i < map->n_ranges; i++)
		n_bytes += range_print(&map->ranges[i], line);
	if (n_bytes > ID_MAP_MAX_BYTES)
		return error_say(
			error, -E2BIG,
			"'%s': the kernel takes at most %d bytes of mappings, these are %zu", field,
			ID_MAP_MAX_BYTES, n_bytes);
	return 0;
}

static int map_allocate(struct id_map *map, size_t n_ranges, const char *field, struct error *error)
{
	if (n_ranges > ID_MAP_MAX_RANGES)
		return error_say(error, -E2BIG,
				 "'%s': the kernel takes at most %d ranges, these are %zu", field,
				 ID_MAP_MAX_RANGES, n_ranges);
	map->ranges = calloc(n_ranges + 1, sizeof(*map->ranges));
	return map->ranges ? 0 : error_set(error, -ENOMEM, "'%s'", field);
}

static int number_parse(struct json_value range, const char *name, const char *field,
			uint32_t *ret_number, struct error *error)
{
	char whole[96];
	uint64_t number;
	int r;

	snprintf(whole, sizeof(whole), "%s.%s", field, name);
	r = value_uint(json_get(range, name), whole, UINT32_MAX, &number, error);
	if (r == 0)
		*ret_number = (uint32_t)number;
	return r;
}

int id_map_parse(struct id_map *map, struct json_value array, const char *field,
		 struct error *error)
{
	int r = value_check_type(array, field, JSON_ARRAY, error);

	if (r < 0 || json_count(array) == 0)
		return r;
	r = map_allocate(map, json_count(array), field, error);
	if (r < 0)
		return r;
	JSON_FOR_EACH (element, array) {
		struct id_range *range = &map->ranges[map->n_ranges++];

		r = number_parse(element, "containerID", field, &range->container_id, error);
		if (r == 0)
			r = number_parse(element, "hostID", field, &range->host_id, error);
		if (r == 0)
			r = number_parse(element, "size", field, &range->size, error);
		if (r == 0)
			r = last_check(map, field, error);
		if (r < 0)
			return r;
	}
	return whole_check(map, field, error);
}

/* "0-1000-10", ended by '#', ';' or the end. */
static int text_range_parse(const char **text, struct id_range *ret_range, struct error *error)
{
	uint32_t *const numbers[] = { &ret_range->container_id, &ret_range->host_id,
				      &ret_range->size };

	for (size_t i = 0; i < 3; i++) {
		size_t n = strspn(*text, "0123456789");
		char digits[11];
		uint64_t number;

		if (n == 0 || n >= sizeof(digits))
			return error_say(error, -EINVAL, "'%s' is not ID-ID-SIZE", *text);
		memcpy(digits, *text, n);
		digits[n] = '\0';
		if (string_to_uint64(digits, UINT32_MAX, &number) < 0 ||
		    (i < 2 && (*text)[n] != '-') ||
		    (i == 2 && (*text)[n] && !strchr("#;", (*text)[n])))
			return error_say(error, -EINVAL, "'%s' is not ID-ID-SIZE", *text);
		*numbers[i] = (uint32_t)number;
		*text += n + (i < 2);
	}
	return 0;
}

static int text_map_parse(struct id_map *map, const char *text, size_t n_text, const char *field,
			  struct error *error)
{
	const char *end = text + n_text;
	size_t n_ranges = 1;
	int r;

	for (const char *p = text; p < end; p++)
		n_ranges += *p == '#';
	r = map_allocate(map, n_ranges, field, error);
	if (r == 0 && (n_text == 0 || end[-1] == '#'))
		return error_say(error, -EINVAL, "'%s=' lacks a mapping", field);
	while (r == 0 && text < end) {
		r = text_range_parse(&text, &map->ranges[map->n_ranges], error);
		if (r < 0)
			break;
		map->n_ranges++;
		r = last_check(map, field, error);
		text += *text == '#';
	}
	return r == 0 ? whole_check(map, field, error) : r;
}

int id_maps_parse_text(struct id_maps *maps, const char *text, struct error *error)
{
	while (*text) {
		size_t n = strcspn(text, ";");
		const char *uids = string_has_prefix(text, "uids=");
		const char *gids = string_has_prefix(text, "gids=");
		const char *ranges = uids ? uids : gids;
		struct id_map *map = uids ? &maps->uids : &maps->gids;
		int r;

		if (!ranges || map->ranges)
			return error_say(error, -EINVAL, "'%s' is not 'uids=...;gids=...'", text);
		r = text_map_parse(map, ranges, n - 5, uids ? "uids" : "gids", error);
		if (r < 0)
			return r;
		text += n + (text[n] == ';');
	}
	return 0;
}

void id_maps_deinit(struct id_maps *maps)
{
	free(maps->uids.ranges);
	free(maps->gids.ranges);
	*maps = (struct id_maps){};
}

bool id_map_contains(const struct id_map *map, uint32_t container_id)
{
	for (size_t i = 0; i < map->n_ranges; i++) {
		const struct id_range *range = &map->ranges[i];

		if (container_id >= range->container_id &&
		    container_id - range->container_id < range->size)
			return true;
	}
	return false;
}

static bool map_equal(const struct id_map *a, const struct id_map *b)
{
	if (a->n_ranges != b->n_ranges)
		return false;
	return a->n_ranges == 0 || !memcmp(a->ranges, b->ranges, a->n_ranges * sizeof(*a->ranges));
}

bool id_maps_equal(const struct id_maps *a, const struct id_maps *b)
{
	return map_equal(&a->uids, &b->uids) && map_equal(&a->gids, &b->gids);
}

size_t id_map_print(const struct id_map *map, char *text)
{
	size_t n_bytes = 0;

	for (size_t i = 0; i < map->n_ranges; i++) {
		char line[40];
		size_t n_line = range_print(&map->ranges[i], line);

		if (n_bytes + n_line > ID_MAP_MAX_BYTES)
			break;
		memcpy(text + n_bytes, line, n_line);
		n_bytes += n_line;
	}
	text[n_bytes] = '\0';
	return n_bytes;
}
