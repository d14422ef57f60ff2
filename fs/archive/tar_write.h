/* SPDX-License-Identifier: MIT */
/*
 * Writing tar: the headers of an entry in the pax interchange format (POSIX.1-2017, pax, "pax
 * Header Block"), the same bytes for the same entry always: no user names, no access or change
 * times, records only where the old fields are too small, attributes in the order given.
 */
#pragma once

#include "base/buffer.h"
#include "fs/archive/tar.h"

#define TAR_BLOCK_BYTES 512

struct tar_attribute {
	const char *name;
	const void *value;
	size_t n_bytes;
};

/**
 * tar_write_header() - append an entry's headers to @buffer; its data, if any, comes next, then
 * zeros up to a multiple of TAR_BLOCK_BYTES
 *
 * Return: 0 or a negative errno (-EINVAL: a type that tar hasn't).
 */
int tar_write_header(struct buffer *buffer, const struct tar_entry *entry,
		     const struct tar_attribute *attributes, size_t n_attributes);
