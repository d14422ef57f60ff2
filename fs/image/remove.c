/* SPDX-License-Identifier: MIT */
#include "fs/image/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "fs/image/directory.h"

/* 500 lowers of PATH_MAX bytes each. */
#define LAYERS_MAX_BYTES   (4u << 20)
#define DOCUMENT_MAX_BYTES (4u << 20)

/* Hex digits of everything that something refers to, sorted once they are all there. */
struct references {
	char (*items)[DIGEST_HEX_BYTES];
	size_t n_items, n_allocated;
};

static void references_deinit(struct references *references)
{
	free(references->items);
}

static int references_add(struct references *references, const char *hex)
{
	if (references->n_items == references->n_allocated) {
		size_t n = references->n_allocated ? 2 * references->n_allocated : 256;
		void *items = reallocarray(references->items, n, DIGEST_HEX_BYTES);

		if (!items)
			return -ENOMEM;
		references->items = items;
		references->n_allocated = n;
	}
	memcpy(references->items[references->n_items], hex, DIGEST_HEX_BYTES - 1);
	references->items[references->n_items++][DIGEST_HEX_BYTES - 1] = '\0';
	return 0;
}

static int hex_compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_HEX_BYTES);
}

static void references_sort(struct references *references)
{
	if (references->n_items > 1)
		qsort(references->items, references->n_items, DIGEST_HEX_BYTES, hex_compare);
}

static bool references_have(const struct references *references, const char *hex)
{
	return references->n_items &&
	       bsearch(hex, references->items, references->n_items, DIGEST_HEX_BYTES, hex_compare);
}

/* Any line that is 64 hex digits, or has them as a component: a chain id, or a layer's path. */
static int lines_add(struct references *references, const char *text)
{
	while (*text) {
		size_t n_line = strcspn(text, "\n");
		const char *at = text;

		while (at < text + n_line) {
			size_t n = strcspn(at, "/\n");
			char hex[DIGEST_HEX_BYTES] = "";

			if (n == DIGEST_HEX_BYTES - 1)
				memcpy(hex, at, n);
			if (digest_hex_is_valid(hex) && references_add(references, hex) < 0)
				return -ENOMEM;
			at += n + 1;
		}
		text += n_line;
		text += *text == '\n';
	}
	return 0;
}

static int layers_file_add(const struct store *store, const char *directory, const char *name,
			   struct references *references)
{
	_cleanup_free_ char *path = string_format("%s/%s/layers", directory, name);
	_cleanup_free_ char *text = NULL;
	int r = path ? file_read_at(store->fd, path, LAYERS_MAX_BYTES, &text, NULL) : -ENOMEM;

	/* Bundles come and go without the exclusive lock, and some entries have no such file. */
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : lines_add(references, text);
}

static int image_layers_visit(const struct store *store, const char *name, void *argument)
{
	return layers_file_add(store, "images/sha256", name, argument);
}

static int bundle_layers_visit(const struct store *store, const char *name, void *argument)
{
	return layers_file_add(store, "containers", name, argument);
}

static int staging_layers_visit(const struct store *store, const char *name, void *argument)
{
	return layers_file_add(store, "staging", name, argument);
}

static int layer_references_read(const struct store *store, struct references *references)
{
	int r = store_directory_visit(store, "images/sha256", image_layers_visit, references);

	if (r == 0)
		r = store_directory_visit(store, "containers", bundle_layers_visit, references);
	if (r == 0)
		r = store_directory_visit(store, "staging", staging_layers_visit, references);
	references_sort(references);
	return r;
}

struct usage {
	const char *digest;
	char *container; /* one that uses it */
};

static int usage_visit(const struct store *store, const char *id, void *argument)
{
	_cleanup_free_ char *path = string_format("containers/%s/image", id);
	_cleanup_free_ char *text = NULL;
	struct usage *usage = argument;
	int r = path ? file_read_at(store->fd, path, DOCUMENT_MAX_BYTES, &text, NULL) : -ENOMEM;

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	if (strncmp(text, usage->digest, DIGEST_TEXT_BYTES - 1))
		return 0;
	usage->container = strdup(id);
	return usage->container ? 1 : -ENOMEM;
}

/* Renames @path to the trash. */
static int trash_move(const struct store *store, const char *path, struct image_removal *removal)
{
	uint8_t random[16];
	char hex[33], *trash;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	hex_encode(random, sizeof(random), hex);
	trash = string_format("trash/%s", hex);
	if (!trash || string_list_take(&removal->trash, trash) < 0)
		return -ENOMEM;
	return renameat(store->fd, path, store->fd, trash) < 0 && errno != ENOENT ? -errno : 0;
}

static int record_remove(const struct store *store, const struct image *image,
			 const struct string_list *names, struct image_removal *removal,
			 struct error *error)
{
	char path[32 + DIGEST_HEX_BYTES];
	int r = 0;

	/* Names first: one that leads nowhere is worse than an image without one. */
	STRING_LIST_FOR_EACH (names, i) {
		r = r < 0 ? r : image_untag(store, names->items[i]);
		if (r == 0)
			r = string_list_add(&removal->untagged, names->items[i]);
	}
	snprintf(path, sizeof(path), "images/sha256/%s", image->digest + strlen("sha256:"));
	if (r == 0)
		r = trash_move(store, path, removal);
	if (r == 0)
		r = string_list_add(&removal->deleted, image->digest);
	return r < 0 ? error_set(error, r, "cannot remove image %s", image->digest) : 0;
}

int image_remove(const struct store *store, const char *reference, unsigned int flags,
		 struct image_removal *removal, struct error *error)
{
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	_cleanup_strings_ struct string_list names = {};
	struct image_name name = {};
	struct usage usage = {};
	bool by_name;
	int r = image_open(store, reference, &image, error);

	if (r < 0)
		return r;
	r = image_names(store, image.digest, &names);
	if (r < 0)
		return error_set(error, r, "cannot read the names of '%s'", reference);
	by_name = image_name_parse(reference, &name, NULL) == 0 && !name.digest[0] &&
		  string_list_contains(&names, name.name);
	if (by_name && names.n_items > 1) {
		r = image_untag(store, name.name);
		if (r == 0)
			r = string_list_add(&removal->untagged, name.name);
		return r < 0 ? error_set(error, r, "cannot untag '%s'", name.name) : 0;
	}
	if (names.n_items > 1 && !(flags & IMAGE_REMOVE_FORCE))
		return error_say(error, -EEXIST,
				 "image '%s' has %zu names ('%s', '%s'...): remove those, or use "
				 "--force",
				 reference, names.n_items, names.items[0], names.items[1]);
	usage.digest = image.digest;
	r = flags & IMAGE_REMOVE_FORCE
		    ? 0
		    : store_directory_visit(store, "containers", usage_visit, &usage);
	if (r == 1) {
		r = error_say(error, -EBUSY,
			      "image '%s' is used by container '%.12s': remove that first, or use "
			      "--force",
			      reference, usage.container);
		free(usage.container);
		return r;
	}
	if (r < 0)
		return error_set(error, r, "cannot read the containers of '%s'", store->path);
	return record_remove(store, &image, &names, removal, error);
}

struct sweep {
	const struct references *references;
	struct image_removal *removal;
	const char *directory;
};

static int sweep_visit(const struct store *store, const char *hex, void *argument)
{
	struct sweep *sweep = argument;
	_cleanup_free_ char *path = NULL;

	if (!digest_hex_is_valid(hex) || references_have(sweep->references, hex))
		return 0;
	path = string_format("%s/%s", sweep->directory, hex);
	return path ? trash_move(store, path, sweep->removal) : -ENOMEM;
}

static int sweep_directory(const struct store *store, const char *directory,
			   const struct references *references, struct image_removal *removal)
{
	struct sweep sweep = { references, removal, directory };

	return store_directory_visit(store, directory, sweep_visit, &sweep);
}

/* A record refers to its manifest by its name, and to its config by its id. */
static int blob_references_visit(const struct store *store, const char *hex, void *argument)
{
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	char digest[DIGEST_TEXT_BYTES], id[DIGEST_TEXT_BYTES];
	int r;

	if (!digest_hex_is_valid(hex))
		return 0;
	memcpy(digest, "sha256:", 7);
	memcpy(digest + 7, hex, DIGEST_HEX_BYTES);
	r = image_open_digest(store, digest, &image);
	if (r == 0)
		r = image_id(&image, id);
	if (r == 0)
		r = references_add(argument, hex);
	return r < 0 ? r : references_add(argument, id + 7);
}

int image_removal_sweep(const struct store *store, struct image_removal *removal,
			struct error *error)
{
	_cleanup_(references_deinit) struct references layers = {}, blobs = {};
	int r = layer_references_read(store, &layers);

	if (r == 0)
		r = sweep_directory(store, "layers", &layers, removal);
	if (r == 0)
		r = store_directory_visit(store, "images/sha256", blob_references_visit, &blobs);
	references_sort(&blobs);
	if (r == 0)
		r = sweep_directory(store, "blobs/sha256", &blobs, removal);
	return r < 0 ? error_set(error, r, "cannot remove layers from '%s'", store->path) : 0;
}

int image_removal_finish(const struct store *store, const struct image_removal *removal)
{
	int first = 0;

	STRING_LIST_FOR_EACH (&removal->trash, i) {
		int r = path_remove_tree(store->fd, removal->trash.items[i]);

		first = first < 0 ? first : r;
	}
	return first;
}

void image_removal_deinit(struct image_removal *removal)
{
	string_list_deinit(&removal->untagged);
	string_list_deinit(&removal->deleted);
	string_list_deinit(&removal->trash);
}
