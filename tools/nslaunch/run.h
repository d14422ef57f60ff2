/* SPDX-License-Identifier: MIT */
/*
 * The options that `run` and `create` share.
 */
#pragma once

#include "launch/launch.h"
#include "tools/nslaunch/verbs.h"

/** run_fill() - launch options as the command line has them; all signals are blocked afterwards */
int run_fill(const struct command_call *call, struct launch_options *options, struct error *error);
