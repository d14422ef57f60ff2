/* SPDX-License-Identifier: MIT */
#include "launch/pool_fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "launch/device.h"
#include "launch/namespace.h"
#include "launch/state.h"

enum pool_access {
	POOL_LOOK,
	POOL_MAKE,
	POOL_MEND, /* what a fill or drain that was killed has left of it is made whole */
};

/* Open, and locked while something changes. */
struct pool {
	const char *state_path;
	int state_fd, directory_fd, ready_fd, pins_fd;
};

#define POOL_CLOSED                                                                                \
	((struct pool){ .state_fd = -EBADF,                                                        \
			.directory_fd = -EBADF,                                                    \
			.ready_fd = -EBADF,                                                        \
			.pins_fd = -EBADF })

static void pool_close(struct pool *pool)
{
	cleanup_close(&pool->ready_fd);
	cleanup_close(&pool->pins_fd);
	cleanup_close(&pool->directory_fd);
	cleanup_close(&pool->state_fd);
}

static int directory_open(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * pins/ is a private mount of its own: what is pinned must not show up, and stay, in each mount
 * namespace that the host's mounts propagate to. (ready/ is none: a rename doesn't leave a mount.)
 */
static int pins_part(struct pool *pool)
{
	char path[64];
	int r = path_is_mount_root(pool->pins_fd, "");

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pool->pins_fd);
	if (r == 0) {
		if (sys_mount(path, path, NULL, MS_BIND, NULL) < 0)
			return -errno;
		close(pool->pins_fd);
		pool->pins_fd = directory_open(pool->directory_fd, POOL_PINS);
		if (pool->pins_fd < 0)
			return pool->pins_fd;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", pool->pins_fd);
	}
	if (r < 0)
		return r;
	return sys_mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* -ENOENT where there is none, and none is to be made. */
static int parts_open(struct pool *pool, enum pool_access access_mode)
{
	if (access_mode == POOL_MAKE && mkdirat(pool->state_fd, POOL_DIRECTORY, 0700) < 0 &&
	    errno != EEXIST)
		return -errno;
	pool->directory_fd = directory_open(pool->state_fd, POOL_DIRECTORY);
	if (pool->directory_fd < 0)
		return pool->directory_fd;
	if (access_mode != POOL_LOOK &&
	    ((mkdirat(pool->directory_fd, POOL_PINS, 0700) < 0 && errno != EEXIST) ||
	     (mkdirat(pool->directory_fd, POOL_READY, 0700) < 0 && errno != EEXIST)))
		return -errno;
	pool->ready_fd = directory_open(pool->directory_fd, POOL_READY);
	if (pool->ready_fd < 0)
		return pool->ready_fd;
	pool->pins_fd = directory_open(pool->directory_fd, POOL_PINS);
	if (pool->pins_fd < 0)
		return pool->pins_fd;
	return access_mode == POOL_LOOK ? 0 : pins_part(pool);
}

/* The lock is on STATE itself, which stays when the pool is removed. */
static int pool_open(struct pool *pool, const char *state_path, enum pool_access access_mode,
		     struct error *error)
{
	int r = state_root_open(state_path, access_mode == POOL_MAKE, &pool->state_fd, error);

	pool->state_path = state_path;
	if (r < 0)
		return r;
	if (access_mode != POOL_LOOK)
		r = lock_take(pool->state_fd, LOCK_MODE_EXCLUSIVE);
	if (r == 0)
		r = parts_open(pool, access_mode);
	if (r < 0)
		return error_set(error, r, "cannot open the pool '%s/" POOL_DIRECTORY "'",
				 state_path);
	return 0;
}

static int names_list(int directory_fd, struct string_list *names)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while ((r = directory_entry_next(directory, &entry)) > 0) {
		if (pool_kind_of(entry->d_name) < POOL_N_KINDS &&
		    string_list_add(names, entry->d_name) < 0)
			return -ENOMEM;
	}
	return r;
}

static bool is_ready(const struct pool *pool, const char *name)
{
	return faccessat(pool->ready_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- what is made -------------------------------------------------------------------------------
 */

/* Whole in one moment. A cgroup's says which: who takes it moves it away (pool.c). */
static int ready_add(const struct pool *pool, const char *name, const char *text)
{
	return file_replace_at(pool->ready_fd, name, text, strlen(text), 0600, 0);
}

static int network_make(const struct pool *pool, const char *name, struct error *error)
{
	char path[64];
	int fd = openat(pool->pins_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(error, -errno, "cannot make a pin");
	close(fd);
	if (unshare(CLONE_NEWNET) < 0)
		return error_set(error, -errno, "cannot make a network namespace");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", pool->pins_fd, name);
	if (sys_mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		return error_set(error, -errno, "cannot pin a network namespace");
	return namespaces_loopback_up(error);
}

static int dev_make(const struct pool *pool, const char *name, struct error *error)
{
	static const char *const directories[] = { "pts", "shm", "mqueue" };
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	if (mkdirat(pool->pins_fd, name, 0700) < 0)
		return error_set(error, -errno, "cannot make a pin");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", pool->pins_fd, name);
	if (sys_mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k") <
	    0)
		return error_set(error, -errno, "cannot mount a tmpfs");
	fd = directory_open(pool->pins_fd, name);
	if (fd < 0)
		return error_set(error, fd, "cannot open a pin");
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (mkdirat(fd, directories[i], 0755) < 0)
			return error_set(error, -errno, "cannot make a directory");
	}
	return device_fill(fd, error);
}

static int cgroup_make(const struct pool *pool, const char *name, struct error *error)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	char path[CGROUP_MAX_PATH];
	int r = file_write_at(pool->pins_fd, name, "", 0, 0600);

	pool_cgroup_path(name, path);
	if (r < 0)
		return error_set(error, r, "cannot make a pin");
	return cgroup_create(&cgroup, path, error);
}

static int one_make(const struct pool *pool, enum pool_kind kind, struct error *error)
{
	char name[POOL_NAME_MAX], path[CGROUP_MAX_PATH];
	uint64_t number;
	int r;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return error_set(error, -errno, "cannot choose a name");
	snprintf(name, sizeof(name), "%s-%016" PRIx64, pool_kind_name(kind), number);
	r = kind == POOL_NETWORK  ? network_make(pool, name, error)
	    : kind == POOL_CGROUP ? cgroup_make(pool, name, error)
				  : dev_make(pool, name, error);
	if (r < 0)
		return error_prefix(error, r, "pool '%s'", pool_kind_name(kind));
	pool_cgroup_path(name, path);
	r = ready_add(pool, name, kind == POOL_CGROUP ? path : "");
	return r < 0 ? error_set(error, r, "cannot add '%s' to the pool", name) : 0;
}

/* --- what is left -------------------------------------------------------------------------------
 */

/* Is it noted as that of a container whose state has not been written yet? */
static bool is_claimed(const struct pool *pool, const char *path)
{
	_cleanup_strings_ struct string_list ids = {};

	if (state_list(pool->state_path, &ids, NULL) < 0)
		return true;
	STRING_LIST_FOR_EACH (&ids, i) {
		_cleanup_free_ char *file = string_format("%s/" STATE_CGROUP_FILE, ids.items[i]);
		_cleanup_free_ char *noted = NULL;

		if (!file)
			return true;
		if (file_read_at(pool->state_fd, file, PATH_MAX, &noted, NULL) == 0 &&
		    !strcmp(noted, path))
			return true;
	}
	return false;
}

/* 1: somebody has it. */
static int cgroup_discard(const struct pool *pool, const char *name, struct error *error)
{
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_cgroup_ struct cgroup cgroup;
	char path[CGROUP_MAX_PATH];
	size_t n_pids = 0;
	int r;

	cgroup_init(&cgroup);
	pool_cgroup_path(name, path);
	if (is_claimed(pool, path))
		return 1;
	r = cgroup_open(&cgroup, path, error);
	if (r == 0)
		r = cgroup_pids(&cgroup, &pids, &n_pids, error);
	if (r < 0 || n_pids > 0)
		return r < 0 ? r : 1;
	return cgroup_remove(&cgroup, error);
}

/* What has a pin and isn't ready. */
static int left_remove(const struct pool *pool, struct error *error)
{
	_cleanup_strings_ struct string_list names = {};
	int r = names_list(pool->pins_fd, &names);

	if (r < 0)
		return error_set(error, r, "cannot list the pool");
	STRING_LIST_FOR_EACH (&names, i) {
		const char *name = names.items[i];

		if (is_ready(pool, name))
			continue;
		r = pool_kind_of(name) == POOL_CGROUP ? cgroup_discard(pool, name, error) : 0;
		if (r < 0)
			return r;
		if (r == 0)
			r = pool_unpin(pool->pins_fd, name);
		if (r < 0)
			return error_set(error, r, "cannot remove '%s' from the pool", name);
	}
	return 0;
}

static int count(const struct pool *pool, struct pool_status *status)
{
	_cleanup_strings_ struct string_list pins = {};
	int r = names_list(pool->pins_fd, &pins);

	*status = (struct pool_status){};
	STRING_LIST_FOR_EACH (&pins, i) {
		size_t *n = is_ready(pool, pins.items[i]) ? status->n_ready : status->n_left;

		n[pool_kind_of(pins.items[i])]++;
	}
	return r;
}

/* --- the verbs ----------------------------------------------------------------------------------
 */

int pool_fill(const char *state_path, unsigned int kinds, size_t n, struct error *error)
{
	_cleanup_(pool_close) struct pool pool = POOL_CLOSED;
	struct pool_status status;
	int r = pool_open(&pool, state_path, POOL_MAKE, error);

	if (r == 0)
		r = left_remove(&pool, error);
	if (r < 0)
		return r;
	r = count(&pool, &status);
	if (r < 0)
		return error_set(error, r, "cannot list the pool");
	for (enum pool_kind kind = 0; kind < POOL_N_KINDS; kind++) {
		if (!(kinds & 1u << kind))
			continue;
		for (size_t i = status.n_ready[kind]; i < n; i++) {
			r = one_make(&pool, kind, error);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int all_take_back(const struct pool *pool)
{
	_cleanup_strings_ struct string_list names = {};
	int r = names_list(pool->ready_fd, &names);

	STRING_LIST_FOR_EACH (&names, i)
		(void)unlinkat(pool->ready_fd, names.items[i], 0);
	return r;
}

/* Where a cgroup is in use by who has just taken it, its pin stays, for the next time. */
static int all_remove(struct pool *pool, struct error *error)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" POOL_PINS, pool->directory_fd);
	cleanup_close(&pool->pins_fd);
	pool->pins_fd = -EBADF;
	if (sys_umount2(path, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return error_set(error, -errno, "cannot unmount the pool");
	if (unlinkat(pool->directory_fd, POOL_PINS, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY ? 0 : error_set(error, -errno, "cannot remove the pool");
	/* With files that a fill was killed over. */
	r = path_remove_tree(pool->directory_fd, POOL_READY);
	if (r == 0 && unlinkat(pool->state_fd, POOL_DIRECTORY, AT_REMOVEDIR) < 0)
		r = -errno;
	return r < 0 ? error_set(error, r, "cannot remove the pool") : 0;
}

int pool_drain(const char *state_path, struct error *error)
{
	_cleanup_(pool_close) struct pool pool = POOL_CLOSED;
	int r = pool_open(&pool, state_path, POOL_MEND, error);

	if (r == -ENOENT) {
		error_init(error);
		return 0;
	}
	if (r == 0)
		r = all_take_back(&pool);
	if (r < 0)
		return error->code ? r : error_set(error, r, "cannot list the pool");
	r = left_remove(&pool, error);
	if (r < 0)
		return r;
	return all_remove(&pool, error);
}

int pool_count(const char *state_path, struct pool_status *ret_status, struct error *error)
{
	_cleanup_(pool_close) struct pool pool = POOL_CLOSED;
	int r = pool_open(&pool, state_path, POOL_LOOK, error);

	*ret_status = (struct pool_status){};
	if (r == -ENOENT) {
		error_init(error);
		return 0;
	}
	if (r < 0)
		return r;
	r = count(&pool, ret_status);
	return r < 0 ? error_set(error, r, "cannot list the pool") : 0;
}
