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

static const struct command_option profile_table[] = {
	{ .name = "count",
	  .letter = 'n',
	  .type = OPTION_STRING,
	  .offset = offsetof(struct profile_options, count),
	  .argument = "N",
	  .help = "how many starts, behind one that isn't counted (100)" },
	{ .name = "pace",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct profile_options, pace),
	  .argument = "MS",
	  .help = "milliseconds between two (100)" },
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct profile_options, json),
	  .help = "one JSON object a line, in nanoseconds" },
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
	{ .name = "profile",
	  .arguments = "[--] [RUN'S OPTION...] IMAGE [COMMAND [ARG...]]",
	  .summary = "start a container many times, and show how long each phase took",
	  OPTIONS(profile_table, struct profile_options),
	  .flags = COMMAND_ARGUMENTS_LAST,
	  .min_arguments = 1,
	  .max_arguments = -1,
	  .run = profile },
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

/* How many of the words behind `profile` are its own options: run's come behind them. */
static int profile_options_count(int argc, char *argv[])
{
	int n = 0;

	while (n < argc) {
		const char *word = argv[n];

		if (!strcmp(word, "-n") || !strcmp(word, "--count") || !strcmp(word, "--pace"))
			n += 2;
		else if (!strncmp(word, "-n", 2) || string_has_prefix(word, "--count=") ||
			 string_has_prefix(word, "--pace=") || !strcmp(word, "--json") ||
			 !strcmp(word, "--help") || !strcmp(word, "-h"))
			n++;
		else
			break;
	}
	return n < argc ? n : argc;
}

/*
 * The command line with what it leaves out: the verb, LAMINA_TRACE, which the tool itself must not
 * have, or it would add itself to the file that it shows, and where the options of `profile` end.
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
	if (n > 1 && !strcmp(words[1], "profile")) {
		for (int end = i + profile_options_count(argc - i, argv + i); i < end;)
			words[n++] = argv[i++];
		if (i < argc && strcmp(argv[i], "--") != 0)
			words[n++] = (char *)"--";
	}
	while (i < argc)
		words[n++] = argv[i++];
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char **words = calloc((size_t)argc + 5, sizeof(*words));
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
