/* SPDX-License-Identifier: MIT */
/*
 * Importing: images from a source become images of the store, each whole or not at all.
 *
 * All is made in one staging directory: layers are unpacked there, records written, then one
 * syncfs(2) puts everything on the disk, and renames publish it: layers, then the image's record,
 * then its names. Killed anywhere before, nothing is there; killed in between, layers without an
 * image may be, which the next import uses or `rmi` and `gc` remove.
 */
#pragma once

#include "fs/image/source.h"
#include "fs/layer/unpack.h"
#include "fs/store.h"

/* For showing how it goes on. */
struct import_progress {
	/*
	 * layer() - @layer (a digest or a path) is read: @n_bytes of @n_total (UINT64_MAX: unknown)
	 * so far; called for each block, and once more with @done
	 */
	void (*layer)(void *argument, const char *layer, uint64_t n_bytes, uint64_t n_total,
		      bool done);
	void *argument;
};

struct import_options {
	const char *source; /* a path, or "-" */
	int source_fd;	    /* of "-" */
	const char *name;   /* as the user wrote it, or NULL: the source's own */
	const struct import_progress *progress; /* or NULL */
};

struct import_result {
	struct string_list digests; /* of the images' manifests */
	struct string_list names;   /* one string an image: its names, with newlines between */
	struct metadata_warnings warnings;
};

/**
 * image_import() - import all images of a source
 * @store: held with STORE_USE
 *
 * The process's umask must be 0.
 *
 * Return: 0 or a negative errno; @result is to be freed in any case.
 */
int image_import(const struct store *store, const struct import_options *options,
		 struct import_result *result, struct error *error);
void import_result_deinit(struct import_result *result);

/** import_collect() - remove what killed imports left in the staging area */
void import_collect(const struct store *store);
