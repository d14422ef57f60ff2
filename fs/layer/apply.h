/* SPDX-License-Identifier: MIT */
/*
 * Applying a layer: a tar stream becomes a directory that overlayfs stacks.
 *
 * The OCI's whiteouts (image spec 1.1, layer.md) become overlayfs's own: `.wh.NAME` a character
 * device 0:0 called NAME, `.wh..wh..opq` the attribute trusted.overlay.opaque=y. Whiteouts speak of
 * the layers below only, in whatever order they come: NAME and `.wh.NAME` in one layer are NAME
 * alone (opaque, where it is a directory). Other `.wh..wh.*` names are aufs's and are passed over.
 *
 * One name twice: the later entry counts; two directories are one. A hard link's target must be in
 * the same layer. Missing parents are made, 0755 and root's, with the time of what they were made
 * for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fs/archive/bytes.h"
#include "fs/layer/metadata.h"

struct layer_report {
	uint64_t n_entries;
	uint64_t n_bytes; /* of file contents */
	bool opaque_root; /* hides all layers below */
	/* Directories that the archive doesn't mention, made for what is in them: layer_inherit()
	 */
	struct string_list implicit;
	struct metadata_warnings warnings;
};

/**
 * layer_apply() - unpack @tar into an empty directory
 * @directory_fd: O_RDONLY; nobody else may reach it meanwhile; borrowed. The process's umask is 0.
 * @tar: read up to the archive's end, not further: drain it to trust a digest of it
 * @report: all zero before; filled also on failure; warnings to be freed by the caller
 *
 * Nothing is synced. On failure the directory has a part, to be thrown away.
 *
 * Return: 0 or a negative errno (-EBADMSG: damaged or hostile).
 */
int layer_apply(int directory_fd, struct byte_stream *tar, struct layer_report *report,
		struct error *error);
void layer_report_deinit(struct layer_report *report);
