/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/overlay.h"
#include "base/path.h"
#include "base/trace.h"

/* Docker refuses larger configs (8 MiB manifests, 4 MiB configs are the registries' bounds). */
#define CONFIG_MAX_BYTES (8u << 20)
#define USERS_MAX_BYTES	 (16u << 20)
#define LAYERS_MAX_BYTES (1u << 20)

/* How often a new bundle may be taken for a leftover, between its first two system calls. */
#define MAKE_ATTEMPTS 16

/* A positive result of directory_make(). */
enum { MAKE_ID_TAKEN = 1 };

enum {
	FILE_IMAGE,
	FILE_CONFIG,
	FILE_PASSWD,
	FILE_GROUP,
	FILE_LAYERS,
	FILE_EPHEMERAL,
	FILE_VOLUMES,
	FILE_AUTO_REMOVE,
};

static int bundle_file_take(struct bundle_file *file, const char *name, struct buffer *text,
			    struct error *error)
{
	if (buffer_status(text) < 0)
		return error_set(error, -ENOMEM, "cannot make a bundle");
	*file = (struct bundle_file){ name, text->bytes, text->n_bytes };
	*text = (struct buffer){};
	return 0;
}

/*
 * `volumes`, an empty file, where the image's config may have volumes: a script asks for it with
 * one stat(2) instead of starting a tool that finds nothing to do.
 */
static int volumes_mark(struct bundle_maker *maker, const struct bundle_file *config,
			struct error *error)
{
	static const char word[] = "\"Volumes\"";
	_cleanup_buffer_ struct buffer empty = {};

	if (!memmem(config->bytes, config->n_bytes, word, strlen(word)))
		return 0;
	buffer_add(&empty, "", 0);
	return bundle_file_take(&maker->files[FILE_VOLUMES], "volumes", &empty, error);
}

static int config_read(struct bundle_maker *maker, const struct image *image, struct error *error)
{
	struct bundle_file *file = &maker->files[FILE_CONFIG];
	int r = file_read_at(image->fd, "config.json", CONFIG_MAX_BYTES, &file->bytes,
			     &file->n_bytes);

	file->name = "image-config.json";
	if (r < 0)
		return error_set(error, r, "cannot read 'config.json' of the image %s",
				 image->digest);
	return volumes_mark(maker, file, error);
}

/* Either of passwd and group may be missing: an image needs no users. */
static int users_read(struct bundle_maker *maker, const struct image *image, struct error *error)
{
	static const char *const names[] = { "passwd", "group" };

	for (int i = 0; i < 2; i++) {
		struct bundle_file *file = &maker->files[FILE_PASSWD + i];
		int r = file_read_at(image->fd, names[i], USERS_MAX_BYTES, &file->bytes,
				     &file->n_bytes);

		file->name = names[i];
		if (r < 0 && r != -ENOENT)
			return error_set(error, r, "cannot read '%s' of the image %s", names[i],
					 image->digest);
	}
	return 0;
}

/* The record's chain ids become absolute paths, as the bundle has them. */
static int layers_resolve(struct bundle_maker *maker, const struct image *image,
			  const struct bundle_request *request, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_buffer_ struct buffer layers = {};
	uint64_t max_depth = request->max_depth ? request->max_depth : CREATE_MAX_DEPTH;
	size_t n_layers = 0;
	char *rest;
	int r = file_read_at(image->fd, "layers", LAYERS_MAX_BYTES, &text, NULL);

	if (r < 0)
		return error_set(error, r, "cannot read 'layers' of the image %s", image->digest);
	/* An empty file is one too. */
	buffer_add(&layers, "", 0);
	for (rest = text; *rest;) {
		char *line = strsep(&rest, "\n");

		if (!digest_hex_is_valid(line))
			return error_say(error, -EBADMSG, "the image %s has '%s' among its layers",
					 image->digest, line);
		buffer_add_string(&layers, maker->store->path);
		buffer_add_string(&layers, "/layers/");
		buffer_add_string(&layers, line);
		buffer_add_string(&layers, "/diff\n");
		n_layers++;
		if (!rest)
			break;
	}
	if (n_layers > max_depth)
		return error_say(error, -E2BIG, "the image '%s' has %zu layers, more than %llu%s",
				 request->reference, n_layers, (unsigned long long)max_depth,
				 max_depth < OVERLAY_MAX_LOWERS
					 ? "; --max-depth raises that, up to 500"
					 : "");
	return bundle_file_take(&maker->files[FILE_LAYERS], "layers", &layers, error);
}

static int own_files(struct bundle_maker *maker, const struct bundle_request *request,
		     struct error *error)
{
	_cleanup_buffer_ struct buffer image = {}, ephemeral = {}, empty = {};
	int r;

	buffer_add_format(&image, "%s\n%s\n", maker->image_digest, request->reference);
	r = bundle_file_take(&maker->files[FILE_IMAGE], "image", &image, error);
	if (r == 0 && request->auto_remove) {
		buffer_add(&empty, "", 0);
		r = bundle_file_take(&maker->files[FILE_AUTO_REMOVE], BUNDLE_AUTO_REMOVE_FILE,
				     &empty, error);
	}
	if (r < 0 || !request->ephemeral)
		return r;
	buffer_add_format(&ephemeral, "%llu\n", (unsigned long long)request->ephemeral_bytes);
	return bundle_file_take(&maker->files[FILE_EPHEMERAL], "ephemeral", &ephemeral, error);
}

int bundle_maker_init(struct bundle_maker *maker, const struct store *store,
		      const struct bundle_request *request, struct error *error)
{
	TRACE_PHASE("image.resolve");
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	int r;

	*maker = (struct bundle_maker){ .store = store };
	r = image_open(store, request->reference, &image, error);
	if (r < 0)
		return r;
	memcpy(maker->image_digest, image.digest, sizeof(maker->image_digest));
	r = layers_resolve(maker, &image, request, error);
	if (r == 0)
		r = config_read(maker, &image, error);
	if (r == 0)
		r = users_read(maker, &image, error);
	if (r == 0)
		r = own_files(maker, request, error);
	if (r < 0)
		bundle_maker_deinit(maker);
	return r;
}

bool bundle_maker_image_is_there(const struct bundle_maker *maker)
{
	char path[16 + DIGEST_HEX_BYTES];

	snprintf(path, sizeof(path), "images/sha256/%s", maker->image_digest + strlen("sha256:"));
	return faccessat(maker->store->fd, path, F_OK, 0) == 0;
}

void bundle_maker_deinit(struct bundle_maker *maker)
{
	TRACE_PHASE("image.close");

	for (int i = 0; i < BUNDLE_MAKER_FILES; i++)
		free(maker->files[i].bytes);
	*maker = BUNDLE_MAKER_EMPTY;
}

static int id_random(struct bundle_maker *maker, char ret_id[CONTAINER_ID_MAX_BYTES + 1])
{
	if (maker->n_random < 32) {
		if (getrandom(maker->random, sizeof(maker->random), 0) != sizeof(maker->random))
			return -EIO;
		maker->n_random = sizeof(maker->random);
	}
	maker->n_random -= 32;
	hex_encode(maker->random + maker->n_random, 32, ret_id);
	return 0;
}

/* "containers/ID/", to which each file's name is added: one buffer, no directory descriptor. */
struct bundle_path {
	char text[sizeof("containers/") + CONTAINER_ID_MAX_BYTES + 32];
	size_t n_prefix;
};

static const char *path_to(struct bundle_path *path, const char *name)
{
	snprintf(path->text + path->n_prefix, sizeof(path->text) - path->n_prefix, "%s", name);
	return path->text;
}

static int directories_make(const struct bundle_maker *maker, struct bundle_path *path,
			    struct error *error)
{
	static const struct {
		const char *name;
		mode_t mode;
	} directories[] = { { "rootfs", 0755 }, { "upper", 0755 }, { "work", 0700 } };
	/* The tmpfs of an ephemeral bundle has the other two. */
	size_t n = maker->files[FILE_EPHEMERAL].bytes ? 1 : 3;

	for (size_t i = 0; i < n; i++) {
		if (mkdirat(maker->store->fd, path_to(path, directories[i].name),
			    directories[i].mode) < 0)
			return error_set(error, -errno, "cannot make '%s/%s'", maker->store->path,
					 path->text);
	}
	return 0;
}

static int files_write(const struct bundle_maker *maker, struct bundle_path *path,
		       struct error *error)
{
	for (int i = 0; i < BUNDLE_MAKER_FILES; i++) {
		const struct bundle_file *file = &maker->files[i];
		int r;

		if (!file->bytes)
			continue;
		r = file_write_at(maker->store->fd, path_to(path, file->name), file->bytes,
				  file->n_bytes, 0644);
		if (r < 0)
			return error_set(error, r, "cannot write '%s/%s'", maker->store->path,
					 path->text);
	}
	return 0;
}

static int name_write(const struct bundle_maker *maker, struct bundle_path *path, const char *name,
		      struct error *error)
{
	char line[CONTAINER_NAME_MAX_BYTES + 2];
	int n = snprintf(line, sizeof(line), "%s\n", name);
	int r = file_write_at(maker->store->fd, path_to(path, "name"), line, (size_t)n, 0644);

	return r < 0 ? error_set(error, r, "cannot write '%s/%s'", maker->store->path, path->text)
		     : 0;
}

/*
 * The directory and its lock. Between the two, and until the lock is held, a sweep may take it for
 * a leftover and move it away: then every further name in it is gone, which -ENOENT tells.
 */
static int directory_make(const struct bundle_maker *maker, struct bundle_path *path,
			  int *ret_lock_fd, struct error *error)
{
	_cleanup_close_ int lock_fd = -EBADF;
	int r;

	if (mkdirat(maker->store->fd, path_to(path, ""), 0700) < 0) {
		if (errno == EEXIST)
			return MAKE_ID_TAKEN;
		return error_set(error, -errno, "cannot make '%s/%s'", maker->store->path,
				 path->text);
	}
	lock_fd =
		openat(maker->store->fd, path_to(path, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	r = lock_fd < 0 ? -errno : lock_take(lock_fd, LOCK_MODE_EXCLUSIVE);
	if (r < 0) {
		if (r != -ENOENT)
			(void)unlinkat(maker->store->fd, path_to(path, ""), AT_REMOVEDIR);
		return error_set(error, r, "cannot lock '%s/%s'", maker->store->path,
				 path_to(path, ""));
	}
	*ret_lock_fd = take_fd(&lock_fd);
	return 0;
}

static int bundle_fill(const struct bundle_maker *maker, struct bundle_path *path, const char *id,
		       const char *name, struct error *error)
{
	_cleanup_close_ int lock_fd = -EBADF;
	int r = directory_make(maker, path, &lock_fd, error);

	if (r == MAKE_ID_TAKEN)
		return error_say(error, -EEXIST, "the id '%s' is taken", id);
	if (r < 0)
		return r;
	r = directories_make(maker, path, error);
	if (r == 0 && name) {
		/* The file first: by it rm finds the link that it has to drop. */
		r = name_write(maker, path, name, error);
		if (r == 0)
			r = name_take(maker->store, name, id, error);
	}
	if (r == 0)
		r = files_write(maker, path, error);
	if (r < 0) {
		if (name)
			name_drop(maker->store, name, id);
		path->text[path->n_prefix - 1] = '\0';
		(void)path_remove_tree(maker->store->fd, path->text);
		path->text[path->n_prefix - 1] = '/';
	}
	return r;
}

int bundle_make(struct bundle_maker *maker, const char *id, const char *name,
		char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error)
{
	TRACE_PHASE("ovl.mkdir");
	char made_id[CONTAINER_ID_MAX_BYTES + 1];
	struct bundle_path path;
	int r;

	for (int attempt = 0;; attempt++) {
		if (id)
			strcpy(made_id, id);
		else if (id_random(maker, made_id) < 0)
			return error_set(error, -EIO, "cannot get random bytes");
		path.n_prefix =
			(size_t)snprintf(path.text, sizeof(path.text), "containers/%s/", made_id);
		r = bundle_fill(maker, &path, made_id, name, error);
		if (r != -ENOENT || attempt == MAKE_ATTEMPTS)
			break;
	}
	if (r < 0)
		return r;
	strcpy(ret_id, made_id);
	if (trace_is_on())
		trace_set_ids(ret_id, 0);
	return 0;
}
