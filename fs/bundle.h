/* SPDX-License-Identifier: MIT */
/*
 * A bundle as the file-tree side sees it: its lock, its layers, and its merged root
 * (docs/design.md, The bundle). The launching side has its own view of the same files in launch/.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/text.h"

/* Start with BUNDLE_EMPTY. */
struct bundle {
	char *path;	/* absolute, without a trailing slash */
	const char *id; /* last component of @path */
	int fd;
	int lock_fd;
};

#define BUNDLE_EMPTY ((struct bundle){ .fd = -EBADF, .lock_fd = -EBADF })

/**
 * bundle_open() - open and lock the bundle at @path
 *
 * Doesn't wait: what runs or has mounted a bundle holds its lock for long.
 *
 * Return: 0 or a negative errno (-EBUSY: locked by another, or running; -EINVAL: not a bundle of
 * lamina's).
 */
int bundle_open(struct bundle *bundle, const char *path, enum lock_mode mode, struct error *error);

void bundle_close(struct bundle *bundle);
#define _cleanup_bundle_ _cleanup_(bundle_close)

/**
 * bundle_running_pid() - the process that the file `running` in the bundle names, while it lives
 *
 * A container that was created and left to itself has no process of lamina's that would hold the
 * bundle's lock: nslaunch writes its pid and that one's start time there. bundle_open() with an
 * exclusive lock asks this.
 *
 * Return: the pid, or 0.
 */
pid_t bundle_running_pid(int bundle_fd);

/** bundle_is_complete() - has it a config.json? */
bool bundle_is_complete(const struct bundle *bundle);

/** bundle_lines() - the lines of the file @name in the bundle, appended to @lines; -ENOENT: no file
 */
int bundle_lines(const struct bundle *bundle, const char *name, struct string_list *lines);

/** bundle_lowers() - the init layer, where there is one, and the image's layers, topmost first */
int bundle_lowers(const struct bundle *bundle, struct string_list *lowers, struct error *error);

enum bundle_root {
	BUNDLE_ROOT_LOWERS, /* image and init layer only, read-only: what a new container starts
			       from */
	BUNDLE_ROOT_MERGED, /* with the read-write layer; the bundle must be locked exclusive */
};

/** bundle_open_root() - a detached mount of the bundle's root, owned by the caller */
int bundle_open_root(const struct bundle *bundle, enum bundle_root which, int *ret_mount_fd,
		     struct error *error);
