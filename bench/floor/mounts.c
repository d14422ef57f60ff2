/* SPDX-License-Identifier: MIT */
/* The working directory is the container's root, which is attached but not yet switched to. */
#include "bench/floor/floor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/syscalls.h"

static const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/* Docker's, as of 28: what is not there on this kernel is passed over. */
static const char *const masked_paths[] = {
	"proc/acpi",
	"proc/asound",
	"proc/interrupts",
	"proc/kcore",
	"proc/keys",
	"proc/latency_stats",
	"proc/sched_debug",
	"proc/scsi",
	"proc/timer_list",
	"proc/timer_stats",
	"sys/devices/virtual/powercap",
	"sys/firmware",
};

static const char *const read_only_paths[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

int clone_read_only(int directory_fd, const char *path)
{
	const struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC,
	};
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int fd = sys_open_tree_attr(directory_fd, path, flags, &attributes);

	/* Before Linux 6.15 it takes two calls. */
	if (fd >= 0 || errno != ENOSYS)
		return fd;
	fd = sys_open_tree(directory_fd, path, flags);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attributes) < 0)
		return -1;
	return fd;
}

int mount_proc(struct floor *floor)
{
	return sys_mount("proc", "proc", "proc", plain, NULL);
}

/* Docker's two, which let the unprivileged bind low ports and ping, in a network of its own. */
int write_sysctls(struct floor *floor)
{
	static const char *const sysctls[][2] = {
		{ "proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
		{ "proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
	};

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]) && !floor->host_network; i++) {
		int fd = open(sysctls[i][0], O_WRONLY | O_CLOEXEC);
		ssize_t n = write(fd, sysctls[i][1], strlen(sysctls[i][1]));

		close(fd);
		if (n < 0)
			return -1;
	}
	return 0;
}

int mount_dev(struct floor *floor)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },	 { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "pts/ptmx", "ptmx" },
	};
	static const char *const directories[] = { "pts", "shm", "mqueue" };
	int fd;

	if (sys_mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k") <
	    0)
		return -1;
	fd = open("dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (mknodat(fd, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			return -1;
	}
	umask(022);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlinkat(links[i][0], fd, links[i][1]) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (mkdirat(fd, directories[i], 0755) < 0)
			return -1;
	}
	return 0;
}

int mount_dev_pts(struct floor *floor)
{
	return sys_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
			 "newinstance,ptmxmode=0666,mode=0620,gid=5");
}

int mount_dev_shm(struct floor *floor)
{
	return sys_mount("shm", "dev/shm", "tmpfs", plain, "mode=1777,size=65536k");
}

int mount_dev_mqueue(struct floor *floor)
{
	return sys_mount("mqueue", "dev/mqueue", "mqueue", plain, NULL);
}

int mount_sys(struct floor *floor)
{
	return sys_mount("sysfs", "sys", "sysfs", plain | MS_RDONLY, NULL);
}

/* The host's own stand for the three that a bundle has. */
int mount_etc(struct floor *floor)
{
	if (sys_mount("/etc/resolv.conf", "etc/resolv.conf", NULL, MS_BIND, NULL) < 0 ||
	    sys_mount("/etc/hostname", "etc/hostname", NULL, MS_BIND, NULL) < 0)
		return -1;
	return sys_mount("/etc/hosts", "etc/hosts", NULL, MS_BIND, NULL);
}

/* A file becomes the container's /dev/null, a directory an empty one: one for all of them. */
int mount_masks(struct floor *floor)
{
	const char *empty = NULL;

	for (size_t i = 0; i < sizeof(masked_paths) / sizeof(masked_paths[0]); i++) {
		const char *path = masked_paths[i];

		if (sys_mount("dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			return -1;
		if (empty && sys_mount(empty, path, NULL, MS_BIND, NULL) < 0)
			return -1;
		if (!empty &&
		    sys_mount("tmpfs", path, "tmpfs", plain | MS_RDONLY, "nr_inodes=1") < 0)
			return -1;
		empty = path;
	}
	return 0;
}

int mount_read_only_paths(struct floor *floor)
{
	for (size_t i = 0; i < sizeof(read_only_paths) / sizeof(read_only_paths[0]); i++) {
		const char *path = read_only_paths[i];
		int fd = clone_read_only(AT_FDCWD, path);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || sys_move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -1;
	}
	return 0;
}
