/* SPDX-License-Identifier: MIT */
/*
 * The verbs of lamina-trace, a file each.
 */
#pragma once

#include "base/command.h"
#include "tools/trace/output.h"

struct show_options {
	struct output_options output;
};

struct record_options {
	struct output_options output;
	const char *trace;
	bool no_samples;
};

struct profile_options {
	const char *count, *pace;
	bool json;
};

int show(const struct command_call *call, struct error *error);
int record(const struct command_call *call, struct error *error);
int profile(const struct command_call *call, struct error *error);
