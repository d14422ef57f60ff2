/* SPDX-License-Identifier: MIT */
/*
 * A directory as a tar stream, the same bytes for the same tree: entries in the order of their
 * names, owners as numbers, modification times to the nanosecond, attributes in the order of their
 * names, hard links to the first of their names.
 *
 * Stays on the directory's file system: what is mounted in it comes as an empty directory. Sockets
 * are left out.
 */
#pragma once

#include "base/text.h"
#include "fs/archive/bytes.h"
#include "fs/archive/tar_write.h"

enum directory_tar_flags {
	/* It is an unpacked layer: overlayfs's opaque directories become the OCI's markers. */
	DIRECTORY_TAR_LAYER = 1 << 0,
};

struct directory_tar {
	struct byte_stream stream;
	int root_fd; /* borrowed */
	unsigned int flags;
	struct string_list paths; /* in the stream's order; "" is the root */
	size_t n_done;
	struct hard_link_table *links;
	int file_fd; /* of the file whose data is being given */
	int64_t n_remaining, n_padding;
	struct buffer headers;
	char *block;
	bool at_end;
};

/** directory_tar_init() - list the tree; 0 or a negative errno */
int directory_tar_init(struct directory_tar *tar, int root_fd, unsigned int flags,
		       struct error *error);
void directory_tar_deinit(struct directory_tar *tar);
#define _cleanup_directory_tar_ _cleanup_(directory_tar_deinit)
