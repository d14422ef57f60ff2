/* SPDX-License-Identifier: MIT */
/*
 * The end of a bundle that was to run once: `layerfs rm`, started while the container runs, so that
 * at its end nothing but the way to the trash is waited for.
 */
#pragma once

#include "launch/launch.h"

/* Start with REMOVER_EMPTY. */
struct remover {
	int said_fd; /* the helper's output: a line once the bundle is in the trash, or its end */
};

#define REMOVER_EMPTY ((struct remover){ .said_fd = -EBADF })

/**
 * remover_start() - start the program that removes the bundle of @launched once nobody holds its
 * lock: after remover_finish(), or when this process has died, however it did
 * @program: argv[0]: layerfs is beside it, or in PATH
 *
 * It holds the container's mount namespace too, where nothing of the host's was mounted into it: so
 * it's there that what the container had mounted is unmounted, and not in the container's exit.
 *
 * All signals are blocked in it, and it is in a session of its own: it isn't stopped in the middle.
 *
 * Return: 0 or a negative errno.
 */
int remover_start(struct remover *remover, const char *program, const struct launched *launched,
		  struct error *error);

/** remover_finish() - the lock was let go of: wait until the bundle and its name are gone */
int remover_finish(struct remover *remover, struct error *error);

/** bundle_remove_now() - remove a bundle that nobody holds, and wait for that */
int bundle_remove_now(const char *program, const char *bundle_path, struct error *error);
