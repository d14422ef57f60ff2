/* SPDX-License-Identifier: MIT */
/*
 * The documents of an archive that is read once, from its beginning to its end: kept in memory
 * until the last has come, since an archive may have its index behind everything that it describes.
 */
#pragma once

#include "fs/image/source.h"

/* All documents of one archive together. */
#define ARCHIVE_DOCUMENTS_MAX_BYTES (64u << 20)
#define ARCHIVE_MAX_MEMBERS	    65536

struct archive_member {
	char *name; /* clean: without "./" */
	char *link; /* clean name of the member that it stands for, or NULL */
	char *bytes;
	size_t n_bytes;
};

struct archive_source {
	struct image_source source;
	struct archive_member *members;
	size_t n_members, n_allocated;
	size_t n_bytes; /* of all documents */
};

void archive_source_init(struct archive_source *archive, const char *repository);
void archive_source_deinit(struct archive_source *archive);
#define _cleanup_archive_source_ _cleanup_(archive_source_deinit)

/**
 * archive_source_add() - keep a document; takes @bytes, also on failure
 *
 * Return: 0 or a negative errno (-E2BIG: more than an archive may have).
 */
int archive_source_add(struct archive_source *archive, const char *name, char *bytes,
		       size_t n_bytes, struct error *error);

/** archive_source_link() - @name stands for @target, both clean; 0 or a negative errno */
int archive_source_link(struct archive_source *archive, const char *name, const char *target,
			struct error *error);

/** archive_source_resolve() - the member that a path in a document means, links followed */
const char *archive_source_resolve(const struct archive_source *archive, const char *path);
