/* SPDX-License-Identifier: MIT */
/*
 * Writing to /proc through a procfs that nobody else can have touched: a detached mount of our own,
 * never the container's view of it (CVE-2019-16884, CVE-2025-52881).
 */
#pragma once

#include "base/error.h"

#define PROC_ROOT_INODE 1 /* of each procfs's root: linux/proc_ns.h, PROC_ROOT_INO */

/** procfs_open() - a detached procfs of the caller's pid namespace; the fd, or a negative errno */
int procfs_open(void);

/**
 * procfs_open_own() - the caller's /proc, checked to be a whole procfs; an O_PATH fd, or a negative
 * errno
 *
 * For the launcher, before anything of a container's is there: it stays what it is in whatever
 * namespaces and root the process comes to be.
 */
int procfs_open_own(void);

/**
 * procfs_write() - write @value to @path below @procfs_fd
 * @path: relative, "self/oom_score_adj"; no mount and no magic link on the way is crossed
 */
int procfs_write(int procfs_fd, const char *path, const char *value);
