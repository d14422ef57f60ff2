/* SPDX-License-Identifier: MIT */
/*
 * The parts of a start that have a file of their own.
 */
#pragma once

#include "launch/launch.h"

/**
 * launch_note() - write the state where only `delete` looks: hooks are about to do what the
 * poststop hooks undo, and a launcher that is killed meanwhile can't run these
 */
int launch_note(const struct launched *launched, const struct launch_options *options,
		struct error *error);

/**
 * launch_publish() - write the container's state, mark its bundle, write the pid file
 *
 * With wait_for_start the state has its name from the container's process, once it lives without
 * its launcher.
 */
int launch_publish(const struct launched *launched, const struct launch_options *options,
		   struct error *error);
