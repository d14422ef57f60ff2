/* SPDX-License-Identifier: MIT */
/*
 * Microbenchmarks in C: Google Benchmark (1.7) behind a constant table.
 *
 *	static void parse(struct benchmark_state *state, int64_t n_bytes)
 *	{
 *		...
 *		while (benchmark_keep_running(state))
 *			json_parse(...);
 *		benchmark_set_bytes(state, n_bytes);
 *	}
 *
 *	static const struct benchmark_case cases[] = {
 *		{ .name = "json/parse/5kB", .function = parse, .argument = 5000 },
 *	};
 *
 * Times are real times, shown in microseconds. Options are Google Benchmark's own:
 * --benchmark_filter=REGEX, --benchmark_repetitions=N, --benchmark_format=json, ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A benchmark that runs; Google's State. */
struct benchmark_state;

struct benchmark_case {
	const char *name;
	void (*function)(struct benchmark_state *state, int64_t argument);
	int64_t argument;
	/* Runs of the loop; 0: as many as a steady figure takes. For what is slow or paced. */
	int64_t n_iterations;
	/* The loop times itself, with benchmark_set_iteration_ns(): for what must wait in between.
	 */
	bool has_manual_time;
};

/** benchmark_keep_running() - the condition of the timed loop */
bool benchmark_keep_running(struct benchmark_state *state);

/** benchmark_pause() - stop the clock, inside the loop; costs about 0.2 us itself */
void benchmark_pause(struct benchmark_state *state);
void benchmark_resume(struct benchmark_state *state);

/** benchmark_set_iteration_ns() - what this run of a loop with manual time took */
void benchmark_set_iteration_ns(struct benchmark_state *state, uint64_t ns);

/* Behind the loop. Items and bytes are those of one run of it, and are shown as rates. */
void benchmark_set_items(struct benchmark_state *state, uint64_t n_items);
void benchmark_set_bytes(struct benchmark_state *state, uint64_t n_bytes);
void benchmark_set_label(struct benchmark_state *state, const char *label);
void benchmark_set_counter(struct benchmark_state *state, const char *name, double value);

/**
 * benchmark_skip() - give up, and say why: a failure, or what the machine lacks
 *
 * The loop ends (benchmark_keep_running() is false from then on) and the report has @reason.
 */
void benchmark_skip(struct benchmark_state *state, const char *reason);

/** benchmark_main() - run those of the table that the command line asks for; the exit status */
int benchmark_main(const struct benchmark_case *cases, size_t n_cases, int argc, char *argv[]);

#ifdef __cplusplus
}
#endif
