/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "fs/archive/codec.h"

static void *zstd_new(void)
{
	return ZSTD_createDStream();
}

static void zstd_free(void *state)
{
	ZSTD_freeDStream(state);
}

/* Windows over the library's default of 128 MiB are refused: an image may not choose our memory. */
static int zstd_run(void *state, struct codec_buffers *buffers, bool *ret_between,
		    struct error *error)
{
	ZSTD_inBuffer input = { buffers->input, buffers->n_input, 0 };
	ZSTD_outBuffer output = { buffers->output, buffers->n_output, 0 };
	size_t r = ZSTD_decompressStream(state, &output, &input);

	buffers->input += input.pos;
	buffers->n_input -= input.pos;
	buffers->output += output.pos;
	buffers->n_output -= output.pos;
	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return error_set(error, -ENOMEM, "zstd");
	if (ZSTD_isError(r))
		return error_say(error, -EBADMSG, "damaged zstd data: %s", ZSTD_getErrorName(r));
	*ret_between = r == 0;
	return 0;
}

const struct codec zstd_codec = {
	.name = "zstd",
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.n_magic = 4,
	.state_new = zstd_new,
	.state_free = zstd_free,
	.run = zstd_run,
};
