/* SPDX-License-Identifier: MIT */
/*
 * What the steps of one import share (import.c, publish.c).
 */
#pragma once

#include "fs/layer/import.h"

/* Of all images of one source: an archive of nothing but tiny layers must end somewhere. */
#define IMPORT_MAX_LAYERS 8192

/* A layer that was unpacked in the staging directory and isn't published yet. */
struct staged_layer {
	struct unpacked_layer unpacked;
	char *path;			  /* of its blob in the source */
	char chain_id[DIGEST_TEXT_BYTES]; /* what it was taken for; "" until then */
	struct error *failure;		  /* why it could not be unpacked, or NULL */
	struct string_list implicit;	  /* directories for layer_inherit() */
};

/* One layer of an image that is being imported. */
struct chain_layer {
	char chain_id[DIGEST_TEXT_BYTES];
	char path[128]; /* of layers/<hex> or of its staging place, below the store */
	struct layer_facts facts;
};

struct import {
	const struct store *store;
	const struct import_options *options;
	struct import_result *result;
	char *staging; /* "staging/XXXX" */
	int staging_fd;
	struct staged_layer *layers;
	size_t n_layers;
	size_t n_records;
};

/* Where the layers of a source come from, once it is known which are wanted. */
struct layer_provider {
	/*
	 * get() - unpack the layer @wanted, verified, or find it unpacked; *ret_layer is borrowed,
	 * valid until the next layer is staged
	 */
	int (*get)(struct layer_provider *provider, struct import *import,
		   const struct source_layer *wanted, struct staged_layer **ret_layer,
		   struct error *error);
};

/**
 * import_layer_stage() - unpack one blob in the staging directory; the new layer is borrowed
 *
 * The store's lock is let go meanwhile.
 */
int import_layer_stage(struct import *import, const char *path, struct byte_stream *blob,
		       const char *digest, uint64_t n_bytes, const char *diff_id,
		       struct staged_layer **ret_layer, struct error *error);

/**
 * import_layer_is_there() - is the chain in the store already? 1 (it stays for this import), 0, or
 * a negative errno
 */
int import_layer_is_there(struct import *import, const char *chain_id);

/** import_images() - name the images, get their layers, publish all of it */
int import_images(struct import *import, struct layer_provider *provider,
		  struct source_images *images, struct error *error);

/** import_repository() - what bare tags of the source belong to: its file name; NULL for "-" */
char *import_repository(const struct import_options *options);

/** import_stream() - import from a tar archive of any kind (import_archive.c) */
int import_stream(struct import *import, int fd, struct error *error);

/** import_root() - import a tar stream as the one layer of an image (import_root.c) */
int import_root(struct import *import, struct byte_stream *tar, struct error *error);

/** record_stage() - write an image's record, @layers lowest first, as staging/record-N */
int record_stage(struct import *import, struct source_image *image,
		 const struct chain_layer *layers, size_t n_layers, struct error *error);

/** import_publish() - sync, and rename everything into its place */
int import_publish(struct import *import, const struct source_images *images, struct error *error);
