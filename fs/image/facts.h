/* SPDX-License-Identifier: MIT */
/*
 * What is known about a layer of the store: layers/<chain id>/layer.json, beside its diff/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct layer_facts {
	char diff_id[DIGEST_TEXT_BYTES];
	uint64_t n_tar_bytes;	  /* of the uncompressed tar */
	uint64_t n_content_bytes; /* of all files in it */
	bool opaque_root;	  /* hides all layers below */
};

/** layer_facts_write() - make layer.json in a layer's directory; 0 or a negative errno */
int layer_facts_write(int layer_fd, const struct layer_facts *facts);

/**
 * layer_facts_read() - what is known about the layer in @directory, relative to @directory_fd
 *
 * Return: 0 or a negative errno (-ENOENT: there is no such layer).
 */
int layer_facts_read(int directory_fd, const char *directory, struct layer_facts *ret_facts);
