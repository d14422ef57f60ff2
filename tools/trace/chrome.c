/* SPDX-License-Identifier: MIT */
/*
 * Chrome's Trace Event format, which Perfetto and chrome://tracing open: a process for each
 * container, a thread for each process of its start, and one for the critical path.
 */
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"
#include "tools/trace/render.h"

#define FLUSH_BYTES (64 * 1024)
#define PATH_TID    1

struct chrome {
	const struct view *view;
	const struct timeline *timeline;
	const struct analysis *analysis;
	struct json_writer writer;
	uint64_t start_ns;
	uint64_t pid; /* the group's, counted from 1 */
	unsigned int *lanes;
	FILE *file;
};

/* JSON's numbers have no microseconds with three decimals in json_write.h. */
static void us_write(struct chrome *chrome, const char *key, uint64_t ns)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ns / 1000,
			 (unsigned int)(ns % 1000));

	json_write_raw(&chrome->writer, key, text, (size_t)n);
}

static void flush(struct chrome *chrome)
{
	struct buffer *buffer = &chrome->writer.buffer;

	if (buffer->n_bytes > 0 && json_writer_status(&chrome->writer) == 0)
		fwrite(buffer->bytes, 1, buffer->n_bytes, chrome->file);
	buffer->n_bytes = 0;
}

static void event_begin(struct chrome *chrome, const char *type, const char *name, uint64_t tid)
{
	/* One a line. */
	if (chrome->writer.comma)
		buffer_add_string(&chrome->writer.buffer, ",\n");
	chrome->writer.comma = false;
	json_write_object_begin(&chrome->writer, NULL);
	json_write_string(&chrome->writer, "ph", type);
	json_write_string(&chrome->writer, "name", name);
	json_write_uint(&chrome->writer, "pid", chrome->pid);
	json_write_uint(&chrome->writer, "tid", tid);
}

static void event_end(struct chrome *chrome)
{
	json_write_object_end(&chrome->writer);
	if (chrome->writer.buffer.n_bytes > FLUSH_BYTES)
		flush(chrome);
}

static void time_write(struct chrome *chrome, uint64_t start_ns, uint64_t end_ns)
{
	us_write(chrome, "ts", start_ns - chrome->start_ns);
	us_write(chrome, "dur", end_ns - start_ns);
}

static void metadata_write(struct chrome *chrome, const char *what, uint64_t tid, const char *name)
{
	event_begin(chrome, "M", what, tid);
	json_write_object_begin(&chrome->writer, "args");
	json_write_string(&chrome->writer, "name", name);
	json_write_object_end(&chrome->writer);
	event_end(chrome);
}

/* What stands where: the path first, then the processes in the order of their starts. */
static void order_write(struct chrome *chrome, const char *what, uint64_t tid, uint64_t index)
{
	event_begin(chrome, "M", what, tid);
	json_write_object_begin(&chrome->writer, "args");
	json_write_uint(&chrome->writer, "sort_index", index);
	json_write_object_end(&chrome->writer);
	event_end(chrome);
}

static bool overlaps_half(const struct phase *a, const struct phase *b)
{
	const struct phase *first = a->start_ns <= b->start_ns ? a : b;
	const struct phase *second = first == a ? b : a;

	if (second->start_ns >= phase_end(first) || second->start_ns == first->start_ns)
		return false;
	return phase_end(second) > phase_end(first);
}

/*
 * Events of one thread must be in each other or apart. Phases of a process that aren't were of
 * several threads: each lane is one.
 */
static unsigned int lane_find(const struct chrome *chrome, size_t first, size_t index)
{
	const struct phase *phases = chrome->timeline->phases;
	unsigned int lane = 0;

	for (size_t i = first; i < index; i++) {
		if (chrome->lanes[i] == lane && overlaps_half(&phases[i], &phases[index])) {
			lane++;
			i = first - 1;
		}
	}
	return lane;
}

static void args_write(struct chrome *chrome, size_t index)
{
	const struct phase *phase = &chrome->timeline->phases[index];
	const struct facts *facts = &chrome->analysis->facts[index];
	struct json_writer *writer = &chrome->writer;

	json_write_object_begin(writer, "args");
	json_write_string(writer, "process", chrome->timeline->processes[phase->process].name);
	json_write_int(writer, "pid", chrome->timeline->processes[phase->process].pid);
	if (phase->duration_ns > 0) {
		if (phase->has_cpu)
			us_write(chrome, "cpu_us", phase->cpu_ns);
		json_write_bool(writer, "critical", facts->is_critical);
		us_write(chrome, "critical_us", facts->critical_ns);
	}
	if (facts->blocked_ns > 0)
		us_write(chrome, "blocked_us", facts->blocked_ns);
	if (facts->wait)
		json_write_string(writer, "wait", facts->wait);
	if (facts->floor_ns > 0)
		us_write(chrome, "floor_us", facts->floor_ns);
	json_write_object_end(writer);
}

static void phase_write(struct chrome *chrome, size_t index, uint64_t tid)
{
	const struct phase *phase = &chrome->timeline->phases[index];

	event_begin(chrome, phase->duration_ns > 0 ? "X" : "i", phase->name, tid);
	json_write_string(&chrome->writer, "cat",
			  phase_is_tool(chrome->timeline, phase) ? "tool" : "phase");
	if (phase->duration_ns > 0) {
		time_write(chrome, phase->start_ns, phase_end(phase));
	} else {
		us_write(chrome, "ts", phase->start_ns - chrome->start_ns);
		/* Drawn across all of the container's threads. */
		json_write_string(&chrome->writer, "s", "p");
	}
	args_write(chrome, index);
	event_end(chrome);
}

static void path_write(struct chrome *chrome, const struct group_facts *facts)
{
	const struct segment *segments = chrome->analysis->segments;

	metadata_write(chrome, "thread_name", PATH_TID, "critical path");
	order_write(chrome, "thread_sort_index", PATH_TID, PATH_TID);
	for (size_t i = facts->first_segment; i < facts->first_segment + facts->n_segments; i++) {
		const struct segment *segment = &segments[i];

		event_begin(chrome, "X", segment_name(chrome->timeline, segment), PATH_TID);
		json_write_string(&chrome->writer, "cat", "critical path");
		time_write(chrome, segment->start_ns, segment->end_ns);
		json_write_object_begin(&chrome->writer, "args");
		if (segment->process != TIMELINE_NONE)
			json_write_string(&chrome->writer, "process",
					  chrome->timeline->processes[segment->process].name);
		json_write_object_end(&chrome->writer);
		event_end(chrome);
	}
}

static int thread_name_write(struct chrome *chrome, size_t process, unsigned int lane, uint64_t tid)
{
	const struct process *of = &chrome->timeline->processes[process];
	_cleanup_free_ char *name = NULL;

	name = lane ? string_format("%s [%" PRId64 "] (%u)", of->name, of->pid, lane + 1)
		    : string_format("%s [%" PRId64 "]", of->name, of->pid);
	if (!name)
		return -ENOMEM;
	metadata_write(chrome, "thread_name", tid, name);
	order_write(chrome, "thread_sort_index", tid, tid);
	return 0;
}

/* Of one process in the group, from @first on: how many phases; *@tid is the first one free. */
static int process_write(struct chrome *chrome, size_t first, size_t end, uint64_t *tid)
{
	const struct phase *phases = chrome->timeline->phases;
	unsigned int n_lanes = 0;
	size_t i;

	for (i = first; i < end && phases[i].process == phases[first].process; i++) {
		chrome->lanes[i] = lane_find(chrome, first, i);
		if (chrome->lanes[i] == n_lanes &&
		    thread_name_write(chrome, phases[i].process, n_lanes, *tid + n_lanes) < 0)
			return -ENOMEM;
		if (chrome->lanes[i] == n_lanes)
			n_lanes++;
		phase_write(chrome, i, *tid + chrome->lanes[i]);
	}
	*tid += n_lanes;
	return (int)(i - first);
}

static int group_write(struct chrome *chrome, const struct group *group)
{
	_cleanup_free_ char *name =
		string_format("%s%s", group_title(chrome->view, group), group->id);
	uint64_t tid = PATH_TID + 1;
	int n;

	if (!name)
		return -ENOMEM;
	metadata_write(chrome, "process_name", 0, name);
	order_write(chrome, "process_sort_index", 0, chrome->pid);
	path_write(chrome, &chrome->analysis->groups[group - chrome->timeline->groups]);
	for (size_t i = group->first; i < group->first + group->n_phases; i += (size_t)n) {
		n = process_write(chrome, i, group->first + group->n_phases, &tid);
		if (n < 0)
			return n;
	}
	return 0;
}

static void head_write(struct chrome *chrome)
{
	struct json_writer *writer = &chrome->writer;

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "displayTimeUnit", "ns");
	json_write_object_begin(writer, "otherData");
	json_write_string(writer, "clock", "CLOCK_MONOTONIC, from its reading start_ns on");
	json_write_uint(writer, "start_ns", chrome->start_ns);
	json_write_object_end(writer);
	json_write_array_begin(writer, "traceEvents");
	buffer_add_char(&writer->buffer, '\n');
}

int render_json(const struct view *view, FILE *file)
{
	const struct timeline *timeline = view->timeline;
	struct chrome chrome = { .view = view,
				 .timeline = timeline,
				 .analysis = view->analysis,
				 .start_ns = UINT64_MAX,
				 .file = file };
	const struct group *group;
	int r = 0;

	chrome.lanes = calloc(timeline->n_phases + 1, sizeof(*chrome.lanes));
	if (!chrome.lanes)
		return -ENOMEM;
	for (size_t i = 0; i < timeline->n_groups; i++)
		if (timeline->groups[i].start_ns < chrome.start_ns)
			chrome.start_ns = timeline->groups[i].start_ns;
	head_write(&chrome);
	for (size_t i = 0; i < timeline->n_phases && r == 0; i += group->n_phases) {
		group = &timeline->groups[timeline->phases[i].group];
		chrome.pid++;
		r = group_write(&chrome, group);
	}
	buffer_add_char(&chrome.writer.buffer, '\n');
	json_write_array_end(&chrome.writer);
	json_write_object_end(&chrome.writer);
	buffer_add_char(&chrome.writer.buffer, '\n');
	if (r == 0)
		r = json_writer_status(&chrome.writer);
	flush(&chrome);
	json_writer_deinit(&chrome.writer);
	free(chrome.lanes);
	return r;
}
