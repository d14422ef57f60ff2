/* SPDX-License-Identifier: MIT */
#include "fs/volume/volume.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/trace.h"
#include "fs/volume/internal.h"

void volume_close(struct volume *volume)
{
	cleanup_close(&volume->fd);
	cleanup_close(&volume->lock_fd);
	free(volume->name);
	*volume = VOLUME_EMPTY;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool volume_name_is_valid(const char *name)
{
	size_t n = strlen(name);

	if (n < 2 || n > VOLUME_NAME_MAX_BYTES || !is_alphanumeric(*name))
		return false;
	for (const char *p = name; *p; p++) {
		if (!is_alphanumeric(*p) && !strchr("_.-", *p))
			return false;
	}
	return true;
}

int volume_name_check(const char *name, struct error *error)
{
	if (volume_name_is_valid(name))
		return 0;
	return error_say(error, -EINVAL,
			 "'%s' is no name for a volume: it takes two or more of a-z A-Z 0-9 _ . -, "
			 "the first a letter or a digit",
			 name);
}

void volume_path(const char *name, char ret_path[VOLUME_PATH_BYTES])
{
	snprintf(ret_path, VOLUME_PATH_BYTES, "volumes/%s", name);
}

/* Is what was locked still what the name means, or was it removed while the lock was waited for? */
static bool is_current(const struct store *store, const char *path, int fd)
{
	struct stat named, held;

	return fstat(fd, &held) == 0 &&
	       fstatat(store->fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

/* 0, 1: it was removed meanwhile, look again, or a negative errno with the error filled. */
static int open_once(const struct store *store, const char *name, bool exclusive,
		     struct volume *volume, struct error *error)
{
	char path[VOLUME_PATH_BYTES];
	int r;

	volume_path(name, path);
	volume->fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (volume->fd < 0 && errno == ENOENT)
		return error_say(error, -ENOENT, "there is no volume '%s'", name);
	if (volume->fd < 0)
		return error_set(error, -errno, "cannot open the volume '%s'", name);
	volume->lock_fd = openat(volume->fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (volume->lock_fd < 0) {
		r = -errno;
		/* In the trash the lock is deleted like everything else. */
		if (r == -ENOENT && !is_current(store, path, volume->fd))
			return 1;
		return error_set(error, r, "cannot open the lock of the volume '%s'", name);
	}
	r = lock_take(volume->lock_fd, exclusive ? LOCK_MODE_EXCLUSIVE : LOCK_MODE_SHARED);
	if (r < 0)
		return error_set(error, r, "cannot lock the volume '%s'", name);
	if (!is_current(store, path, volume->fd))
		return 1;
	volume->name = strdup(name);
	return volume->name ? 0 : error_set(error, -ENOMEM, "cannot open the volume '%s'", name);
}

int volume_open(const struct store *store, const char *name, bool exclusive,
		struct volume *ret_volume, struct error *error)
{
	TRACE_PHASE("lock.wait");
	int r = volume_name_check(name, error);

	if (r < 0)
		return r;
	for (;;) {
		_cleanup_volume_ struct volume volume = VOLUME_EMPTY;

		r = open_once(store, name, exclusive, &volume, error);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		*ret_volume = volume;
		volume = VOLUME_EMPTY;
		return 0;
	}
}

static int refs_open(const struct volume *volume)
{
	int fd = openat(volume->fd, "refs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int volume_reference_add(struct volume *volume, const char *id, struct error *error)
{
	_cleanup_close_ int refs_fd = refs_open(volume);
	int r = refs_fd < 0 ? refs_fd : file_write_at(refs_fd, id, "", 0, 0600);

	volume->was_noted = r == -EEXIST;
	/* Synced, as the volume is: a container that outlives a power cut has its volumes. */
	if (r == 0 && fsync(refs_fd) < 0)
		r = -errno;
	if (r < 0 && !volume->was_noted)
		return error_set(error, r, "cannot refer to the volume '%s'", volume->name);
	return 0;
}

int volume_reference_drop(const struct volume *volume, const char *id)
{
	_cleanup_close_ int refs_fd = refs_open(volume);

	if (refs_fd < 0)
		return refs_fd;
	return unlinkat(refs_fd, id, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int container_exists(const struct store *store, const char *id)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "containers/%s", id);
	if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int volume_users(const struct store *store, const struct volume *volume, struct string_list *ids,
		 struct error *error)
{
	int refs_fd = refs_open(volume);
	_cleanup_closedir_ DIR *refs = refs_fd < 0 ? NULL : fdopendir(refs_fd);
	const struct dirent *entry;
	int r = 0;

	if (!refs)
		return error_set(error, refs_fd < 0 ? refs_fd : -errno,
				 "cannot read who uses the volume '%s'", volume->name);
	while (r >= 0 && (entry = readdir(refs))) {
		if (entry->d_name[0] == '.')
			continue;
		r = container_exists(store, entry->d_name);
		if (r == 0)
			(void)unlinkat(refs_fd, entry->d_name, 0);
		if (r > 0)
			r = string_list_add(ids, entry->d_name);
	}
	return r < 0 ? error_set(error, r, "cannot read who uses the volume '%s'", volume->name)
		     : 0;
}

static int in_use(const struct volume *volume, const struct string_list *users, struct error *error)
{
	if (users->n_items == 1)
		return error_say(error, -EBUSY, "the volume '%s' is in use by the container '%s'",
				 volume->name, users->items[0]);
	return error_say(error, -EBUSY,
			 "the volume '%s' is in use by %zu containers, one of them '%s'",
			 volume->name, users->n_items, users->items[0]);
}

int volume_remove(const struct store *store, const char *name, struct error *error)
{
	TRACE_PHASE("vol.remove");
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;
	_cleanup_strings_ struct string_list users = {};
	char path[VOLUME_PATH_BYTES];
	int r = volume_open(store, name, true, &volume, error);

	if (r == 0)
		r = volume_users(store, &volume, &users, error);
	if (r < 0)
		return r;
	if (users.n_items > 0)
		return in_use(&volume, &users, error);
	volume_path(name, path);
	r = store_discard(store, path);
	return r < 0 ? error_set(error, r, "cannot remove the volume '%s'", name) : 0;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int volumes_list(const struct store *store, struct string_list *names, struct error *error)
{
	int fd = openat(store->fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return error_set(error, -errno, "cannot list the volumes");
	while (r == 0 && (entry = readdir(directory))) {
		if (volume_name_is_valid(entry->d_name))
			r = string_list_add(names, entry->d_name);
	}
	if (r < 0)
		return error_set(error, r, "cannot list the volumes");
	if (names->n_items)
		qsort(names->items, names->n_items, sizeof(*names->items), by_name);
	return 0;
}

bool volume_is_anonymous(const struct volume *volume)
{
	_cleanup_json_ struct json_document document = {};

	if (json_parse_file_at(&document, volume->fd, "volume.json", VOLUME_JSON_MAX_BYTES, NULL) <
	    0)
		return false;
	return json_exists(
		json_get(json_get(json_root(&document), "Labels"), VOLUME_ANONYMOUS_LABEL));
}
