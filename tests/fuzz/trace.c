/* SPDX-License-Identifier: MIT */
/*
 * Whatever stands in a trace: the critical path has no gap and no overlap, and each format takes
 * what was taken.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tools/trace/load.h"
#include "tools/trace/render.h"
#include "tools/trace/statistics.h"

/* Larger ones are slow to draw, and have nothing that smaller ones haven't. */
#define MAX_PHASES 200

static const char *const names[] = { "text", "json", "svg", "mermaid", "folded", "otlp" };

static void path_check(const struct trace *trace)
{
	for (size_t i = 0; i < trace->timeline.n_groups; i++) {
		const struct group_facts *group = &trace->analysis.groups[i];
		const struct segment *segments = &trace->analysis.segments[group->first_segment];
		uint64_t at_ns = group->start_ns;

		for (size_t s = 0; s < group->n_segments; s++) {
			if (segments[s].start_ns != at_ns || segments[s].end_ns <= at_ns)
				abort();
			at_ns = segments[s].end_ns;
		}
		if (at_ns != group->end_ns)
			abort();
	}
}

static void formats_check(const struct trace *trace)
{
	const struct render_options options = { .n_columns = 80 };
	const struct view view = { &trace->timeline, &trace->analysis, &options };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_free_ char *text = NULL;
		size_t n_bytes = 0;
		FILE *file = open_memstream(&text, &n_bytes);

		if (!file)
			return;
		if (format_find(names[i])->render(&view, file) < 0)
			abort();
		fclose(file);
		if (!strcmp(names[i], "json") && json_parse(&document, text, n_bytes, NULL) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_statistics_ struct statistics statistics = {};
	_cleanup_trace_ struct trace trace = {};
	struct error error;

	error_init(&error);
	setenv("LAMINA_FLOORS", "/nowhere/floors.jsonl", 1);
	if (trace_load(&trace, "input", (const char *)bytes, n_bytes, &error) < 0) {
		if (!error.message[0])
			abort();
		return 0;
	}
	path_check(&trace);
	if (trace.timeline.n_phases > MAX_PHASES)
		return 0;
	formats_check(&trace);
	if (statistics_add(&statistics, &trace) < 0)
		abort();
	statistics_finish(&statistics);
	return 0;
}
