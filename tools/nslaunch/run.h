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
