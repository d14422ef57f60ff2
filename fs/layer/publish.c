/* SPDX-License-Identifier: MIT */
#include "fs/layer/import_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "fs/image/store.h"
#include "fs/layer/users.h"

static void write_descriptor(struct json_writer *writer, const char *key, const char *media_type,
			     const char *digest, uint64_t n_bytes)
{
	json_write_object_begin(writer, key);
	json_write_string(writer, "mediaType", media_type);
	json_write_string(writer, "digest", digest);
	json_write_uint(writer, "size", n_bytes);
	json_write_object_end(writer);
}

/*
 * A manifest for an image that came without: of its uncompressed layers, so that the same image
 * gets the same digest whoever packed it.
 */
static int manifest_make(struct source_image *image, const struct chain_layer *layers,
			 struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	json_write_object_begin(&writer, NULL);
	json_write_int(&writer, "schemaVersion", 2);
	json_write_string(&writer, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	write_descriptor(&writer, "config", "application/vnd.oci.image.config.v1+json",
			 image->config_digest, image->n_config);
	json_write_array_begin(&writer, "layers");
	for (size_t i = 0; i < image->n_layers; i++)
		write_descriptor(&writer, NULL, "application/vnd.oci.image.layer.v1.tar",
				 layers[i].facts.diff_id, layers[i].facts.n_tar_bytes);
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	if (json_writer_status(&writer) < 0)
		return error_set(error, -ENOMEM, "cannot make the manifest");
	image->n_manifest = writer.buffer.n_bytes;
	image->manifest = take_ptr(writer.buffer.bytes);
	digest_of(image->manifest, image->n_manifest, image->manifest_digest);
	return 0;
}

/* Topmost first; where a layer's root is opaque, what is below it can't be seen. */
static int layers_write(int record_fd, const struct chain_layer *layers, size_t n_layers,
			size_t *ret_n_visible)
{
	_cleanup_buffer_ struct buffer text = {};
	size_t n_visible = 0;
	int r;

	for (size_t i = n_layers; i > 0; i--) {
		buffer_add_format(&text, "%s\n", layers[i - 1].chain_id + strlen("sha256:"));
		n_visible++;
		if (layers[i - 1].facts.opaque_root)
			break;
	}
	r = buffer_status(&text);
	if (r < 0)
		return r;
	*ret_n_visible = n_visible;
	return file_write_at(record_fd, "layers", text.bytes, text.n_bytes, 0600);
}

static int users_write(struct import *import, int record_fd, const struct chain_layer *layers,
		       size_t n_layers, size_t n_visible)
{
	static const char *const names[] = { "passwd", "group" };
	_cleanup_free_ int *fds = calloc(n_visible + 1, sizeof(*fds));
	size_t n_fds = 0;
	int r = fds ? 0 : -ENOMEM;

	while (r == 0 && n_fds < n_visible) {
		char path[160];

		snprintf(path, sizeof(path), "%s/diff", layers[n_layers - 1 - n_fds].path);
		fds[n_fds] = openat(import->store->fd, path,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fds[n_fds] < 0 ? -errno : 0;
		n_fds += r == 0;
	}
	for (size_t i = 0; i < 2 && r == 0; i++) {
		_cleanup_free_ char *bytes = NULL;
		size_t n;

		r = users_file_find(fds, n_fds, names[i], &bytes, &n);
		if (r == 0)
			r = file_write_at(record_fd, names[i], bytes, n, 0600);
		else if (r == -ENOENT)
			r = 0;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return r;
}

int record_stage(struct import *import, struct source_image *image,
		 const struct chain_layer *layers, size_t n_layers, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;
	char name[32], id[DIGEST_TEXT_BYTES + 1];
	size_t n_visible = 0;
	int r = image->manifest ? 0 : manifest_make(image, layers, error);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "record-%zu", import->n_records++);
	if (mkdirat(import->staging_fd, name, 0700) < 0)
		return error_set(error, -errno, "cannot make the image's record");
	fd = openat(import->staging_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot make the image's record");
	snprintf(id, sizeof(id), "%s\n", image->config_digest);
	r = layers_write(fd, layers, n_layers, &n_visible);
	if (r == 0)
		r = file_write_at(fd, "config.json", image->config, image->n_config, 0600);
	if (r == 0)
		r = file_write_at(fd, "id", id, strlen(id), 0600);
	if (r == 0)
		r = users_write(import, fd, layers, n_layers, n_visible);
	return r < 0 ? error_set(error, r, "cannot write the image's record") : 0;
}

/* Renames a directory or file of the staging area; that it is there already is as good. */
static int place(struct import *import, const char *from, const char *to)
{
	int r = sys_renameat2(import->staging_fd, from, import->store->fd, to, RENAME_NOREPLACE);

	return r < 0 && errno != EEXIST && errno != ENOTEMPTY ? -errno : 0;
}

static int blob_place(struct import *import, const char *digest)
{
	char path[16 + DIGEST_HEX_BYTES];

	snprintf(path, sizeof(path), "blobs/sha256/%s", digest + strlen("sha256:"));
	return place(import, digest + strlen("sha256:"), path);
}

static int blob_stage(struct import *import, const char *digest, const char *bytes, size_t n_bytes)
{
	int r = file_write_at(import->staging_fd, digest + strlen("sha256:"), bytes, n_bytes, 0600);

	return r == -EEXIST ? 0 : r;
}

static int layers_place(struct import *import, struct error *error)
{
	char path[16 + DIGEST_HEX_BYTES];

	for (size_t i = 0; i < import->n_layers; i++) {
		struct staged_layer *layer = &import->layers[i];
		int r;

		if (!*layer->chain_id)
			continue;
		snprintf(path, sizeof(path), "layers/%s", layer->chain_id + strlen("sha256:"));
		r = place(import, layer->unpacked.name, path);
		if (r < 0)
			return error_set(error, r, "cannot publish layer %s", layer->chain_id);
	}
	return 0;
}

static int image_place(struct import *import, const struct source_image *image, size_t i,
		       struct error *error)
{
	char name[32], path[16 + DIGEST_HEX_BYTES];
	int r = blob_place(import, image->manifest_digest);

	if (r == 0)
		r = blob_place(import, image->config_digest);
	snprintf(name, sizeof(name), "record-%zu", i);
	snprintf(path, sizeof(path), "images/sha256/%s",
		 image->manifest_digest + strlen("sha256:"));
	if (r == 0)
		r = place(import, name, path);
	if (r < 0)
		return error_set(error, r, "cannot publish image %s", image->manifest_digest);
	STRING_LIST_FOR_EACH (&image->names, j) {
		r = image_tag(import->store, image->names.items[j], image->manifest_digest, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int image_report(struct import *import, const struct source_image *image)
{
	_cleanup_buffer_ struct buffer names = {};

	buffer_add(&names, "", 0);
	STRING_LIST_FOR_EACH (&image->names, i)
		buffer_add_format(&names, "%s%s", i ? "\n" : "", image->names.items[i]);
	if (buffer_status(&names) < 0)
		return -ENOMEM;
	if (string_list_add(&import->result->digests, image->manifest_digest) < 0)
		return -ENOMEM;
	return string_list_add(&import->result->names, names.bytes ? names.bytes : "");
}

/* The renames too are on the disk when the tool says that the image is there. */
static int names_sync(struct import *import)
{
	static const char *const directories[] = { "layers", "blobs/sha256", "images/sha256",
						   "images/names" };
	int r = 0;

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]) && r == 0; i++) {
		_cleanup_close_ int fd = openat(import->store->fd, directories[i],
						O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
	}
	return r;
}

int import_publish(struct import *import, const struct source_images *images, struct error *error)
{
	TRACE_PHASE("image.publish");
	int r = 0;

	for (size_t i = 0; i < images->n_items && r == 0; i++) {
		const struct source_image *image = &images->items[i];

		r = blob_stage(import, image->manifest_digest, image->manifest, image->n_manifest);
		if (r == 0)
			r = blob_stage(import, image->config_digest, image->config,
				       image->n_config);
	}
	if (r == 0 && syncfs(import->staging_fd) < 0)
		r = -errno;
	if (r < 0)
		return error_set(error, r, "cannot write to the store");
	r = layers_place(import, error);
	for (size_t i = 0; i < images->n_items && r == 0; i++)
		r = image_place(import, &images->items[i], i, error);
	if (r < 0)
		return r;
	r = names_sync(import);
	for (size_t i = 0; i < images->n_items && r == 0; i++)
		r = image_report(import, &images->items[i]);
	return r < 0 ? error_set(error, r, "cannot sync the store") : 0;
}
