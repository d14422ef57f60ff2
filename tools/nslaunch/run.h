/* SPDX-License-Identifier: MIT */
/*
 * The options that `run` and `create` share.
 */
#pragma once

#include "launch/launch.h"
#include "tools/nslaunch/verbs.h"

/** notify_socket() - NOTIFY_SOCKET of a service manager, or NULL */
const char *notify_socket(void);

/** run_fill() - launch options as the command line has them; all signals are blocked afterwards */
int run_fill(const struct command_call *call, struct launch_options *options, struct error *error);

/** run_finish() - after its end: nothing is left of the container, unless its state is kept */
int run_finish(struct launched *launched, bool keep, struct error *error);

/** run_stdin_open() - the containers' standard input into @options, where it isn't the caller's */
int run_stdin_open(const struct run_options *given, struct launch_options *options,
		   struct error *error);

/** run_stream() - run every bundle that standard input names; the exit status, or -errno */
int run_stream(const struct command_call *call, struct launch_options *options,
	       struct error *error);
