/* SPDX-License-Identifier: MIT */
/*
 * nslaunch: an OCI runtime that starts containers as fast as the kernel can.
 */
#include "tools/nslaunch/verbs.h"

static const struct command commands[] = {
	{ .name = "spec",
	  .arguments = "[--] [COMMAND...]",
	  .summary = "make a bundle's config.json from its image's config and options",
	  .options = spec_options,
	  .n_options = N_SPEC_OPTIONS,
	  .options_bytes = sizeof(struct spec_verb_options),
	  .flags = COMMAND_ARGUMENTS_LAST,
	  .max_arguments = -1,
	  .run = verb_spec },
};

static const struct command_option globals[] = {
	{ "root", 0, OPTION_STRING, offsetof(struct nslaunch_options, state), "DIR",
	  "where the state of containers is", "LAMINA_STATE" },
	{ "state", 0, OPTION_STRING, offsetof(struct nslaunch_options, state), "DIR", NULL },
	{ "store", 0, OPTION_STRING, offsetof(struct nslaunch_options, store), "DIR",
	  "where bundles and names are", "LAMINA_STORE" },
};

int main(int argc, char *argv[])
{
	static const struct tool nslaunch = {
		.name = "nslaunch",
		.summary = "starts containers: an OCI runtime",
		.globals = globals,
		.n_globals = sizeof(globals) / sizeof(globals[0]),
		.globals_bytes = sizeof(struct nslaunch_options),
		.commands = commands,
		.n_commands = sizeof(commands) / sizeof(commands[0]),
	};

	return command_main(&nslaunch, argc, argv);
}
