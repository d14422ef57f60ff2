/* SPDX-License-Identifier: MIT */
/*
 * A directory for one unit test, on a tmpfs, gone with the block that made it. Also brings cmocka
 * and what its header wants before it.
 */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"

struct scratch_directory {
	char path[PATH_MAX / 2];
	int fd; /* open for reading */
};

/**
 * scratch_directory_make() - an empty directory on /dev/shm, or where TMPDIR says where that is no
 * tmpfs; the test fails where it can't be made
 */
struct scratch_directory scratch_directory_make(void);

/** scratch_directory_remove() - the directory and all in it; mounts in it are detached first */
void scratch_directory_remove(struct scratch_directory *scratch);
#define _cleanup_scratch_ _cleanup_(scratch_directory_remove)

/** scratch_path() - "PATH/NAME", owned by the caller */
char *scratch_path(const struct scratch_directory *scratch, const char *name);

/** scratch_write() - create the file @name with @text in it */
void scratch_write(const struct scratch_directory *scratch, const char *name, const char *text);

/** scratch_read() - what is in the file @name, owned by the caller; NULL where there is none */
char *scratch_read(const struct scratch_directory *scratch, const char *name);

/** scratch_count() - entries of the directory @name ("." for the scratch directory itself) */
size_t scratch_count(const struct scratch_directory *scratch, const char *name);

/**
 * scratch_in_mount_namespace() - from here on this process has a mount namespace of its own, with
 * private mounts; the test is skipped where that is not allowed. Make scratch directories behind
 * it: a descriptor from before sees the earlier namespace.
 */
void scratch_in_mount_namespace(void);
