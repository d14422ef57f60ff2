/* SPDX-License-Identifier: MIT */
/*
 * The template: a mount namespace with nothing in it but one empty, read-only tmpfs, which
 * containers start from instead of from a copy of the host's.
 *
 * A copy of the host's mounts costs as much as there are, and pivot_root(2) as much as there are
 * threads on the host. A copy of the template costs the same everywhere: the child joins it, copies
 * it, moves the root onto its "/" and chroots there. Nothing of the host's was ever in it, and it
 * is private: what is mounted in a container is seen nowhere else.
 *
 * Root's first start makes it and pins it: DIRECTORY/mnt is a bind mount of the namespace's file.
 * Who wants it gone unmounts that; the next start makes another.
 */
#pragma once

#include "base/error.h"
#include "launch/bundle.h"

/* Not in the state directory that a caller has named: somebody removes that with `rm`, and this is
 * the same for all. No container can have this name. */
#define TEMPLATE_PATH "/run/lamina/@template"
#define TEMPLATE_NAME "mnt"

/* A positive result. */
enum {
	TEMPLATE_REFUSED = 1,
};

/**
 * template_misfit() - why the container of @bundle can't start from a template, or NULL
 *
 * Whatever must be looked up among the host's mounts by the container's own process is a reason.
 */
const char *template_misfit(const struct launch_bundle *bundle);

/**
 * template_open() - the namespace pinned below @directory, which is made where it isn't there
 * @directory: absolute; it, or what it lies in, need not be there
 *
 * Only what root has made in a directory that nobody else may write is taken. Two callers make one:
 * the second gets -EAGAIN.
 *
 * Return: the fd, owned by the caller, or a negative errno.
 */
int template_open(const char *directory, struct error *error);

/**
 * template_remove() - unpin the namespace; containers that were started from it have their own
 *
 * Return: 0, also where there is none, or a negative errno.
 */
int template_remove(const char *directory, struct error *error);

/**
 * template_enter() - in the child: into a copy of the template that is its own
 *
 * Return: 0, TEMPLATE_REFUSED (the caller may not join it; nothing has changed) or a negative
 * errno.
 */
int template_enter(int template_fd);
