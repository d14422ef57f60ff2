/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"

#include <nettle/sha2.h>
#include <stdlib.h>

struct digest_stream {
	struct sha256_ctx context;
};

struct digest_stream *digest_stream_new(void)
{
	struct digest_stream *stream = malloc(sizeof(*stream));

	if (stream)
		sha256_init(&stream->context);
	return stream;
}

void digest_stream_free(struct digest_stream *stream)
{
	free(stream);
}

void digest_stream_update(struct digest_stream *stream, const void *bytes, size_t n_bytes)
{
	sha256_update(&stream->context, n_bytes, bytes);
}

static void context_finish(struct sha256_ctx *context, char ret_text[DIGEST_TEXT_BYTES])
{
	uint8_t digest[DIGEST_SHA256_BYTES];

	/* nettle's digest call also makes the context ready for the next message. */
	sha256_digest(context, sizeof(digest), digest);
	digest_to_text(digest, ret_text);
}

void digest_stream_finish(struct digest_stream *stream, char ret_text[DIGEST_TEXT_BYTES])
{
	context_finish(&stream->context, ret_text);
}

void digest_of(const void *bytes, size_t n_bytes, char ret_text[DIGEST_TEXT_BYTES])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, n_bytes, bytes);
	context_finish(&context, ret_text);
}
