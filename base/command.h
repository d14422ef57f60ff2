/* SPDX-License-Identifier: MIT */
/*
 * Command lines as constant tables: a tool is a table of verbs, a verb has a table of options, and
 * main() only calls command_main().
 *
 * Command lines are `TOOL [OPTION...] VERB [OPTION...] [ARG...]`; a tool's own options are accepted
 * on either side of the verb. `--name value`, `--name=value`, `-n value`, `-nvalue`, `-it`, and
 * `--` as GNU getopt_long has them; a long name may be cut short where that is unambiguous.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* What an option's value becomes, at @offset in the options struct (all zero before parsing). */
enum option_type {
	OPTION_FLAG,	 /* bool: true; --name=false is understood too, as Docker's */
	OPTION_STRING,	 /* const char *: borrowed from argv; the last one wins */
	OPTION_OPTIONAL, /* const char *: "" without a value, which only --name=VALUE gives */
	OPTION_LIST,	 /* struct string_list: every one, in order; freed by command_main() */
	OPTION_UINT,	 /* uint64_t */
	OPTION_BYTES,	 /* uint64_t: Docker's sizes, string_to_bytes() */
};

struct command_option {
	const char *name; /* without the dashes */
	char letter;	  /* or 0 */
	enum option_type type;
	size_t offset;		 /* offsetof(struct X_options, field) */
	const char *argument;	 /* how help names the value; NULL for a flag */
	const char *help;	 /* one line, lower case; NULL: accepted, not shown */
	const char *environment; /* gives the value where the command line doesn't, or NULL */
};

enum command_flags {
	COMMAND_ARGUMENTS_LAST = 1
				 << 0, /* the first argument ends the options (a program follows) */
	COMMAND_FAILS_125 = 1 << 1,    /* own failures are 125: the status is the container's */
	COMMAND_HIDDEN = 1 << 2,       /* not in the help */
	/*
	 * Everything behind the verb goes to run() as it stands, --help included: the verb is an
	 * executable of its own that the tool execs.
	 */
	COMMAND_RAW = 1 << 3,
};

struct command_call {
	const struct tool *tool;
	const struct command *command;
	void *globals; /* the tool's own options */
	void *options; /* the verb's */
	int argc;      /* arguments, without verb and options; argv[argc] is NULL */
	char **argv;
	char **process_argv; /* main()'s, for a tool that executes itself */
};

struct command {
	const char *name;
	const char *arguments; /* how help shows them: "[--] IMAGE [COMMAND...]"; NULL: none */
	const char *summary;
	const struct command_option *options;
	size_t n_options;
	size_t options_bytes; /* sizeof(struct X_options) */
	unsigned int flags;
	int min_arguments, max_arguments; /* checked before run(); max -1: any number */
	/*
	 * run() - do it: 0 or a positive exit status, or a negative errno with @error filled, which
	 * command_main() prints as "TOOL: VERB: message" and turns into the status.
	 */
	int (*run)(const struct command_call *call, struct error *error);
};

struct tool {
	const char *name;
	const char *summary;
	const struct command_option *globals;
	size_t n_globals;
	size_t globals_bytes;
	const struct command *commands;
	size_t n_commands; /* 1 and a NULL name: the tool has no verbs */
	/*
	 * What --version says in its second line, or NULL. With it the first is "TOOL version X",
	 * as engines look for it in what a runtime says.
	 */
	const char *version;
	/*
	 * begin() - called once with the tool's own options, before a verb's run(), or before a
	 * wrong command line is reported: where a log is opened. May be NULL.
	 */
	int (*begin)(void *globals, struct error *error);
};

/**
 * command_report() - say an error as command_main() does, for a verb that goes on, or has an exit
 * status of its own
 */
void command_report(const struct command_call *call, const struct error *error);

/**
 * command_main() - parse, run, report; opens and flushes the trace (LAMINA_TRACE)
 *
 * Return: the exit status: run()'s, 1 failed, 2 wrong usage, or 125 for both (COMMAND_FAILS_125).
 */
int command_main(const struct tool *tool, int argc, char *argv[]);
