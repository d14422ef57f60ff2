/* SPDX-License-Identifier: MIT */
/*
 * lamina-trace: show what a LAMINA_TRACE file holds as a timeline.
 */
#include <string.h>

#include "tools/trace/verbs.h"

static const struct command_option show_table[] = {
	OUTPUT_OPTIONS(struct show_options, output),
};

#define OPTIONS(table, struct_type)                                                                \
	.options = (table), .n_options = sizeof(table) / sizeof((table)[0]),                       \
	.options_bytes = sizeof(struct_type)

static const struct command commands[] = {
	{ .name = "show",
	  .arguments = "FILE",
	  .summary = "show the phases that LAMINA_TRACE=FILE recorded; - reads standard input",
	  OPTIONS(show_table, struct show_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = show },
};

static const struct tool tool = {
	.name = "lamina-trace",
	.summary =
		"where the time of a start goes: `lamina-trace FILE` is `lamina-trace show FILE`",
	.commands = commands,
	.n_commands = sizeof(commands) / sizeof(commands[0]),
};

/* A file alone is to be shown. */
static bool verb_is_missing(int argc, char *argv[])
{
	if (argc < 2 || !strcmp(argv[1], "help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "--help") || !strcmp(argv[1], "--version"))
		return false;
	for (size_t i = 0; i < tool.n_commands; i++)
		if (!strcmp(argv[1], tool.commands[i].name))
			return false;
	return true;
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char **with_verb = calloc((size_t)argc + 2, sizeof(*with_verb));

	/* Or it would add itself to the file that it shows. */
	unsetenv("LAMINA_TRACE");
	if (!with_verb || !verb_is_missing(argc, argv))
		return command_main(&tool, argc, argv);
	with_verb[0] = argv[0];
	with_verb[1] = (char *)"show";
	memcpy(with_verb + 2, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	return command_main(&tool, argc + 1, with_verb);
}
