/* SPDX-License-Identifier: MIT */
#include "launch/template.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"
#include "launch/cgroup/delegation.h"
#include "launch/credentials.h"

#define NS_GET_NSTYPE_REQUEST _IO(0xb7, 0x3) /* linux/nsfs.h, Linux 4.11 */

/* In the template's directory, where none can be made. */
#define UNABLE_NAME "unable"

/* Each bind's source is a descriptor. */
#define MAX_MOUNTS 128

static bool is_below(const char *path, const char *directory)
{
	const char *rest = string_has_prefix(path, directory);

	return rest && (!*rest || *rest == '/');
}

/* What a source means in the container's process, or once its root is in place, and not before. */
static bool source_is_late(const struct launch_bundle *bundle, const char *source)
{
	char path[PATH_MAX];

	if (strstr(source, ".."))
		return true;
	if (snprintf(path, sizeof(path), "%s%s%s", *source == '/' ? "" : bundle->path,
		     *source == '/' ? "" : "/", source) >= (int)sizeof(path))
		return true;
	return is_below(path, "/proc") || is_below(path, bundle->root_path);
}

/* A file system that is made of nothing: no device and no directory has to be found for it. */
static bool is_virtual(const char *type)
{
	static const char *const types[] = { "proc",   "sysfs",	 "tmpfs",   "devpts",
					     "mqueue", "cgroup", "cgroup2", "ramfs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return false;
}

static const char *mounts_misfit(const struct launch_bundle *bundle)
{
	const struct config *config = &bundle->config;
	unsigned int n_cgroup_mounts = 0;

	if (config->n_mounts > MAX_MOUNTS)
		return "it has many mounts";
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (mount->is_remount)
			continue;
		if (mount->is_bind && source_is_late(bundle, mount->source))
			return "a mount's source is in /proc or in its root";
		if (!mount->is_bind && !is_virtual(mount->type))
			return "a mount's file system is on the host";
		n_cgroup_mounts += !mount->is_bind && string_has_prefix(mount->type, "cgroup");
	}
	return n_cgroup_mounts > 1 ? "it mounts the cgroups twice" : NULL;
}

const char *template_misfit(const struct launch_bundle *bundle)
{
	const struct config *config = &bundle->config;
	const uint64_t needed = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT | 1ULL << CAP_MKNOD;
	uint64_t held = 0;

	if (!config_has_own_namespace(config, CLONE_NEWNS))
		return "its mount namespace is another's";
	if (config_find_namespace(config, CLONE_NEWUSER))
		return "it has a user namespace";
	if (config->root_propagation & (MS_SHARED | MS_SLAVE | MS_UNBINDABLE))
		return "its root's mounts propagate";
	if (config_hooks_have(&config->hooks, HOOK_PRESTART, HOOK_CREATE_CONTAINER))
		return "its hooks are run among the host's mounts";
	if (config->n_net_devices)
		return "it gets network devices";
	if (credentials_held(&held, NULL) < 0 || (held & needed) != needed)
		return "the caller lacks capabilities";
	return mounts_misfit(bundle);
}

static bool is_mount_namespace(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE_REQUEST) == CLONE_NEWNS;
}

static int directory_open(const char *directory, struct error *error)
{
	_cleanup_close_ int fd =
		fd_open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(error, -errno, "cannot open '%s'", directory);
	if (st.st_uid != 0 || st.st_mode & 022)
		return error_say(error, -EPERM, "'%s' is not root's alone to write", directory);
	return take_fd(&fd);
}

/* -ENOENT: what is there, if anything, is no namespace (another boot's, or unmounted). */
static int pin_open(int directory_fd)
{
	_cleanup_close_ int fd = openat(directory_fd, TEMPLATE_NAME,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return is_mount_namespace(fd) ? take_fd(&fd) : -ENOENT;
}

/* Read-only as a mount and as a file system, and too small for a first file in case of a remount.
 */
static int empty_make(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				 MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* In a copy of the host's mounts: all of them go, and the empty tmpfs is what is left. */
static int namespace_empty(void)
{
	_cleanup_close_ int fd = -EBADF;

	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	fd = empty_make();
	if (fd < 0)
		return fd;
	if (sys_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(fd) < 0 ||
	    sys_pivot_root(".", ".") < 0 || sys_umount2(".", MNT_DETACH) < 0)
		return -errno;
	return 0;
}

/* Where namespaces of the holder's are made. */
enum {
	CPU_ANY = -1,
};

/*
 * Another copy, of a user namespace of its own: for all who are given a copy of that, the kernel
 * locks the empty tmpfs and that it is read-only. What lies below it, the kernel's own bare root
 * file system, can't be uncovered then, as it can below a root that was pivoted. Where there are no
 * user namespaces it is as there.
 */
static void mounts_lock(void)
{
	(void)unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

/* The namespace, of the processor @cpu. */
static int holder_make(int cpu)
{
	_cleanup_close_ int proc_fd = fd_open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cpu_set_t set;
	int fd, r;

	if (cpu != CPU_ANY) {
		CPU_ZERO(&set);
		CPU_SET((size_t)cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0)
			return -errno;
	}
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	r = namespace_empty();
	if (r < 0)
		return r;
	mounts_lock();
	fd = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Lives until its maker has pinned the namespace, which is the end of the socket. What it returns
 * is its exit status: why it couldn't make one.
 */
static int holder_main(int socket_fd, int cpu)
{
	int fd = holder_make(cpu);
	char byte = 0;

	if (fd >= 0 && fd_send(socket_fd, &byte, 1, fd) == 0)
		(void)fd_read_full(socket_fd, &byte, 1);
	return fd < 0 ? -fd : 0;
}

/* On any failure nothing is mounted. */
static int pin(const char *namespace_path, const char *directory)
{
	char path[PATH_MAX];
	int code;

	if (snprintf(path, sizeof(path), "%s/" TEMPLATE_NAME, directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (sys_mount(namespace_path, path, NULL, MS_BIND, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* A mount that is shared can't have a mount namespace's file on it: the directory gets a
	 * private one. */
	if (sys_mount(directory, directory, NULL, MS_BIND, NULL) < 0)
		return -errno;
	if (sys_mount(NULL, directory, NULL, MS_PRIVATE, NULL) == 0 &&
	    sys_mount(namespace_path, path, NULL, MS_BIND, NULL) == 0)
		return 0;
	code = -errno;
	(void)sys_umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW);
	return code;
}

static int holder_pin(int socket_fd, const char *directory)
{
	_cleanup_close_ int fd = fd_receive(socket_fd);
	char path[64];
	int r;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = is_mount_namespace(fd) ? pin(path, directory) : -ENODEV;
	return r < 0 ? r : take_fd(&fd);
}

/* -EINVAL: it was made, and can't be pinned; -ENOTSUP: here none can be made. */
static int namespace_make_on(int cpu, const char *directory)
{
	int fds[2], r, status = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = process_fork(0, -1, NULL);
	if (pid == 0) {
		close(fds[0]);
		_exit(holder_main(fds[1], cpu));
	}
	close(fds[1]);
	r = pid < 0 ? (int)pid : holder_pin(fds[0], directory);
	close(fds[0]);
	if (pid > 0)
		(void)process_wait(pid, &status);
	/* pivot_root(2), on a host that runs from its initramfs. */
	if (r == -ENODATA && process_exit_status(status) == EINVAL)
		return -ENOTSUP;
	return r;
}

/*
 * A mount namespace's file can be mounted only in an older namespace, which is told by their
 * numbers; since Linux 6.18 each processor gives out a range of its own. In a namespace that isn't
 * the first (a container's, a test's) the processor has to be found that has higher ones.
 */
static int namespace_make(const char *directory)
{
	cpu_set_t allowed;
	int r = namespace_make_on(CPU_ANY, directory);

	if (r != -EINVAL || sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return r;
	for (int cpu = 0; r == -EINVAL && cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((size_t)cpu, &allowed))
			r = namespace_make_on(cpu, directory);
	}
	return r;
}

static int directory_make(const char *directory, struct error *error)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(directory, '/');

	if ((size_t)(slash - directory) >= sizeof(parent))
		return error_set(error, -ENAMETOOLONG, "'%s'", directory);
	memcpy(parent, directory, (size_t)(slash - directory));
	parent[slash - directory] = '\0';
	/* As the state directory is made: this start may be the first to need it. */
	if (*parent && mkdir(parent, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make '%s'", parent);
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make '%s'", directory);
	return directory_open(directory, error);
}

/* Held until it is pinned: of two first starts one makes it, and the other goes its way without. */
static int make(int directory_fd, const char *directory, struct error *error)
{
	_cleanup_close_ int file_fd = -EBADF;
	int fd, r = lock_try(directory_fd, LOCK_MODE_EXCLUSIVE);

	if (r == -EWOULDBLOCK)
		return error_say(error, -EAGAIN, "another start is making it");
	if (r < 0)
		return error_set(error, r, "cannot lock '%s'", directory);
	fd = pin_open(directory_fd);
	if (fd >= 0)
		return fd;
	if (faccessat(directory_fd, UNABLE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_say(error, -ENOTSUP, "this host can have none: '%s/" UNABLE_NAME "'",
				 directory);
	/* In its mount namespace no procfs could be mounted: the kernel looks there for another. */
	if (cgroup_caller_is_confined())
		return error_say(error, -EPERM, "the caller is in a user namespace");
	file_fd = openat(directory_fd, TEMPLATE_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	if (file_fd < 0)
		return error_set(error, -errno, "cannot make '%s/" TEMPLATE_NAME "'", directory);
	fd = namespace_make(directory);
	/* Not tried once more by each start: it takes a fifth of one. */
	if (fd == -ENOTSUP)
		(void)file_write_at(directory_fd, UNABLE_NAME, "", 0, 0600);
	return fd < 0 ? error_set(error, fd, "cannot make the namespace") : fd;
}

int template_open(const char *directory, struct error *error)
{
	TRACE_PHASE("template.open");
	_cleanup_close_ int directory_fd = directory_open(directory, error);
	int fd;

	if (directory_fd < 0 && directory_fd != -ENOENT)
		return directory_fd;
	fd = directory_fd < 0 ? directory_fd : pin_open(directory_fd);
	if (fd != -ENOENT)
		return fd < 0 ? error_set(error, fd, "cannot open '%s/" TEMPLATE_NAME "'",
					  directory)
			      : fd;
	if (directory_fd < 0)
		directory_fd = directory_make(directory, error);
	return directory_fd < 0 ? directory_fd : make(directory_fd, directory, error);
}

int template_remove(const char *directory, struct error *error)
{
	_cleanup_close_ int directory_fd = directory_open(directory, error);
	char path[PATH_MAX];
	int r;

	if (directory_fd == -ENOENT) {
		error_init(error);
		return 0;
	}
	if (directory_fd < 0)
		return directory_fd;
	r = lock_take(directory_fd, LOCK_MODE_EXCLUSIVE);
	if (r < 0)
		return error_set(error, r, "cannot lock '%s'", directory);
	if (snprintf(path, sizeof(path), "%s/" TEMPLATE_NAME, directory) >= (int)sizeof(path))
		return error_set(error, -ENAMETOOLONG, "'%s'", directory);
	/* EINVAL: it isn't mounted. */
	if ((sys_umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
	     errno != ENOENT) ||
	    (sys_umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL))
		return error_set(error, -errno, "cannot unmount '%s'", path);
	(void)unlinkat(directory_fd, UNABLE_NAME, 0);
	if ((unlink(path) < 0 && errno != ENOENT) || (rmdir(directory) < 0 && errno != ENOENT))
		return error_set(error, -errno, "cannot remove '%s'", directory);
	return 0;
}

int template_enter(int template_fd)
{
	TRACE_PHASE("root.template");

	if (setns(template_fd, CLONE_NEWNS) < 0)
		return TEMPLATE_REFUSED;
	/* The template itself stays empty: what is mounted from here on is in a copy. */
	return unshare(CLONE_NEWNS) < 0 ? -errno : 0;
}
