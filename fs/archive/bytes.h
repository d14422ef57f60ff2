/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes that are pulled, block by block: a file, a piece of memory, what a decompressor
 * makes of another stream, and a stream with its digest and size taken on the way.
 *
 * A stream is the first member of what implements it; whoever wraps a stream borrows it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/sha256.h"

/* What one read(2) asks for: large enough that calls don't count, small enough for the cache. */
#define BYTE_STREAM_BLOCK_BYTES (256 * 1024)

struct byte_stream {
	/*
	 * next() - the next block, valid until the next call; its size, 0 at the end, or a negative
	 * errno with @error filled
	 */
	ssize_t (*next)(struct byte_stream *stream, const void **ret_block, struct error *error);
	/* skip() - pass over up to @n_bytes cheaply; how many, 0 where it can't be done; may be
	 * NULL */
	int64_t (*skip)(struct byte_stream *stream, int64_t n_bytes);
};

/** byte_stream_drain() - read to the end; 0 or a negative errno */
int byte_stream_drain(struct byte_stream *stream, struct error *error);

/** byte_stream_read_all() - the whole stream in memory, with a NUL behind it; -EFBIG over @max */
int byte_stream_read_all(struct byte_stream *stream, size_t max_bytes, char **ret_bytes,
			 size_t *ret_n_bytes, struct error *error);

/* A file from its offset to its end. */
struct file_bytes {
	struct byte_stream stream;
	int fd;		  /* borrowed */
	const char *name; /* borrowed, for messages */
	char *block;
};

/** file_bytes_init() - 0 or -ENOMEM; regular files can skip() */
int file_bytes_init(struct file_bytes *bytes, int fd, const char *name);
void file_bytes_deinit(struct file_bytes *bytes);
#define _cleanup_file_bytes_ _cleanup_(file_bytes_deinit)

/* The beginning of another stream is looked at, then read again with all the rest. */
struct peeked_bytes {
	struct byte_stream stream;
	struct byte_stream *source; /* borrowed; NULL: memory alone is the stream */
	char *head;
	size_t n_head, n_given;
};

/**
 * peeked_bytes_init() - look at the first @n_bytes of @source (fewer where it ends before)
 *
 * Then @bytes->head has them, @bytes->n_head says how many, and @bytes->stream begins with them.
 */
int peeked_bytes_init(struct peeked_bytes *bytes, struct byte_stream *source, size_t n_bytes,
		      struct error *error);
void peeked_bytes_deinit(struct peeked_bytes *bytes);
#define _cleanup_peeked_bytes_ _cleanup_(peeked_bytes_deinit)

/* A stream of memory that is borrowed. */
struct memory_bytes {
	struct byte_stream stream;
	const void *bytes;
	size_t n_bytes;
};

void memory_bytes_init(struct memory_bytes *memory, const void *bytes, size_t n_bytes);

/* The same bytes, counted and hashed as they pass. */
struct digested_bytes {
	struct byte_stream stream;
	struct byte_stream *source; /* borrowed */
	struct digest_stream *digest;
	uint64_t n_bytes;
	uint64_t max_bytes; /* more is -EFBIG: the size that a descriptor promised */
};

/** digested_bytes_init() - 0 or -ENOMEM; @max_bytes UINT64_MAX for any number */
int digested_bytes_init(struct digested_bytes *bytes, struct byte_stream *source,
			uint64_t max_bytes);
void digested_bytes_deinit(struct digested_bytes *bytes);
#define _cleanup_digested_bytes_ _cleanup_(digested_bytes_deinit)
