/* SPDX-License-Identifier: MIT */
/*
 * What a user asks to be mounted: Docker's -v, --mount and --tmpfs as data.
 *
 * The rules are Docker's: of the command line (docker/cli, opts/mount.go) and of the engine (moby,
 * volume/mounts/linux_parser.go), save that every error names the option's value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

enum mount_kind { MOUNT_KIND_BIND, MOUNT_KIND_VOLUME, MOUNT_KIND_TMPFS };

struct mount_request {
	enum mount_kind kind;
	char *source; /* a clean absolute path, or a volume's name; NULL: an anonymous volume */
	char *destination; /* absolute and clean, never "/" */
	char *subpath;	   /* of a volume: relative, without ".."; or NULL */
	bool is_read_only;
	bool no_copy;	  /* a volume's: never populate it */
	bool make_source; /* a bind's: make a directory where nothing is, as -v does */
	bool is_optional; /* gives way to another mount on @destination, as -v /path does */
	/* A mount's own options, in order: rbind and propagation, or the tmpfs's. */
	struct string_list options;
	struct string_list labels; /* of a volume that has to be made */
};

/* All zero is a valid empty one. */
struct mount_requests {
	struct mount_request *items;
	size_t n_items;
};

/** mount_requests_add_volume() - -v: [NAME|HOST-PATH:]PATH[:OPTIONS] */
int mount_requests_add_volume(struct mount_requests *requests, const char *text,
			      struct error *error);

/** mount_requests_add_mount() - --mount: comma-separated KEY[=VALUE], quoted as CSV (RFC 4180) */
int mount_requests_add_mount(struct mount_requests *requests, const char *text,
			     struct error *error);

/** mount_requests_add_tmpfs() - --tmpfs: PATH[:OPTIONS] */
int mount_requests_add_tmpfs(struct mount_requests *requests, const char *text,
			     struct error *error);

/** mount_requests_add_image() - a path of the image's Volumes: an optional anonymous volume */
int mount_requests_add_image(struct mount_requests *requests, const char *path,
			     struct error *error);

/**
 * mount_requests_settle() - one mount for each destination: optional ones give way
 *
 * Return: 0 or -EINVAL: two ask for the same one.
 */
int mount_requests_settle(struct mount_requests *requests, struct error *error);

void mount_requests_deinit(struct mount_requests *requests);
#define _cleanup_mount_requests_ _cleanup_(mount_requests_deinit)

void mount_request_deinit(struct mount_request *request);

/**
 * path_clean() - @path without ".", "..", empty components and a slash at its end, by its letters
 * alone (Go's path.Clean); owned by the caller, NULL when memory is gone
 */
char *path_clean(const char *path);
