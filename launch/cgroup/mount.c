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

void cgroup_mounts_close(struct cgroup_mounts *mounts)
{
	for (size_t i = 0; i < mounts->n_mounts; i++)
		cleanup_close(&mounts->mounts[i].mount_fd);
	mounts->n_mounts = 0;
}

static void mounts_take(struct cgroup_mounts *mounts, int mount_fd, const char *name)
{
	mounts->mounts[mounts->n_mounts].mount_fd = mount_fd;
	snprintf(mounts->mounts[mounts->n_mounts].name, sizeof(mounts->mounts[0].name), "%s", name);
	mounts->n_mounts++;
}

/* A detached clone of the cgroup mount at @directory_fd, private and with @attributes. */
static int clone_make(int directory_fd, unsigned int attributes)
{
	/* Private: where the host's mount is shared, its clone would pass on what is mounted. */
	struct mount_attr wanted = { .attr_set = attributes, .propagation = MS_PRIVATE };
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	_cleanup_close_ int fd = sys_open_tree_attr(directory_fd, "", flags, &wanted);

	if (fd >= 0)
		return take_fd(&fd);
	/* Before Linux 6.15. */
	fd = sys_open_tree(directory_fd, "", flags);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &wanted) < 0)
		return -errno;
	return take_fd(&fd);
}

static int tmpfs_make(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	/* For some directories and links; nobody fills the host's memory through it. */
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

static int hierarchy_prepare(const struct cgroup_hierarchy *hierarchy, unsigned int attributes,
			     struct cgroup_mounts *mounts, struct error *error)
{
	int tmpfs_fd = mounts->mounts[0].mount_fd;
	int fd, r;

	/* The umask must not close it to the container's users. */
	if (mkdirat(tmpfs_fd, hierarchy->name, 0755) < 0 ||
	    fchmodat(tmpfs_fd, hierarchy->name, 0755, 0) < 0)
		return error_set(error, -errno, "cannot make '%s' in a tmpfs", hierarchy->name);
	r = links_make(tmpfs_fd, hierarchy->name);
	if (r < 0)
		return error_set(error, r, "cannot link to '%s' in a tmpfs", hierarchy->name);
	fd = clone_make(hierarchy->directory_fd, attributes);
	if (fd < 0)
		return error_set(error, fd, "cannot clone the mount of cgroup hierarchy '%s'",
				 hierarchy->name);
	mounts_take(mounts, fd, hierarchy->name);
	return 0;
}

static int prepare_v1(const struct cgroup *cgroup, unsigned int attributes,
		      struct cgroup_mounts *mounts, struct error *error)
{
	struct mount_attr wanted = { .attr_set = attributes };
	int fd = tmpfs_make();
	int r = 0;

	if (fd < 0)
		return error_set(error, fd, "cannot make a tmpfs");
	mounts_take(mounts, fd, "");
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];

		if (!hierarchy->is_v2 && hierarchy->directory_fd >= 0)
			r = hierarchy_prepare(hierarchy, attributes, mounts, error);
	}
	if (r == 0 && sys_mount_setattr(fd, "", AT_EMPTY_PATH, &wanted) < 0)
		return error_set(error, -errno, "cannot make a tmpfs read-only");
	return r;
}

static int prepare_v2(const struct cgroup *cgroup, unsigned int attributes, unsigned int flags,
		      struct cgroup_mounts *mounts, struct error *error)
{
	/* Without a namespace of its own /proc/self/cgroup has the path from the host's root. */
	int fd = clone_make(flags & CGROUP_MOUNTS_PRIVATE_NAMESPACE
				    ? cgroup->hierarchies[0].directory_fd
				    : cgroup->root_fd,
			    attributes);

	if (fd < 0)
		return error_set(error, fd, "cannot clone the mount of the cgroup hierarchy");
	mounts_take(mounts, fd, "");
	return 0;
}

int cgroup_mounts_prepare(const struct cgroup *cgroup, unsigned int attributes, unsigned int flags,
			  struct cgroup_mounts *mounts, struct error *error)
{
	int r;

	mounts->n_mounts = 0;
	if (cgroup->n_hierarchies == 0)
		return 0;
	if (!strcmp(cgroup->hierarchies[0].name, "."))
		r = prepare_v2(cgroup, attributes, flags, mounts, error);
	else
		r = prepare_v1(cgroup, attributes, mounts, error);
	if (r < 0)
		cgroup_mounts_close(mounts);
	return r;
}

int cgroup_mounts_attach(const struct cgroup_mounts *mounts, int target_fd, struct error *error)
{
	if (mounts->n_mounts == 0)
		return 0;
	if (sys_move_mount(mounts->mounts[0].mount_fd, "", target_fd, "",
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "cannot mount the cgroups");
	for (size_t i = 1; i < mounts->n_mounts; i++) {
		if (sys_move_mount(mounts->mounts[i].mount_fd, "", mounts->mounts[0].mount_fd,
				   mounts->mounts[i].name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return error_set(error, -errno, "cannot mount cgroup hierarchy '%s'",
					 mounts->mounts[i].name);
	}
	return 0;
}
