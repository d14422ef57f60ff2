/* SPDX-License-Identifier: MIT */
/*
 * A bundle's merged root, mounted on its rootfs/ for other runtimes and for people.
 *
 * A mount is no process that could hold the bundle's lock for as long as it lasts, so two things
 * say that a bundle is mounted, and everyone who has its lock asks them (bundle_is_mounted()):
 * rootfs/ is the root of a mount, as statx(2) has it (STATX_ATTR_MOUNT_ROOT, Linux 5.8); and for
 * those who look from another mount namespace, the file `mounted` says in which namespace and since
 * which boot. A `mounted` of an earlier boot, of a namespace that no process is in any more, or of
 * this namespace where rootfs/ is not mounted (umount(8) was used), is stale and means nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fs/bundle.h"

enum bundle_mount {
	BUNDLE_MOUNT_NONE = 0,
	BUNDLE_MOUNT_HERE = 1,	/* on rootfs/, in the caller's mount namespace */
	BUNDLE_MOUNT_OTHER = 2, /* in another mount namespace, which still has a process */
};

/**
 * bundle_mount_state() - is the bundle mounted?
 * @bundle_fd: of its directory; borrowed
 * @ret_pid: of a process in the other namespace, with BUNDLE_MOUNT_OTHER; may be NULL
 *
 * Return: an enum bundle_mount, or a negative errno.
 */
int bundle_mount_state(int bundle_fd, int *ret_pid);

/**
 * bundle_mount() - mount the bundle's merged root on its rootfs/
 * @bundle: locked exclusive
 * @overlay_flags: OVERLAY_VOLATILE or 0
 *
 * Return: 0 or a negative errno (-EBUSY: it is mounted already).
 */
int bundle_mount(const struct bundle *bundle, unsigned int overlay_flags, struct error *error);

/**
 * bundle_umount() - the opposite
 * @umount_flags: MNT_DETACH or 0
 *
 * Return: 0 or a negative errno (-EINVAL: it isn't mounted here, -EBUSY: files in it are open).
 */
int bundle_umount(const struct bundle *bundle, int umount_flags, struct error *error);
