/* SPDX-License-Identifier: MIT */
/*
 * The same start with what can be there beforehand: the template of the mounts, and one of each of
 * what `nslaunch pool fill` makes. launch/template.h and launch/pool.h say what these are.
 */
#include "bench/floor/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/syscalls.h"

/* As getdents64(2) gives them. */
struct entry {
	uint64_t inode, offset;
	unsigned short n_bytes;
	unsigned char type;
	char name[];
};

static const char *const etc_files[] = { "resolv.conf", "hostname", "hosts" };

int template_open(struct floor *floor)
{
	floor->template_fd = open(floor->template, O_RDONLY | O_CLOEXEC);
	return floor->template_fd;
}

/* The namespace and the mount by their pins, the cgroup by its name. */
static int pin_open(struct floor *floor, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "../pins/%s", name);
	if (!strncmp(name, "net-", 4)) {
		floor->network_fd = openat(floor->ready_fd, path, O_RDONLY | O_CLOEXEC);
		return floor->network_fd;
	}
	if (!strncmp(name, "dev-", 4)) {
		floor->dev_fd =
			sys_open_tree(floor->ready_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		return floor->dev_fd;
	}
	snprintf(floor->cgroup, sizeof(floor->cgroup), "@pool-%s", name + strlen("cgroup-"));
	return 0;
}

/* Who makes the name go has what it stands for. */
int pool_take(struct floor *floor)
{
	static const char *const kinds[N_POOLED] = { "net-", "cgroup-", "dev-" };
	_Alignas(struct entry) char buffer[4096];
	long n;

	floor->ready_fd = open(floor->pool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while ((n = syscall(SYS_getdents64, floor->ready_fd, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; i < n;) {
			const struct entry *entry = (const struct entry *)(buffer + i);

			i += entry->n_bytes;
			for (int kind = 0; kind < N_POOLED; kind++) {
				if (floor->taken[kind][0] ||
				    strncmp(entry->name, kinds[kind], strlen(kinds[kind])) != 0 ||
				    unlinkat(floor->ready_fd, entry->name, 0) < 0)
					continue;
				snprintf(floor->taken[kind], sizeof(floor->taken[kind]), "%s",
					 entry->name);
				if (pin_open(floor, entry->name) < 0)
					return -1;
			}
		}
	}
	errno = ENOENT;
	return floor->taken[0][0] && floor->taken[1][0] && floor->taken[2][0] ? 0 : -1;
}

/* The program runs, and nobody waits for this. */
void pool_settle(struct floor *floor)
{
	for (int kind = 0; kind < N_POOLED; kind++) {
		char path[512];

		if (!floor->taken[kind][0])
			continue;
		snprintf(path, sizeof(path), "%s/../pins/%s", floor->pool, floor->taken[kind]);
		(void)sys_umount2(path, MNT_DETACH);
		if (unlink(path) < 0)
			(void)rmdir(path);
	}
}

/* The host's files: nobody finds them by name in the template. */
int etc_take(struct floor *floor)
{
	for (size_t i = 0; i < N_ETC_FILES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/etc/%s", etc_files[i]);
		floor->etc_fds[i] =
			sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (floor->etc_fds[i] < 0)
			return -1;
	}
	return 0;
}

int network_enter(struct floor *floor)
{
	return setns(floor->network_fd, CLONE_NEWNET);
}

int template_enter(struct floor *floor)
{
	if (setns(floor->template_fd, CLONE_NEWNS) < 0)
		return -1;
	return unshare(CLONE_NEWNS);
}

int template_root_attach(struct floor *floor)
{
	if (sys_move_mount(floor->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	return fchdir(floor->root_fd);
}

int template_root_switch(struct floor *floor)
{
	return chroot(".");
}

int pooled_dev_attach(struct floor *floor)
{
	return sys_move_mount(floor->dev_fd, "", AT_FDCWD, "dev", MOVE_MOUNT_F_EMPTY_PATH);
}

int etc_attach(struct floor *floor)
{
	for (size_t i = 0; i < N_ETC_FILES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "etc/%s", etc_files[i]);
		if (sys_move_mount(floor->etc_fds[i], "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) <
		    0)
			return -1;
	}
	return 0;
}
