/* SPDX-License-Identifier: MIT */
/* Making volumes: aside, synced, and renamed into place. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/json_write.h"
#include "base/lock.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "fs/volume/internal.h"

struct recipe {
	const char *name;
	const struct string_list *labels;
	const char *reference;
	bool is_anonymous;
};

static int labels_write(const struct recipe *recipe, struct json_writer *writer)
{
	json_write_object_begin(writer, "Labels");
	if (recipe->is_anonymous)
		json_write_string(writer, VOLUME_ANONYMOUS_LABEL, "");
	for (size_t i = 0; recipe->labels && i < recipe->labels->n_items; i++) {
		const char *label = recipe->labels->items[i];
		size_t n = strcspn(label, "=");
		_cleanup_free_ char *key = strndup(label, n);

		if (!key)
			return -ENOMEM;
		json_write_string(writer, key, label[n] ? label + n + 1 : "");
	}
	json_write_object_end(writer);
	return 0;
}

static int description_make(const struct recipe *recipe, int fd)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	time_t now = time(NULL);
	struct tm broken;
	char text[64];
	int r;

	gmtime_r(&now, &broken);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken);
	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "CreatedAt", text);
	r = labels_write(recipe, &writer);
	json_write_object_end(&writer);
	buffer_add_char(&writer.buffer, '\n');
	if (r == 0)
		r = json_writer_status(&writer);
	return r < 0 ? r
		     : file_replace_at(fd, "volume.json", writer.buffer.bytes,
				       writer.buffer.n_bytes, 0600, FILE_REPLACE_SYNC);
}

static int directory_sync(int directory_fd, const char *name)
{
	_cleanup_close_ int fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Everything that a volume has, in the directory @fd that nobody else sees; the lock is taken. */
static int volume_fill(const struct recipe *recipe, int fd, int *ret_lock_fd)
{
	_cleanup_close_ int lock_fd = -EBADF;
	_cleanup_close_ int refs_fd = -EBADF;
	int r = 0;

	/* The modes don't depend on the umask. */
	if (mkdirat(fd, "_data", 0755) < 0 || fchmodat(fd, "_data", 0755, 0) < 0 ||
	    mkdirat(fd, "refs", 0700) < 0)
		return -errno;
	refs_fd = openat(fd, "refs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lock_fd = openat(fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (refs_fd < 0 || lock_fd < 0)
		return -errno;
	if (recipe->reference)
		r = file_write_at(refs_fd, recipe->reference, "", 0, 0600);
	if (r == 0)
		r = lock_try(lock_fd, LOCK_MODE_EXCLUSIVE);
	if (r == 0)
		r = description_make(recipe, fd);
	if (r < 0)
		return r;
	if (fsync(refs_fd) < 0 || fsync(fd) < 0)
		return -errno;
	*ret_lock_fd = take_fd(&lock_fd);
	return 0;
}

/* 0, -EEXIST: somebody was faster (no error filled), or another negative errno. */
static int volume_make(const struct store *store, const struct recipe *recipe,
		       struct volume *ret_volume, struct error *error)
{
	TRACE_PHASE("vol.create");
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;
	_cleanup_free_ char *staged = NULL;
	char path[VOLUME_PATH_BYTES];
	int r = store_stage(store, &staged, &volume.fd, error);

	if (r < 0)
		return error_prefix(error, r, "volume '%s'", recipe->name);
	volume.is_new = true;
	volume.name = strdup(recipe->name);
	volume_path(recipe->name, path);
	r = volume.name ? volume_fill(recipe, volume.fd, &volume.lock_fd) : -ENOMEM;
	if (r == 0 && sys_renameat2(store->fd, staged, store->fd, path, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		(void)store_discard(store, staged);
	if (r == -EEXIST)
		return r;
	if (r == 0) {
		r = directory_sync(store->fd, "volumes");
		if (r < 0)
			(void)store_discard(store, path);
	}
	if (r < 0)
		return error_set(error, r, "cannot create the volume '%s'", recipe->name);
	*ret_volume = volume;
	volume = VOLUME_EMPTY;
	return 0;
}

static int anonymous_make(const struct store *store, const struct string_list *labels,
			  const char *reference, struct volume *ret_volume, struct error *error)
{
	char name[DIGEST_HEX_BYTES];
	struct recipe recipe = { name, labels, reference, true };
	uint8_t bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_set(error, -EIO, "cannot name a volume");
	hex_encode(bytes, sizeof(bytes), name);
	return volume_make(store, &recipe, ret_volume, error);
}

int volume_create(const struct store *store, const char *name, const struct string_list *labels,
		  const char *reference, struct volume *ret_volume, struct error *error)
{
	struct recipe recipe = { name, labels, reference, false };
	int r;

	if (!name)
		return anonymous_make(store, labels, reference, ret_volume, error);
	for (;;) {
		_cleanup_volume_ struct volume volume = VOLUME_EMPTY;

		r = volume_open(store, name, false, &volume, error);
		if (r == 0 && reference)
			r = volume_reference_add(&volume, reference, error);
		if (r == 0) {
			*ret_volume = volume;
			volume = VOLUME_EMPTY;
			return 0;
		}
		if (r != -ENOENT)
			return r;
		r = volume_make(store, &recipe, ret_volume, error);
		/* Made by another just now: it is there to be opened. */
		if (r != -EEXIST)
			return r;
	}
}
