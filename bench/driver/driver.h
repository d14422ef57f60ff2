/* SPDX-License-Identifier: MIT */
/*
 * Timing commands against each other: one run of each in turn, a pause before every run.
 *
 * Interleaved, since a machine's mood changes over minutes; paced, since a kernel that has just
 * moved a process between cgroups does it again within its RCU grace period for a thousandth of the
 * price, which no caller with one container to start ever sees.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json_write.h"
#include "bench/driver/statistics.h"

enum measure {
	MEASURE_STAMP,	/* from the caller's fork to the program's first instruction */
	MEASURE_BYTE,	/* to the first byte that the command writes */
	MEASURE_RETURN, /* from the caller's fork to the end of the command */
	MEASURE_CPU,	/* of the command and all it waited for, and of its daemon's cgroup */
	N_MEASURES,
};

/* Microseconds: as they came, round by round, and in their order, once samples_sort() has run. */
struct samples {
	double *values;
	size_t n_values;
	double *sorted;
};

struct variant {
	const char *name;
	const char *before, *after; /* shell commands around each run, untimed; or NULL */
	const char *daemon_cgroup;  /* where a daemon works for it, if its CPU time is to count */
	char **argv;		    /* "{}" is the round's number; NULL-terminated; borrowed */
	bool has_stamp;		    /* the program writes CLOCK_MONOTONIC to its standard output */
	bool has_byte;		    /* what counts of it is when the first byte is there */
	struct samples samples[N_MEASURES];
	uint64_t max_rss_kb;
	bool failed; /* and left out from then on */
};

struct comparison {
	const char *scenario, *host;
	uint64_t n_rounds, n_warmups, pace_ms, settle_ms;
	uint64_t n_runs, n_busy_runs; /* busy: others were running when it began */
	struct variant *variants;
	size_t n_variants;
	const struct variant *reference; /* of the ratios; among @variants */
};

/**
 * variant_run() - run a variant once
 * @round: replaces "{}" in its arguments
 * @keep: add to the samples (a warm-up isn't)
 *
 * Return: 0 or a negative errno; -ECHILD: the command failed, @error has its standard error.
 */
int variant_run(struct variant *variant, uint64_t round, bool keep, struct error *error);

/**
 * machine_settle() - wait until no other process wants a processor, for @max_ms at the longest
 *
 * Return: is it quiet? (true also where /proc/stat can't tell)
 */
bool machine_settle(uint64_t max_ms);

/**
 * daemon_cpu_us() - CPU time that a cgroup and all below it have used, those that have ended too
 * @cgroup: its directory, of v1's cpuacct or of v2
 *
 * Return: 0, or a negative errno, @error set.
 */
int daemon_cpu_us(const char *cgroup, double *ret_us, struct error *error);

/**
 * comparison_decide() - run two variants in turn until it is sure which is faster, or as fast
 * @max_s: seconds for all of it
 *
 * A B B A, so that what drifts meets both. They differ where the ratio's interval lies beyond
 * @margin (0.02: 2 %) on one side of 1, and are as fast where it lies within it. Looked at after
 * 100 pairs, 200, 400, ...; the confidence of each look is 99.5 %, so that a dozen looks are wrong
 * once in twenty times, and then by less than the margin.
 *
 * Return: 0 or a negative errno, @error set.
 */
int comparison_decide(struct comparison *comparison, uint64_t max_s, double margin,
		      struct error *error);

/** comparison_verdict() - print what comparison_decide() found; 1: the second variant is slower */
int comparison_verdict(const struct comparison *comparison, double margin, FILE *file);

int samples_sort(struct samples *samples);

/** samples_at() - the value below which @share (0 to 1) of the sorted samples are; 0 for none */
double samples_at(const struct samples *samples, double share);

/** comparison_ratio() - of a variant's median to the reference's; 0 where there is none */
double comparison_ratio(const struct comparison *comparison, const struct variant *variant,
			enum measure measure);

/** comparison_interval() - 95 % of that ratio, from the rounds that both have */
struct interval comparison_interval(const struct comparison *comparison,
				    const struct variant *variant, enum measure measure);

/** measure_title() - "to the first byte of output" */
const char *measure_title(enum measure measure);

/** comparison_print() - tables for people, in microseconds */
void comparison_print(const struct comparison *comparison, FILE *file);

/** comparison_print_markdown() - one table for a document, in milliseconds */
void comparison_print_markdown(const struct comparison *comparison, FILE *file);

/** comparison_write() - one JSON object: every quantile and every sample */
void comparison_write(const struct comparison *comparison, struct json_writer *writer);
