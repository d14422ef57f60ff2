/* SPDX-License-Identifier: MIT */
#include "bench/floor/floor.h"

#include <sys/stat.h>

#include "base/syscalls.h"

static int set_string(int fs_fd, const char *key, const char *value)
{
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

static int create(int fs_fd)
{
	if (sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
}

/* Upper and work on a tmpfs that no namespace has: by descriptor (Linux 6.13). */
static int set_ephemeral(int fs_fd)
{
	int tmpfs_fd = create(sys_fsopen("tmpfs", FSOPEN_CLOEXEC));
	int upper_fd, work_fd;

	if (mkdirat(tmpfs_fd, "upper", 0755) < 0 || mkdirat(tmpfs_fd, "work", 0755) < 0)
		return -1;
	upper_fd = openat(tmpfs_fd, "upper", O_PATH | O_CLOEXEC);
	work_fd = openat(tmpfs_fd, "work", O_PATH | O_CLOEXEC);
	if (sys_fsconfig(fs_fd, FSCONFIG_SET_FD, "upperdir", NULL, upper_fd) < 0)
		return -1;
	return sys_fsconfig(fs_fd, FSCONFIG_SET_FD, "workdir", NULL, work_fd);
}

int root_make(struct floor *floor)
{
	int fs_fd = sys_fsopen("overlay", FSOPEN_CLOEXEC);

	for (size_t i = 0; i < floor->n_lowers; i++) {
		if (set_string(fs_fd, "lowerdir+", floor->lowers[i]) < 0)
			return -1;
	}
	if (!floor->upper) {
		if (set_ephemeral(fs_fd) < 0)
			return -1;
	} else if (set_string(fs_fd, "upperdir", floor->upper) < 0 ||
		   set_string(fs_fd, "workdir", floor->work) < 0) {
		return -1;
	}
	/* Docker's; it also keeps the kernel from making an index directory. */
	if (set_string(fs_fd, "index", "off") < 0)
		return -1;
	floor->root_fd = create(fs_fd);
	return floor->root_fd;
}

/*
 * It must be attached before anything can be mounted on it (before Linux 6.15) and before
 * pivot_root. Where doesn't matter: this namespace is the container's own and the place goes with
 * all the rest of the old root. /proc is there always, and no step needs the host's.
 */
int root_attach(struct floor *floor)
{
	if (sys_move_mount(floor->root_fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	return fchdir(floor->root_fd);
}

/* pivot_root(2), "pivot_root(".", ".")": the old root is stacked on the new one, and taken off. */
int root_switch(struct floor *floor)
{
	if (sys_pivot_root(".", ".") < 0)
		return -1;
	return sys_umount2(".", MNT_DETACH);
}
