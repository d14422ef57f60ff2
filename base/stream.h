/* SPDX-License-Identifier: MIT */
/*
 * The stream between the tools: one bundle path per line, or per NUL with -0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Start with { .fd = 0 }; @separator '\n' or '\0'. */
struct path_stream {
	int fd; /* borrowed */
	char separator;
	char *bytes;
	size_t n_bytes; /* read and not yet given out, from @n_given on */
	size_t n_given;
	size_t n_allocated;
	bool at_end;
};

/**
 * path_stream_next() - the next path; empty records are skipped
 * @ret_path: borrowed, valid until the next call
 *
 * Blocks until a whole record is there, and never waits for more than that. A last record without
 * a separator counts: it is what `printf %s "$bundle"` writes.
 *
 * Return: 1 (a path), 0 (the end) or a negative errno (-ENAMETOOLONG: over PATH_MAX).
 */
int path_stream_next(struct path_stream *stream, const char **ret_path, struct error *error);

/**
 * path_stream_is_ready() - can path_stream_next() answer without reading?
 * path_stream_fill() - read once from the stream, which may block; 0 or a negative errno
 *
 * For who waits for other things beside the next path: poll @fd, fill, until it is ready.
 */
bool path_stream_is_ready(struct path_stream *stream);
int path_stream_fill(struct path_stream *stream, struct error *error);

void path_stream_deinit(struct path_stream *stream);
#define _cleanup_path_stream_ _cleanup_(path_stream_deinit)

/** path_stream_write() - write @path and the separator with one write(2), at once; 0 or -errno */
int path_stream_write(int fd, const char *path, char separator);
