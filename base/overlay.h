/* SPDX-License-Identifier: MIT */
/*
 * The one overlay mount primitive: layers in, a detached mount out.
 *
 * The mount is made with the mount API, one `lowerdir+` a layer (documented since Linux 6.8, so
 * neither the 4096-byte option page nor fsconfig's 255 bytes a string matter). On kernels where
 * that fails (6.1: `lowerdir+` is taken, but FSCONFIG_CMD_CREATE says EINVAL) a short-lived child
 * in a mount namespace of its own mounts the same with mount(2), through links with short names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The kernel's own limit (fs/overlayfs/params.h, OVL_MAX_STACK). */
#define OVERLAY_MAX_LOWERS 500

enum overlay_flags {
	OVERLAY_VOLATILE = 1 << 0,  /* no sync on umount (5.10): the upper is lost in a crash */
	OVERLAY_USERXATTR = 1 << 1, /* user.overlay.*, for mounts in a user namespace (5.11) */
	OVERLAY_READ_ONLY = 1 << 2, /* the mount is read-only, whatever the layers are */
	OVERLAY_EPHEMERAL = 1 << 3, /* the upper is a new tmpfs that goes with the mount */
	OVERLAY_FORCE_FALLBACK = 1 << 4, /* take the way of older kernels, for its tests */
};

struct overlay {
	const char *const *lowers; /* absolute paths, topmost first; at least one */
	size_t n_lowers;
	const char *upper, *work; /* absolute, or both NULL: read-only */
	uint64_t ephemeral_bytes; /* size of the tmpfs; 0: the kernel's default, half of the memory
				   */
	unsigned int flags;
	int *ret_tmpfs_fd; /* NULL, or gets the descriptor of the OVERLAY_EPHEMERAL tmpfs (-EBADF:
			      there is none), owned by the caller. Closing it waits for other
			      processors (RCU, expedited), which may be done when there is time for
			      it */
};

/**
 * overlay_mount() - make the mount described by @overlay
 * @ret_mount_fd: set on 0 only: a detached mount (O_PATH, close-on-exec), owned by the caller:
 * work below it, or attach it with move_mount(MOVE_MOUNT_F_EMPTY_PATH); closing it unmounts
 *
 * A single lower without an upper, which overlayfs refuses, becomes a read-only bind of it.
 *
 * Return: 0 or a negative errno (-E2BIG: over OVERLAY_MAX_LOWERS); @error has the kernel's own
 * words where it gave any.
 */
int overlay_mount(const struct overlay *overlay, int *ret_mount_fd, struct error *error);
