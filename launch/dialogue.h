/* SPDX-License-Identifier: MIT */
/*
 * What a forked child asks its launcher for while it becomes a container: a byte each way over a
 * socket, so that each knows of the other's end by its end of file.
 *
 * A vforked child (`run` with neither a user namespace nor hooks) asks for nothing: its launcher
 * sleeps until the exec.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* In the order of a start. */
enum dialogue_request {
	DIALOGUE_MAP_IDS = 1, /* write the user namespace's id maps */
	DIALOGUE_RUN_HOOKS,   /* the host's interfaces moved in; then prestart and createRuntime,
				 in the launcher's namespaces */
	DIALOGUE_PUBLISH,     /* all is made: write the state */
	DIALOGUE_RELEASED,    /* `create`: it lives by itself now; no answer */
};

/** dialogue_open() - a connected pair: the launcher's and the child's, both close-on-exec */
int dialogue_open(int ret_fds[2], struct error *error);

/**
 * dialogue_ask() - in the child: have @request done, and wait until it is
 *
 * Return: 0, or -ESRCH where the launcher has ended, or ends because it could not do it.
 */
int dialogue_ask(int fd, enum dialogue_request request, struct error *error);

/** dialogue_tell() - in the child: say it, and wait for nothing */
int dialogue_tell(int fd, enum dialogue_request request, struct error *error);

/**
 * dialogue_next() - in the launcher: the child's next request
 * @interrupt_fd: the wait ends when it is readable; or -EBADF
 *
 * Return: an enum dialogue_request, 0 when the child has closed its end (by an exec, or it has
 * ended), or a negative errno (-EINTR: by @interrupt_fd).
 */
int dialogue_next(int fd, int interrupt_fd);

/** dialogue_answer() - in the launcher: what was asked for is done; 0 or a negative errno */
int dialogue_answer(int fd);
