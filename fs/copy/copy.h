/* SPDX-License-Identifier: MIT */
/*
 * The copy engine: file trees copied by descriptor, with all that `cp -a` keeps.
 *
 * Kept: hard links over the whole tree, holes, xattrs (ACLs and file capabilities are xattrs),
 * owners, modes, times to the nanosecond, symbolic links, devices, fifos, sockets. A directory's
 * metadata is set after everything in it is there, so its times last.
 *
 * Neither tree is trusted: every name is opened relative to its directory's descriptor, no symbolic
 * link is ever followed, and the source is seen through a private clone of its mount that is
 * read-only and has no devices, where the caller may make one (CAP_SYS_ADMIN, Linux 5.12). Whoever
 * renames things in either tree meanwhile makes the copy fail or be odd, never leave the trees.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* FICLONE (btrfs, XFS, bcachefs, overlay of none): the copy shares the source's blocks. */
enum copy_reflink {
	COPY_REFLINK_AUTO,   /* where the file systems can; asked once for each pair of devices */
	COPY_REFLINK_ALWAYS, /* a file that can't be cloned is an error */
	COPY_REFLINK_NEVER,
};

/* How the source is read; what AUTO takes is measured, see copy/ahead.h. */
enum copy_reading {
	COPY_READING_AUTO,
	COPY_READING_PLAIN, /* one file after the other */
	COPY_READING_AHEAD, /* io_uring, wherever there is one */
};

enum copy_flags {
	COPY_ROOT_METADATA = 1 << 0, /* the destination directory gets the source directory's too */
};

/* All zero is what `cp -a` does. */
struct copy_options {
	enum copy_reflink reflink;
	enum copy_reading reading;
	unsigned int flags;
};

/* What is whole at the destination, also after a failure; and what could not be kept. */
struct copy_stats {
	uint64_t n_directories;
	uint64_t n_files; /* regular files whose contents were copied or cloned */
	uint64_t n_links; /* further names of files that are counted above */
	uint64_t n_others;
	uint64_t n_bytes; /* sizes of @n_files */
	uint64_t n_cloned;
	uint64_t n_owners_dropped; /* not root: the copy belongs to the caller, without setuid */
	uint64_t n_xattrs_dropped; /* the destination has no such xattrs, or refuses them */
	uint64_t n_links_dropped;  /* it takes no (more) hard links: a copy of its own */
};

/**
 * copy_tree() - copy what is in one directory into another, which exists
 * @source_fd, @destination_fd: the directories; borrowed, O_PATH is enough
 * @stats: added to; may be NULL
 *
 * What is there already is merged with: directories are entered and get the source's metadata,
 * anything else is replaced (unlinked and made anew, as `cp -a --remove-destination` does: a link
 * is never written through); a directory is never replaced by a file or the other way round. Stops
 * at the first failure; a file that was being written then is removed, so that every file is whole.
 * Nothing is synced.
 *
 * Return: 0 or a negative errno; @error names the path within the tree, and on a full disk
 * (-ENOSPC, -EDQUOT) how much is complete. -EINVAL: one tree is in the other; -EBUSY: a file
 * changed while it was copied.
 */
int copy_tree(int source_fd, int destination_fd, const struct copy_options *options,
	      struct copy_stats *stats, struct error *error);

/**
 * copy_entry() - copy one entry, whatever it is, to another name
 * @source_name, @destination_name: single components
 *
 * As an entry of copy_tree(): a directory is copied with its metadata and all that is in it.
 */
int copy_entry(int source_fd, const char *source_name, int destination_fd,
	       const char *destination_name, const struct copy_options *options,
	       struct copy_stats *stats, struct error *error);
