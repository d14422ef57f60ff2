/* SPDX-License-Identifier: MIT */
#include "fs/archive/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"

int byte_stream_drain(struct byte_stream *stream, struct error *error)
{
	const void *block;
	ssize_t n;

	do {
		n = stream->next(stream, &block, error);
	} while (n > 0);
	return n < 0 ? (int)n : 0;
}

int byte_stream_read_all(struct byte_stream *stream, size_t max_bytes, char **ret_bytes,
			 size_t *ret_n_bytes, struct error *error)
{
	_cleanup_buffer_ struct buffer buffer = {};
	const void *block;
	ssize_t n;

	while ((n = stream->next(stream, &block, error)) > 0) {
		if ((size_t)n > max_bytes - buffer.n_bytes)
			return error_say(error, -EFBIG, "it is larger than %zu bytes", max_bytes);
		buffer_add(&buffer, block, (size_t)n);
	}
	if (n < 0)
		return (int)n;
	buffer_add(&buffer, "", 0);
	if (buffer_status(&buffer) < 0 || !buffer.bytes)
		return error_set(error, -ENOMEM, "cannot read it");
	*ret_n_bytes = buffer.n_bytes;
	*ret_bytes = take_ptr(buffer.bytes);
	return 0;
}

static ssize_t file_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct file_bytes *bytes = (struct file_bytes *)stream;
	ssize_t n;

	do {
		n = read(bytes->fd, bytes->block, BYTE_STREAM_BLOCK_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, "cannot read '%s'", bytes->name);
	*ret_block = bytes->block;
	return n;
}

static int64_t file_skip(struct byte_stream *stream, int64_t n_bytes)
{
	struct file_bytes *bytes = (struct file_bytes *)stream;
	off_t at = lseek(bytes->fd, 0, SEEK_CUR);
	struct stat st;

	/* Not behind the end: a truncated archive must be noticed. */
	if (at < 0 || fstat(bytes->fd, &st) < 0 || n_bytes > st.st_size - at)
		return 0;
	return lseek(bytes->fd, n_bytes, SEEK_CUR) < 0 ? 0 : n_bytes;
}

int file_bytes_init(struct file_bytes *bytes, int fd, const char *name)
{
	struct stat st;

	*bytes = (struct file_bytes){
		.stream = { .next = file_next },
		.fd = fd,
		.name = name,
		.block = malloc(BYTE_STREAM_BLOCK_BYTES),
	};
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		bytes->stream.skip = file_skip;
	return bytes->block ? 0 : -ENOMEM;
}

void file_bytes_deinit(struct file_bytes *bytes)
{
	free(bytes->block);
	bytes->block = NULL;
}

static ssize_t peeked_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct peeked_bytes *bytes = (struct peeked_bytes *)stream;
	size_t n = bytes->n_head - bytes->n_given;

	if (n == 0)
		return bytes->source->next(bytes->source, ret_block, error);
	*ret_block = bytes->head + bytes->n_given;
	bytes->n_given = bytes->n_head;
	return (ssize_t)n;
}

static int64_t peeked_skip(struct byte_stream *stream, int64_t n_bytes)
{
	struct peeked_bytes *bytes = (struct peeked_bytes *)stream;
	int64_t n = (int64_t)(bytes->n_head - bytes->n_given);

	if (n == 0)
		return bytes->source->skip(bytes->source, n_bytes);
	n = n < n_bytes ? n : n_bytes;
	bytes->n_given += (size_t)n;
	return n;
}

int peeked_bytes_init(struct peeked_bytes *bytes, struct byte_stream *source, size_t n_bytes,
		      struct error *error)
{
	_cleanup_buffer_ struct buffer head = {};
	ssize_t n = 1;

	*bytes = (struct peeked_bytes){
		.stream = { .next = peeked_next, .skip = source->skip ? peeked_skip : NULL },
		.source = source,
	};
	/* Blocks come whole: the head may be longer than what was asked for. */
	while (n > 0 && head.n_bytes < n_bytes) {
		const void *block;

		n = source->next(source, &block, error);
		if (n < 0)
			return (int)n;
		buffer_add(&head, block, (size_t)n);
	}
	if (buffer_status(&head) < 0)
		return error_set(error, -ENOMEM, "cannot look into the stream");
	bytes->n_head = head.n_bytes;
	bytes->head = take_ptr(head.bytes);
	return 0;
}

void peeked_bytes_deinit(struct peeked_bytes *bytes)
{
	free(bytes->head);
	*bytes = (struct peeked_bytes){};
}

static ssize_t memory_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct memory_bytes *memory = (struct memory_bytes *)stream;
	size_t n = memory->n_bytes;

	*ret_block = memory->bytes;
	memory->n_bytes = 0;
	return (ssize_t)n;
}

void memory_bytes_init(struct memory_bytes *memory, const void *bytes, size_t n_bytes)
{
	*memory = (struct memory_bytes){
		.stream = { .next = memory_next },
		.bytes = bytes,
		.n_bytes = n_bytes,
	};
}

static ssize_t digested_next(struct byte_stream *stream, const void **ret_block,
			     struct error *error)
{
	struct digested_bytes *bytes = (struct digested_bytes *)stream;
	ssize_t n = bytes->source->next(bytes->source, ret_block, error);

	if (n <= 0)
		return n;
	if ((uint64_t)n > bytes->max_bytes - bytes->n_bytes)
		return error_say(error, -EBADMSG, "it is larger than the %llu bytes it should have",
				 (unsigned long long)bytes->max_bytes);
	bytes->n_bytes += (uint64_t)n;
	digest_stream_update(bytes->digest, *ret_block, (size_t)n);
	return n;
}

int digested_bytes_init(struct digested_bytes *bytes, struct byte_stream *source,
			uint64_t max_bytes)
{
	*bytes = (struct digested_bytes){
		.stream = { .next = digested_next },
		.source = source,
		.digest = digest_stream_new(),
		.max_bytes = max_bytes,
	};
	return bytes->digest ? 0 : -ENOMEM;
}

void digested_bytes_deinit(struct digested_bytes *bytes)
{
	digest_stream_free(bytes->digest);
	bytes->digest = NULL;
}
