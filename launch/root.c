/* SPDX-License-Identifier: MIT */
#include "launch/root.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/syscalls.h"
#include "base/trace.h"

unsigned long root_host_propagation(unsigned long propagation)
{
	return propagation & (MS_SLAVE | MS_SHARED) ? MS_SLAVE : MS_PRIVATE;
}

int root_attach(int root_mount_fd, const char *place, unsigned long propagation,
		struct error *error)
{
	{
		TRACE_PHASE("mnt.private");
		if (sys_mount(NULL, "/", NULL, MS_REC | root_host_propagation(propagation), NULL) <
		    0)
			return error_set(error, -errno, "cannot make the mounts private");
	}
	TRACE_PHASE("mnt.overlay");
	if (sys_move_mount(root_mount_fd, "", AT_FDCWD, place,
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return error_set(error, -errno, "root.path: cannot attach the root at '%s'", place);
	return 0;
}

int root_propagate(unsigned long propagation, struct error *error)
{
	if (!(propagation & (MS_SHARED | MS_UNBINDABLE)))
		return 0;
	if (sys_mount(NULL, "/", NULL, propagation, NULL) < 0)
		return error_set(error, -errno, "linux.rootfsPropagation: cannot be set");
	return 0;
}

static int root_move(int root_mount_fd, struct error *error)
{
	struct statfs st;

	if (statfs("/", &st) < 0 || (st.f_type != RAMFS_MAGIC && st.f_type != TMPFS_MAGIC))
		return error_set(error, -EINVAL, "cannot switch to the root");
	if (sys_mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return error_set(error, -errno, "cannot move the root");
	return 0;
}

int root_switch(int root_mount_fd, struct error *error)
{
	if (fchdir(root_mount_fd) < 0)
		return error_set(error, -errno, "cannot enter the root");
	{
		TRACE_PHASE("root.switch");
		/* The old root comes to lie on top of the new one, at the same place. */
		if (sys_pivot_root(".", ".") < 0) {
			if (errno == EINVAL)
				return root_move(root_mount_fd, error);
			return error_set(error, -errno, "cannot switch to the root");
		}
	}
	TRACE_PHASE("root.umount");
	if (sys_umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_set(error, -errno, "cannot leave the host's root");
	return 0;
}
