/* SPDX-License-Identifier: MIT */
/*
 * What an image is imported from: named documents and blobs, in a directory or in an archive, and
 * the images that they describe.
 *
 * Names are paths within the source ("index.json", "blobs/sha256/<hex>", "<id>/layer.tar").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "fs/image/manifest.h"

/* A place where documents are found; layout directories and archives each have one. */
struct image_source {
	/*
	 * document() - a whole document of at most IMAGE_DOCUMENT_MAX_BYTES
	 *
	 * Return: 0 (owned by the caller) or a negative errno (-ENOENT, -EFBIG), with @error.
	 */
	int (*document)(struct image_source *source, const char *name, char **ret_bytes,
			size_t *ret_n_bytes, struct error *error);
	/* What bare tags belong to ("latest" in /images/busybox is busybox:latest), or NULL. */
	const char *repository;
};

struct source_layer {
	char *path;			/* of the blob, within the source */
	char digest[DIGEST_TEXT_BYTES]; /* of the blob; "" where the source doesn't say */
	uint64_t n_bytes;		/* of the blob; UINT64_MAX where the source doesn't say */
	char diff_id[DIGEST_TEXT_BYTES];
};

struct source_image {
	char *manifest; /* as it came, or NULL: the source has none and one is to be made */
	size_t n_manifest;
	char manifest_digest[DIGEST_TEXT_BYTES]; /* "" with no manifest */
	char *config;
	size_t n_config;
	char config_digest[DIGEST_TEXT_BYTES];
	struct string_list names;    /* normal spelling, without doubles */
	struct source_layer *layers; /* lowest first */
	size_t n_layers;
};

struct source_images {
	struct source_image *items;
	size_t n_items;
};

/**
 * source_images_read() - the images of a source that this machine runs, each with its manifest and
 * config verified (digests, sizes, as many layers as diff ids)
 *
 * An OCI layout (index.json, image-layout.md) or, where there is none, a docker-archive
 * (manifest.json, moby's image/tarexport).
 *
 * Return: 0 or a negative errno.
 */
int source_images_read(struct image_source *source, struct source_images *ret_images,
		       struct error *error);
void source_images_deinit(struct source_images *images);

/** source_images_keep() - leave only the one at @index */
void source_images_keep(struct source_images *images, size_t index);

#define _cleanup_source_images_ _cleanup_(source_images_deinit)

/*
 * For the two readers below source_images_read() only.
 */

/** source_images_add() - one more, empty; NULL when memory is gone */
struct source_image *source_images_add(struct source_images *images);

/** source_image_add_name() - normalise and add one; names that can't be are left out */
int source_image_add_name(struct source_image *image, const char *repository, const char *name);

/** source_image_set_config() - take and check the config; fills the layers' diff ids */
int source_image_check_config(struct source_image *image, struct error *error);

int layout_images_read(struct image_source *source, const char *index, size_t n_index,
		       struct source_images *images, struct error *error);
int docker_archive_images_read(struct image_source *source, const char *manifest, size_t n_manifest,
			       struct source_images *images, struct error *error);

/* An OCI layout in a directory. */
struct layout_directory {
	struct image_source source;
	int fd; /* borrowed */
};

void layout_directory_init(struct layout_directory *layout, int fd, const char *repository);

/** layout_directory_open() - open a blob by its path; only a regular file; an fd or -errno */
int layout_directory_open(const struct layout_directory *layout, const char *path);
