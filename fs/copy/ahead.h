/* SPDX-License-Identifier: MIT */
/*
 * Regular files of one directory, opened and read in order, by io_uring some way ahead of who asks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Larger files are opened, and their reading by the kernel is started. */
#define COPY_AHEAD_FILE_BYTES (64 * 1024)
#define COPY_AHEAD_FILES      64

struct copy_source {
	int fd; /* owned by who got it, or a negative errno */
	struct stat stat;
	const char *bytes; /* the whole contents, or NULL; valid until the next file is asked for */
	size_t n_bytes;
};

struct copy_ahead;

/** copy_ahead_new() - NULL where there is no io_uring, or it isn't allowed */
struct copy_ahead *copy_ahead_new(void);
void copy_ahead_free(struct copy_ahead *ahead);

/**
 * copy_ahead_start() - take on the files @names of @directory_fd; the earlier ones are given up
 * @names, @directory_fd: borrowed until the next start
 * @read_contents: false: only open them
 */
void copy_ahead_start(struct copy_ahead *ahead, int directory_fd, const char *const *names,
		      size_t n_names, bool read_contents);

/** copy_ahead_next() - the next of the names, in their order; 0 or -errno (of the ring itself) */
int copy_ahead_next(struct copy_ahead *ahead, struct copy_source *ret_source);

/** copy_source_open() - the same for one file with plain calls; errors are in @ret_source->fd */
void copy_source_open(int directory_fd, const char *name, struct copy_source *ret_source);
