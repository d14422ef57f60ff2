/* SPDX-License-Identifier: MIT */
/*
 * Records for people and for pipes: aligned columns with a header on a terminal, tab-separated
 * fields without one elsewhere.
 */
#pragma once

#include <stdio.h>

#include "base/text.h"

/* Start with { .columns = names, .n_columns = n }. */
struct table {
	const char *const *columns; /* headers, upper case by custom; borrowed */
	size_t n_columns;
	struct string_list cells; /* row by row */
};

/** table_add() - the next cell, copied; NULL counts as ""; tabs and control characters become '?'
 */
int table_add(struct table *table, const char *cell);

/** table_print() - write the rows to @file; @aligned: for a terminal; 0 or a negative errno */
int table_print(const struct table *table, FILE *file, bool aligned);

void table_deinit(struct table *table);
#define _cleanup_table_ _cleanup_(table_deinit)
