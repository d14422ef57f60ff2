/* SPDX-License-Identifier: MIT */
#include "base/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/trace.h"

int path_stream_fill(struct path_stream *stream, struct error *error)
{
	TRACE_PHASE("stream.wait");
	ssize_t n;

	if (!stream->bytes) {
		stream->n_allocated = 4 * PATH_MAX;
		stream->bytes = malloc(stream->n_allocated);
		if (!stream->bytes)
			return error_set(error, -ENOMEM, "cannot read paths");
	}
	memmove(stream->bytes, stream->bytes + stream->n_given, stream->n_bytes - stream->n_given);
	stream->n_bytes -= stream->n_given;
	stream->n_given = 0;
	do {
		n = read(stream->fd, stream->bytes + stream->n_bytes,
			 stream->n_allocated - 1 - stream->n_bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, "cannot read paths");
	stream->n_bytes += (size_t)n;
	stream->at_end = n == 0;
	return 0;
}

bool path_stream_is_ready(struct path_stream *stream)
{
	const char *start;
	size_t n_left;

	/* Empty records are no answer. */
	while (stream->n_given < stream->n_bytes &&
	       stream->bytes[stream->n_given] == stream->separator)
		stream->n_given++;
	if (stream->at_end)
		return true;
	n_left = stream->n_bytes - stream->n_given;
	if (n_left == 0)
		return false;
	start = stream->bytes + stream->n_given;
	return n_left >= PATH_MAX || memchr(start, stream->separator, n_left);
}

int path_stream_next(struct path_stream *stream, const char **ret_path, struct error *error)
{
	for (;;) {
		char *start = stream->bytes ? stream->bytes + stream->n_given : NULL;
		size_t n_left = stream->n_bytes - stream->n_given;
		char *end = n_left ? memchr(start, stream->separator, n_left) : NULL;
		int r;

		if (!end && stream->at_end) {
			if (n_left == 0)
				return 0;
			end = start + n_left;
			stream->n_bytes++;
		}
		if (end) {
			stream->n_given = (size_t)(end + 1 - stream->bytes);
			*end = '\0';
			if (end == start)
				continue;
			if (end - start >= PATH_MAX)
				return error_say(error, -ENAMETOOLONG,
						 "a path of %zu bytes on the stream",
						 (size_t)(end - start));
			*ret_path = start;
			return 1;
		}
		if (n_left >= PATH_MAX)
			return error_say(error, -ENAMETOOLONG,
					 "a path of more than %d bytes on the stream", PATH_MAX);
		r = path_stream_fill(stream, error);
		if (r < 0)
			return r;
	}
}

void path_stream_deinit(struct path_stream *stream)
{
	free(stream->bytes);
	stream->bytes = NULL;
}

int path_stream_write(int fd, const char *path, char separator)
{
	TRACE_PHASE("stream.write");
	char line[PATH_MAX + 1];
	size_t n = strlen(path);

	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(line, path, n);
	line[n] = separator;
	return fd_write_full(fd, line, n + 1);
}
