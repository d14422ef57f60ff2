/* SPDX-License-Identifier: MIT */
#include "tools/trace/load.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/text.h"
#include "fs/store.h"

#define FLOORS_MAX_BYTES (1024 * 1024)

static char *floors_path(void)
{
	const char *floors = getenv("LAMINA_FLOORS"), *store = getenv("LAMINA_STORE");
	_cleanup_free_ char *otherwise = NULL;

	if (floors && *floors)
		return string_format("%s", floors);
	if (!store || !*store)
		store = otherwise = store_default_path();
	return store ? string_format("%s/floors.jsonl", store) : NULL;
}

int floors_load(struct floors *floors, struct error *error)
{
	_cleanup_free_ char *path = floors_path(), *text = NULL;
	size_t n_bytes;
	int r;

	if (!path)
		return 0;
	r = file_read_at(AT_FDCWD, path, FLOORS_MAX_BYTES, &text, &n_bytes);
	if (r == -ENOENT || r == -EACCES)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	r = floors_parse(floors, text, n_bytes, error);
	return r < 0 ? error_prefix(error, r, "'%s'", path) : 0;
}

int trace_load(struct trace *trace, const char *path, const char *text, size_t n_bytes,
	       struct error *error)
{
	int r = timeline_parse(&trace->timeline, text, n_bytes, error);

	if (r < 0)
		return error_prefix(error, r, "'%s'", path);
	if (trace->timeline.n_phases == 0)
		return error_say(error, -ENODATA, "'%s': there are no phases in it", path);
	r = floors_load(&trace->floors, error);
	if (r < 0)
		return r;
	r = timeline_group(&trace->timeline);
	if (r == 0)
		r = analysis_make(&trace->analysis, &trace->timeline, &trace->floors);
	return r < 0 ? error_set(error, r, "cannot analyse '%s'", path) : 0;
}

void trace_deinit(struct trace *trace)
{
	analysis_deinit(&trace->analysis);
	floors_deinit(&trace->floors);
	timeline_deinit(&trace->timeline);
}
