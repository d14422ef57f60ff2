/* SPDX-License-Identifier: MIT */
#include "launch/device.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"

static const struct config_device default_devices[] = {
	{ .path = "/dev/null", .mode = S_IFCHR | 0666, .device = (dev_t)0x103 },
	{ .path = "/dev/zero", .mode = S_IFCHR | 0666, .device = (dev_t)0x105 },
	{ .path = "/dev/full", .mode = S_IFCHR | 0666, .device = (dev_t)0x107 },
	{ .path = "/dev/random", .mode = S_IFCHR | 0666, .device = (dev_t)0x108 },
	{ .path = "/dev/urandom", .mode = S_IFCHR | 0666, .device = (dev_t)0x109 },
	{ .path = "/dev/tty", .mode = S_IFCHR | 0666, .device = (dev_t)0x500 },
};

static const char *const links[][2] = {
	{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "core", "/proc/kcore" },	 { "ptmx", "pts/ptmx" },
};

static bool same_node(int directory_fd, const char *name, const struct config_device *device)
{
	struct stat st;

	return fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == (device->mode & S_IFMT) &&
	       (S_ISFIFO(st.st_mode) || st.st_rdev == device->device);
}

/* An image's own node is kept where it is the very device, and replaced where it is something else.
 */
static int node_make(int directory_fd, const char *name, const struct config_device *device)
{
	if (mknodat(directory_fd, name, device->mode, device->device) < 0) {
		if (errno != EEXIST)
			return -errno;
		if (same_node(directory_fd, name, device))
			return 0;
		if (unlinkat(directory_fd, name, 0) < 0 ||
		    mknodat(directory_fd, name, device->mode, device->device) < 0)
			return -errno;
	}
	if ((device->uid || device->gid) &&
	    fchownat(directory_fd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/*
 * In a user namespace nobody may make a device: the host's own node of that name is bound, where it
 * is the very device. Its owner and mode stay the host's.
 */
static int node_bind(int directory_fd, const char *name, const struct config_device *device)
{
	_cleanup_close_ int tree_fd =
		sys_open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	_cleanup_close_ int made_fd = -EBADF, target_fd = -EBADF;
	struct stat st;

	if (tree_fd < 0 || fstat(tree_fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != (device->mode & S_IFMT) || st.st_rdev != device->device)
		return -ENODEV;
	made_fd = openat(directory_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
			 0666);
	if (made_fd < 0 && errno != EEXIST)
		return -errno;
	target_fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0 || fstat(target_fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return -EEXIST;
	return sys_move_mount(tree_fd, "", target_fd, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

/* A launcher that is in a user namespace itself may make none either, whatever the container has.
 */
static int node_place(int directory_fd, const char *name, const struct config_device *device,
		      bool is_bound, struct error *error)
{
	int r = -EPERM;

	if (!is_bound || S_ISFIFO(device->mode))
		r = node_make(directory_fd, name, device);
	if (r == -EPERM && !S_ISFIFO(device->mode)) {
		is_bound = true;
		r = node_bind(directory_fd, name, device);
	}
	if (r == -ENODEV && is_bound)
		return error_say(error, r,
				 "cannot bind '%s': on the host it isn't device %u:%u, and a user "
				 "namespace can make none",
				 device->path, major(device->device), minor(device->device));
	return r < 0 ? error_set(error, r, "cannot %s '%s'", is_bound ? "bind" : "make",
				 device->path)
		     : 0;
}

static int device_make(int root_fd, int dev_fd, const struct config_device *device, bool is_bound,
		       struct error *error)
{
	const char *name = string_has_prefix(device->path, "/dev/");
	_cleanup_close_ int parent_fd = -EBADF;
	char parent[PATH_MAX];
	const char *slash;

	if (name && *name && !strchr(name, '/')) {
		return node_place(dev_fd, name, device, is_bound, error);
	}
	slash = strrchr(device->path, '/');
	if (!slash[1] || (size_t)(slash - device->path) >= sizeof(parent))
		return error_set(error, -EINVAL, "cannot make '%s'", device->path);
	memcpy(parent, device->path, (size_t)(slash - device->path));
	parent[slash - device->path] = '\0';
	parent_fd = path_mkdir_in_root(root_fd, *parent ? parent : "/", 0755);
	if (parent_fd < 0)
		return error_set(error, parent_fd, "cannot make '%s'", device->path);
	return node_place(parent_fd, slash + 1, device, is_bound, error);
}

static bool dev_is_bind(const struct config *config)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		if (config->mounts[i].is_bind && !strcmp(config->mounts[i].destination, "/dev"))
			return true;
	}
	return false;
}

/* An engine's own list repeats the default ones (Docker's --privileged does). */
static bool is_listed(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->n_devices; i++) {
		if (!strcmp(config->devices[i].path, path))
			return true;
	}
	return false;
}

static int links_make(int dev_fd, struct error *error)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlinkat(links[i][1], dev_fd, links[i][0]) < 0 && errno != EEXIST)
			return error_set(error, -errno, "cannot make the link '/dev/%s'",
					 links[i][0]);
	}
	return 0;
}

int device_fill(int dev_fd, struct error *error)
{
	mode_t mask = umask(0);
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(default_devices) / sizeof(default_devices[0]);
	     i++) {
		const struct config_device *device = &default_devices[i];

		r = node_make(dev_fd, string_has_prefix(device->path, "/dev/"), device);
		if (r < 0)
			error_set(error, r, "cannot make '%s'", device->path);
	}
	umask(mask);
	return r == 0 ? links_make(dev_fd, error) : r;
}

int device_make_all(int root_fd, const struct config *config, struct error *error)
{
	TRACE_PHASE("mnt.dev.nodes");
	bool is_bound = config_find_namespace(config, CLONE_NEWUSER);
	_cleanup_close_ int dev_fd = -EBADF;
	int r = 0;

	if (dev_is_bind(config))
		return 0;
	/* Not through a link: the nodes would be made where it leads (CVE-2026-41579). */
	dev_fd = path_open_beneath(root_fd, "dev", O_PATH | O_DIRECTORY, 0);
	if (dev_fd == -ENOENT)
		dev_fd = path_mkdir_in_root(root_fd, "dev", 0755);
	if (dev_fd < 0)
		return error_set(error, dev_fd, "'/dev' must be an ordinary directory");
	for (size_t i = 0; r == 0 && i < sizeof(default_devices) / sizeof(default_devices[0]);
	     i++) {
		if (!is_listed(config, default_devices[i].path))
			r = device_make(root_fd, dev_fd, &default_devices[i], is_bound, error);
	}
	for (size_t i = 0; r == 0 && i < config->n_devices; i++) {
		r = device_make(root_fd, dev_fd, &config->devices[i], is_bound, error);
		if (r < 0)
			return error_prefix(error, r, "linux.devices[%zu]", i);
	}
	return r == 0 ? links_make(dev_fd, error) : r;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int device_null_reopen(struct error *error)
{
	_cleanup_close_ int null_fd = -EBADF;
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) < 0 || !is_null(&st))
			continue;
		/* The caller had it closed (command_main()), and so has the container. */
		if (fcntl(fd, F_GETFL) & O_PATH)
			continue;
		/* Looked at first: opening another device may have effects. */
		if (null_fd < 0 &&
		    (fstatat(AT_FDCWD, "/dev/null", &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_null(&st)))
			return 0;
		if (null_fd < 0)
			null_fd = fd_open("/dev/null",
					  O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (null_fd < 0 || fstat(null_fd, &st) < 0 || !is_null(&st) ||
		    fcntl(null_fd, F_SETFL, O_RDWR) < 0)
			return 0;
		if (dup2(null_fd, fd) < 0)
			return error_set(error, -errno, "cannot reopen /dev/null");
	}
	return 0;
}
