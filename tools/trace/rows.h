/* SPDX-License-Identifier: MIT */
/*
 * A group's timeline as rows, for what draws it: a heading for each process, its phases below,
 * and what no phase has in one row a process.
 */
#pragma once

#include "tools/trace/analysis.h"

enum row_type {
	ROW_PROCESS, /* a heading: no bar */
	ROW_PHASE,
	ROW_EVENT,  /* a phase without a duration */
	ROW_LEAVES, /* the shell's pieces of the path, or those of a process that no phase has */
};

struct row {
	enum row_type type;
	size_t process; /* TIMELINE_NONE: of none */
	size_t phase;	/* of the timeline; TIMELINE_NONE: none */
	enum leaf leaf; /* of ROW_LEAVES */
	unsigned int depth;
	uint64_t start_ns, end_ns; /* of all of it */
	uint64_t duration_ns;	   /* in sum, where there are gaps */
};

struct rows {
	struct row *rows;
	size_t n_rows;
};

/** rows_make() - the rows of @group; @rows is all zero; 0 or -ENOMEM */
int rows_make(struct rows *rows, const struct timeline *timeline, const struct analysis *analysis,
	      size_t group);

/** row_has() - is this segment of the path drawn in @row? */
bool row_has(const struct timeline *timeline, const struct row *row, const struct segment *segment);

/** row_name() - the phase's, the leaf's, or the process's */
const char *row_name(const struct timeline *timeline, const struct row *row);

void rows_deinit(struct rows *rows);
#define _cleanup_rows_ _cleanup_(rows_deinit)
