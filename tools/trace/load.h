/* SPDX-License-Identifier: MIT */
/*
 * From a trace's text to what the renderers draw, with this machine's floors beside it.
 */
#pragma once

#include "tools/trace/analysis.h"

/* A phase takes some 150 bytes: room for a stream of 20,000 containers. */
#define TRACE_MAX_BYTES (256 * 1024 * 1024)

/* All zero is valid and empty. */
struct trace {
	struct timeline timeline;
	struct floors floors;
	struct analysis analysis;
};

/**
 * trace_load() - parse, group and analyse
 * @path: for messages: where @text came from
 *
 * Return: 0 or a negative errno (-ENODATA: no phase in it).
 */
int trace_load(struct trace *trace, const char *path, const char *text, size_t n_bytes,
	       struct error *error);

/**
 * floors_load() - the floors of $LAMINA_FLOORS, or of floors.jsonl in the store
 *
 * Return: 0 (nothing is added where the store has none) or a negative errno.
 */
int floors_load(struct floors *floors, struct error *error);

void trace_deinit(struct trace *trace);
#define _cleanup_trace_ _cleanup_(trace_deinit)
