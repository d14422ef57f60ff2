/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 over a stream, with the processor's instructions where it has them (nettle).
 *
 * For the executables that link glibc: what is on the hot path of a start computes no digest.
 */
#pragma once

#include <stddef.h>

#include "base/digest.h"

struct digest_stream;

/** digest_stream_new() - an empty hash, to be freed; NULL when memory is gone */
struct digest_stream *digest_stream_new(void);
void digest_stream_free(struct digest_stream *stream);

void digest_stream_update(struct digest_stream *stream, const void *bytes, size_t n_bytes);

/** digest_stream_finish() - the digest of all bytes so far, as text; @stream starts again empty */
void digest_stream_finish(struct digest_stream *stream, char ret_text[DIGEST_TEXT_BYTES]);

/** digest_of() - the digest of one piece of memory */
void digest_of(const void *bytes, size_t n_bytes, char ret_text[DIGEST_TEXT_BYTES]);
