/* SPDX-License-Identifier: MIT */
#include "fs/volume/populate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "fs/copy/copy.h"

#define MARKER "populating"

void populate_root_close(struct populate_root *root)
{
	cleanup_close(&root->fd);
	root->fd = -EBADF;
}

static int root_open(struct populate_root *root, struct error *error)
{
	/* What the image has is only looked at: no device of its is opened, whatever happens. */
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME,
		.attr_clr = MOUNT_ATTR__ATIME,
	};
	int r;

	if (root->fd >= 0)
		return 0;
	TRACE_PHASE("vol.root");
	r = bundle_open_root(root->bundle, BUNDLE_ROOT_LOWERS, &root->fd, error);
	/* mount_setattr(): Linux 5.12; without it only regular files are opened, by their type. */
	if (r == 0)
		(void)sys_mount_setattr(root->fd, "", AT_EMPTY_PATH, &attributes);
	return r;
}

int populate_check(struct populate_root *root, const char *destination, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r = root_open(root, error);

	if (r < 0)
		return r;
	fd = path_open_in_root(root->fd, destination, O_PATH, 0);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(error, fd < 0 ? fd : -errno, "cannot look at '%s' in the image",
				 destination);
	if (!S_ISDIR(st.st_mode))
		return error_say(error, -ENOTDIR,
				 "cannot mount volume over existing file, file exists %s",
				 destination);
	return 0;
}

static int directory_open(int directory_fd, DIR **ret_directory)
{
	_cleanup_close_ int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory)
		return -errno;
	(void)take_fd(&fd);
	*ret_directory = directory;
	return 0;
}

static const struct dirent *directory_next(DIR *directory)
{
	const struct dirent *entry;

	do {
		entry = readdir(directory);
	} while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
	return entry;
}

/* 1, 0, or a negative errno. lost+found counts as an entry, as Docker has it. */
static int directory_is_empty(int directory_fd)
{
	_cleanup_closedir_ DIR *directory = NULL;
	int r = directory_open(directory_fd, &directory);

	return r < 0 ? r : !directory_next(directory);
}

/* Empties the directory, and gives it what a new volume's has. */
static int directory_reset(int directory_fd)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	char names[4096];
	ssize_t n;
	int r = directory_open(directory_fd, &directory);

	while (r == 0 && (entry = directory_next(directory)))
		r = path_remove_tree(dirfd(directory), entry->d_name);
	if (r < 0)
		return r;
	n = flistxattr(directory_fd, names, sizeof(names));
	for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1)
		(void)fremovexattr(directory_fd, name);
	if (fchown(directory_fd, geteuid(), getegid()) < 0 || fchmod(directory_fd, 0755) < 0)
		return -errno;
	return 0;
}

static int marker_make(const struct volume *volume, const char *subpath)
{
	const char *text = subpath ? subpath : "";
	int r = file_replace_at(volume->fd, MARKER, text, strlen(text), 0600, FILE_REPLACE_SYNC);

	/* On the disk before the first file is. */
	return r == 0 && fsync(volume->fd) < 0 ? -errno : r;
}

static int marker_remove(const struct volume *volume)
{
	if (unlinkat(volume->fd, MARKER, 0) < 0)
		return -errno;
	return fsync(volume->fd) < 0 ? -errno : 0;
}

/* An fd of the directory that is to be mounted: _data, or @subpath resolved below it. */
static int target_open(const struct volume *volume, const char *subpath)
{
	_cleanup_close_ int data_fd =
		openat(volume->fd, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (data_fd < 0)
		return -errno;
	if (!subpath || !*subpath)
		return take_fd(&data_fd);
	return path_open_in_root(data_fd, subpath, O_RDONLY | O_DIRECTORY, 0);
}

/* Does a container use it that may have run: a complete one, and not our own? */
static int others_use(const struct store *store, const struct volume *volume, const char *own_id,
		      struct error *error)
{
	_cleanup_strings_ struct string_list users = {};
	int r = volume_users(store, volume, &users, error);

	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&users, i) {
		char path[NAME_MAX + 32];

		snprintf(path, sizeof(path), "containers/%s/config.json", users.items[i]);
		if (strcmp(users.items[i], own_id) && faccessat(store->fd, path, F_OK, 0) == 0)
			return 1;
	}
	return 0;
}

static int leftover_empty(const struct volume *volume, const char *subpath)
{
	_cleanup_close_ int target_fd = target_open(volume, subpath);
	int r = target_fd < 0 ? target_fd : directory_reset(target_fd);

	return r < 0 && r != -ENOENT ? r : marker_remove(volume);
}

/*
 * What a killed populate left goes, so that the volume is empty again. Where another container has
 * had the volume mounted all along, its files are among the others and can't be told from them:
 * then nothing is removed, and 1 says that a populate has to go over what is there.
 */
static int leftover_clear(const struct volume *volume, bool is_shared, struct error *error)
{
	_cleanup_free_ char *subpath = NULL;
	int r = file_read_at(volume->fd, MARKER, PATH_MAX, &subpath, NULL);

	if (r == -ENOENT)
		return 0;
	if (r == 0 && is_shared)
		return 1;
	if (r == 0)
		r = leftover_empty(volume, subpath);
	return r < 0 ? error_set(error, r, "cannot empty the half populated volume '%s'",
				 volume->name)
		     : 0;
}

static int contents_copy(struct volume *volume, int source_fd, int target_fd, const char *subpath,
			 bool is_shared, struct error *error)
{
	const struct copy_options options = { .flags = COPY_ROOT_METADATA };
	int r = marker_make(volume, subpath);

	if (r < 0)
		return error_set(error, r, "cannot mark the volume");
	r = copy_tree(source_fd, target_fd, &options, NULL, error);
	if (r == 0 && syncfs(target_fd) < 0)
		r = error_set(error, -errno, "cannot write the volume to the disk");
	if (r < 0) {
		/* Where that fails or may not be, the marker stays. */
		if (!is_shared && directory_reset(target_fd) == 0)
			(void)marker_remove(volume);
		return r;
	}
	r = marker_remove(volume);
	return r < 0 ? error_set(error, r, "cannot mark the volume as complete") : 0;
}

/* With the volume's lock held exclusive: look again, and do it. */
static int populate_locked(const struct store *store, struct volume *volume,
			   struct populate_root *root, const char *destination, const char *subpath,
			   bool no_copy, struct error *error)
{
	_cleanup_close_ int target_fd = -EBADF;
	_cleanup_close_ int source_fd = -EBADF;
	int is_shared = others_use(store, volume, root->bundle->id, error);
	int over = is_shared < 0 ? is_shared : leftover_clear(volume, is_shared, error);
	int r;

	if (over < 0 || (no_copy && !over))
		return over;
	target_fd = target_open(volume, subpath);
	if (target_fd < 0)
		return error_set(error, target_fd, "cannot open '%s' in the volume '%s'",
				 subpath ? subpath : "/", volume->name);
	r = directory_is_empty(target_fd);
	if (r < 0)
		return error_set(error, r, "cannot read the volume '%s'", volume->name);
	if (r == 0 && !over)
		return 0;
	r = root_open(root, error);
	if (r < 0)
		return r;
	source_fd = path_open_in_root(root->fd, destination, O_RDONLY | O_DIRECTORY, 0);
	if (source_fd == -ENOENT && !over)
		return 0;
	if (source_fd < 0)
		return error_set(error, source_fd, "cannot open '%s' in the image", destination);
	r = contents_copy(volume, source_fd, target_fd, subpath, is_shared, error);
	return r < 0 ? error_prefix(error, r, "cannot populate the volume '%s' from '%s'",
				    volume->name, destination)
		     : 0;
}

/* Without the exclusive lock: is there anything to do? */
static int is_wanted(const struct volume *volume, const char *subpath, bool no_copy)
{
	_cleanup_close_ int target_fd = -EBADF;

	if (faccessat(volume->fd, MARKER, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (no_copy)
		return 0;
	target_fd = target_open(volume, subpath);
	return target_fd < 0 ? target_fd : directory_is_empty(target_fd);
}

int volume_populate(const struct store *store, struct volume *volume, struct populate_root *root,
		    const char *destination, const char *subpath, bool no_copy, struct error *error)
{
	int r = is_wanted(volume, subpath, no_copy);

	if (r < 0)
		return error_set(error, r, "cannot open '%s' in the volume '%s'",
				 subpath ? subpath : "/", volume->name);
	if (r == 0)
		return 0;
	if (!volume->is_new) {
		TRACE_PHASE("lock.wait");

		/* Nobody removes it meanwhile: it has our reference. */
		r = lock_take(volume->lock_fd, LOCK_MODE_EXCLUSIVE);
		if (r < 0)
			return error_set(error, r, "cannot lock the volume '%s'", volume->name);
	}
	TRACE_PHASE("vol.populate");
	return populate_locked(store, volume, root, destination, subpath, no_copy, error);
}
