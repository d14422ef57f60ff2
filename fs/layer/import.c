/* SPDX-License-Identifier: MIT */
#include "fs/layer/import_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "fs/image/name.h"
#include "fs/layer/chain_id.h"
#include "fs/layer/directory_tar.h"

/* The source's bytes, with a word to who shows the progress. */
struct watched_bytes {
	struct byte_stream stream;
	struct byte_stream *source;
	const struct import_progress *progress;
	const char *layer;
	uint64_t n_bytes, n_total;
};

static ssize_t watched_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct watched_bytes *bytes = (struct watched_bytes *)stream;
	ssize_t n = bytes->source->next(bytes->source, ret_block, error);

	if (n > 0)
		bytes->n_bytes += (uint64_t)n;
	if (bytes->progress && n > 0)
		bytes->progress->layer(bytes->progress->argument, bytes->layer, bytes->n_bytes,
				       bytes->n_total, false);
	return n;
}

int import_layer_stage(struct import *import, const char *path, struct byte_stream *blob,
		       const char *digest, uint64_t n_bytes, const char *diff_id,
		       struct staged_layer **ret_layer, struct error *error)
{
	const struct import_progress *progress = import->options->progress;
	struct watched_bytes watched = {
		.stream = { .next = watched_next },
		.source = blob,
		.progress = progress,
		.layer = digest ? digest : path,
		.n_total = n_bytes,
	};
	struct staged_layer *layers =
		reallocarray(import->layers, import->n_layers + 1, sizeof(*layers));
	struct layer_report report = { .warnings = import->result->warnings };
	struct staged_layer *layer;
	char name[24];
	int r, locked;

	if (!layers)
		return error_set(error, -ENOMEM, "cannot unpack '%s'", path);
	import->layers = layers;
	if (import->n_layers >= IMPORT_MAX_LAYERS)
		return error_say(error, -E2BIG, "the source has more than %d layers",
				 IMPORT_MAX_LAYERS);
	layer = &layers[import->n_layers];
	*layer = (struct staged_layer){ .path = strdup(path) };
	if (!layer->path)
		return error_set(error, -ENOMEM, "cannot unpack '%s'", path);
	snprintf(name, sizeof(name), "layer-%zu", import->n_layers);
	import->n_layers++;
	/* The store is others' meanwhile: what this import relies on is pinned. */
	lock_release(import->store->lock_fd);
	r = layer_unpack(import->staging_fd, name, &watched.stream, digest, n_bytes, diff_id,
			 &layer->unpacked, &report, error);
	import->result->warnings = report.warnings;
	layer->implicit = report.implicit;
	locked = lock_take(import->store->lock_fd, LOCK_MODE_SHARED);
	if (r == 0 && locked < 0)
		return error_set(error, locked, "cannot lock the store '%s'", import->store->path);
	if (r < 0)
		return error_prefix(error, r, "layer %s", digest ? digest : path);
	if (progress)
		progress->layer(progress->argument, watched.layer, watched.n_bytes, n_bytes, true);
	*ret_layer = layer;
	return 0;
}

static int chain_layer_path(struct chain_layer *layer, const char *directory, const char *name)
{
	return snprintf(layer->path, sizeof(layer->path), "%s/%s", directory, name) <
			       (int)sizeof(layer->path)
		       ? 0
		       : -ENAMETOOLONG;
}

/* Writes down that this import relies on a layer of the store: rmi reads staging/X/layers. */
static int layer_pin(struct import *import, const char *chain_id)
{
	_cleanup_close_ int fd = openat(import->staging_fd, "layers",
					O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char line[DIGEST_HEX_BYTES + 1];

	if (fd < 0)
		return -errno;
	snprintf(line, sizeof(line), "%.64s\n", chain_id + strlen("sha256:"));
	return fd_write_full(fd, line, strlen(line));
}

/* Is the chain there, in the store or in this import? What is found in the store is pinned. */
static int chain_layer_find(struct import *import, struct chain_layer *layer)
{
	int r = chain_layer_path(layer, "layers", layer->chain_id + strlen("sha256:"));

	if (r == 0)
		r = layer_facts_read(import->store->fd, layer->path, &layer->facts);
	if (r == 0)
		return layer_pin(import, layer->chain_id);
	if (r != -ENOENT)
		return r;
	for (size_t i = 0; i < import->n_layers; i++) {
		struct staged_layer *staged = &import->layers[i];

		if (strcmp(staged->chain_id, layer->chain_id))
			continue;
		layer->facts = staged->unpacked.facts;
		return chain_layer_path(layer, import->staging, staged->unpacked.name);
	}
	return -ENOENT;
}

/*
 * An image may have one layer twice (an empty one, mostly): the second place gets a copy, since
 * overlayfs takes no directory twice.
 */
static int layer_copy(struct import *import, const struct staged_layer *original,
		      struct staged_layer **ret_layer, struct error *error)
{
	_cleanup_directory_tar_ struct directory_tar tar = { .file_fd = -EBADF };
	struct unpacked_layer unpacked = original->unpacked;
	_cleanup_free_ char *path = strdup(original->path);
	_cleanup_free_ char *diff = string_format("%s/diff", unpacked.name);
	_cleanup_close_ int fd = -EBADF, copy_fd = -EBADF;
	int r;

	if (!path || !diff)
		return error_set(error, -ENOMEM, "cannot copy a layer");
	fd = openat(import->staging_fd, diff, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot copy layer '%s'", path);
	r = directory_tar_init(&tar, fd, DIRECTORY_TAR_LAYER, error);
	if (r == 0)
		r = import_layer_stage(import, path, &tar.stream, NULL, UINT64_MAX, NULL, ret_layer,
				       error);
	if (r < 0)
		return r;
	/* It is what the original is, whatever its own tar looked like. */
	memcpy(unpacked.name, (*ret_layer)->unpacked.name, sizeof(unpacked.name));
	(*ret_layer)->unpacked = unpacked;
	copy_fd = openat(import->staging_fd, unpacked.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy_fd < 0 || unlinkat(copy_fd, "layer.json", 0) < 0)
		return error_set(error, -errno, "cannot copy layer '%s'", path);
	r = layer_facts_write(copy_fd, &unpacked.facts);
	return r < 0 ? error_set(error, r, "cannot copy layer '%s'", path) : 0;
}

/* Opens the diffs of @n layers, topmost first, in @fds. */
static int diffs_open(struct import *import, const struct chain_layer *layers, size_t n, int *fds,
		      size_t *ret_n_fds)
{
	for (*ret_n_fds = 0; *ret_n_fds < n; (*ret_n_fds)++) {
		char path[160];
		int fd;

		snprintf(path, sizeof(path), "%s/diff", layers[n - 1 - *ret_n_fds].path);
		fd = openat(import->store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		fds[*ret_n_fds] = fd;
	}
	return 0;
}

/* @layers: the @n below, and then the new one itself. */
static int layer_settle(struct import *import, const struct staged_layer *staged,
			const struct chain_layer *layers, size_t n, struct error *error)
{
	_cleanup_free_ int *fds = calloc(n + 1, sizeof(*fds));
	size_t n_fds = 0;
	int r;

	if (staged->implicit.n_items == 0 || n == 0)
		return 0;
	if (!fds)
		return error_set(error, -ENOMEM, "layer %s", staged->path);
	r = diffs_open(import, layers, n + 1, fds, &n_fds);
	if (r < 0)
		error_set(error, r, "cannot open a layer");
	else
		r = layer_inherit(fds[0], &staged->implicit, fds + 1, n, error);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return r < 0 ? error_prefix(error, r, "layer %s", staged->path) : 0;
}

static int image_layers_import(struct import *import, struct layer_provider *provider,
			       const struct source_image *image, struct chain_layer *layers,
			       struct error *error)
{
	char chain_id[DIGEST_TEXT_BYTES] = "";

	for (size_t i = 0; i < image->n_layers; i++) {
		struct chain_layer *layer = &layers[i];
		struct staged_layer *staged;
		int r;

		chain_id_next(chain_id, image->layers[i].diff_id);
		memcpy(layer->chain_id, chain_id, sizeof(chain_id));
		r = chain_layer_find(import, layer);
		if (r < 0 && r != -ENOENT)
			return error_set(error, r, "cannot look for layer %s", chain_id);
		if (r == 0)
			continue;
		r = provider->get(provider, import, &image->layers[i], &staged, error);
		if (r == 0 && *staged->chain_id)
			r = layer_copy(import, staged, &staged, error);
		if (r < 0)
			return r;
		memcpy(staged->chain_id, chain_id, sizeof(chain_id));
		r = chain_layer_find(import, layer);
		if (r < 0)
			return error_set(error, r, "cannot stage layer %s", chain_id);
		r = layer_settle(import, staged, layers, i, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int import_layer_is_there(struct import *import, const char *chain_id)
{
	struct chain_layer layer = {};
	int r;

	memcpy(layer.chain_id, chain_id, sizeof(layer.chain_id));
	r = chain_layer_find(import, &layer);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

static int images_name(struct source_images *images, const char *name, struct error *error)
{
	struct image_name parsed;
	struct source_image *image = images->items;
	int r;

	if (!name)
		return 0;
	r = image_name_parse(name, &parsed, error);
	if (r < 0)
		return r;
	if (parsed.digest[0])
		return error_say(error, -EINVAL, "'%s': an image can't be given a digest", name);
	/* Of several images the one that has this name already is meant. */
	for (size_t i = 0; images->n_items > 1 && i < images->n_items; i++) {
		if (string_list_contains(&images->items[i].names, parsed.name)) {
			source_images_keep(images, i);
			image = images->items;
		}
	}
	if (images->n_items > 1)
		return error_say(error, -EINVAL,
				 "it has %zu images, and none is called '%s': import them without "
				 "a name, then tag them",
				 images->n_items, parsed.name);
	string_list_deinit(&image->names);
	image->names = (struct string_list){};
	if (string_list_add(&image->names, parsed.name) < 0)
		return error_set(error, -ENOMEM, "cannot name the image");
	return 0;
}

int import_images(struct import *import, struct layer_provider *provider,
		  struct source_images *images, struct error *error)
{
	int r = images_name(images, import->options->name, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < images->n_items; i++) {
		struct source_image *image = &images->items[i];
		_cleanup_free_ struct chain_layer *layers =
			calloc(image->n_layers + 1, sizeof(*layers));

		if (!layers)
			return error_set(error, -ENOMEM, "cannot import");
		r = image_layers_import(import, provider, image, layers, error);
		if (r == 0)
			r = record_stage(import, image, layers, image->n_layers, error);
		if (r < 0)
			return r;
	}
	return import_publish(import, images, error);
}

static void import_deinit(struct import *import)
{
	if (import->staging)
		store_discard(import->store, import->staging);
	cleanup_close(&import->staging_fd);
	free(import->staging);
	for (size_t i = 0; i < import->n_layers; i++) {
		free(import->layers[i].path);
		free(import->layers[i].failure);
		string_list_deinit(&import->layers[i].implicit);
	}
	free(import->layers);
}

char *import_repository(const struct import_options *options)
{
	const char *source = options->source;
	size_t n = strlen(source), start;
	char *repository, *suffix;

	if (!strcmp(source, "-"))
		return NULL;
	while (n > 0 && source[n - 1] == '/')
		n--;
	for (start = n; start > 0 && source[start - 1] != '/'; start--)
		;
	repository = strndup(source + start, n - start);
	/* "/images/busybox/" and "busybox.tar.gz" are both busybox. */
	suffix = repository ? strstr(repository, ".tar") : NULL;
	if (suffix)
		*suffix = '\0';
	return repository;
}

/* A layout directory gives each blob when it is asked for. */
struct directory_provider {
	struct layer_provider provider;
	struct layout_directory layout;
};

static int directory_provider_get(struct layer_provider *provider, struct import *import,
				  const struct source_layer *wanted,
				  struct staged_layer **ret_layer, struct error *error)
{
	struct directory_provider *directory = (struct directory_provider *)provider;
	_cleanup_file_bytes_ struct file_bytes bytes = {};
	_cleanup_close_ int fd = layout_directory_open(&directory->layout, wanted->path);

	if (fd < 0)
		return error_set(error, fd, "layer %s: cannot open '%s'", wanted->digest,
				 wanted->path);
	if (file_bytes_init(&bytes, fd, wanted->path) < 0)
		return error_set(error, -ENOMEM, "layer %s", wanted->digest);
	return import_layer_stage(import, wanted->path, &bytes.stream,
				  *wanted->digest ? wanted->digest : NULL, wanted->n_bytes,
				  wanted->diff_id, ret_layer, error);
}

static bool has_file(int directory_fd, const char *name)
{
	struct stat st;

	return fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int import_directory(struct import *import, int fd, struct error *error)
{
	_cleanup_source_images_ struct source_images images = {};
	_cleanup_directory_tar_ struct directory_tar tar = { .file_fd = -EBADF };
	struct directory_provider provider = { .provider = { .get = directory_provider_get } };
	_cleanup_free_ char *repository = import_repository(import->options);
	bool is_layout = has_file(fd, "oci-layout") || has_file(fd, "index.json") ||
			 has_file(fd, "manifest.json");
	int r;

	if (!is_layout) {
		r = directory_tar_init(&tar, fd, 0, error);
		return r < 0 ? r : import_root(import, &tar.stream, error);
	}
	layout_directory_init(&provider.layout, fd, repository);
	r = source_images_read(&provider.layout.source, &images, error);
	return r < 0 ? r : import_images(import, &provider.provider, &images, error);
}

int image_import(const struct store *store, const struct import_options *options,
		 struct import_result *result, struct error *error)
{
	_cleanup_(import_deinit) struct import import = {
		.store = store,
		.options = options,
		.result = result,
		.staging_fd = -EBADF,
	};
	bool is_stream = !strcmp(options->source, "-");
	_cleanup_close_ int fd = is_stream ? fcntl(options->source_fd, F_DUPFD_CLOEXEC, 3)
					   : open(options->source, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(error, -errno, "cannot open '%s'", options->source);
	r = store_stage(store, &import.staging, &import.staging_fd, error);
	if (r < 0)
		return r;
	r = S_ISDIR(st.st_mode) ? import_directory(&import, fd, error)
				: import_stream(&import, fd, error);
	return r < 0 ? error_prefix(error, r, "'%s'", options->source) : 0;
}

void import_result_deinit(struct import_result *result)
{
	string_list_deinit(&result->digests);
	string_list_deinit(&result->names);
	metadata_warnings_deinit(&result->warnings);
}

void import_collect(const struct store *store)
{
	int fd = openat(store->fd, "staging", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!directory)
		cleanup_close(&fd);
	while (directory && (entry = readdir(directory))) {
		_cleanup_close_ int entry_fd = -EBADF;
		char name[300];

		if (entry->d_name[0] == '.')
			continue;
		entry_fd = openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		snprintf(name, sizeof(name), "staging/%s", entry->d_name);
		if (entry_fd >= 0 && lock_try(entry_fd, LOCK_MODE_EXCLUSIVE) == 0)
			store_discard(store, name);
	}
}
