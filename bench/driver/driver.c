/* SPDX-License-Identifier: MIT */
/*
 * bench-driver: time commands against each other.
 *
 *	bench-driver -n 100 sleep1 -- sleep 0.01 ';' sleep2 after 'echo {}' -- sleep 0.02 ';'
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/command.h"
#include "base/fd.h"
#include "bench/driver/driver.h"

#define MAX_VARIANTS 32

struct driver_options {
	uint64_t n_rounds, n_warmups, pace_ms, settle_ms;
	const char *scenario, *host, *reference, *json;
	bool has_no_pace, decides, is_markdown;
	uint64_t max_s, margin_permille;
};

static const struct command_option options[] = {
	{ .name = "rounds",
	  .letter = 'n',
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, n_rounds),
	  .argument = "N",
	  .help = "runs of each (50)" },
	{ .name = "warm-up",
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, n_warmups),
	  .argument = "N",
	  .help = "runs of each before those that count (2)" },
	{ .name = "pace",
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, pace_ms),
	  .argument = "MS",
	  .help = "pause before each run (100)" },
	{ .name = "no-pace",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct driver_options, has_no_pace),
	  .help = "no pause: one run right after the other" },
	{ .name = "settle",
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, settle_ms),
	  .argument = "MS",
	  .help = "how long to wait, then, for other processes to be idle (1000)" },
	{ .name = "scenario",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct driver_options, scenario),
	  .argument = "NAME",
	  .help = "what the report calls it" },
	{ .name = "host",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct driver_options, host),
	  .argument = "TEXT",
	  .help = "the machine, for the JSON" },
	{ .name = "reference",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct driver_options, reference),
	  .argument = "NAME",
	  .help = "the variant that ratios are to (the first)" },
	{ .name = "json",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct driver_options, json),
	  .argument = "FILE",
	  .help = "append the results, a JSON object a line" },
	{ .name = "markdown",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct driver_options, is_markdown),
	  .help = "print a table in Markdown" },
	{ .name = "decide",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct driver_options, decides),
	  .help = "two variants, until it is sure whether the second is slower" },
	{ .name = "seconds",
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, max_s),
	  .argument = "N",
	  .help = "with --decide: at the longest (180)" },
	{ .name = "margin",
	  .type = OPTION_UINT,
	  .offset = offsetof(struct driver_options, margin_permille),
	  .argument = "N",
	  .help = "with --decide: thousandths that don't matter (20)" },
};

/* An executable's path: the search in PATH must not be part of what is timed. */
static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return strdup(name);
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char *candidate = string_format("%.*s/%s", (int)n, path, name);

		if (!candidate || access(candidate, X_OK) == 0)
			return candidate;
		free(candidate);
		path += n + (path[n] == ':');
	}
	errno = ENOENT;
	return NULL;
}

/* NAME [stamp] [byte] [daemon CGROUP] [before COMMAND] [after COMMAND] -- PROGRAM [ARGUMENT...]
 * ['|' ...] ';' */
static int variant_parse(struct variant *variant, char ***argv, struct error *error)
{
	char **argument = *argv;
	char *program;

	*variant = (struct variant){ .name = *argument++ };
	for (; *argument && strcmp(*argument, "--"); argument++) {
		if (!strcmp(*argument, "stamp"))
			variant->has_stamp = true;
		else if (!strcmp(*argument, "byte"))
			variant->has_byte = true;
		else if (!strcmp(*argument, "daemon") && argument[1])
			variant->daemon_cgroup = *++argument;
		else if (!strcmp(*argument, "before") && argument[1])
			variant->before = *++argument;
		else if (!strcmp(*argument, "after") && argument[1])
			variant->after = *++argument;
		else
			return error_usage(error, "'%s': unknown word '%s'", variant->name,
					   *argument);
	}
	if (!*argument || !argument[1])
		return error_usage(error, "'%s' has no program behind --", variant->name);
	variant->argv = ++argument;
	while (*argument && strcmp(*argument, ";"))
		argument++;
	*argv = *argument ? argument + 1 : argument;
	*argument = NULL;
	program = variant->argv[0] ? find_in_path(variant->argv[0]) : NULL;
	if (!program)
		return error_set(error, -errno, "'%s': cannot find '%s'", variant->name,
				 variant->argv[0] ? variant->argv[0] : "");
	variant->argv[0] = program;
	return 0;
}

static int variants_parse(struct comparison *comparison, char **argv, const char *reference,
			  struct error *error)
{
	while (*argv) {
		int r;

		if (comparison->n_variants == MAX_VARIANTS)
			return error_usage(error, "more than %d variants", MAX_VARIANTS);
		r = variant_parse(&comparison->variants[comparison->n_variants], &argv, error);
		if (r < 0)
			return r;
		comparison->n_variants++;
	}
	comparison->reference = comparison->variants;
	for (size_t i = 0; i < comparison->n_variants; i++) {
		if (reference && !strcmp(comparison->variants[i].name, reference))
			comparison->reference = &comparison->variants[i];
	}
	return 0;
}

static void pause_ms(uint64_t ms)
{
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

/* One that fails is told and left out; the others go on. */
static int rounds_run(struct comparison *comparison)
{
	struct error error;
	int r = 0;

	for (uint64_t round = 0; round < comparison->n_warmups + comparison->n_rounds; round++) {
		for (size_t i = 0; i < comparison->n_variants; i++) {
			struct variant *variant = &comparison->variants[i];

			if (variant->failed)
				continue;
			pause_ms(comparison->pace_ms);
			comparison->n_runs++;
			comparison->n_busy_runs +=
				comparison->settle_ms > 0 && !machine_settle(comparison->settle_ms);
			error_init(&error);
			if (variant_run(variant, round, round >= comparison->n_warmups, &error) <
			    0) {
				fprintf(stderr, "bench-driver: %s: left out: %s\n",
					comparison->scenario, error.message);
				variant->failed = true;
				r = 1;
			}
		}
	}
	return r;
}

static int json_append(const struct comparison *comparison, const char *path, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s'", path);
	comparison_write(comparison, &writer);
	r = json_writer_status(&writer);
	if (r == 0)
		r = fd_write_full(fd, writer.buffer.bytes, writer.buffer.n_bytes);
	return r < 0 ? error_set(error, r, "cannot write '%s'", path) : 0;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

static int drive(const struct command_call *call, struct error *error)
{
	static struct variant variants[MAX_VARIANTS];
	const struct driver_options *given = call->options;
	struct comparison comparison = {
		.scenario = given->scenario ? given->scenario : "comparison",
		.host = given->host ? given->host : "",
		.n_rounds = or_default(given->n_rounds, 50),
		.n_warmups = or_default(given->n_warmups, 2),
		.pace_ms = given->has_no_pace ? 0 : or_default(given->pace_ms, 100),
		.settle_ms = given->has_no_pace ? 0 : or_default(given->settle_ms, 1000),
		.variants = variants,
	};
	double margin = (double)or_default(given->margin_permille, 20) / 1000;
	int status;
	int r;

	r = variants_parse(&comparison, call->argv, given->reference, error);
	if (r < 0)
		return r;
	if (given->decides && comparison.n_variants != 2)
		return error_usage(error, "'--decide' takes two variants");
	if (given->decides) {
		r = comparison_decide(&comparison, or_default(given->max_s, 180), margin, error);
		if (r < 0)
			return r;
		status = 0;
	} else {
		status = rounds_run(&comparison);
	}
	for (size_t i = 0; i < comparison.n_variants; i++) {
		for (int measure = 0; measure < N_MEASURES; measure++) {
			if (samples_sort(&variants[i].samples[measure]) < 0)
				return error_set(error, -ENOMEM, "cannot sort");
		}
	}
	/* Ratios to one that failed at once say nothing. */
	for (size_t i = 0; i < comparison.n_variants; i++) {
		if (comparison.reference->samples[MEASURE_RETURN].n_values == 0)
			comparison.reference = &variants[i];
	}
	if (given->decides)
		status = comparison_verdict(&comparison, margin, stdout);
	else if (given->is_markdown)
		comparison_print_markdown(&comparison, stdout);
	else
		comparison_print(&comparison, stdout);
	r = given->json ? json_append(&comparison, given->json, error) : 0;
	return r < 0 ? r : status;
}

static const struct command commands[] = {
	{ .arguments = "NAME [stamp] [byte] [daemon CGROUP] [before COMMAND] [after COMMAND] -- "
		       "PROGRAM [ARGUMENT...] ['|' ...] ';' ...",
	  .summary = "run programs in turn, many times, and compare what they take",
	  .options = options,
	  .n_options = sizeof(options) / sizeof(options[0]),
	  .options_bytes = sizeof(struct driver_options),
	  .flags = COMMAND_ARGUMENTS_LAST,
	  .min_arguments = 3,
	  .max_arguments = -1,
	  .run = drive },
};

static const struct tool tool = {
	.name = "bench-driver",
	.summary = "time programs against each other",
	.commands = commands,
	.n_commands = 1,
};

int main(int argc, char *argv[])
{
	/* Tracing is not what is to be timed. */
	unsetenv("LAMINA_TRACE");
	return command_main(&tool, argc, argv);
}
