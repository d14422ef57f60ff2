/* SPDX-License-Identifier: MIT */
/*
 * A start: a bundle becomes a process, in a straight list of steps, each of which is undone when a
 * later one fails (docs/design.md, The order of a create and a start, 7 and 8).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "launch/activation.h"
#include "launch/bundle.h"
#include "launch/cgroup/cgroup.h"
#include "launch/state.h"

/* Who makes the container's cgroup: `--cgroup-manager`. */
enum launch_cgroup_manager {
	LAUNCH_CGROUP_FS,	/* nslaunch itself */
	LAUNCH_CGROUP_SYSTEMD,	/* systemd, asked over D-Bus; cgroupsPath is SLICE:PREFIX:NAME */
	LAUNCH_CGROUP_DISABLED, /* nobody: it stays in its caller's */
};

/* Whether to go on without cgroups that the caller may not make: `--rootless`. */
enum launch_rootless {
	LAUNCH_ROOTLESS_AUTO, /* where the caller isn't root, or is one of a user namespace */
	LAUNCH_ROOTLESS_TRUE,
	LAUNCH_ROOTLESS_FALSE,
};

struct launch_options {
	const char *program; /* argv[0]: what systemd is asked with is beside it */
	const char *bundle_path;
	const char *config_name; /* NULL: config.json in the bundle */
	const char *id;		 /* NULL: the bundle's name */
	const char *state_path;	 /* STATE */
	const char
		*template_path; /* where the template is (launch/template.h); NULL: without one */
	const char *pid_file;	/* or NULL: gets the pid, by rename */
	const char *console_socket; /* or NULL: with a terminal, the launcher keeps its master */
	int stdin_fd;		    /* the container's standard input, or -EBADF: the launcher's */
	unsigned int n_preserved_fds;
	struct activation_request activation;
	enum launch_cgroup_manager cgroup_manager;
	enum launch_rootless rootless;
	bool no_pool;	     /* nothing is taken from the pools (launch/pool.h) */
	bool strict;	     /* a value that the caller may not set is an error, not clamped */
	bool no_new_keyring; /* the container keeps its caller's session keyring */
	bool no_pivot;	     /* the root is moved over the host's and not put in its place */
	bool adopts; /* the launcher becomes the parent of what the container leaves running where
			it has no pid namespace of its own, whose first process would be that */
	bool force_terminal;  /* a terminal even where config.json has none */
	bool wait_for_start;  /* `create`: the process waits at its exec, and outlives the launcher
			       */
	sigset_t signal_mask; /* what the container starts with; the launcher blocks all */
	const struct rlimit *n_files; /* RLIMIT_NOFILE that the container starts with, or NULL: the
					 launcher's */
};

/* A container that was started. Start with LAUNCHED_EMPTY. */
struct launched {
	struct launch_bundle bundle; /* its lock is held while the launcher lives */
	struct state state;
	struct cgroup cgroup;
	struct group_systemd *systemd; /* owned; NULL: its cgroup isn't systemd's */
	pid_t pid;
	uint64_t start_time; /* of @pid, process_start_time() */
	bool adopts; /* the launcher is a subreaper, and reaps what the container has orphaned */
	int pidfd;
	int master_fd;	     /* of its terminal, or -EBADF */
	char *listener_path; /* with wait_for_start, of the config: seccomp's supervisor; or NULL */
	int notify_fd; /* what the container says of itself comes there: notify_listen(); or -EBADF
			*/
	const char *notify_host; /* where to pass it on, of the options */
};

#define LAUNCHED_EMPTY                                                                             \
	((struct launched){ .bundle = LAUNCH_BUNDLE_EMPTY,                                         \
			    .state = STATE_EMPTY,                                                  \
			    .cgroup = { .root_fd = -EBADF },                                       \
			    .pidfd = -EBADF,                                                       \
			    .notify_fd = -EBADF,                                                   \
			    .master_fd = -EBADF })

/**
 * launch_start() - start the bundle's container
 * @ret_status: on failure 125, or 126 and 127 where its program can't be run or isn't there
 *
 * All signals must be blocked. On return the program runs (or, with wait_for_start, waits at its
 * exec); on failure nothing is left of it.
 *
 * Return: 0 or a negative errno.
 */
int launch_start(const struct launch_options *options, struct launched *launched, int *ret_status,
		 struct error *error);

/**
 * launch_finish() - after its process was reaped: remove the cgroup and the state; 0 or -errno
 *
 * What the process left running where it had no pid namespace of its own is killed. A container
 * that was deleted meanwhile is gone already.
 */
int launch_finish(struct launched *launched, struct error *error);

/** launched_close() - let go of what is held; what runs, runs on */
void launched_close(struct launched *launched);
#define _cleanup_launched_ _cleanup_(launched_close)
