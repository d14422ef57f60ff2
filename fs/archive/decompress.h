/* SPDX-License-Identifier: MIT */
/*
 * Decompression: a stream of plain bytes from one that is gzip, zstd or plain, told apart by its
 * first bytes, never by what somebody says about it.
 */
#pragma once

#include "fs/archive/bytes.h"
#include "fs/archive/codec.h"

struct decompressed_bytes {
	struct byte_stream stream;
	struct peeked_bytes head;
	const struct codec *codec; /* NULL: plain */
	void *state;
	struct codec_buffers buffers; /* only the input's half lasts */
	uint8_t *block;
	bool between, at_end, output_pending;
};

/**
 * decompressed_bytes_init() - look at @source's first bytes and get ready
 *
 * Return: 0 or a negative errno (-EOPNOTSUPP: compressed in a way that lamina doesn't read).
 */
int decompressed_bytes_init(struct decompressed_bytes *bytes, struct byte_stream *source,
			    struct error *error);

/** decompressed_bytes_compression() - "gzip", "zstd" or "none" */
const char *decompressed_bytes_compression(const struct decompressed_bytes *bytes);

void decompressed_bytes_deinit(struct decompressed_bytes *bytes);
#define _cleanup_decompressed_bytes_ _cleanup_(decompressed_bytes_deinit)
