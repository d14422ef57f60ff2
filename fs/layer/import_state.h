/* SPDX-License-Identifier: MIT */
/*
 * What the steps of one import share (import.c, publish.c).
 */
#pragma once

#include "fs/layer/import.h"

/* A layer that was unpacked in the staging directory and isn't published yet. */
struct staged_layer {
	struct unpacked_layer unpacked;
	char *path;			  /* of its blob in the source; NULL: taken for a chain */
	char chain_id[DIGEST_TEXT_BYTES]; /* "" until it is taken */
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

/** import_layer_stage() - unpack one blob in the staging directory; the new layer is borrowed */
int import_layer_stage(struct import *import, const char *path, struct byte_stream *blob,
		       const char *digest, uint64_t n_bytes, const char *diff_id,
		       struct staged_layer **ret_layer, struct error *error);

/** record_stage() - write an image's record, @layers lowest first, as staging/record-N */
int record_stage(struct import *import, struct source_image *image,
		 const struct chain_layer *layers, size_t n_layers, struct error *error);

/** import_publish() - sync, and rename everything into its place */
int import_publish(struct import *import, const struct source_images *images, struct error *error);
