/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "launch/cgroup/internal.h"

/*
 * A detached clone of the host's mount, cut at @path below it. By name: a descriptor of the
 * launcher's is of a mount in another namespace, which can't be cloned in this one; and all of the
 * path is the host's and the kernel's.
 */
static int clone_make(const char *hierarchy_name, const char *path, unsigned int attributes)
{
	/* Private: where the host's mount is shared, its clone would pass on what is mounted. */
	struct mount_attr wanted = { .attr_set = attributes, .propagation = MS_PRIVATE };
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	_cleanup_close_ int fd = -EBADF;
	char whole[PATH_MAX];
	int n;

	n = snprintf(whole, sizeof(whole), CGROUP_ROOT "/%s/%s", hierarchy_name, path);
	if (n < 0 || (size_t)n >= sizeof(whole))
		return -ENAMETOOLONG;
	fd = sys_open_tree_attr(AT_FDCWD, whole, flags, &wanted);
	if (fd >= 0)
		return take_fd(&fd);
	/* Before Linux 6.15. */
	fd = sys_open_tree(AT_FDCWD, whole, flags);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &wanted) < 0)
		return -errno;
	return take_fd(&fd);
}

static int tmpfs_make(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	/* For some directories and links: nobody is to fill the host's memory through it. */
	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "nr_inodes", "128", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* "cpu" and "cpuacct" beside "cpu,cpuacct": most programs know only those. */
static int links_make(int tmpfs_fd, const char *name)
{
	if (!strchr(name, ','))
		return 0;
	for (const char *p = name; *p;) {
		size_t n = strcspn(p, ",");
		char link[NAME_MAX + 1];

		snprintf(link, sizeof(link), "%.*s", (int)n, p);
		if (symlinkat(name, tmpfs_fd, link) < 0 && errno != EEXIST)
			return -errno;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int hierarchy_mount(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
			   int tmpfs_fd, unsigned int attributes)
{
	_cleanup_close_ int fd = clone_make(hierarchy->name, cgroup->path, attributes);

	if (fd < 0)
		return fd;
	/* The child's umask is 0. */
	if (mkdirat(tmpfs_fd, hierarchy->name, 0755) < 0 ||
	    sys_move_mount(fd, "", tmpfs_fd, hierarchy->name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return links_make(tmpfs_fd, hierarchy->name);
}

static int attach(int mount_fd, int target_fd, struct error *error)
{
	if (mount_fd < 0)
		return error_set(error, mount_fd, "cannot make the mount of the cgroups");
	if (sys_move_mount(mount_fd, "", target_fd, "",
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "cannot mount the cgroups");
	return 0;
}

static int mount_v1(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		    struct error *error)
{
	struct mount_attr wanted = { .attr_set = attributes };
	_cleanup_close_ int tmpfs_fd = tmpfs_make();
	/* First of all: nothing can be mounted on a detached mount before Linux 6.15. */
	int r = attach(tmpfs_fd, target_fd, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];

		if (hierarchy->is_v2 || !hierarchy->exists)
			continue;
		r = hierarchy_mount(cgroup, hierarchy, tmpfs_fd, attributes);
		if (r < 0)
			return error_set(error, r, "cannot mount cgroup hierarchy '%s'",
					 hierarchy->name);
	}
	if (sys_mount_setattr(tmpfs_fd, "", AT_EMPTY_PATH, &wanted) < 0)
		return error_set(error, -errno, "cannot set the options of the cgroups' mount");
	return 0;
}

int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 bool private_namespace, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;

	if (cgroup->n_hierarchies == 0)
		return 0;
	if (strcmp(cgroup->hierarchies[0].name, ".") != 0)
		return mount_v1(cgroup, target_fd, attributes, error);
	fd = clone_make(".", private_namespace ? cgroup->path : "", attributes);
	return attach(fd, target_fd, error);
}
