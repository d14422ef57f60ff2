/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/command.h"
#include "base/version.h"

struct globals {
	const char *store;
};

struct options {
	bool all, quiet;
	const char *name;
	const char *progress;
	struct string_list labels;
	uint64_t number, size;
};

#define OPTION(n, l, t, f, a)                                                                      \
	{                                                                                          \
		.name = n, .letter = l, .type = t, .offset = offsetof(struct options, f),          \
		.argument = a, .help = "help of " n                                                \
	}

static const struct command_option globals[] = {
	{ .name = "store",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct globals, store),
	  .argument = "DIR",
	  .help = "the store",
	  .environment = "TEST_STORE" },
};

static const struct command_option options[] = {
	OPTION("all", 'a', OPTION_FLAG, all, NULL),
	OPTION("quiet", 'q', OPTION_FLAG, quiet, NULL),
	OPTION("name", 'n', OPTION_STRING, name, "NAME"),
	OPTION("number", 0, OPTION_UINT, number, "N"),
	OPTION("memory", 'm', OPTION_BYTES, size, "SIZE"),
	OPTION("label", 'l', OPTION_LIST, labels, "LABEL"),
	OPTION("progress", 0, OPTION_OPTIONAL, progress, "HOW"),
};

/* Says what it was called with. */
static int show(const struct command_call *call, struct error *error)
{
	const struct globals *g = call->globals;
	const struct options *o = call->options;

	if (call->argc && !strcmp(call->argv[0], "fail"))
		return error_set(error, -ENOENT, "cannot open '%s'", "x");
	if (call->argc && !strcmp(call->argv[0], "status"))
		return 42;
	if (!o) {
		printf("raw");
	} else {
		printf("store=%s all=%d quiet=%d name=%s number=%llu size=%llu progress=%s",
		       g->store ? g->store : "-", o->all, o->quiet, o->name ? o->name : "-",
		       (unsigned long long)o->number, (unsigned long long)o->size,
		       o->progress ? o->progress : "-");
		STRING_LIST_FOR_EACH (&o->labels, i)
			printf(" label=%s", o->labels.items[i]);
	}
	for (int i = 0; i < call->argc; i++)
		printf(" <%s>", call->argv[i]);
	printf("\n");
	assert_null(call->argv[call->argc]);
	return 0;
}

#define COMMAND(n, f, min, max)                                                                    \
	{                                                                                          \
		.name = n, .arguments = "[ARG...]", .summary = "what it does", .options = options, \
		.n_options = sizeof(options) / sizeof(options[0]),                                 \
		.options_bytes = sizeof(struct options), .flags = f, .min_arguments = min,         \
		.max_arguments = max, .run = show                                                  \
	}

static const struct command commands[] = {
	COMMAND("show", 0, 0, -1),
	COMMAND("one", 0, 1, 1),
	COMMAND("run", COMMAND_ARGUMENTS_LAST | COMMAND_FAILS_125, 0, -1),
	COMMAND("raw", COMMAND_RAW, 0, -1),
	COMMAND("hidden", COMMAND_HIDDEN, 0, -1),
	{ .name = "none",
	  .summary = "takes none",
	  .options_bytes = sizeof(struct options),
	  .run = show },
};

static const struct tool tool = {
	.name = "tool",
	.summary = "what it does",
	.globals = globals,
	.n_globals = 1,
	.globals_bytes = sizeof(struct globals),
	.commands = commands,
	.n_commands = sizeof(commands) / sizeof(commands[0]),
};

static const struct command plain_commands[] = { COMMAND(NULL, 0, 0, 2) };
static const struct tool plain = {
	.name = "plain",
	.summary = "what it does",
	.globals = globals,
	.n_globals = 1,
	.globals_bytes = sizeof(struct globals),
	.commands = plain_commands,
	.n_commands = 1,
};

struct outcome {
	int status;
	char output[8192]; /* standard output, and behind a '!' standard error */
};

/* Calls @which with the words of @line, in a process of its own. */
static struct outcome called(const struct tool *which, const char *line)
{
	struct outcome outcome = {};
	char words[512], *argv[32] = { (char *)which->name }, *rest = words;
	_cleanup_close_ int out = memfd_create("out", MFD_CLOEXEC);
	_cleanup_close_ int err = memfd_create("err", MFD_CLOEXEC);
	int argc = 1, status;
	ssize_t n;
	pid_t pid;

	snprintf(words, sizeof(words), "%s", line);
	while ((argv[argc] = strsep(&rest, " ")))
		argc += argv[argc][0] != '\0';
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		status = command_main(which, argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	outcome.status = WEXITSTATUS(status);
	n = pread(out, outcome.output, sizeof(outcome.output) / 2, 0);
	outcome.output[n] = '!';
	n = pread(err, outcome.output + n + 1, sizeof(outcome.output) / 2 - 2, 0);
	assert_true(n >= 0);
	return outcome;
}

static void options_and_arguments_are_taken_in_all_spellings(void **state)
{
	static const struct {
		const char *line, *output;
	} cases[] = {
		{ "show", "store=- all=0 quiet=0 name=- number=0 size=0 progress=-\n!" },
		{ "--store /s show x",
		  "store=/s all=0 quiet=0 name=- number=0 size=0 progress=- <x>\n!" },
		{ "show x --store=/s",
		  "store=/s all=0 quiet=0 name=- number=0 size=0 progress=- <x>\n!" },
		{ "show -aq -n box x y",
		  "store=- all=1 quiet=1 name=box number=0 size=0 progress=- <x> <y>\n!" },
		{ "show -aqnbox", "store=- all=1 quiet=1 name=box number=0 size=0 progress=-\n!" },
		{ "show x -m 512m -m=1k --number=7",
		  "store=- all=0 quiet=0 name=- number=7 size=1024 progress=- <x>\n!" },
		{ "show --lab a -l b --label=c",
		  "store=- all=0 quiet=0 name=- number=0 size=0 progress=- label=a label=b "
		  "label=c\n!" },
		{ "show --all=false --quiet=true",
		  "store=- all=0 quiet=1 name=- number=0 size=0 progress=-\n!" },
		{ "show --progress x",
		  "store=- all=0 quiet=0 name=- number=0 size=0 progress= <x>\n!" },
		{ "show --progress=plain",
		  "store=- all=0 quiet=0 name=- number=0 size=0 progress=plain\n!" },
		{ "show --name= -- -a --",
		  "store=- all=0 quiet=0 name= number=0 size=0 progress=- <-a> <-->\n!" },
		{ "show - x",
		  "store=- all=0 quiet=0 name=- number=0 size=0 progress=- <-> <x>\n!" },
		{ "run -a image -a -- --name x",
		  "store=- all=1 quiet=0 name=- number=0 size=0 progress=- <image> <-a> <--> "
		  "<--name> <x>\n!" },
		{ "raw --help -x --", "raw <--help> <-x> <-->\n!" },
		{ "hidden x", "store=- all=0 quiet=0 name=- number=0 size=0 progress=- <x>\n!" },
	};

	unsetenv("TEST_STORE");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome = called(&tool, cases[i].line);

		assert_string_equal(outcome.output, cases[i].output);
		assert_int_equal(outcome.status, 0);
	}
}

static void wrong_usage_is_2_and_says_what_is_wrong(void **state)
{
	static const struct {
		const char *line, *words;
		int status;
	} cases[] = {
		{ "", "!tool: a command is missing; see --help\n", 2 },
		{ "nosuch", "!tool: unknown command 'nosuch'; see --help\n", 2 },
		{ "help nosuch", "!tool: unknown command 'nosuch'; see --help\n", 2 },
		{ "--nosuch show", "!tool: unknown option '--nosuch'; see --help\n", 2 },
		{ "show --nosuch", "!tool: show: unknown option '--nosuch'; see its --help\n", 2 },
		{ "show -x", "!tool: show: unknown option '-x'; see its --help\n", 2 },
		{ "show --n", "!tool: show: option '--n' is ambiguous; see its --help\n", 2 },
		{ "show --name", "!tool: show: option '--name' needs a value; see its --help\n",
		  2 },
		{ "show -n", "!tool: show: option '-n' needs a value; see its --help\n", 2 },
		{ "show --number x",
		  "!tool: show: option '--number' takes a number, not 'x'; see its --help\n", 2 },
		{ "show --number -1",
		  "!tool: show: option '--number' takes a number, not '-1'; see its --help\n", 2 },
		{ "show -m 1x",
		  "!tool: show: option '--memory' takes a size such as 512m, not '1x'; see its "
		  "--help\n",
		  2 },
		{ "show --all=yes",
		  "!tool: show: option '--all' is true or false, not 'yes'; see its --help\n", 2 },
		{ "one", "!tool: one: too few arguments: it takes [ARG...]; see its --help\n", 2 },
		{ "one a b", "!tool: one: too many arguments: it takes [ARG...]; see its --help\n",
		  2 },
		{ "none a", "!tool: none: it takes no arguments; see its --help\n", 2 },
		{ "run --nosuch", "!tool: run: unknown option '--nosuch'; see its --help\n", 125 },
	};

	unsetenv("TEST_STORE");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome = called(&tool, cases[i].line);

		assert_string_equal(outcome.output, cases[i].words);
		assert_int_equal(outcome.status, cases[i].status);
	}
}

static void a_failure_names_tool_and_verb_and_is_1_or_125(void **state)
{
	struct outcome outcome = called(&tool, "show fail");

	assert_string_equal(outcome.output,
			    "!tool: show: cannot open 'x': No such file or directory\n");
	assert_int_equal(outcome.status, 1);
	outcome = called(&tool, "run fail");
	assert_int_equal(outcome.status, 125);
	outcome = called(&plain, "fail");
	assert_string_equal(outcome.output, "!plain: cannot open 'x': No such file or directory\n");
	assert_int_equal(called(&tool, "show status").status, 42);
}

static void help_shows_the_table_and_is_no_failure(void **state)
{
	static const char *const lines[] = { "--help", "-h", "help" };
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		outcome = called(&tool, lines[i]);
		assert_int_equal(outcome.status, 0);
		assert_non_null(strstr(outcome.output, "Usage: tool [OPTION...] COMMAND"));
		assert_non_null(strstr(outcome.output, "  show         what it does\n"));
		assert_non_null(strstr(outcome.output, "--store DIR"));
		assert_null(strstr(outcome.output, "hidden"));
	}
	outcome = called(&tool, "help show");
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.output, "Usage: tool show [OPTION...] [ARG...]"));
	assert_non_null(strstr(outcome.output, "  -n, --name NAME "));
	assert_non_null(strstr(outcome.output, "      --progress[=HOW] "));
	assert_string_equal(called(&tool, "show --help").output, outcome.output);
	assert_string_equal(called(&tool, "help raw").output, "raw <--help>\n!");
	outcome = called(&plain, "--help");
	assert_non_null(strstr(outcome.output, "Usage: plain [OPTION...] [ARG...]"));
	assert_non_null(strstr(outcome.output, "--version"));
}

static void the_version_is_said(void **state)
{
	struct outcome outcome = called(&tool, "--version");

	assert_string_equal(outcome.output, "tool " LAMINA_VERSION "\n!");
	assert_int_equal(outcome.status, 0);
	assert_string_equal(called(&plain, "--version").output, "plain " LAMINA_VERSION "\n!");
}

static int begin(void *values, struct error *error)
{
	const struct globals *g = values;

	printf("begin %s ", g->store ? g->store : "-");
	return g->store && !strcmp(g->store, "bad") ? error_say(error, -EINVAL, "a bad store") : 0;
}

static void a_tool_begins_once_and_says_its_version_as_engines_read_it(void **state)
{
	struct tool runtime = tool;

	runtime.version = "spec: 1.0";
	runtime.begin = begin;
	for (const char *const *how = (const char *const[]){ "--version", "-v", "-V", NULL }; *how;
	     how++)
		assert_string_equal(called(&runtime, *how).output,
				    "tool version " LAMINA_VERSION "\nspec: 1.0\n!");
	assert_memory_equal(called(&runtime, "--store /s show").output, "begin /s store=/s ", 18);
	/* Also where the command line is wrong: a log is to have it. */
	assert_memory_equal(called(&runtime, "--store /s show --nosuch").output, "begin /s ", 9);
	assert_int_equal(called(&runtime, "--store bad show").status, 1);
	assert_int_equal(called(&runtime, "show -v").status, 2);
}

static void the_environment_gives_what_the_command_line_does_not(void **state)
{
	setenv("TEST_STORE", "/env", 1);
	assert_memory_equal(called(&tool, "show").output, "store=/env ", 11);
	assert_memory_equal(called(&tool, "show --store /line").output, "store=/line ", 12);
	setenv("TEST_STORE", "", 1);
	assert_memory_equal(called(&tool, "show").output, "store=- ", 8);
	unsetenv("TEST_STORE");
}

static void a_tool_without_verbs_takes_its_arguments_at_once(void **state)
{
	struct outcome outcome = called(&plain, "-a x --store=/s y");

	assert_string_equal(outcome.output,
			    "store=/s all=1 quiet=0 name=- number=0 size=0 progress=- <x> <y>\n!");
	assert_int_equal(called(&plain, "a b c").status, 2);
	assert_string_equal(called(&plain, "help").output,
			    "store=- all=0 quiet=0 name=- number=0 size=0 progress=- <help>\n!");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	char *argv[] = { (char *)"tool", (char *)"show", NULL };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		_exit(command_main(&tool, 2, argv));
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_arguments_are_taken_in_all_spellings),
		cmocka_unit_test(wrong_usage_is_2_and_says_what_is_wrong),
		cmocka_unit_test(a_failure_names_tool_and_verb_and_is_1_or_125),
		cmocka_unit_test(help_shows_the_table_and_is_no_failure),
		cmocka_unit_test(the_version_is_said),
		cmocka_unit_test(a_tool_begins_once_and_says_its_version_as_engines_read_it),
		cmocka_unit_test(the_environment_gives_what_the_command_line_does_not),
		cmocka_unit_test(a_tool_without_verbs_takes_its_arguments_at_once),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
