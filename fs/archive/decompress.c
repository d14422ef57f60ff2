/* SPDX-License-Identifier: MIT */
#include "fs/archive/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct codec *const codecs[] = { &gzip_codec, &zstd_codec };

/* Known, and not read: Docker's archives may have them, layers by the OCI's words may not. */
static const struct {
	const char *name;
	const char *magic;
	size_t n_magic;
} unread[] = {
	{ "xz", "\xfd\x37zXZ\0", 6 },
	{ "bzip2", "BZh", 3 },
	{ "lz4", "\x04\x22\x4d\x18", 4 },
};

/* zstd's skippable frames (RFC 8878, 3.1.2) may come first: pzstd and eStargz-like tools do that.
 */
static bool is_zstd_skippable(const uint8_t *head, size_t n)
{
	return n >= 4 && (head[0] & 0xf0) == 0x50 && !memcmp(head + 1, "\x2a\x4d\x18", 3);
}

static ssize_t decompressed_next(struct byte_stream *stream, const void **ret_block,
				 struct error *error)
{
	struct decompressed_bytes *bytes = (struct decompressed_bytes *)stream;
	struct codec_buffers *buffers = &bytes->buffers;
	size_t n;

	buffers->output = bytes->block;
	buffers->n_output = BYTE_STREAM_BLOCK_BYTES;
	while (buffers->n_output) {
		int r;

		if (buffers->n_input == 0 && !bytes->at_end && !bytes->output_pending) {
			ssize_t n_input = bytes->head.stream.next(
				&bytes->head.stream, (const void **)&buffers->input, error);

			if (n_input < 0)
				return n_input;
			buffers->n_input = (size_t)n_input;
			bytes->at_end = n_input == 0;
		}
		if (bytes->at_end && !bytes->output_pending)
			break;
		r = bytes->codec->run(bytes->state, buffers, &bytes->between, error);
		if (r < 0)
			return r;
		/* A full block: there may be more inside the library before it wants input. */
		bytes->output_pending = buffers->n_output == 0 && !bytes->between;
	}
	n = BYTE_STREAM_BLOCK_BYTES - buffers->n_output;
	if (n == 0 && !bytes->between)
		return error_say(error, -EBADMSG, "the %s data is cut short", bytes->codec->name);
	*ret_block = bytes->block;
	return (ssize_t)n;
}

static ssize_t plain_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct decompressed_bytes *bytes = (struct decompressed_bytes *)stream;

	return bytes->head.stream.next(&bytes->head.stream, ret_block, error);
}

static int64_t plain_skip(struct byte_stream *stream, int64_t n_bytes)
{
	struct decompressed_bytes *bytes = (struct decompressed_bytes *)stream;

	return bytes->head.stream.skip(&bytes->head.stream, n_bytes);
}

static const struct codec *codec_find(const uint8_t *head, size_t n)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (n >= codecs[i]->n_magic && !memcmp(head, codecs[i]->magic, codecs[i]->n_magic))
			return codecs[i];
	}
	return is_zstd_skippable(head, n) ? &zstd_codec : NULL;
}

int decompressed_bytes_init(struct decompressed_bytes *bytes, struct byte_stream *source,
			    struct error *error)
{
	size_t n;
	int r;

	*bytes = (struct decompressed_bytes){};
	r = peeked_bytes_init(&bytes->head, source, sizeof(codecs[0]->magic), error);
	if (r < 0)
		return r;
	n = bytes->head.n_head;
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		if (n >= unread[i].n_magic &&
		    !memcmp(bytes->head.head, unread[i].magic, unread[i].n_magic))
			return error_say(error, -EOPNOTSUPP,
					 "it is compressed with %s; gzip, zstd and plain tar are "
					 "read (decompress it first)",
					 unread[i].name);
	}
	bytes->codec = n ? codec_find((const uint8_t *)bytes->head.head, n) : NULL;
	if (!bytes->codec) {
		bytes->stream.next = plain_next;
		bytes->stream.skip = bytes->head.stream.skip ? plain_skip : NULL;
		return 0;
	}
	bytes->stream.next = decompressed_next;
	bytes->block = malloc(BYTE_STREAM_BLOCK_BYTES);
	bytes->state = bytes->codec->state_new();
	return bytes->block && bytes->state ? 0 : error_set(error, -ENOMEM, "cannot decompress");
}

const char *decompressed_bytes_compression(const struct decompressed_bytes *bytes)
{
	return bytes->codec ? bytes->codec->name : "none";
}

void decompressed_bytes_deinit(struct decompressed_bytes *bytes)
{
	if (bytes->state)
		bytes->codec->state_free(bytes->state);
	free(bytes->block);
	peeked_bytes_deinit(&bytes->head);
	*bytes = (struct decompressed_bytes){};
}
