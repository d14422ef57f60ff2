/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes. A failed allocation is remembered, so that a writer can append many
 * times and ask once, at the end, whether all of it is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* All zero is a valid empty buffer. @bytes has a NUL behind @n_bytes once anything was added. */
struct buffer {
	char *bytes;
	size_t n_bytes;
	size_t n_allocated;
	bool failed;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t n_bytes);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_format(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** buffer_status() - 0, or -ENOMEM when any addition failed */
int buffer_status(const struct buffer *buffer);

void buffer_deinit(struct buffer *buffer);
#define _cleanup_buffer_ _cleanup_(buffer_deinit)
