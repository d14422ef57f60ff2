/* SPDX-License-Identifier: MIT */
#include "fs/store.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/text.h"
#include "base/trace.h"

/* How often what is being staged may be taken for a leftover. */
#define STAGE_ATTEMPTS 16

static const char *const store_directories[] = {
	"images", "images/sha256", "images/names", "blobs",   "blobs/sha256", "layers",
	"init",	  "containers",	   "names",	   "volumes", "staging",      "trash",
};

char *store_default_path(void)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup("/var/lib/lamina");
	if (data && *data == '/')
		return string_format("%s/lamina", data);
	return home && *home == '/' ? string_format("%s/.local/share/lamina", home) : NULL;
}

static int parents_make(const char *path)
{
	char prefix[PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, path, n + 1);
	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(prefix, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* `format` comes last, by rename, so that a store with one is complete. */
static int store_make(int fd)
{
	for (size_t i = 0; i < sizeof(store_directories) / sizeof(store_directories[0]); i++) {
		if (mkdirat(fd, store_directories[i], 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return file_replace_at(fd, "format", STORE_FORMAT, strlen(STORE_FORMAT), 0600,
			       FILE_REPLACE_SYNC);
}

static int format_check(struct store *store, struct error *error)
{
	_cleanup_free_ char *format = NULL;
	int r = file_read_at(store->fd, "format", 64, &format, NULL);

	if (r == -ENOENT) {
		r = store_make(store->fd);
		return r < 0 ? error_set(error, r, "cannot make the store '%s'", store->path) : 0;
	}
	if (r < 0)
		return error_set(error, r, "cannot read the format of the store '%s'", store->path);
	if (strcmp(format, STORE_FORMAT))
		return error_say(error, -EPROTO,
				 "the store '%s' has a format that this version doesn't know",
				 store->path);
	return 0;
}

int store_open(struct store *store, const char *path, enum store_mode mode, struct error *error)
{
	TRACE_PHASE("store.open");
	_cleanup_(store_close) struct store opened = STORE_EMPTY;
	int r;

	if (*path == '/') {
		opened.path = strdup(path);
	} else {
		_cleanup_free_ char *directory = getcwd(NULL, 0);

		opened.path = directory ? string_format("%s/%s", directory, path) : NULL;
	}
	if (!opened.path)
		return error_set(error, -ENOMEM, "cannot open the store");
	/* Paths of layers end at a newline in the bundle's files. */
	if (strpbrk(opened.path, "\n\t"))
		return error_say(error, -EINVAL,
				 "a store's path can't have a newline or a tab in it");
	opened.fd = fd_open(opened.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened.fd < 0 && errno == ENOENT) {
		r = parents_make(opened.path);
		if (r < 0)
			return error_set(error, r, "cannot make the store '%s'", opened.path);
		opened.fd = fd_open(opened.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (opened.fd < 0)
		return error_set(error, -errno, "cannot open the store '%s'", opened.path);
	opened.lock_fd = openat(opened.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (opened.lock_fd < 0)
		return error_set(error, -errno, "cannot open the lock of the store '%s'",
				 opened.path);
	r = lock_take(opened.lock_fd,
		      mode == STORE_REMOVE ? LOCK_MODE_EXCLUSIVE : LOCK_MODE_SHARED);
	if (r < 0)
		return error_set(error, r, "cannot lock the store '%s'", opened.path);
	r = format_check(&opened, error);
	if (r < 0)
		return r;
	*store = opened;
	opened = STORE_EMPTY;
	return 0;
}

void store_close(struct store *store)
{
	TRACE_PHASE("store.close");

	cleanup_close(&store->fd);
	cleanup_close(&store->lock_fd);
	free(store->path);
	*store = STORE_EMPTY;
}

static int name_random(char ret_hex[33])
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	hex_encode(bytes, sizeof(bytes), ret_hex);
	return 0;
}

/* Is the directory that @fd is open on still called @name? */
static bool is_named(const struct store *store, const char *name, int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(store->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int store_stage(const struct store *store, char **ret_name, int *ret_fd, struct error *error)
{
	/* Until it is locked it looks like a leftover, and who collects those may take it away. */
	for (int attempt = 0;; attempt++) {
		_cleanup_free_ char *name = NULL;
		_cleanup_close_ int fd = -EBADF;
		char random[33];
		int r = name_random(random);

		name = r < 0 ? NULL : string_format("staging/%s", random);
		if (!name)
			return error_set(error, -ENOMEM, "cannot stage");
		if (mkdirat(store->fd, name, 0700) < 0)
			return error_set(error, -errno, "cannot make '%s/%s'", store->path, name);
		fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : lock_try(fd, LOCK_MODE_EXCLUSIVE);
		if (r == 0 && is_named(store, name, fd)) {
			*ret_name = take_ptr(name);
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (r < 0 && r != -ENOENT && r != -EWOULDBLOCK)
			return error_set(error, r, "cannot lock '%s/%s'", store->path, name);
		if (attempt >= STAGE_ATTEMPTS)
			return error_say(error, -EBUSY, "cannot stage: '%s/%s' is taken away",
					 store->path, name);
	}
}

int store_discard(const struct store *store, const char *name)
{
	char random[33], trash[48];
	int r = name_random(random);

	if (r < 0)
		return r;
	memcpy(trash, "trash/", 6);
	memcpy(trash + 6, random, sizeof(random));
	if (renameat(store->fd, name, store->fd, trash) < 0)
		return errno == ENOENT ? 0 : -errno;
	return path_remove_tree(store->fd, trash);
}
