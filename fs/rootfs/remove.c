/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "fs/rootfs/create.h"
#include "fs/rootfs/mounted.h"

#define LOCK_ATTEMPTS	  50
#define LOCK_ATTEMPT_NS	  2000000
#define MOUNTS_MAX_BYTES  (4u << 20)
#define SMALL_MAX_ENTRIES 32

static int lock_patiently(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_ATTEMPT_NS };
	int r = lock_try(fd, LOCK_MODE_EXCLUSIVE);

	if (r != -EWOULDBLOCK)
		return r;
	TRACE_PHASE("lock.wait");
	for (int i = 0; i < LOCK_ATTEMPTS && r == -EWOULDBLOCK; i++) {
		nanosleep(&pause, NULL);
		r = lock_try(fd, LOCK_MODE_EXCLUSIVE);
	}
	return r;
}

/* An id can be made anew while we wait for the lock of the bundle that had it. */
static bool lock_is_of(const struct store *store, const char *lock_path, int lock_fd)
{
	struct stat held, there;

	return fstat(lock_fd, &held) == 0 &&
	       fstatat(store->fd, lock_path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

/* -ENOENT: the bundle is gone. A killed create may have left no lock file yet: it is made. */
static int bundle_lock(const struct store *store, const char *id, int (*take)(int fd),
		       int *ret_lock_fd, struct error *error)
{
	_cleanup_close_ int lock_fd = -EBADF;
	char path[CONTAINER_ID_MAX_BYTES + 32];
	int r;

	snprintf(path, sizeof(path), "containers/%s/lock", id);
	lock_fd = openat(store->fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? error_say(error, -ENOENT, "there is no container '%s'", id)
			       : error_set(error, -errno, "cannot open the lock of '%s'", id);
	r = take(lock_fd);
	if (r == -EWOULDBLOCK)
		return error_say(error, -EBUSY,
				 "the container '%s' is in use: stop it, or wait for its end", id);
	if (r < 0)
		return error_set(error, r, "cannot lock '%s'", id);
	if (!lock_is_of(store, path, lock_fd))
		return error_say(error, -ENOENT, "there is no container '%s'", id);
	*ret_lock_fd = take_fd(&lock_fd);
	return 0;
}

static int lock_at_any_time(int fd)
{
	TRACE_PHASE("free.wait");

	return lock_take(fd, LOCK_MODE_EXCLUSIVE);
}

int bundle_wait(const struct store *store, const char *id, struct error *error)
{
	_cleanup_close_ int lock_fd = -EBADF;

	return bundle_lock(store, id, lock_at_any_time, &lock_fd, error);
}

static bool bundle_has(const struct store *store, const char *id, const char *name)
{
	char path[CONTAINER_ID_MAX_BYTES + 32];

	snprintf(path, sizeof(path), "containers/%s/%s", id, name);
	return faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Is it one that nobody needs where nobody holds it? */
static bool is_leftover(const struct store *store, const char *id)
{
	return !bundle_has(store, id, "config.json") ||
	       bundle_has(store, id, BUNDLE_AUTO_REMOVE_FILE);
}

/* Is it used by something that can't hold its lock: a mount, or a container left to itself? */
static int use_check(const struct store *store, const char *id, unsigned int flags,
		     struct error *error)
{
	char path[CONTAINER_ID_MAX_BYTES + 32];
	_cleanup_close_ int fd = -EBADF;
	int pid = 0, r;

	/* Mostly neither, and then nothing needs to be opened. */
	if (!bundle_has(store, id, "mounted") && !bundle_has(store, id, "running"))
		return 0;
	snprintf(path, sizeof(path), "containers/%s", id);
	fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s/%s'", store->path, path);
	pid = bundle_running_pid(fd);
	if (pid)
		return error_say(error, -EBUSY,
				 "the container '%s' is in use: stop its process %d first", id,
				 pid);
	r = bundle_mount_state(fd, &pid);
	if (r == BUNDLE_MOUNT_HERE && flags & BUNDLE_REMOVE_UMOUNT) {
		struct bundle bundle = BUNDLE_EMPTY;
		_cleanup_free_ char *whole = string_format("%s/%s", store->path, path);

		if (!whole)
			return error_set(error, -ENOMEM, "cannot unmount '%s'", id);
		bundle.path = whole;
		bundle.fd = fd;
		return bundle_umount(&bundle, MNT_DETACH, error);
	}
	if (r == BUNDLE_MOUNT_HERE)
		return error_say(error, -EBUSY,
				 "the container '%s' is mounted; layerfs umount it, or use --force",
				 id);
	if (r == BUNDLE_MOUNT_OTHER)
		return error_say(
			error, -EBUSY,
			"the container '%s' is mounted in the mount namespace of process %d", id,
			pid);
	return r < 0 ? error_set(error, r, "cannot tell whether '%s' is mounted", id) : 0;
}

int bundle_check_free(const struct store *store, const char *id, unsigned int flags,
		      struct error *error)
{
	_cleanup_close_ int lock_fd = -EBADF;
	int r = bundle_lock(store, id, lock_patiently, &lock_fd, error);

	return r == 0 ? use_check(store, id, flags, error) : r;
}

static void name_of_bundle_drop(const struct store *store, const char *id)
{
	char path[CONTAINER_ID_MAX_BYTES + 32];
	_cleanup_free_ char *name = NULL;

	snprintf(path, sizeof(path), "containers/%s/name", id);
	if (file_read_at(store->fd, path, CONTAINER_NAME_MAX_BYTES + 1, &name, NULL) < 0)
		return;
	name[strcspn(name, "\n")] = '\0';
	name_drop(store, name, id);
}

/* trash/ID, or where an earlier bundle of that id is still being deleted, trash/ID+N */
static int trash_move(const struct store *store, const char *id, struct string_list *trash)
{
	char from[CONTAINER_ID_MAX_BYTES + 16], to[CONTAINER_ID_MAX_BYTES + 48];
	int r = 0;

	snprintf(from, sizeof(from), "containers/%s", id);
	snprintf(to, sizeof(to), "trash/%s", id);
	for (unsigned int i = 1; i < 1000; i++) {
		r = renameat(store->fd, from, store->fd, to) < 0 ? -errno : 0;
		if (r != -EEXIST && r != -ENOTEMPTY)
			break;
		snprintf(to, sizeof(to), "trash/%s+%u", id, i);
	}
	return r < 0 ? r : string_list_add(trash, to);
}

int bundle_remove(const struct store *store, const char *id, unsigned int flags,
		  struct string_list *trash, struct error *error)
{
	TRACE_PHASE("ovl.remove");
	_cleanup_close_ int lock_fd = -EBADF;
	int r = bundle_lock(store, id, lock_patiently, &lock_fd, error);

	if (r < 0)
		return r;
	if (flags & BUNDLE_REMOVE_INCOMPLETE && !is_leftover(store, id))
		return BUNDLE_REMOVE_COMPLETE;
	r = use_check(store, id, flags, error);
	if (r < 0)
		return r;
	name_of_bundle_drop(store, id);
	r = trash_move(store, id, trash);
	return r < 0 ? error_set(error, r, "cannot move the container '%s' to the trash", id) : 0;
}

/* Docker's rule for volume names; it keeps a bundle's `mounts`, which users edit, from naming
 * anything outside of volumes/. */
static bool volume_name_is_valid(const char *name, size_t n_name)
{
	if (n_name < 2 || n_name > 255 || strchr("_.-", name[0]))
		return false;
	for (size_t i = 0; i < n_name; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '.' || c == '-'))
			return false;
	}
	return true;
}

/* The option x-lamina.volume=NAME, wherever it stands in `mounts`: refs/ID of that volume goes. */
static void volume_references_drop(const struct store *store, const char *trash, const char *id)
{
	static const char option[] = "x-lamina.volume=";
	_cleanup_free_ char *mounts = NULL;
	char path[512 + CONTAINER_ID_MAX_BYTES];

	snprintf(path, sizeof(path), "%s/mounts", trash);
	if (file_read_at(store->fd, path, MOUNTS_MAX_BYTES, &mounts, NULL) < 0)
		return;
	for (char *p = strstr(mounts, option); p; p = strstr(p, option)) {
		size_t n;

		p += sizeof(option) - 1;
		n = strcspn(p, ", \t\n");
		if (!volume_name_is_valid(p, n))
			continue;
		snprintf(path, sizeof(path), "volumes/%.*s/refs/%s", (int)n, p, id);
		(void)unlinkat(store->fd, path, 0);
	}
}

int bundle_delete(const struct store *store, const char *trash)
{
	const char *name = string_has_prefix(trash, "trash/");
	char id[CONTAINER_ID_MAX_BYTES + 1];
	char path[CONTAINER_ID_MAX_BYTES + 16];
	size_t n = name ? strcspn(name, "+") : 0;

	if (n > 0 && n <= CONTAINER_ID_MAX_BYTES) {
		memcpy(id, name, n);
		id[n] = '\0';
		snprintf(path, sizeof(path), "containers/%s", id);
		/* A container that took the same id meanwhile keeps its references. */
		if (container_id_is_valid(id) &&
		    faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			volume_references_drop(store, trash, id);
	}
	return path_remove_tree(store->fd, trash);
}

/* Entries of @name that are worth counting; more than a few in the read-write layer are many. */
static int entries_count(const struct store *store, const char *trash, const char *name)
{
	char path[CONTAINER_ID_MAX_BYTES + 64];
	_cleanup_closedir_ DIR *directory = NULL;
	int fd, n = 0;

	snprintf(path, sizeof(path), "%s/%s", trash, name);
	fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return SMALL_MAX_ENTRIES;
	}
	while (n < SMALL_MAX_ENTRIES && readdir(directory))
		n++;
	return n;
}

bool bundle_is_small(const struct store *store, const char *trash)
{
	/* "." and ".." alone: the container wrote nothing, or kept it in memory. */
	return entries_count(store, trash, "upper") <= 2;
}

static int directory_each(const struct store *store, const char *name,
			  int (*visit)(const struct store *, const char *, void *), void *argument)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (r == 0 && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = visit(store, entry->d_name, argument);
	}
	return r;
}

struct sweep {
	struct string_list *ids;
	struct string_list *trash;
	struct error *error;
};

static int container_sweep(const struct store *store, const char *id, void *argument)
{
	struct sweep *sweep = argument;
	struct error ignored;
	int r;

	if (!container_id_is_valid(id))
		return 0;
	if (!is_leftover(store, id))
		return 0;
	error_init(&ignored);
	r = bundle_remove(store, id, BUNDLE_REMOVE_INCOMPLETE, sweep->trash, &ignored);
	if (r == 0)
		return string_list_add(sweep->ids, id);
	/* Held, mounted, complete by now, or removed by another: not a leftover. */
	if (r > 0 || r == -EBUSY || r == -ENOENT)
		return 0;
	*sweep->error = ignored;
	return r;
}

static int trash_sweep(const struct store *store, const char *name, void *argument)
{
	struct sweep *sweep = argument;
	_cleanup_free_ char *path = string_format("trash/%s", name);

	if (!path)
		return -ENOMEM;
	/* What this sweep itself has just put there is in the list already. */
	return string_list_contains(sweep->trash, path) ? 0 : string_list_add(sweep->trash, path);
}

/* Whoever makes something there holds its lock (store_stage()). */
static int staging_sweep(const struct store *store, const char *name, void *argument)
{
	struct sweep *sweep = argument;
	_cleanup_free_ char *from = string_format("staging/%s", name);
	_cleanup_free_ char *to = string_format("trash/staging+%s", name);
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!from || !to)
		return -ENOMEM;
	fd = openat(store->fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = lock_try(fd, LOCK_MODE_EXCLUSIVE);
	if (r < 0)
		return r == -EWOULDBLOCK ? 0 : r;
	if (renameat(store->fd, from, store->fd, to) < 0)
		return errno == ENOENT ? 0 : -errno;
	return string_list_add(sweep->trash, to);
}

/* A take-over that was killed leaves the link that it made aside (name_take()). */
static int name_sweep(const struct store *store, const char *name, void *argument)
{
	char path[300];

	if (*name != '.')
		return 0;
	snprintf(path, sizeof(path), "names/%s", name);
	return unlinkat(store->fd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int names_sweep(const struct store *store)
{
	_cleanup_close_ int fd = openat(store->fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock_take(fd, LOCK_MODE_EXCLUSIVE);

	return r < 0 ? r : directory_each(store, "names", name_sweep, NULL);
}

int bundle_sweep(const struct store *store, struct string_list *ids, struct string_list *trash,
		 struct error *error)
{
	struct sweep sweep = { ids, trash, error };
	int r = directory_each(store, "containers", container_sweep, &sweep);

	if (r == 0)
		r = directory_each(store, "trash", trash_sweep, &sweep);
	if (r == 0)
		r = directory_each(store, "staging", staging_sweep, &sweep);
	if (r == 0)
		r = names_sweep(store);
	if (r < 0 && error && !error->message[0])
		return error_set(error, r, "cannot sweep the store '%s'", store->path);
	return r;
}
