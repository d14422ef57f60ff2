/* SPDX-License-Identifier: MIT */
/*
 * What is known of one container while its specification is made: the request, the bundle, the
 * image's config, and what the two make together.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/text.h"
#include "launch/bundle/mounts_file.h"
#include "launch/spec/request.h"
#include "launch/spec/user.h"

struct spec_container {
	const struct spec_request *request; /* borrowed */
	int bundle_fd, lock_fd;
	char *path;	/* of the bundle: absolute, no links in it; owned */
	const char *id; /* its last component */
	struct json_document image_document;
	struct json_value image; /* its "config" */
	const char *user;	 /* as asked for, or the image's; borrowed */
	struct spec_user ids;
	struct string_list environment; /* Docker's Config.Env: asked for, and the image's */
	struct string_list process_environment; /* what the process gets */
	struct string_list entrypoint, command; /* Docker's Config.Entrypoint and Cmd */
	char *working_directory;
	char hostname[65];
	struct bundle_mounts mounts;
};

/**
 * spec_container_merge() - the image's config and the options, by Docker's rules
 * (moby, daemon/commit.go: merge; container/env.go)
 *
 * Reads the bundle's image-config.json, passwd, group and mounts. Start with the request, the
 * descriptors, the path and the id set, and all else zero.
 *
 * Return: 0 or a negative errno.
 */
int spec_container_merge(struct spec_container *container, struct error *error);

void spec_container_deinit(struct spec_container *container);

/** spec_config_write() - the OCI runtime's config.json into @writer */
int spec_config_write(const struct spec_container *container, struct json_writer *writer,
		      struct error *error);

/** spec_inspect_write() - container.json: what was asked for, in the shape of Docker's inspect */
void spec_inspect_write(const struct spec_container *container, struct json_writer *writer);

/** spec_mounts_write() - "mounts" of config.json */
void spec_mounts_write(const struct spec_container *container, struct json_writer *writer);

/**
 * spec_mounts_propagation() - linux.rootfsPropagation that the bundle's mounts need (a shared or
 * slave bind), or NULL
 */
const char *spec_mounts_propagation(const struct spec_container *container);

/** spec_write_strings() - a list as an array; null where it is empty and @null_if_empty */
void spec_write_strings(struct json_writer *writer, const char *key, const struct string_list *list,
			bool null_if_empty);

/* Docker's masked and read-only paths; NULL-terminated. */
extern const char *const spec_masked_paths[];
extern const char *const spec_readonly_paths[];

/** spec_paths_are_confined() - are they to be used for this container? */
bool spec_paths_are_confined(const struct spec_container *container);

/** spec_masked_paths_write() - the array of masked paths, those of this machine's CPUs included */
void spec_masked_paths_write(struct json_writer *writer, const char *key);
