/* SPDX-License-Identifier: MIT */
/*
 * The file `mounts` of a bundle, from the writer's side: fstab(5) lines (docs/design.md, The
 * bundle). A start reads it by launch/bundle/mounts_file.h, which says the same of the format.
 *
 * The words of its options that are lamina's: x-lamina.volume=NAME, x-lamina.subpath=PATH, and
 * x-lamina.anonymous of a volume that goes with the container (`run --rm`, `volctl detach`).
 */
#pragma once

#include "base/buffer.h"
#include "base/text.h"
#include "fs/volume/request.h"

#define MOUNTS_FILE	       "mounts"
#define MOUNTS_LINES_MAX_BYTES (4u << 20)

/**
 * mounts_line_add() - append the line of one mount
 * @source: the host's path; ignored for a tmpfs
 * @volume: its name, or NULL
 */
void mounts_line_add(struct buffer *buffer, const struct mount_request *request, const char *source,
		     const char *volume);

/* What others need of a line. */
struct mounts_line {
	char *destination;
	char *volume; /* NULL: none */
	bool is_anonymous;
};

struct mounts_lines {
	struct mounts_line *items;
	size_t n_items;
};

/** mounts_lines_parse() - the lines of a file's text; 0, -EBADMSG (@error says which) or -ENOMEM */
int mounts_lines_parse(struct mounts_lines *lines, const char *text, struct error *error);

void mounts_lines_deinit(struct mounts_lines *lines);
#define _cleanup_mounts_lines_ _cleanup_(mounts_lines_deinit)
