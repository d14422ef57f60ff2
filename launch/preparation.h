/* SPDX-License-Identifier: MIT */
/*
 * What a start and an exec both have ready before they make a process.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/child.h"
#include "launch/config/config.h"
#include "launch/hooks.h"
#include "launch/landlock.h"
#include "launch/seccomp/compile.h"
#include "launch/seccomp/listener.h"

/* Start with PREPARATION_EMPTY. */
struct preparation {
	struct seccomp_filter filter;
	bool has_filter;
	struct landlock landlock;
	int resctrl_fd; /* with linux.intelRdt, else -EBADF */
	int procfs_fd;	/* the launcher's own, for what the process writes of itself; or -EBADF */
	struct seccomp_listener listener; /* where the filter notifies */
	struct child_report *report;	  /* shared with the child */
	int parent_pidfd;		  /* of this process, for the child to watch */
	int terminal_fds[2];		  /* ours and the child's, or -EBADF: no terminal */
};

#define PREPARATION_EMPTY                                                                          \
	((struct preparation){ .resctrl_fd = -EBADF,                                               \
			       .procfs_fd = -EBADF,                                                \
			       .listener = SECCOMP_LISTENER_EMPTY,                                 \
			       .parent_pidfd = -EBADF,                                             \
			       .terminal_fds = { -EBADF, -EBADF } })

/**
 * preparation_make() - the container's filter and Landlock rules, the shared memory, the pidfd; the
 * process becomes undumpable
 * @process: to be started: @config's, or an exec's
 * @state_path: the state directory, which keeps compiled filters
 *
 * Return: 0 or a negative errno.
 */
int preparation_make(struct preparation *preparation, const struct config_process *process,
		     const struct config *config, const char *state_path, struct error *error);

/**
 * preparation_listener() - where the container's filter notifies: what its supervisor is told
 * @state: the container's; its pid 0 where the process is the container's first
 * @connect: now; else `start` brings the socket
 */
int preparation_listener(struct preparation *preparation, const struct config *config,
			 const struct hook_state *state, bool connect, struct error *error);

/**
 * preparation_terminal() - where the master of the process's terminal goes: --console-socket, or
 * this process
 * @console_socket: or NULL
 * @is_attended: this process stays, and can be given the master
 */
int preparation_terminal(struct preparation *preparation, const char *console_socket,
			 bool is_attended, struct error *error);

/**
 * preparation_terminal_take() - after the child was made: its terminal's master, where it is ours
 * @ret_master_fd: owned by the caller; untouched where there is none
 */
int preparation_terminal_take(struct preparation *preparation, int *ret_master_fd,
			      struct error *error);

/** preparation_fill() - what @child has of it */
void preparation_fill(struct preparation *preparation, struct child *child);

void preparation_deinit(struct preparation *preparation);
