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

/* Consumes @clone_fd. */
static int hierarchy_mount(const struct cgroup_hierarchy *hierarchy, int tmpfs_fd, int clone_fd)
{
	_cleanup_close_ int fd = clone_fd;

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

static bool is_pure_v2(const struct cgroup *cgroup)
{
	return cgroup->n_hierarchies > 0 && !strcmp(cgroup->hierarchies[0].name, ".");
}

/* Hybrid: the v2 hierarchy isn't shown. */
static bool is_shown(const struct cgroup_hierarchy *hierarchy)
{
	return !hierarchy->is_v2 && hierarchy->exists;
}

static int v2_clone(const struct cgroup *cgroup, unsigned int attributes, bool private_namespace)
{
	return clone_make(".", private_namespace ? cgroup->path : "", attributes);
}

void cgroup_clones_init(struct cgroup_clones *clones)
{
	for (size_t i = 0; i < CGROUP_MAX_HIERARCHIES; i++)
		clones->fds[i] = -EBADF;
	clones->are_taken = false;
}

int cgroup_clones_take(struct cgroup_clones *clones, const struct cgroup *cgroup,
		       unsigned int attributes, bool private_namespace, struct error *error)
{
	clones->are_taken = true;
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		int fd;

		if (is_pure_v2(cgroup))
			fd = v2_clone(cgroup, attributes, private_namespace);
		else if (is_shown(hierarchy))
			fd = clone_make(hierarchy->name, cgroup->path, attributes);
		else
			continue;
		if (fd < 0)
			return error_set(error, fd, "cannot clone the mount of cgroup '%s/%s'",
					 hierarchy->name, cgroup->path);
		clones->fds[i] = fd;
	}
	return 0;
}

void cgroup_clones_close(struct cgroup_clones *clones)
{
	for (size_t i = 0; clones->are_taken && i < CGROUP_MAX_HIERARCHIES; i++)
		cleanup_close(&clones->fds[i]);
	cgroup_clones_init(clones);
}

static int mount_v1(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		    const struct cgroup_clones *clones, struct error *error)
{
	struct mount_attr wanted = { .attr_set = attributes };
	_cleanup_close_ int tmpfs_fd = tmpfs_make();
	/* First of all: nothing can be mounted on a detached mount before Linux 6.15. */
	int r = attach(tmpfs_fd, target_fd, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];

		if (!is_shown(hierarchy))
			continue;
		r = hierarchy_mount(hierarchy, tmpfs_fd,
				    clones ? clones->fds[i]
					   : clone_make(hierarchy->name, cgroup->path, attributes));
		if (r < 0)
			return error_set(error, r, "cannot mount cgroup hierarchy '%s'",
					 hierarchy->name);
	}
	if (sys_mount_setattr(tmpfs_fd, "", AT_EMPTY_PATH, &wanted) < 0)
		return error_set(error, -errno, "cannot set the options of the cgroups' mount");
	return 0;
}

int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 bool private_namespace, const struct cgroup_clones *clones, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;

	if (cgroup->n_hierarchies == 0)
		return 0;
	if (!is_pure_v2(cgroup))
		return mount_v1(cgroup, target_fd, attributes, clones, error);
	fd = clones ? clones->fds[0] : v2_clone(cgroup, attributes, private_namespace);
	return attach(fd, target_fd, error);
}
