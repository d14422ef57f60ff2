/* SPDX-License-Identifier: MIT */
/*
 * The verbs of nslaunch, a file each: what main.c's table needs of them.
 */
#pragma once

#include <stdbool.h>

#include "base/command.h"
#include "launch/spec/options.h"

/* The tool's own options. */
struct nslaunch_options {
	const char *state; /* --root, --state, LAMINA_STATE; NULL: the default */
	const char *store; /* --store, LAMINA_STORE; NULL: the default */
};

struct spec_verb_options {
	struct spec_options spec;
	struct string_list bundles; /* empty: from standard input */
	bool null, force;
};

#define N_SPEC_OPTIONS 47
extern const struct command_option spec_options[N_SPEC_OPTIONS];
int verb_spec(const struct command_call *call, struct error *error);
