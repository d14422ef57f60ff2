/* SPDX-License-Identifier: MIT */
/*
 * An analysed timeline in the formats that people and other programs read, a file each.
 */
#pragma once

#include <inttypes.h>
#include <stdio.h>

#include "tools/trace/analysis.h"

struct render_options {
	unsigned int n_columns;
	bool ascii;  /* the terminal can't show line-drawing characters */
	bool colour; /* and it shows colours */
};

struct view {
	const struct timeline *timeline;
	const struct analysis *analysis;
	const struct render_options *options;
};

struct format {
	const char *name; /* which is a file's extension, too */
	const char *other_extension;
	int (*render)(const struct view *view, FILE *file); /* 0 or -ENOMEM */
};

/** format_find() - by its name; NULL where there is none */
const struct format *format_find(const char *name);

/** format_of_path() - by a path's extension; text where that is no format's */
const struct format *format_of_path(const char *path);

/** group_title() - what a group is in front of its id, which may be empty: "container " */
const char *group_title(const struct view *view, const struct group *group);

/**
 * name_print() - at most @n_max bytes of a name out of a file that anybody may have written:
 * printable ASCII alone, so that it can't speak to the terminal
 *
 * Return: how many.
 */
int name_print(FILE *file, const char *name, int n_max);

/** us_print() - nanoseconds as microseconds: "1234.5" with @decimals 1 (or 3), right-aligned */
void us_print(FILE *file, int width, int decimals, uint64_t ns);

int render_text(const struct view *view, FILE *file);
int render_json(const struct view *view, FILE *file);
int render_svg(const struct view *view, FILE *file);
int render_mermaid(const struct view *view, FILE *file);
int render_folded(const struct view *view, FILE *file);
int render_otlp(const struct view *view, FILE *file);
