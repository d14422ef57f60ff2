/* SPDX-License-Identifier: MIT */
/*
 * Reading tar: entries out of a stream of bytes (libarchive: ustar, pax, GNU, with sparse files).
 *
 * Names are bytes and come through unchanged: libarchive converts nothing as long as the program
 * stays in the C locale, so no executable that links this calls setlocale().
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "fs/archive/bytes.h"

struct tar_reader;

struct tar_entry {
	const char *path;      /* borrowed until the next entry; never NULL, may be anything */
	const char *hard_link; /* the target of a hard link, or NULL */
	const char *symlink;   /* the target of a symbolic link, or NULL */
	mode_t mode;	       /* type and permissions; without meaning for a hard link */
	int64_t size;
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime; /* atime is mtime where the archive has none */
	dev_t device;		      /* of a device node */
};

/** tar_reader_new() - read @source, which is borrowed */
int tar_reader_new(struct byte_stream *source, struct tar_reader **ret_reader, struct error *error);
void tar_reader_free(struct tar_reader *reader);
static inline void tar_reader_cleanup(struct tar_reader **reader)
{
	tar_reader_free(*reader);
}
#define _cleanup_tar_reader_ _cleanup_(tar_reader_cleanup)

/**
 * tar_reader_next() - the next entry; data of the last that wasn't read is passed over
 *
 * The end is the archive's own; bytes behind it are left in the source.
 *
 * Return: 1, 0 at the end, or a negative errno (-EBADMSG: damaged, cut short, or not a tar; ids
 * out of range).
 */
int tar_reader_next(struct tar_reader *reader, const struct tar_entry **ret_entry,
		    struct error *error);

/**
 * tar_reader_data() - the entry's next piece of data
 * @ret_offset: where it belongs; what is between the pieces, and up to the entry's size, is a hole
 *
 * Return: 1, 0 at the end, or a negative errno.
 */
int tar_reader_data(struct tar_reader *reader, const void **ret_block, size_t *ret_n_bytes,
		    int64_t *ret_offset, struct error *error);

/** tar_reader_xattr_next() - the entry's next extended attribute; 1, or 0 when there is no other */
int tar_reader_xattr_next(struct tar_reader *reader, const char **ret_name, const void **ret_value,
			  size_t *ret_n_bytes);

/* The data of the reader's current entry as a stream; a sparse entry is refused. */
struct tar_member_bytes {
	struct byte_stream stream;
	struct tar_reader *reader; /* borrowed */
	int64_t offset;
};

void tar_member_bytes_init(struct tar_member_bytes *bytes, struct tar_reader *reader);
