/* SPDX-License-Identifier: MIT */
/*
 * Unpacking: a layer's blob becomes a directory in the staging area, and both of its digests are
 * taken over the whole stream on the way.
 */
#pragma once

#include "fs/image/facts.h"
#include "fs/layer/apply.h"
#include "fs/store.h"

struct unpacked_layer {
	char name[24];			/* of its directory below the staging directory */
	char digest[DIGEST_TEXT_BYTES]; /* of the blob as it came */
	uint64_t n_bytes;
	const char *compression; /* "gzip", "zstd" or "none" */
	struct layer_facts facts;
};

/**
 * layer_unpack() - make @staging_fd/@name/{diff/,layer.json} of a blob, read to its end
 * @digest: what the blob's digest must be, or NULL
 * @n_bytes: the size it must have, or UINT64_MAX
 * @diff_id: what the diff id must be, or NULL
 * @report: as layer_apply()'s
 *
 * Return: 0 or a negative errno (-EBADMSG: not what it should be); on failure the directory is
 * left in part.
 */
int layer_unpack(int staging_fd, const char *name, struct byte_stream *blob, const char *digest,
		 uint64_t n_bytes, const char *diff_id, struct unpacked_layer *ret_layer,
		 struct layer_report *report, struct error *error);

/** layer_verify() - is @layer what layer_unpack()'s caller would have wanted? 0 or -EBADMSG */
int layer_verify(const struct unpacked_layer *layer, const char *digest, uint64_t n_bytes,
		 const char *diff_id, struct error *error);

/**
 * layer_inherit() - let directories that a layer doesn't speak of be as they are below it
 * @diff_fd: the layer's diff/
 * @paths: what layer_apply() reported as implicit
 * @lower_fds: the diffs of the layers below, topmost first
 *
 * A layer that has etc/hosts and no etc/ would else give the merged root's etc/ the owner, the mode
 * and the times of a directory that nobody made (containerd does the same, archive.WithParents).
 *
 * Return: 0 or a negative errno.
 */
int layer_inherit(int diff_fd, const struct string_list *paths, const int *lower_fds,
		  size_t n_lowers, struct error *error);
