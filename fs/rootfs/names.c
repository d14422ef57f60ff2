/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/text.h"

#define NAME_TARGET_PREFIX "../containers/"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool word_is_valid(const char *word, size_t max_bytes)
{
	size_t n = 0;

	for (; word[n]; n++) {
		if (n == max_bytes || !(is_alphanumeric(word[n]) || strchr("_.-", word[n])))
			return false;
	}
	return n > 0;
}

bool container_id_is_valid(const char *id)
{
	return (is_alphanumeric(*id) || *id == '_') && word_is_valid(id, CONTAINER_ID_MAX_BYTES);
}

bool container_name_is_valid(const char *name)
{
	return is_alphanumeric(*name) && word_is_valid(name, CONTAINER_NAME_MAX_BYTES);
}

/* The id that names/@name points to; 0, -ENOENT or another negative errno. */
static int name_read(const struct store *store, const char *name,
		     char ret_id[CONTAINER_ID_MAX_BYTES + 1])
{
	char path[CONTAINER_NAME_MAX_BYTES + 8];
	char target[sizeof(NAME_TARGET_PREFIX) + CONTAINER_ID_MAX_BYTES];
	const char *id;
	ssize_t n;

	snprintf(path, sizeof(path), "names/%s", name);
	n = readlinkat(store->fd, path, target, sizeof(target));
	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(target))
		return -EINVAL;
	target[n] = '\0';
	id = string_has_prefix(target, NAME_TARGET_PREFIX);
	if (!id || !container_id_is_valid(id))
		return -EINVAL;
	strcpy(ret_id, id);
	return 0;
}

/*
 * May the name of the bundle @id be taken from it? The bundle's lock is then held through
 * @ret_lock_fd (which stays -1 where there is no bundle), so that rm doesn't drop the name at the
 * same time.
 */
static bool holder_gives_way(const struct store *store, const char *id, int *ret_lock_fd,
			     bool *ret_is_young)
{
	_cleanup_close_ int lock_fd = -EBADF;
	char path[CONTAINER_ID_MAX_BYTES + 32];
	struct stat st;

	snprintf(path, sizeof(path), "containers/%s/lock", id);
	lock_fd = openat(store->fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return errno == ENOENT;
	if (lock_try(lock_fd, LOCK_MODE_EXCLUSIVE) < 0)
		return false;
	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	snprintf(path, sizeof(path), "containers/%s", id);
	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (time(NULL) - st.st_mtime < NAME_GRACE_SECONDS && st.st_mtime <= time(NULL)) {
		*ret_is_young = true;
		return false;
	}
	*ret_lock_fd = take_fd(&lock_fd);
	return true;
}

static int name_taken(const char *name, const char *id, bool is_young, struct error *error)
{
	if (is_young)
		return error_say(error, -EEXIST,
				 "the name '%s' is taken by container '%s', which is being made",
				 name, id);
	return error_say(
		error, -EEXIST,
		"the name '%s' is taken by container '%s'; remove that, or take another name", name,
		id);
}

static int name_replace(int names_fd, const char *name, const char *target)
{
	char aside[CONTAINER_NAME_MAX_BYTES + 32];
	int r = 0;

	/* No valid name begins with a dot. */
	snprintf(aside, sizeof(aside), ".%s.%d.tmp", name, (int)getpid());
	(void)unlinkat(names_fd, aside, 0);
	if (symlinkat(target, names_fd, aside) < 0)
		return -errno;
	if (renameat(names_fd, aside, names_fd, name) < 0) {
		r = -errno;
		(void)unlinkat(names_fd, aside, 0);
	}
	return r;
}

/* The name exists. Who replaces a link holds the lock of names/ and of the link's old bundle. */
static int name_take_over(const struct store *store, const char *name, const char *target,
			  struct error *error)
{
	_cleanup_close_ int names_fd =
		openat(store->fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int holder_fd = -EBADF;
	char holder[CONTAINER_ID_MAX_BYTES + 1];
	bool is_young = false;
	int r;

	if (names_fd < 0)
		return error_set(error, -errno, "cannot open '%s/names'", store->path);
	r = lock_take(names_fd, LOCK_MODE_EXCLUSIVE);
	if (r < 0)
		return error_set(error, r, "cannot lock '%s/names'", store->path);
	r = name_read(store, name, holder);
	if (r == 0 && !holder_gives_way(store, holder, &holder_fd, &is_young))
		return name_taken(name, holder, is_young, error);
	if (r < 0 && r != -ENOENT && r != -EINVAL)
		return error_set(error, r, "cannot read the name '%s'", name);
	/* Where the link has gone meanwhile, another may have made it anew without our lock. */
	if (r == -ENOENT)
		r = symlinkat(target, names_fd, name) < 0 ? -errno : 0;
	else
		r = name_replace(names_fd, name, target);
	return r < 0 ? error_set(error, r, "cannot take the name '%s'", name) : 0;
}

int name_take(const struct store *store, const char *name, const char *id, struct error *error)
{
	char path[CONTAINER_NAME_MAX_BYTES + 8];
	char target[sizeof(NAME_TARGET_PREFIX) + CONTAINER_ID_MAX_BYTES];

	snprintf(path, sizeof(path), "names/%s", name);
	snprintf(target, sizeof(target), NAME_TARGET_PREFIX "%s", id);
	if (symlinkat(target, store->fd, path) == 0)
		return 0;
	if (errno != EEXIST)
		return error_set(error, -errno, "cannot take the name '%s'", name);
	return name_take_over(store, name, target, error);
}

void name_drop(const struct store *store, const char *name, const char *id)
{
	char path[CONTAINER_NAME_MAX_BYTES + 8];
	char holder[CONTAINER_ID_MAX_BYTES + 1];

	if (!container_name_is_valid(name) || name_read(store, name, holder) < 0 ||
	    strcmp(holder, id))
		return;
	snprintf(path, sizeof(path), "names/%s", name);
	(void)unlinkat(store->fd, path, 0);
}

static bool bundle_exists(const struct store *store, const char *id)
{
	char path[CONTAINER_ID_MAX_BYTES + 16];

	snprintf(path, sizeof(path), "containers/%s", id);
	return faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "STORE/containers/ID" as it stands there, and nothing behind it but slashes. */
static bool path_split(const char *store_path, const char *path,
		       char ret_id[CONTAINER_ID_MAX_BYTES + 1])
{
	const char *rest = string_has_prefix(path, store_path);
	size_t n;

	rest = rest ? string_has_prefix(rest, "/containers/") : NULL;
	if (!rest)
		return false;
	n = strcspn(rest, "/");
	if (n > CONTAINER_ID_MAX_BYTES || rest[n + strspn(rest + n, "/")])
		return false;
	memcpy(ret_id, rest, n);
	ret_id[n] = '\0';
	return container_id_is_valid(ret_id);
}

static int path_find(const struct store *store, const char *path,
		     char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error)
{
	_cleanup_free_ char *real_path = NULL, *real_store = NULL;

	if (path_split(store->path, path, ret_id))
		return 0;
	real_path = realpath(path, NULL);
	if (!real_path)
		return error_set(error, -errno, "cannot find the bundle '%s'", path);
	real_store = realpath(store->path, NULL);
	if (!real_store)
		return error_set(error, -errno, "cannot find the store '%s'", store->path);
	if (path_split(real_store, real_path, ret_id))
		return 0;
	return error_say(error, -EINVAL, "'%s' is not a bundle in the store '%s'", path,
			 store->path);
}

static int prefix_find(const struct store *store, const char *prefix,
		       char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error)
{
	int fd = openat(store->fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int n_found = 0;

	if (!directory)
		return error_set(error, -errno, "cannot read '%s/containers'", store->path);
	while (n_found < 2 && (entry = readdir(directory))) {
		if (!string_has_prefix(entry->d_name, prefix) ||
		    !container_id_is_valid(entry->d_name))
			continue;
		strcpy(ret_id, entry->d_name);
		n_found++;
	}
	if (n_found == 0)
		return error_say(error, -ENOENT, "there is no container '%s'", prefix);
	if (n_found > 1)
		return error_say(error, -EINVAL, "more than one container's id begins with '%s'",
				 prefix);
	return 0;
}

int bundle_find(const struct store *store, const char *word,
		char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error)
{
	int r;

	*ret_id = '\0';
	if (strchr(word, '/')) {
		r = path_find(store, word, ret_id, error);
	} else if (!container_id_is_valid(word)) {
		r = error_say(error, -ENOENT, "there is no container '%s'", word);
	} else if (container_name_is_valid(word) && name_read(store, word, ret_id) == 0 &&
		   bundle_exists(store, ret_id)) {
		return 0;
	} else if (bundle_exists(store, word)) {
		strcpy(ret_id, word);
		return 0;
	} else {
		r = prefix_find(store, word, ret_id, error);
	}
	if (r < 0)
		*ret_id = '\0';
	return r;
}
