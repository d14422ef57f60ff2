/* SPDX-License-Identifier: MIT */
/*
 * The passwd and group files of a merged root, found by looking into its layers one by one: nothing
 * is mounted and no link of the image is followed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define USERS_FILE_MAX_BYTES (1u << 20)

/**
 * users_file_find() - the content of /etc/@name
 * @diff_fds: the layers' directories, topmost first; borrowed
 *
 * Return: 0 (owned by the caller), -ENOENT (the root has none, or what isn't a regular file of at
 * most USERS_FILE_MAX_BYTES in a real /etc), or another negative errno.
 */
int users_file_find(const int *diff_fds, size_t n_diffs, const char *name, char **ret_bytes,
		    size_t *ret_n_bytes);
