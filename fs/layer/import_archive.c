/* SPDX-License-Identifier: MIT */
/*
 * Importing from a tar archive: an OCI layout, a docker-archive, or a root file system, plain or
 * compressed, from a file or from a pipe.
 *
 * An archive may have its index behind the blobs. A plain file is read twice: first its documents,
 * passing over the rest, then the layers that are wanted. What can't be read twice is read once,
 * and every layer in it is unpacked as it comes; which are wanted is found out at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/archive/decompress.h"
#include "fs/archive/tar.h"
#include "fs/image/archive_source.h"
#include "fs/layer/chain_id.h"
#include "fs/layer/import_state.h"
#include "fs/layer/tree.h"

/* Enough for the headers of the first members, long names and attributes among them. */
#define PEEK_BYTES 65536
/* No compressed layer and no tar is smaller. */
#define LAYER_MIN_BYTES 20

struct archive_import {
	struct layer_provider provider;
	struct import *import;
	struct archive_source documents;
	struct string_list *wanted; /* paths of layers, NULL: all */
	bool layers_skipped;	    /* only documents are read */
	bool documents_kept;	    /* only layers are read */
};

static void archive_import_deinit(struct archive_import *archive)
{
	archive_source_deinit(&archive->documents);
}

/* What tar archives of images begin with, as their writers do it; a root file system doesn't. */
static bool is_image_member(const char *name)
{
	static const char *const names[] = { "blobs", "oci-layout", "index.json", "manifest.json",
					     "repositories" };
	size_t n = strcspn(name, "/");
	char hex[DIGEST_HEX_BYTES];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == n && !strncmp(name, names[i], n))
			return true;
	}
	/* Docker's and others': <hex>/, <hex>.json, <hex>.tar, sha256:<hex>. */
	if (!strncmp(name, "sha256:", 7))
		name += 7;
	if (strnlen(name, sizeof(hex)) < sizeof(hex) - 1)
		return false;
	memcpy(hex, name, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	name += sizeof(hex) - 1;
	return digest_hex_is_valid(hex) && (!*name || *name == '/' || *name == '.');
}

/* Looks at the archive's first member; what isn't clear is a root file system. */
static bool is_image_archive(const struct peeked_bytes *bytes)
{
	_cleanup_tar_reader_ struct tar_reader *reader = NULL;
	const struct tar_entry *entry;
	struct memory_bytes head;
	char name[PATH_MAX];

	memory_bytes_init(&head, bytes->head, bytes->n_head);
	if (tar_reader_new(&head.stream, &reader, NULL) < 0)
		return false;
	while (tar_reader_next(reader, &entry, NULL) > 0) {
		if (layer_path_clean(entry->path, name) < 0)
			return false;
		if (*name)
			return is_image_member(name);
	}
	return false;
}

static bool is_json(const struct peeked_bytes *bytes)
{
	size_t i = 0;

	while (i < bytes->n_head && strchr(" \t\r\n", bytes->head[i]))
		i++;
	return i < bytes->n_head && (bytes->head[i] == '{' || bytes->head[i] == '[');
}

/* What can't be unpacked is no failure before it is known that it is wanted. */
static int layer_try(struct archive_import *archive, const char *name, struct byte_stream *blob,
		     struct error *error)
{
	struct import *import = archive->import;
	struct staged_layer *layer;
	struct error *failure;
	int r = import_layer_stage(import, name, blob, NULL, UINT64_MAX, NULL, &layer, error);

	if (r != -EBADMSG && r != -EOPNOTSUPP)
		return r;
	failure = malloc(sizeof(*failure));
	if (!failure)
		return error_set(error, -ENOMEM, "cannot unpack '%s'", name);
	*failure = *error;
	error_init(error);
	import->layers[import->n_layers - 1].failure = failure;
	return byte_stream_drain(blob, error);
}

static int file_read(struct archive_import *archive, const char *name,
		     const struct tar_entry *entry, struct tar_reader *reader, struct error *error)
{
	_cleanup_peeked_bytes_ struct peeked_bytes bytes = {};
	struct tar_member_bytes member;
	_cleanup_free_ char *text = NULL;
	size_t n_text;
	int r;

	if (archive->wanted && !string_list_contains(archive->wanted, name))
		return 0;
	if (archive->layers_skipped && entry->size > IMAGE_DOCUMENT_MAX_BYTES)
		return 0;
	tar_member_bytes_init(&member, reader);
	r = peeked_bytes_init(&bytes, &member.stream, PEEK_BYTES, error);
	if (r < 0)
		return r;
	if (!is_json(&bytes) || entry->size > IMAGE_DOCUMENT_MAX_BYTES) {
		if (archive->layers_skipped || entry->size < LAYER_MIN_BYTES)
			return 0;
		return layer_try(archive, name, &bytes.stream, error);
	}
	if (archive->documents_kept)
		return 0;
	r = byte_stream_read_all(&bytes.stream, IMAGE_DOCUMENT_MAX_BYTES, &text, &n_text, error);
	return r < 0 ? r
		     : archive_source_add(&archive->documents, name, take_ptr(text), n_text, error);
}

/* docker save made a layer that is another's a link to it. */
static int link_read(struct archive_import *archive, const char *name,
		     const struct tar_entry *entry, struct error *error)
{
	const char *slash = strrchr(name, '/');
	char joined[2 * PATH_MAX], target[PATH_MAX];

	if (archive->documents_kept)
		return 0;
	if (entry->hard_link || entry->symlink[0] == '/' || !slash)
		snprintf(joined, sizeof(joined), "%s",
			 entry->hard_link ? entry->hard_link : entry->symlink);
	else
		snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - name), name,
			 entry->symlink);
	/* One that leaves the archive leads nowhere. */
	if (layer_path_clean(joined, target) < 0)
		return 0;
	return archive_source_link(&archive->documents, name, target, error);
}

static int members_read(struct archive_import *archive, struct byte_stream *tar,
			struct error *error)
{
	_cleanup_tar_reader_ struct tar_reader *reader = NULL;
	const struct tar_entry *entry;
	char name[PATH_MAX];
	int r = tar_reader_new(tar, &reader, error);

	while (r == 0 && (r = tar_reader_next(reader, &entry, error)) > 0) {
		r = 0;
		if (layer_path_clean(entry->path, name) < 0 || !*name)
			continue;
		if (entry->hard_link || entry->symlink)
			r = link_read(archive, name, entry, error);
		else if (S_ISREG(entry->mode))
			r = file_read(archive, name, entry, reader, error);
		if (r < 0)
			return error_prefix(error, r, "'%s'", name);
	}
	return r;
}

static int archive_get(struct layer_provider *provider, struct import *import,
		       const struct source_layer *wanted, struct staged_layer **ret_layer,
		       struct error *error)
{
	struct archive_import *archive = (struct archive_import *)provider;
	const char *path = archive_source_resolve(&archive->documents, wanted->path);
	const char *name = *wanted->digest ? wanted->digest : wanted->path;
	struct staged_layer *layer = NULL;
	int r;

	for (size_t i = 0; i < import->n_layers && !layer; i++) {
		if (!strcmp(import->layers[i].path, path))
			layer = &import->layers[i];
	}
	if (!layer)
		return error_say(error, -ENOENT, "layer %s: it is not in the archive", name);
	if (layer->failure) {
		if (error)
			*error = *layer->failure;
		return layer->failure->code;
	}
	r = layer_verify(&layer->unpacked, *wanted->digest ? wanted->digest : NULL, wanted->n_bytes,
			 wanted->diff_id, error);
	if (r < 0)
		return error_prefix(error, r, "layer %s", name);
	*ret_layer = layer;
	return 0;
}

/* The paths of all layers that the store doesn't have. */
static int wanted_list(struct archive_import *archive, const struct source_images *images,
		       struct string_list *wanted)
{
	for (size_t i = 0; i < images->n_items; i++) {
		const struct source_image *image = &images->items[i];
		char chain_id[DIGEST_TEXT_BYTES] = "";

		for (size_t j = 0; j < image->n_layers; j++) {
			int r;
			const char *path =
				archive_source_resolve(&archive->documents, image->layers[j].path);

			chain_id_next(chain_id, image->layers[j].diff_id);
			r = import_layer_is_there(archive->import, chain_id);
			if (r < 0)
				return r;
			if (r == 0 && !string_list_contains(wanted, path) &&
			    string_list_add(wanted, path) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* @start: where a plain file's archive begins, to read it again; -1: it can't be. */
static int image_archive_import(struct import *import, int fd, struct byte_stream *tar, off_t start,
				struct error *error)
{
	_cleanup_(archive_import_deinit) struct archive_import archive = {
		.provider = { .get = archive_get },
		.import = import,
		.layers_skipped = start >= 0,
	};
	_cleanup_source_images_ struct source_images images = {};
	_cleanup_strings_ struct string_list wanted = {};
	_cleanup_free_ char *repository = import_repository(import->options);
	_cleanup_file_bytes_ struct file_bytes again = {};
	int r;

	archive_source_init(&archive.documents, repository);
	r = members_read(&archive, tar, error);
	/* What writes into a pipe may want to write all of it. */
	if (r == 0 && start < 0)
		r = byte_stream_drain(tar, error);
	if (r == 0)
		r = source_images_read(&archive.documents.source, &images, error);
	if (r < 0)
		return r;
	if (start >= 0) {
		r = wanted_list(&archive, &images, &wanted);
		if (r == 0)
			r = file_bytes_init(&again, fd, import->options->source);
		if (r < 0)
			return error_set(error, r, "cannot read the archive again");
		if (lseek(fd, start, SEEK_SET) < 0)
			return error_set(error, -errno, "cannot read the archive again");
		archive.wanted = &wanted;
		archive.layers_skipped = false;
		archive.documents_kept = true;
		r = wanted.n_items ? members_read(&archive, &again.stream, error) : 0;
		if (r < 0)
			return r;
	}
	return import_images(import, &archive.provider, &images, error);
}

int import_stream(struct import *import, int fd, struct error *error)
{
	_cleanup_file_bytes_ struct file_bytes file = {};
	_cleanup_decompressed_bytes_ struct decompressed_bytes plain = {};
	_cleanup_peeked_bytes_ struct peeked_bytes bytes = {};
	off_t start = lseek(fd, 0, SEEK_CUR);
	int r;

	if (file_bytes_init(&file, fd, import->options->source) < 0)
		return error_set(error, -ENOMEM, "cannot read the archive");
	r = decompressed_bytes_init(&plain, &file.stream, error);
	if (r == 0)
		r = peeked_bytes_init(&bytes, &plain.stream, PEEK_BYTES, error);
	if (r < 0)
		return r;
	if (bytes.n_head == 0)
		return error_say(error, -EBADMSG, "it is empty");
	/* Only a plain file can be passed over and read again for nothing. */
	if (!file.stream.skip || plain.codec)
		start = -1;
	if (is_image_archive(&bytes))
		return image_archive_import(import, fd, &bytes.stream, start, error);
	return import_root(import, &bytes.stream, error);
}
