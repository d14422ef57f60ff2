/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

static int path_open(int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = resolve,
	};
	int fd;

	/* EAGAIN: a rename somewhere raced with ".."; the kernel asks to try again. */
	do {
		fd = sys_openat2(root_fd, *path ? path : ".", &how);
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : fd;
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return path_open(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_beneath(int root_fd, const char *path, int flags, mode_t mode)
{
	while (*path == '/')
		path++;
	return path_open(root_fd, path, flags, mode,
			 RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

int path_mkdir_beneath(int root_fd, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t n_parent = (size_t)(name - path);
	_cleanup_close_ int parent_fd = -EBADF;
	char parent[PATH_MAX];

	if (n_parent >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n_parent);
	parent[n_parent] = '\0';
	parent_fd = path_open_beneath(root_fd, parent, O_PATH | O_DIRECTORY, 0);
	if (parent_fd < 0)
		return take_fd(&parent_fd);
	if (mkdirat(parent_fd, name, mode) < 0)
		return -errno;
	return path_open_beneath(parent_fd, name, O_PATH | O_DIRECTORY, 0);
}

/*
 * A symbolic link that leads to nothing (an image's /etc/resolv.conf -> ../run/..., say): the path
 * with the link's target in its place. It is resolved from the root again, so that it can't leave.
 * @n_parent: bytes of @path in front of the link's name, @end: behind it
 */
static int link_replace(int parent_fd, const char *path, size_t n_parent, size_t end,
			char replaced[PATH_MAX])
{
	char name[NAME_MAX + 1], target[PATH_MAX];
	ssize_t n;

	if (end - n_parent > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + n_parent, end - n_parent);
	name[end - n_parent] = '\0';
	n = readlinkat(parent_fd, name, target, sizeof(target));
	/* EINVAL: no link, but a file in the way. */
	if (n < 0)
		return errno == EINVAL ? -ENOTDIR : -errno;
	if (*target == '/')
		n_parent = 0;
	if (n_parent + (size_t)n + strlen(path + end) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(replaced, path, n_parent);
	memcpy(replaced + n_parent, target, (size_t)n);
	strcpy(replaced + n_parent + n, path + end);
	return 0;
}

/* The kernel's own limit of links on one path (MAXSYMLINKS). */
#define PATH_MAX_LINKS 40

/*
 * One try, without recursion: it runs on a small stack with links that an image has made.
 * @replaced: "" or, with -ELOOP, the path to try next: a link was in the way
 */
static int mkdir_in_root(int root_fd, const char *path, mode_t mode, char replaced[PATH_MAX])
{
	_cleanup_close_ int fd = path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
	char prefix[PATH_MAX];
	size_t n = strlen(path);

	*replaced = '\0';
	if (fd >= 0 || fd != -ENOENT)
		return take_fd(&fd);
	if (n >= sizeof(prefix))
		return -ENAMETOOLONG;

	/*
	 * From the root on, each prefix is opened anew by its whole path, so that ".." and links
	 * mean what they mean to the kernel; what is missing is made below the parent just opened.
	 */
	fd = path_open_in_root(root_fd, "/", O_PATH | O_DIRECTORY, 0);
	for (size_t start = 0; fd >= 0 && start < n;) {
		size_t end;
		int child_fd;

		while (path[start] == '/')
			start++;
		end = start + strcspn(path + start, "/");
		if (end == start)
			break;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		child_fd = path_open_in_root(root_fd, prefix, O_PATH | O_DIRECTORY, 0);
		if (child_fd == -ENOENT) {
			const char *name = prefix + start;
			mode_t component_mode = path[end + strspn(path + end, "/")] ? 0755 : mode;

			/* EEXIST: made meanwhile, or a link that leads to nothing. */
			if (mkdirat(fd, name, component_mode) < 0 && errno != EEXIST)
				return -errno;
			child_fd =
				path_open_in_root(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
			if (child_fd == -ENOTDIR) {
				int r = link_replace(fd, path, start, end, replaced);

				return r < 0 ? r : -ELOOP;
			}
		}
		close(fd);
		fd = child_fd;
		start = end;
	}
	return take_fd(&fd);
}

int path_mkdir_in_root(int root_fd, const char *path, mode_t mode)
{
	char replaced[2][PATH_MAX];
	int fd = -ELOOP;

	for (int i = 0; i <= PATH_MAX_LINKS; i++) {
		fd = mkdir_in_root(root_fd, path, mode, replaced[i % 2]);
		if (fd >= 0 || !replaced[i % 2][0])
			break;
		path = replaced[i % 2];
	}
	return fd;
}

int path_open_parent_in_root(int root_fd, const char *path, const char **ret_name)
{
	char parent[PATH_MAX];
	size_t n = strlen(path), n_parent;

	while (n > 0 && path[n - 1] == '/')
		n--;
	n_parent = n;
	while (n_parent > 0 && path[n_parent - 1] != '/')
		n_parent--;
	if (n_parent >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n_parent);
	parent[n_parent] = '\0';
	/* "/" is all slashes: the root itself has no name. */
	*ret_name = n ? path + n_parent : path + strlen(path);
	return path_open_in_root(root_fd, n_parent ? parent : "/", O_PATH | O_DIRECTORY, 0);
}

/* As mkdir_in_root(). */
static int make_file_in_root(int root_fd, const char *path, mode_t mode, char replaced[PATH_MAX])
{
	_cleanup_close_ int parent_fd = -EBADF;
	_cleanup_close_ int made_fd = -EBADF;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t n_parent = (size_t)(name - path);
	char parent[PATH_MAX] = "/";
	int fd = path_open_in_root(root_fd, path, O_PATH, 0);

	*replaced = '\0';
	if (fd != -ENOENT)
		return fd;
	if (!*name)
		return -EISDIR;
	if (n_parent >= sizeof(parent))
		return -ENAMETOOLONG;
	if (n_parent > 0) {
		memcpy(parent, path, n_parent);
		parent[n_parent] = '\0';
	}
	parent_fd = path_mkdir_in_root(root_fd, parent, 0755);
	if (parent_fd < 0)
		return take_fd(&parent_fd);
	made_fd = path_open_in_root(parent_fd, name,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK, mode);
	if (made_fd == -EEXIST) {
		int r = link_replace(parent_fd, path, n_parent, strlen(path), replaced);

		/* No link: somebody made the file meanwhile. */
		if (r != -ENOTDIR)
			return r < 0 ? r : -ELOOP;
	} else if (made_fd < 0) {
		return take_fd(&made_fd);
	}
	return path_open_in_root(parent_fd, name, O_PATH | O_NOFOLLOW, 0);
}

int path_make_file_in_root(int root_fd, const char *path, mode_t mode)
{
	char replaced[2][PATH_MAX];
	int fd = -ELOOP;

	for (int i = 0; i <= PATH_MAX_LINKS; i++) {
		fd = make_file_in_root(root_fd, path, mode, replaced[i % 2]);
		if (fd >= 0 || !replaced[i % 2][0])
			break;
		path = replaced[i % 2];
	}
	return fd;
}

/*
 * Directories deeper than this are moved up to the tree's top and removed from there, so that no
 * depth (a container can make any) takes more descriptors, stack or memory than this much.
 */
#define REMOVE_MAX_DEPTH 64

struct removal {
	int top_fd; /* borrowed; where what is too deep goes */
	unsigned int n_moved;
	bool again; /* something was moved behind the back of the reader of the top */
};

static int directory_empty(struct removal *removal, int directory_fd, unsigned int depth);

static int entry_move(struct removal *removal, int directory_fd, const char *name)
{
	char aside[64];

	do {
		snprintf(aside, sizeof(aside), ".remove.%d.%u", (int)getpid(), removal->n_moved++);
		if (sys_renameat2(directory_fd, name, removal->top_fd, aside, RENAME_NOREPLACE) ==
		    0) {
			removal->again = true;
			return 0;
		}
	} while (errno == EEXIST);
	/* A mount point stays where it is. */
	return errno == ENOENT ? 0 : errno == EBUSY ? -EXDEV : -errno;
}

static int entry_remove(struct removal *removal, int directory_fd, const char *name,
			unsigned int depth)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd, r;

	if (unlinkat(directory_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* Linux says EISDIR for a directory, POSIX EPERM, and a mount point is EBUSY. */
	if (errno != EISDIR && errno != EPERM && errno != EBUSY)
		return -errno;
	r = errno;
	if (depth == REMOVE_MAX_DEPTH)
		return entry_move(removal, directory_fd, name);
	/* No mount is entered, one of the same file system neither: EXDEV. */
	do {
		fd = sys_openat2(directory_fd, name, &how);
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ENOTDIR ? -r : -errno;
	if (depth == 0) {
		removal->top_fd = fd;
		do {
			removal->again = false;
			r = directory_empty(removal, fd, depth);
		} while (removal->again && r == 0);
	} else {
		r = directory_empty(removal, fd, depth);
	}
	close(fd);
	if (unlinkat(directory_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

static int directory_empty(struct removal *removal, int directory_fd, unsigned int depth)
{
	/* An open of its own: a duplicate would share the place that was read up to. */
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int first = 0, r;

	if (!directory) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r == -ENOENT ? 0 : r;
	}
	while ((r = directory_entry_next(directory, &entry)) > 0) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = entry_remove(removal, directory_fd, entry->d_name, depth + 1);
		if (r < 0 && first == 0)
			first = r;
	}
	return first == 0 ? r : first;
}

int path_remove_tree(int directory_fd, const char *name)
{
	struct removal removal = { .top_fd = -EBADF };

	return entry_remove(&removal, directory_fd, name, 0);
}

/* The call is made raw: musl before 1.2.4 has no statx(). */
int path_is_mount_root(int directory_fd, const char *path)
{
	struct statx stx;

	if (syscall(SYS_statx, directory_fd, path,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
		return -errno;
	return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}
