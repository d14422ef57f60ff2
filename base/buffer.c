/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for @n_more bytes and a NUL. */
static bool buffer_reserve(struct buffer *buffer, size_t n_more)
{
	size_t n_needed, n_allocated = buffer->n_allocated ? buffer->n_allocated : 512;
	char *bytes;

	if (buffer->failed || __builtin_add_overflow(buffer->n_bytes, n_more, &n_needed) ||
	    __builtin_add_overflow(n_needed, 1, &n_needed)) {
		buffer->failed = true;
		return false;
	}
	if (n_needed <= buffer->n_allocated)
		return true;
	while (n_allocated < n_needed && !__builtin_mul_overflow(n_allocated, 2, &n_allocated))
		;
	bytes = n_allocated < n_needed ? NULL : realloc(buffer->bytes, n_allocated);
	if (!bytes) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = bytes;
	buffer->n_allocated = n_allocated;
	return true;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t n_bytes)
{
	if (!buffer_reserve(buffer, n_bytes))
		return;
	if (n_bytes)
		memcpy(buffer->bytes + buffer->n_bytes, bytes, n_bytes);
	buffer->n_bytes += n_bytes;
	buffer->bytes[buffer->n_bytes] = '\0';
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

void buffer_add_char(struct buffer *buffer, char c)
{
	buffer_add(buffer, &c, 1);
}

void buffer_add_format(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	char small[256];
	int n;

	va_start(arguments, format);
	n = vsnprintf(small, sizeof(small), format, arguments);
	va_end(arguments);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buffer_add(buffer, small, (size_t)n);
		return;
	}
	if (n < 0 || !buffer_reserve(buffer, (size_t)n)) {
		buffer->failed = true;
		return;
	}
	va_start(arguments, format);
	vsnprintf(buffer->bytes + buffer->n_bytes, (size_t)n + 1, format, arguments);
	va_end(arguments);
	buffer->n_bytes += (size_t)n;
}

int buffer_status(const struct buffer *buffer)
{
	return buffer->failed ? -ENOMEM : 0;
}

void buffer_deinit(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){};
}
