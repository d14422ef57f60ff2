/* SPDX-License-Identifier: MIT */
/*
 * lamina-trace: record starts, and show what a LAMINA_TRACE file holds as a timeline.
 */
#include <string.h>

#include "tools/trace/verbs.h"

static const struct command_option show_table[] = {
	OUTPUT_OPTIONS(struct show_options, output),
};

static const struct command_option record_table[] = {
	OUTPUT_OPTIONS(struct record_options, output),
	{ .name = "trace",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct record_options, trace),
	  .argument = "FILE",
	  .help = "add the phases to this file too (LAMINA_TRACE)" },
	{ .name = "no-samples",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct record_options, no_samples),
	  .help = "do not look where its processes sleep" },
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
	{ .name = "record",
	  .arguments = "[--] COMMAND [ARG...]",
	  .summary = "run a command, then show its timeline on standard error",
	  OPTIONS(record_table, struct record_options),
	  .flags = COMMAND_ARGUMENTS_LAST | COMMAND_FAILS_125,
	  .min_arguments = 1,
	  .max_arguments = -1,
	  .run = record },
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

/*
 * The command line with what it leaves out: the verb, and LAMINA_TRACE, which the tool itself must
 * not have, or it would add itself to the file that it shows.
 */
static void words_complete(int argc, char *argv[], char **words, const char *trace)
{
	int n = 0, i = 0;

	words[n++] = argv[i++];
	if (verb_is_missing(argc, argv))
		words[n++] = (char *)"show";
	else if (i < argc)
		words[n++] = argv[i++];
	if (trace && *trace && n > 1 && !strcmp(words[1], "record")) {
		words[n++] = (char *)"--trace";
		words[n++] = (char *)trace;
	}
	while (i < argc)
		words[n++] = argv[i++];
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char **words = calloc((size_t)argc + 4, sizeof(*words));
	_cleanup_free_ char *trace = NULL;
	int n_words = 0;

	if (!words)
		return 1;
	if (getenv("LAMINA_TRACE"))
		trace = strdup(getenv("LAMINA_TRACE"));
	unsetenv("LAMINA_TRACE");
	words_complete(argc, argv, words, trace);
	while (words[n_words])
		n_words++;
	return command_main(&tool, n_words, words);
}
