/* SPDX-License-Identifier: MIT */
/*
 * A directory for a benchmark's files, gone when the benchmark ends.
 *
 * In LAMINA_BENCH_DIRECTORY where that is set, to measure on another file system; else in /dev/shm,
 * a tmpfs, else in TMPDIR or /tmp.
 */
#pragma once

#include "base/cleanup.h"

struct scratch {
	char path[256];
	int fd;
};

/** scratch_make() - a new empty directory; ends the program where there can't be one */
struct scratch scratch_make(void);

void scratch_remove(struct scratch *scratch);
#define _cleanup_scratch_ _cleanup_(scratch_remove)

/** scratch_path() - the absolute path of @name below it; owned by the caller; NULL: no memory */
char *scratch_path(const struct scratch *scratch, const char *name);

/** scratch_mkdir() - the same, and make the directory; NULL where that failed */
char *scratch_mkdir(const struct scratch *scratch, const char *name);
