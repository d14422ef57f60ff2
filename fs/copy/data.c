/* SPDX-License-Identifier: MIT */
/* The contents of a regular file: cloned, or copied between holes. */
#include "fs/copy/internal.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* copy_file_range() beats read and write only where the loop would turn more than once. */
#define COPY_RANGE_MIN_BYTES COPY_BUFFER_BYTES
/* A call can't be interrupted but by death, so no call may last long. */
#define COPY_RANGE_MAX_BYTES (64u << 20)

struct copy_pair *copy_pair(struct copy *copy, dev_t source, dev_t destination)
{
	struct copy_pair *pair;

	for (unsigned int i = 0; i < COPY_N_ANSWERS && i < copy->n_pairs; i++) {
		pair = &copy->pairs[i];
		if (pair->source == source && pair->destination == destination)
			return pair;
	}
	pair = &copy->pairs[copy->n_pairs++ % COPY_N_ANSWERS];
	*pair = (struct copy_pair){ .source = source, .destination = destination };
	if (copy->options->reflink == COPY_REFLINK_NEVER)
		pair->clones = COPY_NO;
	return pair;
}

/* 1: cloned, 0: not possible, or a negative errno. */
static int data_clone(struct copy *copy, struct copy_pair *pair, const struct copy_source *source,
		      int fd)
{
	bool always = copy->options->reflink == COPY_REFLINK_ALWAYS;

	if (pair->clones == COPY_NO || source->stat.st_size == 0)
		return 0;
	if (ioctl(fd, FICLONE, source->fd) == 0) {
		pair->clones = COPY_YES;
		copy->stats->n_cloned++;
		return 1;
	}
	if (always || errno == ENOSPC || errno == EDQUOT || errno == EIO)
		return -errno;
	/* Of one file only: a swap file, nodatacow beside datacow. */
	if (errno != EINVAL && errno != ETXTBSY)
		pair->clones = COPY_NO;
	return 0;
}

static int write_at(int fd, const char *bytes, size_t n_bytes, off_t offset)
{
	while (n_bytes > 0) {
		ssize_t n = pwrite(fd, bytes, n_bytes, offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		bytes += n;
		offset += n;
		n_bytes -= (size_t)n;
	}
	return 0;
}

/* By read and write from @offset to @end, or to the end of the file where that comes first. */
static int range_read_write(struct copy *copy, int source_fd, int fd, off_t offset, off_t end)
{
	while (offset < end) {
		size_t n_wanted = COPY_BUFFER_BYTES;
		ssize_t n;
		int r;

		if (end - offset < (off_t)n_wanted)
			n_wanted = (size_t)(end - offset);
		n = pread(source_fd, copy->buffer, n_wanted, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = write_at(fd, copy->buffer, (size_t)n, offset);
		if (r < 0)
			return r;
		offset += n;
	}
	return 0;
}

static int range_copy(struct copy *copy, struct copy_pair *pair, int source_fd, int fd,
		      off_t offset, off_t end)
{
	off_t from = offset, to = offset;

	while (!pair->no_range && end - from >= COPY_RANGE_MIN_BYTES) {
		size_t n_wanted = COPY_RANGE_MAX_BYTES;
		ssize_t n;

		if (end - from < (off_t)n_wanted)
			n_wanted = (size_t)(end - from);
		n = copy_file_range(source_fd, &from, fd, &to, n_wanted, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
			return -errno;
		/* Refused here: EXDEV, EOPNOTSUPP, ENOSYS, EINVAL and whatever a driver says. */
		if (n < 0)
			pair->no_range = true;
		/* The end of the file, or one that doesn't know its size: ask read(). */
		if (n <= 0)
			break;
	}
	return range_read_write(copy, source_fd, fd, from, end);
}

static int sparse_copy(struct copy *copy, struct copy_pair *pair, const struct copy_source *source,
		       int fd)
{
	off_t size = source->stat.st_size;
	off_t offset = 0;
	int r = 0;

	if (ftruncate(fd, size) < 0)
		return -errno;
	while (offset < size && r == 0) {
		off_t data = lseek(source->fd, offset, SEEK_DATA);
		off_t hole;

		/* ENXIO: nothing but a hole is left. */
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(source->fd, data, SEEK_HOLE);
		if (hole < 0)
			return errno == ENXIO ? 0 : -errno;
		if (hole > size)
			hole = size;
		r = range_copy(copy, pair, source->fd, fd, data, hole);
		offset = hole;
	}
	return r;
}

/* To its end, wherever that is: files of procfs and sysfs have a size that says nothing. */
static int whole_copy(struct copy *copy, struct copy_pair *pair, const struct copy_source *source,
		      int fd)
{
	ssize_t n;
	int r;

	if (source->stat.st_size >= COPY_RANGE_MIN_BYTES)
		return range_copy(copy, pair, source->fd, fd, 0, source->stat.st_size);
	do {
		n = fd_read_full(source->fd, copy->buffer, COPY_BUFFER_BYTES);
		if (n < 0)
			return (int)n;
		r = fd_write_full(fd, copy->buffer, (size_t)n);
	} while (r == 0 && n == COPY_BUFFER_BYTES);
	return r;
}

int copy_data(struct copy *copy, struct copy_pair *pair, const struct copy_source *source, int fd)
{
	int r = data_clone(copy, pair, source, fd);

	if (r != 0)
		return r < 0 ? r : 0;
	if (source->bytes)
		return fd_write_full(fd, source->bytes, source->n_bytes);
	if (source->stat.st_size > source->stat.st_blocks * 512)
		return sparse_copy(copy, pair, source, fd);
	return whole_copy(copy, pair, source, fd);
}
