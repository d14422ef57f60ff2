/* SPDX-License-Identifier: MIT */
/*
 * A bundle as the launcher sees it: any OCI bundle, and what one of lamina's has besides.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "launch/bundle/mounts_file.h"
#include "launch/bundle/overlay_file.h"
#include "launch/config/config.h"

/* Start with LAUNCH_BUNDLE_EMPTY. */
struct launch_bundle {
	char *path;	/* absolute */
	const char *id; /* its last component: the container's id where none is given */
	int fd;
	int lock_fd; /* exclusive; -EBADF: not one of lamina's bundles, nothing to lock */
	struct config config;
	struct overlay_file overlay;
	bool has_overlay;
	struct bundle_mounts mounts;
	int root_place_fd; /* the directory root.path, where the root is attached */
	char *root_path;   /* absolute, of the same */
};

#define LAUNCH_BUNDLE_EMPTY                                                                        \
	((struct launch_bundle){ .fd = -EBADF, .lock_fd = -EBADF, .root_place_fd = -EBADF })

/**
 * launch_bundle_open() - open, lock and read the bundle at @path; nothing is changed
 * @config_name: the file in it that is read as its config.json; NULL: that
 *
 * @bundle: filled in place, and must stay where it is: its config points into itself
 *
 * Return: 0 or a negative errno (-EBUSY: it runs, or another tool is at it).
 */
int launch_bundle_open(struct launch_bundle *bundle, const char *path, const char *config_name,
		       struct error *error);

void launch_bundle_close(struct launch_bundle *bundle);
#define _cleanup_launch_bundle_ _cleanup_(launch_bundle_close)

/**
 * launch_bundle_root() - a detached mount of the container's root, owned by the caller
 *
 * One of lamina's bundles: the overlay its own file describes, or what `layerfs mount` has mounted
 * on rootfs/ already (an upper directory is never mounted twice). Any other: what is at root.path.
 * @ret_tmpfs_fd: as struct overlay's; -EBADF on every other way
 */
int launch_bundle_root(const struct launch_bundle *bundle, int *ret_tmpfs_fd, struct error *error);

/**
 * launch_bundle_mark() - note in a bundle of lamina's that @pid runs it, after its launcher is gone
 *
 * The file `running` has the pid and its start time; who locks the bundle looks whether it lives.
 */
int launch_bundle_mark(const struct launch_bundle *bundle, pid_t pid, uint64_t start_time,
		       struct error *error);

/**
 * launch_bundle_unmark() - remove the note that this process runs the bundle at @path; no bundle
 * there any more, or a note of another process, is fine
 */
int launch_bundle_unmark(const char *path, pid_t pid, uint64_t start_time);
