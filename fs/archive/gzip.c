/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

#include "fs/archive/codec.h"

struct gzip_state {
	z_stream stream;
	bool ended; /* the last member is whole */
};

static void *gzip_new(void)
{
	struct gzip_state *state = calloc(1, sizeof(*state));

	/* 16: a gzip header (RFC 1952) and nothing else; its CRC and length are checked. */
	if (state && inflateInit2(&state->stream, MAX_WBITS + 16) != Z_OK) {
		free(state);
		return NULL;
	}
	return state;
}

static void gzip_free(void *argument)
{
	struct gzip_state *state = argument;

	inflateEnd(&state->stream);
	free(state);
}

static int gzip_run(void *argument, struct codec_buffers *buffers, bool *ret_between,
		    struct error *error)
{
	struct gzip_state *state = argument;
	z_stream *stream = &state->stream;
	int r;

	if (state->ended && buffers->n_input) {
		if (inflateReset(stream) != Z_OK)
			return error_say(error, -EBADMSG, "gzip: cannot go on");
		state->ended = false;
	}
	stream->next_in = (uint8_t *)(uintptr_t)buffers->input;
	stream->avail_in = (uInt)buffers->n_input;
	stream->next_out = buffers->output;
	stream->avail_out = (uInt)buffers->n_output;
	r = inflate(stream, Z_NO_FLUSH);
	buffers->input = stream->next_in;
	buffers->n_input = stream->avail_in;
	buffers->output = stream->next_out;
	buffers->n_output = stream->avail_out;
	if (r == Z_MEM_ERROR)
		return error_set(error, -ENOMEM, "gzip");
	/* Z_BUF_ERROR: nothing could be done with what is there; more input will come. */
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return error_say(error, -EBADMSG, "damaged gzip data: %s",
				 stream->msg ? stream->msg : "unknown reason");
	state->ended = state->ended || r == Z_STREAM_END;
	*ret_between = state->ended;
	return 0;
}

const struct codec gzip_codec = {
	.name = "gzip",
	.magic = { 0x1f, 0x8b },
	.n_magic = 2,
	.state_new = gzip_new,
	.state_free = gzip_free,
	.run = gzip_run,
};
