/* SPDX-License-Identifier: MIT */
/*
 * Running hooks: each a process of its own, told the container's state on its standard input.
 *
 * A hook gets the variables of its `env`, those of the trace that the launcher is part of
 * (TRACEPARENT, TRACESTATE), and no other: not the launcher's, not the image's, whose LD_PRELOAD
 * would run with the hook's rights (CVE-2025-23266). No descriptor but 0, 1 and 2 is
 * open, the signals are as at a login, it has a session of its own, and it ends with who runs it.
 * As with runc, what it prints is seen only where it fails: the last line is in the error.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/json_write.h"
#include "launch/config/hooks.h"
#include "launch/seccomp/compile.h"
#include "launch/state.h"

/* What hooks are told (runtime.md, "State"). Everything is borrowed. */
struct hook_state {
	const char *id;
	enum state_status status;
	pid_t pid; /* as who runs the hooks sees it; 0: not told */
	const char *bundle;
	const char *annotations; /* a JSON object, not NUL-terminated; or NULL */
	size_t n_annotations;
};

/** hook_state_write() - @state as a JSON object in one line; @writer is empty */
void hook_state_write(struct json_writer *writer, const struct hook_state *state);

/* Where they run. Start with HOOK_PLACE_EMPTY. */
struct hook_place {
	const char *directory;		     /* working directory; NULL: the caller's */
	const struct seccomp_filter *filter; /* they get it too; or NULL */
	int interrupt_fd; /* readable when the caller is asked to end: hooks_interrupt_open() */
};

#define HOOK_PLACE_EMPTY ((struct hook_place){ .interrupt_fd = -EBADF })

/**
 * hooks_run() - run the hooks of one kind, one after the other, until one fails
 *
 * One that runs longer than its timeout is killed, with its process group.
 *
 * Return: 0 or a negative errno: @error has the hook's place and path, how it ended and the last
 * line that it printed (-ETIMEDOUT, -EINTR: by @place's interrupt_fd, -ECHILD: it said so itself,
 * else why it can't be run).
 */
int hooks_run(const struct config_hooks *hooks, enum hook_kind kind, const struct hook_state *state,
	      const struct hook_place *place, struct error *error);

/**
 * hooks_run_poststop() - run every poststop hook; one that fails is a warning on standard error,
 * and the others are run all the same (runtime.md, "Lifecycle", 13)
 * @state: its status and pid are set here
 */
void hooks_run_poststop(const struct config_hooks *hooks, struct hook_state state);

/**
 * hooks_interrupt_open() - a descriptor that is readable when SIGHUP, SIGINT, SIGQUIT or SIGTERM,
 * which must be blocked, has come; the signal stays pending
 *
 * Return: the descriptor, owned by the caller, or a negative errno.
 */
int hooks_interrupt_open(void);
