/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/mounted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mount_mark.h"
#include "base/overlay.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"

#define MOUNTED_FILE "mounted"

int bundle_mount_state(int bundle_fd, int *ret_pid)
{
	int r = mount_mark_state(bundle_fd, "rootfs", MOUNTED_FILE, ret_pid);

	return r == -ENOENT ? BUNDLE_MOUNT_NONE : r;
}

/* The size in the bundle's `ephemeral`, where it has one: 1, 0 (it has none) or a negative errno.
 */
static int ephemeral_read(const struct bundle *bundle, uint64_t *ret_bytes, struct error *error)
{
	_cleanup_strings_ struct string_list lines = {};
	int r = bundle_lines(bundle, "ephemeral", &lines);

	if (r == -ENOENT)
		return 0;
	if (r == 0 &&
	    (lines.n_items != 1 || string_to_uint64(lines.items[0], UINT64_MAX, ret_bytes) < 0))
		r = -EINVAL;
	if (r < 0)
		return error_set(error, r, "cannot read '%s/ephemeral'", bundle->path);
	return 1;
}

static int merged_open(const struct bundle *bundle, unsigned int overlay_flags, int *ret_mount_fd,
		       struct error *error)
{
	_cleanup_strings_ struct string_list lowers = {};
	_cleanup_free_ char *upper = string_format("%s/upper", bundle->path);
	_cleanup_free_ char *work = string_format("%s/work", bundle->path);
	struct overlay overlay = { .flags = overlay_flags };
	int r;

	if (!upper || !work)
		return error_set(error, -ENOMEM, "cannot mount '%s'", bundle->path);
	r = bundle_lowers(bundle, &lowers, error);
	if (r < 0)
		return r;
	overlay.lowers = (const char *const *)lowers.items;
	overlay.n_lowers = lowers.n_items;
	r = ephemeral_read(bundle, &overlay.ephemeral_bytes, error);
	if (r < 0)
		return r;
	if (r > 0) {
		overlay.flags |= OVERLAY_EPHEMERAL;
	} else {
		overlay.upper = upper;
		overlay.work = work;
	}
	r = overlay_mount(&overlay, ret_mount_fd, error);
	return r < 0 ? error_prefix(error, r, "bundle '%s'", bundle->path) : 0;
}

static int state_refuse(const struct bundle *bundle, int state, int pid, struct error *error)
{
	if (state == BUNDLE_MOUNT_HERE)
		return error_say(error, -EBUSY, "the bundle '%s' is mounted already", bundle->path);
	if (state == BUNDLE_MOUNT_OTHER)
		return error_say(error, -EBUSY,
				 "the bundle '%s' is mounted in the mount namespace of process %d",
				 bundle->path, pid);
	return error_set(error, state, "cannot tell whether '%s' is mounted", bundle->path);
}

int bundle_mount(const struct bundle *bundle, unsigned int overlay_flags, struct error *error)
{
	TRACE_PHASE("mnt.overlay");
	_cleanup_close_ int mount_fd = -EBADF;
	int pid = 0, r = bundle_mount_state(bundle->fd, &pid);

	if (r != BUNDLE_MOUNT_NONE)
		return state_refuse(bundle, r, pid, error);
	r = merged_open(bundle, overlay_flags, &mount_fd, error);
	if (r < 0)
		return r;
	/* The mark first: a mark without a mount is stale, a mount without a mark is not seen. */
	r = mount_mark_write(bundle->fd, MOUNTED_FILE);
	if (r < 0)
		return error_set(error, r, "cannot write '%s/" MOUNTED_FILE "'", bundle->path);
	if (sys_move_mount(mount_fd, "", bundle->fd, "rootfs", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = -errno;
		(void)unlinkat(bundle->fd, MOUNTED_FILE, 0);
		return error_set(error, r, "cannot mount on '%s/rootfs'", bundle->path);
	}
	return 0;
}

int bundle_umount(const struct bundle *bundle, int umount_flags, struct error *error)
{
	TRACE_PHASE("root.umount");
	_cleanup_free_ char *rootfs = string_format("%s/rootfs", bundle->path);
	int pid = 0, r = bundle_mount_state(bundle->fd, &pid);

	if (!rootfs)
		return error_set(error, -ENOMEM, "cannot unmount '%s'", bundle->path);
	if (r == BUNDLE_MOUNT_NONE) {
		(void)unlinkat(bundle->fd, MOUNTED_FILE, 0);
		return error_say(error, -EINVAL, "the bundle '%s' is not mounted", bundle->path);
	}
	if (r != BUNDLE_MOUNT_HERE)
		return state_refuse(bundle, r, pid, error);
	if (sys_umount2(rootfs, UMOUNT_NOFOLLOW | umount_flags) < 0)
		return error_set(error, -errno, "cannot unmount '%s'", rootfs);
	(void)unlinkat(bundle->fd, MOUNTED_FILE, 0);
	return 0;
}
