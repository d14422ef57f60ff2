/* SPDX-License-Identifier: MIT */
#include "bench/floor/floor.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/syscalls.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
#define CGROUP_PARENT "lamina" /* stays, as Docker's /docker does */

/* As distributions mount them; where two are mounted together, their own names are links. */
static const char *const hierarchy_names[] = {
	"cpuset",  "cpu",     "cpuacct",  "cpu,cpuacct",      "blkio",	    "memory",  "devices",
	"freezer", "net_cls", "net_prio", "net_cls,net_prio", "perf_event", "hugetlb", "pids",
	"rdma",	   "misc",    "systemd",
};

/* Docker's device list: everything may be made, these may be used. */
static const char *const device_rules[][2] = {
	{ "devices.deny", "a" },
	{ "devices.allow", "c *:* m" },
	{ "devices.allow", "b *:* m" },
	{ "devices.allow", "c 1:3 rwm" },   /* null */
	{ "devices.allow", "c 1:5 rwm" },   /* zero */
	{ "devices.allow", "c 1:7 rwm" },   /* full */
	{ "devices.allow", "c 1:8 rwm" },   /* random */
	{ "devices.allow", "c 1:9 rwm" },   /* urandom */
	{ "devices.allow", "c 5:0 rwm" },   /* tty */
	{ "devices.allow", "c 5:1 rwm" },   /* console */
	{ "devices.allow", "c 5:2 rwm" },   /* ptmx */
	{ "devices.allow", "c 136:* rwm" }, /* devpts */
};

static int write_file(int directory_fd, const char *name, const char *text, size_t n_bytes)
{
	int fd = openat(directory_fd, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = write(fd, text, n_bytes);

	close(fd);
	return n < 0 ? -1 : 0;
}

static int copy_file(int from_fd, int to_fd, const char *name)
{
	char text[4096];
	int fd = openat(from_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	return n <= 0 ? -1 : write_file(to_fd, name, text, (size_t)n);
}

/*
 * A new cpuset is empty, and takes no process (ENOSPC) before it has processors and memory; the
 * second is asked, since the first are written first. Where the parent has clone_children they come
 * with the cpuset, so that is switched on, and from the second start on there is nothing to write.
 */
static int cpuset_initialise(int root_fd, int parent_fd, int directory_fd)
{
	char text[4096];
	int fd = openat(directory_fd, "cpuset.mems", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	if (n > 1)
		return 0;
	if (copy_file(root_fd, parent_fd, "cpuset.cpus") < 0 ||
	    copy_file(root_fd, parent_fd, "cpuset.mems") < 0 ||
	    write_file(parent_fd, "cgroup.clone_children", "1", 1) < 0 ||
	    copy_file(parent_fd, directory_fd, "cpuset.cpus") < 0)
		return -1;
	return copy_file(parent_fd, directory_fd, "cpuset.mems");
}

static int device_rules_write(int directory_fd)
{
	for (size_t i = 0; i < sizeof(device_rules) / sizeof(device_rules[0]); i++) {
		const char *rule = device_rules[i][1];

		if (write_file(directory_fd, device_rules[i][0], rule, strlen(rule)) < 0)
			return -1;
	}
	return 0;
}

/* A directory may be there without its hierarchy being mounted on it. */
static int hierarchy_open(int all_fd, const char *name, long magic)
{
	int fd = openat(all_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || (fstatfs(fd, &fs) == 0 && (long)fs.f_type == magic))
		return fd;
	close(fd);
	return -1;
}

static int parent_open(const struct floor *floor, int root_fd)
{
	if (!floor->pool && mkdirat(root_fd, CGROUP_PARENT, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(root_fd, CGROUP_PARENT, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int hierarchy_make(struct floor *floor, int root_fd, const char *name, bool is_v2)
{
	struct hierarchy *hierarchy = &floor->hierarchies[floor->n_hierarchies];
	int parent_fd = parent_open(floor, root_fd);

	if (parent_fd < 0 || (!floor->pool && mkdirat(parent_fd, floor->cgroup, 0755) < 0))
		return -1;
	*hierarchy = (struct hierarchy){ .name = name, .is_v2 = is_v2, .tasks_fd = -1 };
	floor->n_hierarchies++;
	/* Readable: clone3() takes no O_PATH descriptor. */
	hierarchy->directory_fd =
		openat(parent_fd, floor->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!floor->pool && !strcmp(name, "cpuset") &&
	    cpuset_initialise(root_fd, parent_fd, hierarchy->directory_fd) < 0)
		return -1;
	close(parent_fd);
	if (!strcmp(name, "devices") && device_rules_write(hierarchy->directory_fd) < 0)
		return -1;
	if (is_v2)
		floor->v2_fd = hierarchy->directory_fd;
	else
		hierarchy->tasks_fd =
			openat(hierarchy->directory_fd, "tasks", O_WRONLY | O_CLOEXEC);
	/* A bind of it shows the container what a mount of the hierarchy would, for less. */
	hierarchy->mount_fd = clone_read_only(hierarchy->directory_fd, "");
	return hierarchy->mount_fd;
}

int cgroup_make(struct floor *floor)
{
	int all_fd = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (!floor->pool)
		snprintf(floor->cgroup, sizeof(floor->cgroup), "floor-%d", getpid());
	if (fstatfs(all_fd, &fs) < 0)
		return -1;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return hierarchy_make(floor, all_fd, "", true);
	for (size_t i = 0; i < sizeof(hierarchy_names) / sizeof(hierarchy_names[0]); i++) {
		int fd = hierarchy_open(all_fd, hierarchy_names[i], CGROUP_SUPER_MAGIC);

		if (fd < 0)
			continue;
		if (hierarchy_make(floor, fd, hierarchy_names[i], false) < 0)
			return -1;
		close(fd);
	}
	all_fd = hierarchy_open(all_fd, "unified", CGROUP2_SUPER_MAGIC);
	return all_fd < 0 ? 0 : hierarchy_make(floor, all_fd, "unified", true);
}

/*
 * v2: clone3(CLONE_INTO_CGROUP) has done it. v1: "0" into `tasks`, from a process of one thread,
 * is the one way in that never waits for RCU (kernel/cgroup/cgroup.c, cgroup_procs_write_start()).
 * The namespace comes after, or its root would be the launcher's cgroups.
 */
int cgroup_enter(struct floor *floor)
{
	for (size_t i = 0; i < floor->n_hierarchies; i++) {
		if (!floor->hierarchies[i].is_v2 &&
		    write(floor->hierarchies[i].tasks_fd, "0", 1) < 0)
			return -1;
	}
	return unshare(CLONE_NEWCGROUP);
}

/* v2: the hierarchy itself. v1: a directory each, on a tmpfs that is read-only in the end. */
int cgroup_mount(struct floor *floor)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int tmpfs_fd;

	if (floor->n_hierarchies == 1 && !floor->hierarchies[0].name[0])
		return sys_move_mount(floor->hierarchies[0].mount_fd, "", AT_FDCWD, "sys/fs/cgroup",
				      MOVE_MOUNT_F_EMPTY_PATH);
	if (sys_mount("tmpfs", "sys/fs/cgroup", "tmpfs", flags, "mode=755") < 0)
		return -1;
	tmpfs_fd = open("sys/fs/cgroup", O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < floor->n_hierarchies; i++) {
		const struct hierarchy *hierarchy = &floor->hierarchies[i];

		if (mkdirat(tmpfs_fd, hierarchy->name, 0755) < 0)
			return -1;
		if (sys_move_mount(hierarchy->mount_fd, "", tmpfs_fd, hierarchy->name,
				   MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -1;
	}
	return sys_mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags,
			 NULL);
}

void cgroup_remove(struct floor *floor)
{
	for (size_t i = 0; i < floor->n_hierarchies; i++) {
		char path[128];

		snprintf(path, sizeof(path), CGROUP_ROOT "/%s/" CGROUP_PARENT "/%s",
			 floor->hierarchies[i].name, floor->cgroup);
		rmdir(path);
	}
}
