/* SPDX-License-Identifier: MIT */
/*
 * Another process in a container that runs.
 */
#pragma once

#include "launch/launch.h"

struct exec_options {
	const char *id;
	const char *state_path;
	const char
		*process_file; /* an OCI `process` object, or NULL: as the container's own, and: */
	char **args;	       /* NULL-terminated */
	const struct string_list *env; /* added to the container's; NAME=VALUE */
	bool has_trace;		       /* so are the launcher's trace_variables() */
	const char *cwd;
	const char *user; /* UID[:GID], numbers; or NULL */
	const struct string_list *additional_gids;
	const struct string_list
		*capabilities; /* added to all sets but the inheritable and ambient */
	bool no_new_privileges;
	const char *apparmor_profile, *selinux_label; /* in place of the container's, or NULL */
	const struct string_list *cgroups;	      /* cgroup_descend()'s, one after the other */
	bool ignore_paused; /* in a frozen cgroup too, where the process waits, and so do we */
	bool strict;	    /* launch_options' */
	bool terminal;
	const char *pid_file;
	const char *console_socket;
	bool detach; /* it outlives the launcher */
	unsigned int n_preserved_fds;
	sigset_t signal_mask;
};

/**
 * exec_start() - run a process in the container
 * @launched: gets the pid, the pidfd and the terminal's master; its other members stay empty
 * @ret_status: on failure 125, or 126 and 127 where its program can't be run or isn't there
 *
 * The container's configuration is the one it was started with, from its state directory, whatever
 * has become of its bundle. All signals must be blocked.
 *
 * Return: 0 or a negative errno.
 */
int exec_start(const struct exec_options *options, struct launched *launched, int *ret_status,
	       struct error *error);
