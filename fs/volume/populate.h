/* SPDX-License-Identifier: MIT */
/*
 * Populating: an empty volume gets what the image has where it is going to be mounted.
 *
 * As Docker does it (moby, Container.CopyImagePathContent and its callers), with these differences:
 * times of directories and holes are kept, and it is done under the volume's exclusive lock with a
 * marker beside `_data`, so that what a killed tool or a full disk left half done is emptied and
 * done again instead of being taken for the volume's contents. In place, because a directory that
 * is renamed over `_data` is not what running containers have mounted.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "fs/bundle.h"
#include "fs/volume/volume.h"

/* The image's merged root, opened when it is first needed. Start with POPULATE_ROOT(bundle). */
struct populate_root {
	const struct bundle *bundle;
	int fd;
};

#define POPULATE_ROOT(of) ((struct populate_root){ .bundle = (of), .fd = -EBADF })

void populate_root_close(struct populate_root *root);
#define _cleanup_populate_root_ _cleanup_(populate_root_close)

/**
 * populate_check() - is there anything but a directory at @destination in the image?
 *
 * Return: 0, or a negative errno (-ENOTDIR: @error has Docker's words for it).
 */
int populate_check(struct populate_root *root, const char *destination, struct error *error);

/**
 * volume_populate() - make the volume ready for a container
 * @volume: with a reference of the container's in it; its lock may be exclusive afterwards
 * @destination: where it is going to be mounted; links in the image are followed within its root
 * @subpath: the directory of the volume that is going to be mounted there, or NULL: all of it
 * @no_copy: only make good what a killed populate left
 *
 * Nothing is copied where the volume (or @subpath in it) has any entry, or the image has nothing
 * at @destination.
 *
 * Return: 0 or a negative errno (-ENOTDIR: the image has no directory there).
 */
int volume_populate(const struct store *store, struct volume *volume, struct populate_root *root,
		    const char *destination, const char *subpath, bool no_copy,
		    struct error *error);
