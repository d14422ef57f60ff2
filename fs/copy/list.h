/* SPDX-License-Identifier: MIT */
/*
 * What is in a directory, in the order in which a disk reads it best: by inode number.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct copy_name {
	uint64_t inode;
	const char *name;
	unsigned char type; /* DT_*, never DT_UNKNOWN */
};

struct copy_list {
	struct copy_name *names;
	size_t n_names;
	char *bytes;
};

/**
 * copy_list_read() - all entries of @directory_fd but "." and ".."; 0 or a negative errno
 * @scratch: at least 32 KiB that are overwritten
 */
int copy_list_read(struct copy_list *list, int directory_fd, char *scratch, size_t n_scratch);

void copy_list_deinit(struct copy_list *list);
#define _cleanup_copy_list_ _cleanup_(copy_list_deinit)
