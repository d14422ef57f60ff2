/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/syscalls.h"
#include "launch/cgroup/internal.h"

static int attach(int mount_fd, int target_fd)
{
	return sys_move_mount(mount_fd, "", target_fd, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

/*
 * A clone of the host's mount, cut at the container's cgroup: what a mount of its own in the
 * container's cgroup namespace would show, without a new one per hierarchy.
 */
static int hierarchy_clone(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
			   unsigned int attributes)
{
	struct mount_attr set = { .attr_set = attributes };
	char path[PATH_MAX];
	_cleanup_close_ int fd = -EBADF;

	if (snprintf(path, sizeof(path), CGROUP_ROOT "/%s/%s", hierarchy->name, cgroup->path) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &set) < 0)
		return -errno;
	return take_fd(&fd);
}

static int tmpfs_make(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

static int hierarchy_mount(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
			   int tmpfs_fd, unsigned int attributes)
{
	_cleanup_close_ int clone_fd = hierarchy_clone(cgroup, hierarchy, attributes);
	_cleanup_close_ int place_fd = -EBADF;

	if (clone_fd < 0)
		return clone_fd;
	if (mkdirat(tmpfs_fd, hierarchy->name, 0755) < 0)
		return -errno;
	place_fd = openat(tmpfs_fd, hierarchy->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return place_fd < 0 ? -errno : attach(clone_fd, place_fd);
}

int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 struct error *error)
{
	_cleanup_close_ int mount_fd = -EBADF;
	bool is_pure = cgroup->n_hierarchies == 1 && !strcmp(cgroup->hierarchies[0].name, ".");
	struct mount_attr set = { .attr_set = attributes };
	int r;

	mount_fd = is_pure ? hierarchy_clone(cgroup, &cgroup->hierarchies[0], attributes)
			   : tmpfs_make();
	r = mount_fd < 0 ? mount_fd : attach(mount_fd, target_fd);
	for (size_t i = 0; r == 0 && !is_pure && i < cgroup->n_hierarchies; i++) {
		r = hierarchy_mount(cgroup, &cgroup->hierarchies[i], mount_fd, attributes);
		if (r < 0)
			return error_set(error, r, "cannot mount the cgroup hierarchy '%s'",
					 cgroup->hierarchies[i].name);
	}
	if (r == 0 && !is_pure && sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH, &set) < 0)
		r = -errno;
	return r < 0 ? error_set(error, r, "cannot mount the cgroups") : 0;
}
