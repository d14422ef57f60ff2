/* SPDX-License-Identifier: MIT */
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/trace.h"
#include "base/version.h"

static const struct command_option help_option = { .name = "help",
						   .letter = 'h',
						   .type = OPTION_FLAG };

/* One table of options, and the struct that they fill. */
struct option_set {
	const struct command_option *options;
	size_t n_options;
	void *values;
};

struct parser {
	struct option_set sets[2]; /* the verb's, then the tool's */
	char **arguments;
	int n_arguments;
	bool help, version;
	bool has_verbs; /* and this is in front of the verb: -v and -V are the version */
	bool begun;
	struct trace_scope scope; /* cli.parse, until the verb runs; then cli.end */
};

static void *option_field(const struct option_set *set, const struct command_option *option)
{
	return (char *)set->values + option->offset;
}

static int option_store(const struct option_set *set, const struct command_option *option,
			const char *value, struct error *error)
{
	void *field = option_field(set, option);
	int r = 0;

	switch (option->type) {
	case OPTION_FLAG:
		if (value && strcmp(value, "true") && strcmp(value, "false"))
			return error_usage(error, "option '--%s' is true or false, not '%s'",
					   option->name, value);
		*(bool *)field = !value || !strcmp(value, "true");
		break;
	case OPTION_STRING:
	case OPTION_OPTIONAL:
		*(const char **)field = value ? value : "";
		break;
	case OPTION_LIST:
		r = string_list_add(field, value);
		break;
	case OPTION_UINT:
		r = string_to_uint64(value, UINT64_MAX, field);
		break;
	case OPTION_BYTES:
		r = string_to_bytes(value, field);
		break;
	}
	if (r == -ENOMEM)
		return error_set(error, r, "cannot take option '--%s'", option->name);
	if (r < 0)
		return error_usage(
			error, "option '--%s' takes %s, not '%s'", option->name,
			option->type == OPTION_BYTES ? "a size such as 512m" : "a number", value);
	return 0;
}

static bool option_takes_value(const struct command_option *option)
{
	return option->type != OPTION_FLAG && option->type != OPTION_OPTIONAL;
}

/* Finds a long option by its whole name, or by an unambiguous beginning of it. */
static const struct command_option *long_find(struct parser *parser, const char *name, size_t n,
					      const struct option_set **ret_set,
					      bool *ret_ambiguous)
{
	const struct command_option *found = NULL;

	*ret_ambiguous = false;
	for (size_t s = 0; s < 2; s++) {
		const struct option_set *set = &parser->sets[s];

		for (size_t i = 0; i < set->n_options; i++) {
			const struct command_option *option = &set->options[i];

			if (strncmp(option->name, name, n))
				continue;
			if (!option->name[n]) {
				*ret_set = set;
				*ret_ambiguous = false;
				return option;
			}
			*ret_ambiguous = found;
			*ret_set = set;
			found = option;
		}
	}
	return found;
}

static const struct command_option *letter_find(struct parser *parser, char letter,
						const struct option_set **ret_set)
{
	for (size_t s = 0; s < 2; s++) {
		const struct option_set *set = &parser->sets[s];

		for (size_t i = 0; i < set->n_options; i++) {
			if (set->options[i].letter == letter) {
				*ret_set = set;
				return &set->options[i];
			}
		}
	}
	return NULL;
}

static int long_parse(struct parser *parser, char **argv, int *i, struct error *error)
{
	const char *name = argv[*i] + 2;
	const char *value = strchr(name, '=');
	size_t n = value ? (size_t)(value - name) : strlen(name);
	const struct command_option *option;
	const struct option_set *set = NULL;
	bool ambiguous;

	option = long_find(parser, name, n, &set, &ambiguous);
	if (!option && n == 4 && !strncmp(name, "help", 4)) {
		parser->help = true;
		return 0;
	}
	if (!option && parser->has_verbs && n == 7 && !strncmp(name, "version", 7)) {
		parser->version = true;
		return 0;
	}
	if (!option || n == 0)
		return error_usage(error, "unknown option '--%.*s'", (int)n, name);
	if (ambiguous)
		return error_usage(error, "option '--%.*s' is ambiguous", (int)n, name);
	value = value ? value + 1 : NULL;
	if (!value && option_takes_value(option)) {
		value = argv[*i + 1];
		if (!value)
			return error_usage(error, "option '--%s' needs a value", option->name);
		(*i)++;
	}
	return option_store(set, option, value, error);
}

static int letters_parse(struct parser *parser, char **argv, int *i, struct error *error)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct option_set *set;
		const struct command_option *option = letter_find(parser, *p, &set);
		const char *value = NULL;
		int r;

		if (!option && *p == help_option.letter) {
			parser->help = true;
			continue;
		}
		/* runc's and crun's. */
		if (!option && parser->has_verbs && (*p == 'v' || *p == 'V')) {
			parser->version = true;
			continue;
		}
		if (!option)
			return error_usage(error, "unknown option '-%c'", *p);
		if (option_takes_value(option)) {
			value = p[1] ? p + 1 : argv[++*i];
			if (!value)
				return error_usage(error, "option '-%c' needs a value", *p);
			/* As Docker's: -m=512m means what -m 512m means. */
			if (value == p + 1 && *value == '=')
				value++;
		}
		r = option_store(set, option, value, error);
		if (r < 0 || value)
			return r;
	}
	return 0;
}

/* Parses argv[0..] until its NULL; @stop: the first argument ends the options. */
static int options_parse(struct parser *parser, char **argv, bool stop, struct error *error)
{
	int r;

	for (int i = 0; argv[i]; i++) {
		if (!strcmp(argv[i], "--")) {
			for (i++; argv[i]; i++)
				parser->arguments[parser->n_arguments++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			parser->arguments[parser->n_arguments++] = argv[i];
			if (!stop)
				continue;
			/* "IMAGE -- CMD" and "IMAGE CMD --" are the program's own business. */
			for (i++; argv[i]; i++)
				parser->arguments[parser->n_arguments++] = argv[i];
			break;
		}
		r = argv[i][1] == '-' ? long_parse(parser, argv, &i, error)
				      : letters_parse(parser, argv, &i, error);
		if (r < 0)
			return r;
	}
	parser->arguments[parser->n_arguments] = NULL;
	return 0;
}

static int environment_apply(const struct option_set *set, struct error *error)
{
	for (size_t i = 0; i < set->n_options; i++) {
		const struct command_option *option = &set->options[i];
		const char *value = option->environment ? getenv(option->environment) : NULL;
		int r;

		if (!value || !*value)
			continue;
		r = option_store(set, option, value, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void option_set_deinit(struct option_set *set)
{
	for (size_t i = 0; set->values && i < set->n_options; i++) {
		if (set->options[i].type == OPTION_LIST)
			string_list_deinit(option_field(set, &set->options[i]));
	}
	free(set->values);
}

static void options_help(const struct command_option *options, size_t n_options)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct command_option *option = &options[i];
		char left[64];
		char letter[5] = "    ";

		if (!option->help)
			continue;
		if (option->letter)
			snprintf(letter, sizeof(letter), "-%c, ", option->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, option->name,
			 !option->argument		   ? ""
			 : option->type == OPTION_OPTIONAL ? "[="
							   : " ",
			 option->argument ? option->argument : "",
			 option->type == OPTION_OPTIONAL ? "]" : "");
		printf("  %-32s%s%s\n", left,
		       strlen(left) >= 32 ? "\n                                  " : "",
		       option->help);
	}
}

static void tool_help(const struct tool *tool)
{
	printf("Usage: %s [OPTION...] COMMAND [OPTION...] [ARG...]\n\n%s\n\nCommands:\n",
	       tool->name, tool->summary);
	for (size_t i = 0; i < tool->n_commands; i++) {
		if (!(tool->commands[i].flags & COMMAND_HIDDEN))
			printf("  %-12s %s\n", tool->commands[i].name, tool->commands[i].summary);
	}
	printf("\nOptions:\n");
	options_help(tool->globals, tool->n_globals);
	printf("  -h, --help                      show this\n"
	       "      --version                   show the version\n\n"
	       "`%s help COMMAND` says more about each.\n",
	       tool->name);
}

static void command_help(const struct tool *tool, const struct command *command)
{
	printf("Usage: %s%s%s [OPTION...]%s%s\n\n%s\n", tool->name, command->name ? " " : "",
	       command->name ? command->name : "", command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", command->summary);
	printf("\nOptions:\n");
	options_help(command->options, command->n_options);
	options_help(tool->globals, tool->n_globals);
	printf("  -h, --help                      show this\n");
	if (!command->name)
		printf("      --version                   show the version\n");
}

static const struct command *command_find(const struct tool *tool, const char *name)
{
	for (size_t i = 0; i < tool->n_commands; i++) {
		if (!strcmp(tool->commands[i].name, name))
			return &tool->commands[i];
	}
	return NULL;
}

static int arguments_check(const struct command *command, int n_arguments, struct error *error)
{
	if (n_arguments < command->min_arguments)
		return error_usage(error, "too few arguments: it takes %s", command->arguments);
	if (command->max_arguments >= 0 && n_arguments > command->max_arguments)
		return error_usage(error,
				   command->arguments ? "too many arguments: it takes %s"
						      : "it takes no arguments",
				   command->arguments);
	return 0;
}

static void version_show(const struct tool *tool)
{
	if (tool->version)
		printf("%s version %s\n%s\n", tool->name, LAMINA_VERSION, tool->version);
	else
		printf("%s %s\n", tool->name, LAMINA_VERSION);
}

static void message_show(const struct tool *tool, const struct command *command,
			 const char *message, const char *hint)
{
	const char *verb = command && command->name ? command->name : NULL;

	fprintf(stderr, "%s: %s%s%s%s\n", tool->name, verb ? verb : "", verb ? ": " : "", message,
		hint);
	log_error(message);
}

void command_report(const struct command_call *call, const struct error *error)
{
	message_show(call->tool, call->command, error->message, "");
}

static int failure_report(const struct tool *tool, const struct command *command,
			  const struct error *error, int r)
{
	message_show(tool, command, error->message[0] ? error->message : strerror(-r),
		     !error->usage		? ""
		     : command && command->name ? "; see its --help"
						: "; see --help");
	if (command && command->flags & COMMAND_FAILS_125)
		return 125;
	return error->usage ? 2 : 1;
}

/* What the tool does before any verb: once, and also where the command line turns out wrong. */
static int tool_begin(const struct tool *tool, struct parser *parser, struct error *error)
{
	if (parser->begun || !tool->begin)
		return 0;
	parser->begun = true;
	return tool->begin(parser->sets[1].values, error);
}

static void traceparent_check(void)
{
	const char *text = getenv("TRACEPARENT");

	if (text && !trace_context_is_valid(text))
		log_debug("TRACEPARENT '%s' isn't a traceparent, and ignored", text);
}

static int command_run(struct command_call *call, struct parser *parser, struct error *error)
{
	int r = tool_begin(call->tool, parser, error);

	traceparent_check();
	trace_scope_end(&parser->scope);
	if (r == 0)
		r = call->command->run(call, error);
	parser->scope = trace_scope_begin("cli.end");
	return r;
}

/* "TOOL help VERB" */
static int help_run(const struct tool *tool, const char *name, struct parser *parser, char **argv,
		    const struct command **ret_command, struct error *error)
{
	const struct command *command = command_find(tool, name);
	char *help[] = { (char *)"--help", NULL };
	struct command_call call = { tool, command, parser->sets[1].values, NULL, 1, help, argv };

	if (!command)
		return error_usage(error, "unknown command '%s'", name);
	if (!(command->flags & COMMAND_RAW)) {
		command_help(tool, command);
		return 0;
	}
	*ret_command = command;
	return command_run(&call, parser, error);
}

/* Parses what stands behind the verb, and runs it. */
static int verb_run(struct command_call *call, struct parser *parser, char **rest,
		    struct error *error)
{
	const struct command *command = call->command;
	_cleanup_(option_set_deinit) struct option_set options = {
		command->options, command->n_options, calloc(1, command->options_bytes + 1)
	};
	int r;

	if (!options.values)
		return error_set(error, -ENOMEM, "cannot start");
	r = environment_apply(&options, error);
	if (r < 0)
		return r;
	parser->sets[0] = options;
	parser->n_arguments = 0;
	parser->has_verbs = false;
	r = options_parse(parser, rest, command->flags & COMMAND_ARGUMENTS_LAST, error);
	if (r < 0)
		return r;
	if (parser->help) {
		command_help(call->tool, command);
		return 0;
	}
	r = arguments_check(command, parser->n_arguments, error);
	if (r < 0)
		return r;
	call->options = options.values;
	call->argc = parser->n_arguments;
	call->argv = parser->arguments;
	return command_run(call, parser, error);
}

/* Splits "TOOL [OPTION...] VERB ..." at the verb, then parses all options of both. */
static int tool_parse(const struct tool *tool, int argc, char **argv, struct parser *parser,
		      const struct command **ret_command, struct error *error)
{
	const struct command *command = tool->commands;
	char **rest = argv + 1;
	int r = environment_apply(&parser->sets[1], error);

	if (r < 0)
		return r;
	if (command->name) {
		parser->has_verbs = true;
		r = options_parse(parser, rest, true, error);
		if (r < 0)
			return r;
		if (parser->version) {
			version_show(tool);
			return 0;
		}
		if (parser->help ||
		    (parser->n_arguments == 1 && !strcmp(parser->arguments[0], "help"))) {
			tool_help(tool);
			return 0;
		}
		if (parser->n_arguments == 0)
			return error_usage(error, "a command is missing");
		if (!strcmp(parser->arguments[0], "help"))
			return help_run(tool, parser->arguments[1], parser, argv, ret_command,
					error);
		command = command_find(tool, parser->arguments[0]);
		if (!command)
			return error_usage(error, "unknown command '%s'", parser->arguments[0]);
		rest = argv + argc - (parser->n_arguments - 1);
	}
	*ret_command = command;
	struct command_call call = {
		tool, command, parser->sets[1].values, NULL, (int)(argv + argc - rest), rest, argv
	};
	return command->flags & COMMAND_RAW ? command_run(&call, parser, error)
					    : verb_run(&call, parser, rest, error);
}

/* What is given back at its end is still in @ret_scope. */
static int tool_run(const struct tool *tool, int argc, char **argv,
		    const struct command **ret_command, struct trace_scope *ret_scope,
		    struct error *error)
{
	struct trace_scope scope = trace_scope_begin("cli.parse");
	_cleanup_(option_set_deinit) struct option_set globals = {
		tool->globals, tool->n_globals, calloc(1, tool->globals_bytes + 1)
	};
	_cleanup_free_ char **arguments = calloc((size_t)argc + 1, sizeof(char *));
	struct parser parser = { .sets = { {}, globals }, .arguments = arguments, .scope = scope };
	int r;

	*ret_scope = scope;

	if (!arguments || !globals.values)
		return error_set(error, -ENOMEM, "cannot start");
	r = tool_parse(tool, argc, argv, &parser, ret_command, error);
	if (r < 0)
		(void)tool_begin(tool, &parser, NULL);
	*ret_scope = parser.scope;
	return r;
}

/*
 * Where a standard stream is closed, the next file that is opened would be it, and get messages or
 * give input. What is put in its place fails as a closed one does, with EBADF: it has no way to be
 * read or written (O_PATH), and can be told from a /dev/null of the caller's.
 */
static int standard_streams_keep(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", O_PATH) != fd)
			return -EBADF;
	}
	return 0;
}

int command_main(const struct tool *tool, int argc, char *argv[])
{
	const char *trace_path = getenv("LAMINA_TRACE");
	const struct command *command = NULL;
	struct error error;
	struct trace_scope end;
	unsigned int slot;
	int r;

	error_init(&error);
	if (standard_streams_keep() < 0) {
		fprintf(stderr, "%s: a standard stream is closed, and '/dev/null' can't be\n",
			tool->name);
		return 1;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		version_show(tool);
		return 0;
	}
	if ((trace_path && *trace_path) || trace_is_seen())
		trace_open(tool->name, trace_path && *trace_path ? trace_path : NULL);
	trace_exec();
	slot = trace_begin(tool->name);
	r = tool_run(tool, argc, argv, &command, &end, &error);
	if (r < 0)
		r = failure_report(tool, command, &error, r);
	else if (errno = EIO, fflush(stdout) == EOF || ferror(stdout)) {
		/* EIO where it was an earlier write that failed. */
		error_set(&error, -errno, "cannot write the output");
		message_show(tool, NULL, error.message, "");
		r = command && command->flags & COMMAND_FAILS_125 ? 125 : 1;
	}
	trace_scope_end(&end);
	trace_end(slot, tool->name);
	trace_flush();
	return r;
}
