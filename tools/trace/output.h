/* SPDX-License-Identifier: MIT */
/*
 * Where a rendered trace goes, and how: the options that `show` and `record` share.
 */
#pragma once

#include <stdio.h>

#include "base/command.h"
#include "tools/trace/load.h"
#include "tools/trace/render.h"

struct output_options {
	bool ascii;
	uint64_t width;
	const char *format;
	const char *output;
};

#define OUTPUT_OPTIONS(struct_type, field)                                                         \
	{ .name = "format",                                                                        \
	  .letter = 'f',                                                                           \
	  .type = OPTION_STRING,                                                                   \
	  .offset = offsetof(struct_type, field.format),                                           \
	  .argument = "FORMAT",                                                                    \
	  .help = "text, json, svg, mermaid, folded or otlp (else what --output ends in says)" },  \
		{ .name = "output",                                                                \
		  .letter = 'o',                                                                   \
		  .type = OPTION_STRING,                                                           \
		  .offset = offsetof(struct_type, field.output),                                   \
		  .argument = "FILE",                                                              \
		  .help = "write to this file" },                                                  \
		{ .name = "ascii",                                                                 \
		  .type = OPTION_FLAG,                                                             \
		  .offset = offsetof(struct_type, field.ascii),                                    \
		  .help = "draw text with ASCII characters alone" },                               \
	{                                                                                          \
		.name = "width", .letter = 'w', .type = OPTION_UINT,                               \
		.offset = offsetof(struct_type, field.width), .argument = "COLUMNS",               \
		.help = "columns of text to use (the terminal's; 100 elsewhere)"                   \
	}

/* All zero is a valid closed output. */
struct output {
	FILE *file;
	const struct format *format;
	struct render_options render;
	const char *path; /* for messages */
	bool is_ours;	  /* opened here, so closed here */
};

/**
 * output_open() - before the work that ends in it: what is wrong with it is said first
 * @otherwise: standard output or error, where no file is named
 */
int output_open(struct output *output, const struct output_options *options, FILE *otherwise,
		struct error *error);

/** output_write() - render @trace and close */
int output_write(struct output *output, const struct trace *trace, struct error *error);

void output_close(struct output *output);
#define _cleanup_output_ _cleanup_(output_close)
