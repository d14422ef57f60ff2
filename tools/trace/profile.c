/* SPDX-License-Identifier: MIT */
#include "tools/trace/verbs.h"

#include <time.h>

#include "tools/trace/recording.h"
#include "tools/trace/statistics.h"

#define DEFAULT_COUNT	100
#define MAX_COUNT	1000000
#define DEFAULT_PACE_MS 100
#define MAX_PACE_MS	3600000

/* Of run's statuses from here on each may be its own failure, or a signal that ended it. */
#define FAILURES_BEGIN 125

static void pause_ms(uint64_t ms)
{
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (ms > 0 && nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

/* One start; not counted where @statistics is NULL. */
static int start(char **command, struct statistics *statistics, struct error *error)
{
	const struct recording recording = { .command = command, .mute = true };
	_cleanup_trace_file_ struct trace_file file = TRACE_FILE_INIT;
	_cleanup_trace_ struct trace trace = {};
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = trace_file_open(&file, NULL, error);

	if (r < 0)
		return r;
	r = recording_run(&recording, &file, error);
	if (r < 0 || error->code != 0)
		return r < 0 ? r : error->code;
	if (r >= FAILURES_BEGIN)
		return error_say(error, -ECHILD, "a start ended with status %d", r);
	if (!statistics)
		return 0;
	r = trace_file_read(&file, &text, &n_bytes, error);
	if (r == 0)
		r = trace_load(&trace, file.path, text, n_bytes, error);
	if (r < 0)
		return r;
	r = statistics_add(statistics, &trace);
	return r < 0 ? error_set(error, r, "cannot keep the times") : 0;
}

static int number_take(const char *text, const char *option, uint64_t min, uint64_t max,
		       uint64_t otherwise, uint64_t *ret, struct error *error)
{
	*ret = otherwise;
	if (!text)
		return 0;
	if (string_to_uint64(text, max, ret) == 0 && *ret >= min)
		return 0;
	return error_usage(error, "option '--%s' is a number from %u to %u, not '%s'", option,
			   (unsigned int)min, (unsigned int)max, text);
}

/* "lamina-run --rm OPTION... IMAGE COMMAND..." */
static char **command_make(const struct command_call *call)
{
	char **command = calloc((size_t)call->argc + 3, sizeof(*command));

	if (!command)
		return NULL;
	command[0] = (char *)"lamina-run";
	command[1] = (char *)"--rm";
	for (int i = 0; i < call->argc; i++)
		command[2 + i] = call->argv[i];
	return command;
}

int profile(const struct command_call *call, struct error *error)
{
	const struct profile_options *options = call->options;
	_cleanup_statistics_ struct statistics statistics = {};
	_cleanup_free_ char **command = command_make(call);
	uint64_t count, pace_ms;
	int r;

	error_init(error);
	if (!command)
		return error_set(error, -ENOMEM, "cannot start");
	r = number_take(options->count, "count", 1, MAX_COUNT, DEFAULT_COUNT, &count, error);
	if (r == 0)
		r = number_take(options->pace, "pace", 0, MAX_PACE_MS, DEFAULT_PACE_MS, &pace_ms,
				error);
	/* What only the first does (caches, an image's init layer) is in none of them. */
	if (r == 0)
		r = start(command, NULL, error);
	for (uint64_t i = 0; i < count && r == 0; i++) {
		pause_ms(pace_ms);
		r = start(command, &statistics, error);
	}
	if (r < 0)
		return r;
	statistics_finish(&statistics);
	if (options->json)
		return statistics_print_json(&statistics, stdout);
	statistics_print_text(&statistics, stdout);
	return 0;
}
