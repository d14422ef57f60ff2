/* SPDX-License-Identifier: MIT */
/*
 * The file `overlay` in a bundle: what is mounted as the container's root.
 *
 * It is written by `nslaunch spec` and read at a start, and is never taken from config.json:
 *engines copy an image's own annotations into that, so an image could ask for the host's root.
 *
 * Lines of a word, one space, and the rest as it stands:
 *
 *	lower PATH	absolute; the topmost first, the init layer before the image's; at least one
 *	upper PATH	absolute, with `work PATH`: the read-write layer; or
 *	ephemeral BYTES	a tmpfs of that size instead (0: the kernel's default, half of the memory)
 *
 * Neither an upper nor ephemeral: the root is read-only. A path can't contain a line break.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

#define OVERLAY_FILE_NAME "overlay"

/* All zero is a valid empty one. */
struct overlay_file {
	struct string_list lowers;
	char *upper, *work; /* both or neither; owned */
	bool is_ephemeral;
	uint64_t ephemeral_bytes;
};

/**
 * overlay_file_write() - replace the file in the bundle (not synced)
 *
 * Return: 0 or a negative errno (-EINVAL: a path that is not absolute or has a line break).
 */
int overlay_file_write(int bundle_fd, const struct overlay_file *overlay, struct error *error);

/**
 * overlay_file_read() - read and check it
 * @ret_overlay: filled on 0 only; to be deinitialized by the caller
 *
 * The file must be a regular one that belongs to the caller (or to root) and that nobody else can
 * write.
 *
 * Return: 0 or a negative errno (-ENOENT: the bundle has none, its root is `rootfs` as it is; so it
 * is with a directory of that name, an engine's; -EPERM: not to be trusted; -EBADMSG: not in this
 * format).
 */
int overlay_file_read(int bundle_fd, struct overlay_file *ret_overlay, struct error *error);

void overlay_file_deinit(struct overlay_file *overlay);
#define _cleanup_overlay_file_ _cleanup_(overlay_file_deinit)
