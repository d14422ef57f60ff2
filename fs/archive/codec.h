/* SPDX-License-Identifier: MIT */
/*
 * What each compression library looks like to decompress.c: one table of functions a format.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What is still to be read, and what is still free; run() moves both on. */
struct codec_buffers {
	const uint8_t *input;
	size_t n_input;
	uint8_t *output;
	size_t n_output;
};

struct codec {
	const char *name;
	uint8_t magic[6];
	size_t n_magic;
	void *(*state_new)(void); /* NULL when memory is gone */
	void (*state_free)(void *state);
	/*
	 * run() - decompress some; *@ret_between: no member is open, so the input may end here
	 *
	 * Members (frames) that follow each other are one stream, as gzip(1) and zstd(1) have it.
	 * Return: 0 or -EBADMSG (the data is damaged), -ENOMEM.
	 */
	int (*run)(void *state, struct codec_buffers *buffers, bool *ret_between,
		   struct error *error);
};

extern const struct codec gzip_codec, zstd_codec;
