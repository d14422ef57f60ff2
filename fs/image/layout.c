/* SPDX-License-Identifier: MIT */
/* OCI image layouts (image spec 1.1, image-layout.md): index.json and what it points to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/sha256.h"
#include "fs/image/source.h"

/* An index in an index in an index is more than anybody writes; cycles can't be (they are hashes).
 */
#define MAX_INDEX_DEPTH 4

static char *blob_path(const char *digest)
{
	return string_format("blobs/sha256/%s", digest + strlen("sha256:"));
}

/* Reads a document and verifies that it is what its descriptor says. */
static int document_read(struct image_source *source, const struct image_descriptor *descriptor,
			 char **ret_bytes, size_t *ret_n_bytes, struct error *error)
{
	_cleanup_free_ char *path = blob_path(descriptor->digest);
	_cleanup_free_ char *bytes = NULL;
	char digest[DIGEST_TEXT_BYTES];
	size_t n;
	int r;

	if (!path)
		return error_set(error, -ENOMEM, "cannot read %s", descriptor->digest);
	if (descriptor->n_bytes > IMAGE_DOCUMENT_MAX_BYTES)
		return error_say(error, -EFBIG, "%s: a document may have %u bytes, not %llu",
				 descriptor->digest, IMAGE_DOCUMENT_MAX_BYTES,
				 (unsigned long long)descriptor->n_bytes);
	r = source->document(source, path, &bytes, &n, error);
	if (r < 0)
		return r;
	if (n != descriptor->n_bytes)
		return error_say(error, -EBADMSG, "%s: it has %zu bytes instead of %llu",
				 descriptor->digest, n, (unsigned long long)descriptor->n_bytes);
	digest_of(bytes, n, digest);
	if (strcmp(digest, descriptor->digest))
		return error_say(error, -EBADMSG, "%s: its content has the digest %s",
				 descriptor->digest, digest);
	*ret_bytes = take_ptr(bytes);
	*ret_n_bytes = n;
	return 0;
}

static int layers_take(struct source_image *image, const struct image_manifest *manifest,
		       struct error *error)
{
	image->layers = calloc(manifest->n_layers + 1, sizeof(*image->layers));
	if (!image->layers)
		return error_set(error, -ENOMEM, "cannot read the manifest");
	for (size_t i = 0; i < manifest->n_layers; i++) {
		struct source_layer *layer = &image->layers[i];

		layer->path = blob_path(manifest->layers[i].digest);
		if (!layer->path)
			return error_set(error, -ENOMEM, "cannot read the manifest");
		image->n_layers++;
		memcpy(layer->digest, manifest->layers[i].digest, DIGEST_TEXT_BYTES);
		layer->n_bytes = manifest->layers[i].n_bytes;
	}
	return 0;
}

static int manifest_read(struct image_source *source, const struct image_descriptor *descriptor,
			 struct source_image *image, struct error *error)
{
	_cleanup_image_manifest_ struct image_manifest manifest = {};
	_cleanup_json_ struct json_document document = {};
	int r = document_read(source, descriptor, &image->manifest, &image->n_manifest, error);

	if (r < 0)
		return error_prefix(error, r, "manifest");
	memcpy(image->manifest_digest, descriptor->digest, DIGEST_TEXT_BYTES);
	r = json_parse(&document, image->manifest, image->n_manifest, error);
	if (r == 0)
		r = image_manifest_parse(&document, &manifest, error);
	if (r < 0)
		return error_prefix(error, r, "manifest %s", descriptor->digest);
	memcpy(image->config_digest, manifest.config.digest, DIGEST_TEXT_BYTES);
	r = document_read(source, &manifest.config, &image->config, &image->n_config, error);
	if (r < 0)
		return error_prefix(error, r, "config");
	r = layers_take(image, &manifest, error);
	return r < 0 ? r : source_image_check_config(image, error);
}

static struct source_image *image_known(struct source_images *images, const char *digest)
{
	for (size_t i = 0; i < images->n_items; i++) {
		if (!strcmp(images->items[i].manifest_digest, digest))
			return &images->items[i];
	}
	return NULL;
}

/* One image, under one more name (or none). */
static int image_add(struct image_source *source, const struct image_descriptor *descriptor,
		     const char *name, struct source_images *images, struct error *error)
{
	struct source_image *image = image_known(images, descriptor->digest);
	int r;

	if (!image) {
		image = source_images_add(images);
		if (!image)
			return error_set(error, -ENOMEM, "cannot read the images");
		r = manifest_read(source, descriptor, image, error);
		if (r < 0)
			return r;
	}
	if (name && source_image_add_name(image, source->repository, name) < 0)
		return error_set(error, -ENOMEM, "cannot read the images");
	return 0;
}

static bool is_candidate(const struct image_index_entry *entry)
{
	return !entry->is_attestation && (entry->descriptor.media == IMAGE_MEDIA_MANIFEST ||
					  entry->descriptor.media == IMAGE_MEDIA_INDEX ||
					  entry->descriptor.media == IMAGE_MEDIA_SCHEMA1);
}

static int platform_missing(const struct image_index *index, struct error *error)
{
	_cleanup_buffer_ struct buffer there = {};

	for (size_t i = 0; i < index->n_entries; i++) {
		const struct image_platform *platform = &index->entries[i].platform;

		if (is_candidate(&index->entries[i]))
			buffer_add_format(&there, "%s%.32s/%.32s", there.n_bytes ? ", " : "",
					  platform->os, platform->architecture);
	}
	if (!there.n_bytes)
		return error_say(error, -EBADMSG, "the index has no image");
	return error_say(error, -ENOENT, "there is no image for linux/%s (only for %.400s)",
			 image_machine_architecture(), there.bytes);
}

static int index_read(struct image_source *source, const struct image_descriptor *descriptor,
		      const char *name, unsigned int depth, struct source_images *images,
		      struct error *error);

static int entry_read(struct image_source *source, const struct image_descriptor *descriptor,
		      const char *name, unsigned int depth, struct source_images *images,
		      struct error *error)
{
	if (descriptor->media == IMAGE_MEDIA_INDEX)
		return index_read(source, descriptor, name, depth + 1, images, error);
	return image_add(source, descriptor, name, images, error);
}

/* The entry of @name (NULL: those without one) that suits this machine best, or NULL. */
static const struct image_index_entry *entry_choose(const struct image_index *index,
						    const char *name, bool any_name)
{
	const struct image_index_entry *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < index->n_entries; i++) {
		const struct image_index_entry *entry = &index->entries[i];
		int rank = is_candidate(entry) ? image_platform_rank(&entry->platform) : 0;

		if (!any_name && strcmp(entry->name ? entry->name : "", name ? name : ""))
			continue;
		if (rank > best_rank) {
			best = entry;
			best_rank = rank;
		}
	}
	return best;
}

/* An index below the layout's own is one image for many platforms. */
static int index_read(struct image_source *source, const struct image_descriptor *descriptor,
		      const char *name, unsigned int depth, struct source_images *images,
		      struct error *error)
{
	_cleanup_image_index_ struct image_index index = {};
	_cleanup_json_ struct json_document document = {};
	const struct image_index_entry *entry;
	_cleanup_free_ char *text = NULL;
	size_t n;
	int r;

	if (depth > MAX_INDEX_DEPTH)
		return error_say(error, -E2BIG, "index %s: indexes within indexes, too deep",
				 descriptor->digest);
	r = document_read(source, descriptor, &text, &n, error);
	if (r < 0)
		return error_prefix(error, r, "index");
	r = json_parse(&document, text, n, error);
	if (r == 0)
		r = image_index_parse(&document, &index, error);
	if (r < 0)
		return error_prefix(error, r, "index %s", descriptor->digest);
	entry = entry_choose(&index, NULL, true);
	if (!entry)
		return error_prefix(error, platform_missing(&index, error), "index %s",
				    descriptor->digest);
	return entry_read(source, &entry->descriptor, name, depth, images, error);
}

static bool name_seen(const struct image_index *index, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (is_candidate(&index->entries[j]) && index->entries[j].name &&
		    !strcmp(index->entries[j].name, index->entries[i].name))
			return true;
	}
	return false;
}

int layout_images_read(struct image_source *source, const char *index_text, size_t n_index,
		       struct source_images *images, struct error *error)
{
	_cleanup_image_index_ struct image_index index = {};
	_cleanup_json_ struct json_document document = {};
	size_t n_candidates = 0;
	int r = json_parse(&document, index_text, n_index, error);

	if (r == 0)
		r = image_index_parse(&document, &index, error);
	if (r < 0)
		return error_prefix(error, r, "index.json");
	for (size_t i = 0; i < index.n_entries; i++)
		n_candidates += is_candidate(&index.entries[i]);
	for (size_t i = 0; i < index.n_entries && r == 0; i++) {
		const struct image_index_entry *entry = &index.entries[i];

		if (!is_candidate(entry) || (entry->name && name_seen(&index, i)))
			continue;
		/* Who imports the only image there is, gets it, as with docker load. */
		if (entry->name && n_candidates > 1)
			entry = entry_choose(&index, entry->name, false);
		else if (n_candidates > 1 && !image_platform_rank(&entry->platform))
			continue;
		if (entry)
			r = entry_read(source, &entry->descriptor, entry->name, 0, images, error);
	}
	if (r == 0 && images->n_items == 0)
		return platform_missing(&index, error);
	return r;
}
