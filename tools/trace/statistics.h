/* SPDX-License-Identifier: MIT */
/*
 * Many starts of the same thing: for each phase of theirs how long it took, from the shortest to
 * the longest, and how much of the critical path it is.
 */
#pragma once

#include <stdio.h>

#include "tools/trace/load.h"

/* Durations of one thing, sorted once all are there. */
struct durations {
	uint64_t *ns;
	size_t n, n_allocated;
};

struct phase_statistics {
	char *process;	      /* the tool's name */
	unsigned int ordinal; /* which process of that name in the start: 1 is the first */
	char *phase;
	unsigned int depth;
	uint64_t order_ns; /* where in the start it was seen first */
	struct durations durations;
	uint64_t critical_ns; /* in sum */
	uint64_t floor_ns;    /* 0: not known */
};

/* All zero is valid: no start yet. */
struct statistics {
	struct phase_statistics *phases;
	size_t n_phases, n_phases_allocated;
	struct durations leaves[3]; /* of the path, a start each, by enum leaf */
	struct durations first_instruction, whole;
	uint64_t whole_ns; /* in sum */
	bool has_floors;
};

/** statistics_add() - one more start; 0 or -ENOMEM */
int statistics_add(struct statistics *statistics, const struct trace *trace);

/** statistics_finish() - sort what is there; nothing is to be added behind that */
void statistics_finish(struct statistics *statistics);

/** durations_quantile() - of sorted ones, the nearest rank: the median is @percent 50; 0: none */
uint64_t durations_quantile(const struct durations *durations, unsigned int percent);

/** statistics_print_text() - a table for people; statistics_print_json() - the same as JSON lines
 */
void statistics_print_text(const struct statistics *statistics, FILE *file);
int statistics_print_json(const struct statistics *statistics, FILE *file);

void statistics_deinit(struct statistics *statistics);
#define _cleanup_statistics_ _cleanup_(statistics_deinit)
