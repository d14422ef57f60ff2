/* SPDX-License-Identifier: MIT */
/*
 * The documents of an image: index, manifest and config, of the OCI (image spec 1.1) and of Docker
 * (distribution's "image manifest version 2, schema 2"), checked and in one form.
 *
 * They come from strangers: everything in them has a limit, and what isn't understood is refused
 * with a word that says why.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

/* As much as registries take (distribution spec 1.1, "Pushing Manifests": at least 4 MiB). */
#define IMAGE_DOCUMENT_MAX_BYTES (4u << 20)
/* What overlayfs stacks at most (fs/overlayfs/params.h, OVL_MAX_STACK). */
#define IMAGE_MAX_LAYERS    500
#define IMAGE_MAX_MANIFESTS 4096

enum image_media {
	IMAGE_MEDIA_UNKNOWN,
	IMAGE_MEDIA_INDEX,
	IMAGE_MEDIA_MANIFEST,
	IMAGE_MEDIA_SCHEMA1, /* Docker's first: signed, without diff ids; not read */
	IMAGE_MEDIA_CONFIG,
	IMAGE_MEDIA_LAYER,
	IMAGE_MEDIA_FOREIGN_LAYER, /* not in the image, to be fetched elsewhere (Windows) */
};

struct image_descriptor {
	enum image_media media;
	char digest[DIGEST_TEXT_BYTES];
	uint64_t n_bytes;
};

struct image_manifest {
	struct image_descriptor config;
	struct image_descriptor *layers; /* lowest first */
	size_t n_layers;
};

struct image_platform {
	const char *os, *architecture, *variant; /* borrowed from the document; "" where not said */
};

struct image_index_entry {
	struct image_descriptor descriptor;
	struct image_platform platform;
	const char *name;    /* io.containerd.image.name, else org.opencontainers.image.ref.name */
	bool is_attestation; /* says something about an image, is none */
};

struct image_index {
	struct image_index_entry *entries;
	size_t n_entries;
};

struct image_config {
	struct string_list diff_ids; /* lowest first */
	struct image_platform platform;
};

/** image_media_of() - what a media type says; parameters behind ';' don't count */
enum image_media image_media_of(const char *media_type);

/**
 * image_document_media() - what a document is by itself: by its mediaType, else by its members
 *
 * An index may be called a manifest by who points to it, and an old one has no mediaType.
 */
enum image_media image_document_media(const struct json_document *document);

/**
 * image_index_parse() - the entries of an index, borrowing strings from @document
 *
 * Return: 0 or -EBADMSG; -E2BIG: more than IMAGE_MAX_MANIFESTS.
 */
int image_index_parse(const struct json_document *document, struct image_index *ret_index,
		      struct error *error);
void image_index_deinit(struct image_index *index);
#define _cleanup_image_index_ _cleanup_(image_index_deinit)

/**
 * image_manifest_parse() - 0, -EBADMSG, -E2BIG (over IMAGE_MAX_LAYERS), or -EOPNOTSUPP: schema 1,
 * foreign layers, or no image at all (an artifact)
 */
int image_manifest_parse(const struct json_document *document, struct image_manifest *ret_manifest,
			 struct error *error);
void image_manifest_deinit(struct image_manifest *manifest);
#define _cleanup_image_manifest_ _cleanup_(image_manifest_deinit)

/** image_config_parse() - the parts of a config that an import needs; 0, -EBADMSG, -E2BIG */
int image_config_parse(const struct json_document *document, struct image_config *ret_config,
		       struct error *error);
void image_config_deinit(struct image_config *config);
#define _cleanup_image_config_ _cleanup_(image_config_deinit)

/**
 * image_platform_rank() - how well this machine runs what is for @platform: 0 not at all, more is
 * better; what doesn't say its platform could be right
 */
int image_platform_rank(const struct image_platform *platform);

/** image_machine_architecture() - this machine's, as Go calls it ("amd64") */
const char *image_machine_architecture(void);
