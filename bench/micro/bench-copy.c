/* SPDX-License-Identifier: MIT */
/*
 * Copying file trees, which is what populating a volume is too, and digests: what is done to bytes.
 *
 * Cold runs ask the kernel to forget the source first, which a tmpfs can't: LAMINA_BENCH_DIRECTORY
 * on a disk has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sha256.h"
#include "bench/micro/scratch.h"
#include "bench/shim/benchmark.h"
#include "fs/copy/copy.h"

#define SMALL_BYTES 2048
#define LARGE_BYTES (64 << 20)
#define SPARSE_SIZE (INT64_C(1) << 30)
#define N_LINKS	    1000

static char piece[1 << 20];

static bool file_fill(int directory_fd, const char *name, size_t n_bytes)
{
	int fd = openat(directory_fd, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0;

	for (size_t at = 0; done && at < n_bytes;) {
		size_t n = n_bytes - at < sizeof(piece) ? n_bytes - at : sizeof(piece);

		done = write(fd, piece, n) == (ssize_t)n;
		at += n;
	}
	if (fd >= 0)
		close(fd);
	return done;
}

/* 100 files to a directory, as in a usual tree. */
static void small_name(int64_t i, char name[32])
{
	snprintf(name, 32, "d%d/f%d", (int)(i / 100), (int)i);
}

static bool small_make(int fd, int64_t n_files)
{
	char name[32];

	for (int64_t i = 0; i < n_files; i++) {
		snprintf(name, sizeof(name), "d%d", (int)(i / 100));
		if (i % 100 == 0 && mkdirat(fd, name, 0755) < 0)
			return false;
		small_name(i, name);
		if (!file_fill(fd, name, SMALL_BYTES))
			return false;
	}
	return true;
}

static bool large_make(int fd, int64_t argument)
{
	return file_fill(fd, "large", LARGE_BYTES);
}

/* A megabyte of data in the middle of a gigabyte of nothing. */
static bool sparse_make(int fd, int64_t argument)
{
	int file_fd = openat(fd, "sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	bool done = file_fd >= 0 && ftruncate(file_fd, SPARSE_SIZE) == 0 &&
		    pwrite(file_fd, piece, sizeof(piece), SPARSE_SIZE / 2) == sizeof(piece);

	if (file_fd >= 0)
		close(file_fd);
	return done;
}

static bool links_make(int fd, int64_t argument)
{
	char name[32];

	if (!file_fill(fd, "f", SMALL_BYTES))
		return false;
	for (int i = 0; i < N_LINKS; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		if (linkat(fd, "f", fd, name, 0) < 0)
			return false;
	}
	return true;
}

/* --- the copies --- */

static bool engine(int source_fd, int destination_fd, int64_t argument, struct error *error)
{
	return copy_tree(source_fd, destination_fd, &(struct copy_options){}, NULL, error) == 0;
}

/* Files created, written and closed: nothing kept, nothing looked at. */
static bool small_bare(int source_fd, int destination_fd, int64_t n_files, struct error *error)
{
	return small_make(destination_fd, n_files);
}

static bool range_bare(int source_fd, int destination_fd, const char *name)
{
	int from_fd = openat(source_fd, name, O_RDONLY | O_CLOEXEC);
	int fd = openat(destination_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	ssize_t n;

	do
		n = copy_file_range(from_fd, NULL, fd, NULL, LARGE_BYTES, 0);
	while (n > 0);
	close(from_fd);
	close(fd);
	return n == 0;
}

static bool large_bare(int source_fd, int destination_fd, int64_t argument, struct error *error)
{
	return range_bare(source_fd, destination_fd, "large");
}

static bool sparse_bare(int source_fd, int destination_fd, int64_t argument, struct error *error)
{
	return sparse_make(destination_fd, argument);
}

static bool links_bare(int source_fd, int destination_fd, int64_t argument, struct error *error)
{
	return links_make(destination_fd, argument);
}

/* --- how they are timed --- */

struct work {
	bool (*make)(int fd, int64_t argument);
	bool (*copy)(int source_fd, int destination_fd, int64_t argument, struct error *error);
	bool is_cold;
	uint64_t n_bytes; /* of one copy, for the rate */
};

static bool is_tmpfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == TMPFS_MAGIC;
}

static void source_forget(int source_fd, int64_t n_files)
{
	char name[32];

	(void)syncfs(source_fd);
	for (int64_t i = 0; i < n_files; i++) {
		int fd;

		small_name(i, name);
		fd = openat(source_fd, name, O_RDONLY | O_CLOEXEC);
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

static void work_time(struct benchmark_state *state, const struct work *work, int64_t argument)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	int source_fd, destination_fd;
	struct error error;

	error_init(&error);
	(void)mkdirat(scratch.fd, "source", 0755);
	source_fd = openat(scratch.fd, "source", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work->is_cold && is_tmpfs(scratch.fd))
		benchmark_skip(state, "a tmpfs is never cold: set LAMINA_BENCH_DIRECTORY");
	else if (!work->make(source_fd, argument))
		benchmark_skip(state, "cannot make the source");
	while (benchmark_keep_running(state)) {
		benchmark_pause(state);
		(void)path_remove_tree(scratch.fd, "destination");
		(void)mkdirat(scratch.fd, "destination", 0755);
		destination_fd =
			openat(scratch.fd, "destination", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (work->is_cold)
			source_forget(source_fd, argument);
		benchmark_resume(state);
		if (!work->copy(source_fd, destination_fd, argument, &error))
			benchmark_skip(state, error.message[0] ? error.message : strerror(errno));
		close(destination_fd);
	}
	if (work->n_bytes)
		benchmark_set_bytes(state, work->n_bytes);
	close(source_fd);
}

#define WORK(name, ...)                                                                            \
	static void name(struct benchmark_state *state, int64_t argument)                          \
	{                                                                                          \
		static const struct work work = { __VA_ARGS__ };                                   \
		work_time(state, &work, argument);                                                 \
	}

WORK(small, small_make, engine)
WORK(small_floor, small_make, small_bare)
WORK(small_cold, small_make, engine, .is_cold = true)
WORK(large, large_make, engine, .n_bytes = LARGE_BYTES)
WORK(large_floor, large_make, large_bare, .n_bytes = LARGE_BYTES)
WORK(sparse, sparse_make, engine)
WORK(sparse_floor, sparse_make, sparse_bare)
WORK(linked, links_make, engine)
WORK(linked_floor, links_make, links_bare)

static void digest(struct benchmark_state *state, int64_t n_bytes)
{
	char text[DIGEST_TEXT_BYTES];

	while (benchmark_keep_running(state))
		digest_of(piece, (size_t)n_bytes, text);
	benchmark_set_bytes(state, (uint64_t)n_bytes);
}

static void digest_floor(struct benchmark_state *state, int64_t n_bytes)
{
	static char other[sizeof(piece)];

	while (benchmark_keep_running(state)) {
		memcpy(other, piece, (size_t)n_bytes);
		__asm__ volatile("" : : "r"(other) : "memory");
	}
	benchmark_set_bytes(state, (uint64_t)n_bytes);
}

static const struct benchmark_case cases[] = {
	{ .name = "copy/files/1", .function = small, .argument = 1 },
	{ .name = "copy/files/1/floor", .function = small_floor, .argument = 1 },
	{ .name = "copy/files/100", .function = small, .argument = 100 },
	{ .name = "copy/files/100/floor", .function = small_floor, .argument = 100 },
	{ .name = "copy/files/10000", .function = small, .argument = 10000, .n_iterations = 3 },
	{ .name = "copy/files/10000/floor",
	  .function = small_floor,
	  .argument = 10000,
	  .n_iterations = 3 },
	{ .name = "copy/files/1000/cold",
	  .function = small_cold,
	  .argument = 1000,
	  .n_iterations = 5 },
	{ .name = "copy/large", .function = large },
	{ .name = "copy/large/floor", .function = large_floor },
	{ .name = "copy/sparse", .function = sparse },
	{ .name = "copy/sparse/floor", .function = sparse_floor },
	{ .name = "copy/links", .function = linked },
	{ .name = "copy/links/floor", .function = linked_floor },
	{ .name = "digest/1MB", .function = digest, .argument = 1 << 20 },
	{ .name = "digest/1MB/floor", .function = digest_floor, .argument = 1 << 20 },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
