/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/init_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/overlay.h"
#include "base/path.h"
#include "base/trace.h"

/* Part of a layer's key: a change of the table's effect needs another one. */
#define TABLE_VERSION 1

#define LAYERS_MAX_BYTES (4u << 20)

/* Docker's, the same since 1.10 (2016). The parents come with each path. */
const struct init_layer_entry init_layer_table[] = {
	{ "/dev/pts", INIT_LAYER_DIRECTORY, NULL },
	{ "/dev/shm", INIT_LAYER_DIRECTORY, NULL },
	{ "/proc", INIT_LAYER_DIRECTORY, NULL },
	{ "/sys", INIT_LAYER_DIRECTORY, NULL },
	{ "/.dockerenv", INIT_LAYER_FILE, NULL },
	{ "/etc/resolv.conf", INIT_LAYER_FILE, NULL },
	{ "/etc/hosts", INIT_LAYER_FILE, NULL },
	{ "/etc/hostname", INIT_LAYER_FILE, NULL },
	{ "/dev/console", INIT_LAYER_FILE, NULL },
	{ "/etc/mtab", INIT_LAYER_LINK, "/proc/mounts" },
};
const size_t init_layer_table_entries = sizeof(init_layer_table) / sizeof(init_layer_table[0]);

/* A mode that no umask narrows. */
static int directory_make(int parent_fd, const char *name, struct root_identity identity)
{
	if (mkdirat(parent_fd, name, 0755) < 0)
		return -errno;
	if (fchmodat(parent_fd, name, 0755, 0) < 0 ||
	    fchownat(parent_fd, name, identity.uid, identity.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int file_make(int parent_fd, const char *name, struct root_identity identity)
{
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);

	if (fd < 0 || fchown(fd, identity.uid, identity.gid) < 0 || fchmod(fd, 0755) < 0)
		return -errno;
	return 0;
}

static int entry_make(int parent_fd, const char *name, const struct init_layer_entry *entry,
		      struct root_identity identity)
{
	struct stat st;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	switch (entry->type) {
	case INIT_LAYER_DIRECTORY:
		return directory_make(parent_fd, name, identity);
	case INIT_LAYER_FILE:
		return file_make(parent_fd, name, identity);
	case INIT_LAYER_LINK:
		/* Its owner is whoever makes it, as Docker's. */
		return symlinkat(entry->target, parent_fd, name) < 0 ? -errno : 0;
	}
	return -EINVAL;
}

/*
 * Walks down to the entry. After a component was unlinked it is a directory or nothing, so opening
 * it never follows a link.
 */
static int entry_apply(int root_fd, const struct init_layer_entry *entry,
		       struct root_identity identity)
{
	_cleanup_close_ int parent_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	const char *component = entry->path + 1;
	char name[32];

	for (;;) {
		size_t n = strcspn(component, "/");
		int fd;

		if (parent_fd < 0 || n >= sizeof(name))
			return parent_fd < 0 ? -errno : -ENAMETOOLONG;
		memcpy(name, component, n);
		name[n] = '\0';
		/* Fails on directories, harmlessly; any other failure shows in what follows. */
		(void)unlinkat(parent_fd, name, 0);
		if (!component[n])
			return entry_make(parent_fd, name, entry, identity);
		fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT) {
			int r = directory_make(parent_fd, name, identity);

			if (r < 0)
				return r;
			fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		if (fd < 0)
			return -errno;
		close(parent_fd);
		parent_fd = fd;
		component += n + 1;
	}
}

int init_layer_apply(int root_fd, struct root_identity identity, struct error *error)
{
	for (size_t i = 0; i < init_layer_table_entries; i++) {
		int r = entry_apply(root_fd, &init_layer_table[i], identity);

		if (r < 0)
			return error_set(error, r, "cannot make '%s' in the root",
					 init_layer_table[i].path);
	}
	return 0;
}

static int lines_split(const char *text, struct string_list *lines)
{
	int r = 0;

	while (*text && r == 0) {
		size_t n = strcspn(text, "\n");

		if (n > 0)
			r = string_list_take(lines, strndup(text, n));
		text += n + (text[n] == '\n');
	}
	return r;
}

/* What the table makes of the image: written to @stage_fd's `diff`, as an overlay's upper. */
static int layer_fill(const char *stage_path, int stage_fd, const struct string_list *lowers,
		      struct root_identity identity, struct error *error)
{
	_cleanup_free_ char *upper = string_format("%s/diff", stage_path);
	_cleanup_free_ char *work = string_format("%s/work", stage_path);
	_cleanup_close_ int root_fd = -EBADF;
	/* Nothing is synced when this goes: the layer is, whole, before it is published. */
	struct overlay overlay = { .lowers = (const char *const *)lowers->items,
				   .n_lowers = lowers->n_items,
				   .upper = upper,
				   .work = work,
				   .flags = OVERLAY_VOLATILE };
	int r;

	if (!upper || !work)
		return error_set(error, -ENOMEM, "cannot make an init layer");
	r = directory_make(stage_fd, "diff", identity);
	if (r == 0 && mkdirat(stage_fd, "work", 0700) < 0)
		r = -errno;
	if (r < 0)
		return error_set(error, r, "cannot make '%s'", stage_path);
	if (lowers->n_items == 0) {
		/* An image without layers: the table is all there is. */
		root_fd = openat(stage_fd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = root_fd < 0 ? error_set(error, -errno, "cannot open '%s'", upper) : 0;
	} else {
		TRACE_PHASE("ovl.create");
		r = overlay_mount(&overlay, &root_fd, error);
	}
	return r < 0 ? r : init_layer_apply(root_fd, identity, error);
}

/* Makes it aside, syncs it and renames it to @name; of two that do so at once, one's is kept. */
static int layer_make(const struct store *store, const char *name, const char *layers,
		      struct root_identity identity, struct error *error)
{
	_cleanup_strings_ struct string_list lowers = {};
	_cleanup_free_ char *stage = NULL, *stage_path = NULL;
	_cleanup_close_ int stage_fd = -EBADF, init_fd = -EBADF;
	int r = lines_split(layers, &lowers);

	if (r < 0)
		return error_set(error, r, "cannot make an init layer");
	if (lowers.n_items >= OVERLAY_MAX_LOWERS)
		return error_say(error, -E2BIG,
				 "%zu layers and an init layer are more than overlayfs's %d",
				 lowers.n_items, OVERLAY_MAX_LOWERS);
	r = store_stage(store, &stage, &stage_fd, error);
	if (r < 0)
		return r;
	stage_path = string_format("%s/%s", store->path, stage);
	if (!stage_path)
		r = error_set(error, -ENOMEM, "cannot make an init layer");
	if (r == 0)
		r = layer_fill(stage_path, stage_fd, &lowers, identity, error);
	/* For people, and for telling whose it is. */
	if (r == 0) {
		r = path_remove_tree(stage_fd, "work");
		if (r == 0)
			r = file_write_at(stage_fd, "layers", layers, strlen(layers), 0644);
		if (r == 0 && syncfs(stage_fd) < 0)
			r = -errno;
		if (r == 0 && renameat(store->fd, stage, store->fd, name) < 0)
			r = errno == EEXIST || errno == ENOTEMPTY ? 1 : -errno;
		if (r < 0)
			error_set(error, r, "cannot make '%s/%s'", store->path, name);
	}
	if (r != 0) {
		(void)store_discard(store, stage);
		return r < 0 ? r : 0;
	}
	/* A bundle that refers to it may reach the disk by itself. */
	init_fd = openat(store->fd, "init", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (init_fd < 0 || fsync(init_fd) < 0)
		return error_set(error, -errno, "cannot sync '%s/init'", store->path);
	return 0;
}

static int layer_name(const char *layers, struct root_identity identity,
		      char ret_name[sizeof("init/") + HASH_HEX_BYTES], struct error *error)
{
	_cleanup_buffer_ struct buffer key = {};
	char hash[HASH_HEX_BYTES];

	buffer_add_format(&key, "table %d\nroot %u:%u\n", TABLE_VERSION, identity.uid,
			  identity.gid);
	buffer_add_string(&key, layers);
	if (buffer_status(&key) < 0)
		return error_set(error, -ENOMEM, "cannot find the init layer");
	hash_hex(key.bytes, key.n_bytes, hash);
	snprintf(ret_name, sizeof("init/") + HASH_HEX_BYTES, "init/%s", hash);
	return 0;
}

static int layer_find(const struct store *store, const char *layers, struct root_identity identity,
		      char **ret_path, struct error *error)
{
	TRACE_PHASE("layer.open");
	char name[sizeof("init/") + HASH_HEX_BYTES];
	int r = layer_name(layers, identity, name, error);

	if (r == 0 && faccessat(store->fd, name, F_OK, 0) < 0) {
		if (errno != ENOENT)
			return error_set(error, -errno, "cannot find '%s/%s'", store->path, name);
		r = layer_make(store, name, layers, identity, error);
	}
	if (r < 0)
		return r;
	*ret_path = string_format("%s/%s/diff\n", store->path, name);
	return *ret_path ? 0 : error_set(error, -ENOMEM, "cannot find the init layer");
}

void init_layer_cache_deinit(struct init_layer_cache *cache)
{
	free(cache->layers);
	free(cache->path);
	*cache = (struct init_layer_cache){};
}

/* 1: the bundle has a whole `init-layer`; 0: none, or what a killed process left of one. */
static int init_layer_is_there(const struct bundle *bundle, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r = file_read_at(bundle->fd, "init-layer", 2 * 4096, &text, &n);

	if (r < 0 && r != -ENOENT)
		return error_set(error, r, "cannot read '%s/init-layer'", bundle->path);
	return r == 0 && n > 0 && text[n - 1] == '\n';
}

int init_layer_add(const struct store *store, const struct bundle *bundle,
		   struct root_identity identity, struct init_layer_cache *cache,
		   struct error *error)
{
	_cleanup_(init_layer_cache_deinit) struct init_layer_cache own = {};
	_cleanup_free_ char *layers = NULL;
	int r;

	if (bundle_is_complete(bundle))
		return error_say(error, -EEXIST,
				 "the bundle '%s' has its config.json already: too late for layers",
				 bundle->path);
	r = init_layer_is_there(bundle, error);
	if (r != 0)
		return r < 0 ? r : 0;
	r = file_read_at(bundle->fd, "layers", LAYERS_MAX_BYTES, &layers, NULL);
	if (r < 0)
		return error_set(error, r, "cannot read '%s/layers'", bundle->path);
	if (!cache)
		cache = &own;
	if (!cache->layers || strcmp(cache->layers, layers)) {
		init_layer_cache_deinit(cache);
		r = layer_find(store, layers, identity, &cache->path, error);
		if (r < 0)
			return error_prefix(error, r, "bundle '%s'", bundle->path);
		cache->layers = take_ptr(layers);
	}
	r = file_write_at(bundle->fd, "init-layer", cache->path, strlen(cache->path), 0644);
	if (r == -EEXIST)
		r = file_replace_at(bundle->fd, "init-layer", cache->path, strlen(cache->path),
				    0644, 0);
	return r < 0 ? error_set(error, r, "cannot write '%s/init-layer'", bundle->path) : 0;
}
