/* SPDX-License-Identifier: MIT */
/* What the tools do with files and names, each beside the system calls that it can't be without. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/path.h"
#include "bench/micro/scratch.h"
#include "bench/shim/benchmark.h"

static void hash(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);
	char hex[HASH_HEX_BYTES];

	while (benchmark_keep_running(state))
		hash_hex(bytes, (size_t)n_bytes, hex);
	benchmark_set_bytes(state, (uint64_t)n_bytes);
}

static void copy(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);
	_cleanup_free_ char *other = malloc((size_t)n_bytes);

	while (benchmark_keep_running(state)) {
		memcpy(other, bytes, (size_t)n_bytes);
		__asm__ volatile("" ::: "memory");
	}
	benchmark_set_bytes(state, (uint64_t)n_bytes);
}

#define DEEP "usr/lib/x86_64-linux-gnu/file"

static void deep_make(const struct scratch *scratch)
{
	mkdirat(scratch->fd, "usr", 0755);
	mkdirat(scratch->fd, "usr/lib", 0755);
	mkdirat(scratch->fd, "usr/lib/x86_64-linux-gnu", 0755);
	close(openat(scratch->fd, DEEP, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void open_in_root(struct benchmark_state *state, int64_t argument)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();

	deep_make(&scratch);
	while (benchmark_keep_running(state))
		close(path_open_in_root(scratch.fd, DEEP, O_PATH, 0));
}

static void open_bare(struct benchmark_state *state, int64_t argument)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();

	deep_make(&scratch);
	while (benchmark_keep_running(state))
		close(openat(scratch.fd, DEEP, O_PATH | O_CLOEXEC));
}

static void replace(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);

	while (benchmark_keep_running(state)) {
		if (file_replace_at(scratch.fd, "state.json", bytes, (size_t)n_bytes, 0600, 0) < 0)
			benchmark_skip(state, "cannot write");
	}
}

static void replace_synced(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);

	while (benchmark_keep_running(state)) {
		if (file_replace_at(scratch.fd, "state.json", bytes, (size_t)n_bytes, 0600,
				    FILE_REPLACE_SYNC) < 0)
			benchmark_skip(state, "cannot write");
	}
}

static void replace_bare(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);

	while (benchmark_keep_running(state)) {
		int fd = openat(scratch.fd, "aside", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

		if (write(fd, bytes, (size_t)n_bytes) < 0 || close(fd) < 0 ||
		    renameat(scratch.fd, "aside", scratch.fd, "state.json") < 0)
			benchmark_skip(state, strerror(errno));
	}
}

static void read_whole(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);

	(void)file_write_at(scratch.fd, "state.json", bytes, (size_t)n_bytes, 0600);
	while (benchmark_keep_running(state)) {
		_cleanup_free_ char *text = NULL;

		if (file_read_at(scratch.fd, "state.json", 1 << 20, &text, NULL) < 0)
			benchmark_skip(state, "cannot read");
	}
}

static void read_bare(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_free_ char *bytes = calloc(1, (size_t)n_bytes);

	(void)file_write_at(scratch.fd, "state.json", bytes, (size_t)n_bytes, 0600);
	while (benchmark_keep_running(state)) {
		int fd = openat(scratch.fd, "state.json", O_RDONLY | O_CLOEXEC);

		if (read(fd, bytes, (size_t)n_bytes) != n_bytes)
			benchmark_skip(state, "cannot read");
		close(fd);
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "hash/1kB", .function = hash, .argument = 1000 },
	{ .name = "hash/1kB/floor", .function = copy, .argument = 1000 },
	{ .name = "hash/1MB", .function = hash, .argument = 1000000 },
	{ .name = "hash/1MB/floor", .function = copy, .argument = 1000000 },
	{ .name = "path/open_in_root", .function = open_in_root },
	{ .name = "path/open_in_root/floor", .function = open_bare },
	{ .name = "file/replace/1kB", .function = replace, .argument = 1000 },
	{ .name = "file/replace/1kB/floor", .function = replace_bare, .argument = 1000 },
	{ .name = "file/replace/1kB/synced", .function = replace_synced, .argument = 1000 },
	{ .name = "file/read/1kB", .function = read_whole, .argument = 1000 },
	{ .name = "file/read/1kB/floor", .function = read_bare, .argument = 1000 },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
