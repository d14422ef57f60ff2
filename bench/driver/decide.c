/* SPDX-License-Identifier: MIT */
/*
 * Is the second of two commands slower than the first? Runs in pairs, as many as it takes to know.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/trace.h"
#include "bench/driver/driver.h"

#define FIRST_LOOK 100
#define CONFIDENCE 0.995

/* What is decided by: the earliest end of a start that was measured. */
static enum measure measure_of(const struct comparison *comparison)
{
	return comparison->variants[0].has_stamp ? MEASURE_STAMP : MEASURE_RETURN;
}

static double effect(const struct comparison *comparison, enum measure measure,
		     struct interval *ret_interval)
{
	const struct samples *first = &comparison->variants[0].samples[measure];
	const struct samples *second = &comparison->variants[1].samples[measure];

	return statistics_pairs(second->values, first->values, first->n_values, CONFIDENCE,
				ret_interval);
}

static bool is_sure(const struct comparison *comparison, double margin)
{
	struct interval interval;

	(void)effect(comparison, measure_of(comparison), &interval);
	return interval.low > 1 + margin || interval.high < 1 - margin ||
	       (interval.low > 1 - margin && interval.high < 1 + margin);
}

static void pause_ms(uint64_t ms)
{
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	if (ms > 0)
		nanosleep(&pause, NULL);
}

static int pair_run(struct comparison *comparison, uint64_t round, bool keep, struct error *error)
{
	for (size_t i = 0; i < 2; i++) {
		/* A B, then B A. */
		struct variant *variant = &comparison->variants[(i + round) % 2];
		int r;

		pause_ms(comparison->pace_ms);
		comparison->n_runs++;
		comparison->n_busy_runs += !machine_settle(comparison->settle_ms);
		r = variant_run(variant, round, keep, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int comparison_decide(struct comparison *comparison, uint64_t max_s, double margin,
		      struct error *error)
{
	uint64_t end_ns = trace_now() + max_s * 1000000000, look = FIRST_LOOK, round = 0;

	comparison->n_rounds = 0;
	for (; round < comparison->n_warmups; round++) {
		int r = pair_run(comparison, round, false, error);

		if (r < 0)
			return r;
	}
	for (; trace_now() < end_ns; round++) {
		int r = pair_run(comparison, round, true, error);

		if (r < 0)
			return r;
		if (++comparison->n_rounds < look)
			continue;
		if (is_sure(comparison, margin))
			break;
		look *= 2;
	}
	return 0;
}

static const char *verdict_words(const struct interval *interval, double margin)
{
	if (interval->low > 1 + margin)
		return "slower";
	if (interval->high < 1 - margin)
		return "faster";
	if (interval->low > 1 - margin && interval->high < 1 + margin)
		return "as fast";
	return "not sure";
}

int comparison_verdict(const struct comparison *comparison, double margin, FILE *file)
{
	static const char *const names[N_MEASURES] = {
		[MEASURE_STAMP] = "to the first instruction",
		[MEASURE_BYTE] = "to the first byte",
		[MEASURE_RETURN] = "to the return",
		[MEASURE_CPU] = "CPU time",
	};
	enum measure decisive = measure_of(comparison);
	struct interval interval;

	fprintf(file, "%-10s %-26s %10s %10s %9s  %s\n", comparison->scenario, "us, medians",
		comparison->variants[0].name, comparison->variants[1].name, "change",
		"99.5 % sure");
	for (int measure = 0; measure < N_MEASURES; measure++) {
		const struct variant *variants = comparison->variants;
		double ratio;

		if (variants[0].samples[measure].n_values == 0)
			continue;
		ratio = effect(comparison, (enum measure)measure, &interval);
		fprintf(file, "%-10s %-26s %10.0f %10.0f %+8.1f%%  %+.1f%% to %+.1f%%%s%s\n", "",
			names[measure], samples_at(&variants[0].samples[measure], 0.5),
			samples_at(&variants[1].samples[measure], 0.5), (ratio - 1) * 100,
			(interval.low - 1) * 100, (interval.high - 1) * 100,
			measure == (int)decisive ? ": " : "",
			measure == (int)decisive ? verdict_words(&interval, margin) : "");
	}
	fprintf(file,
		"%-10s %" PRIu64 " pairs, %" PRIu64 " of %" PRIu64 " runs on a busy machine\n", "",
		comparison->n_rounds, comparison->n_busy_runs, comparison->n_runs);
	(void)effect(comparison, decisive, &interval);
	return interval.low > 1 + margin;
}
