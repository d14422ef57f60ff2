/* SPDX-License-Identifier: MIT */
/*
 * OpenTelemetry's OTLP/JSON, an ExportTraceServiceRequest a line: what a collector's otlpjsonfile
 * receiver reads. A trace for each container, a span for each phase.
 */
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/trace.h"
#include "base/trace_context.h"
#include "base/version.h"
#include "tools/trace/render.h"

#define TRACE_HEX_BYTES 33
#define SPAN_HEX_BYTES	17
#define KIND_INTERNAL	1

struct otlp {
	const struct view *view;
	const struct timeline *timeline;
	const struct group *group;
	size_t run; /* the phase of the whole command; TIMELINE_NONE: not recorded */
	char trace_id[TRACE_HEX_BYTES];
	uint64_t unix_offset_ns; /* CLOCK_REALTIME's lead on CLOCK_MONOTONIC */
	struct json_writer writer;
};

static const struct process *process_of(const struct otlp *otlp, size_t phase)
{
	return &otlp->timeline->processes[otlp->timeline->phases[phase].process];
}

/* As the recorder saw the two clocks; else as they are now, on this machine since its last start.
 */
static uint64_t unix_offset(const struct timeline *timeline)
{
	struct timespec now;

	for (size_t i = 0; i < timeline->n_processes; i++)
		if (timeline->processes[i].unix_ns > timeline->processes[i].start_ns)
			return timeline->processes[i].unix_ns - timeline->processes[i].start_ns;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - trace_now();
}

static const char *traceparent_of(const struct process *process)
{
	if (!process->traceparent || !trace_context_is_valid(process->traceparent))
		return NULL;
	return process->traceparent;
}

/* The caller's trace, or one of the container's own. */
static int trace_id_choose(struct otlp *otlp)
{
	const struct group *group = otlp->group;
	_cleanup_free_ char *name = NULL;

	for (size_t i = group->first; i < group->first + group->n_phases; i++) {
		const char *traceparent = traceparent_of(process_of(otlp, i));

		if (!traceparent)
			continue;
		snprintf(otlp->trace_id, sizeof(otlp->trace_id), "%.32s", traceparent + 3);
		return 0;
	}
	name = string_format("%s:%" PRIu64, group->id, group->start_ns);
	if (!name)
		return -ENOMEM;
	hash_hex(name, strlen(name), otlp->trace_id);
	return 0;
}

static void span_id(const struct otlp *otlp, size_t phase, char hex[SPAN_HEX_BYTES])
{
	trace_context_span((pid_t)process_of(otlp, phase)->pid, otlp->timeline->phases[phase].name,
			   otlp->timeline->phases[phase].start_ns, hex);
}

/* The tool that had made the container: the last that began before it, as a phase. */
static size_t launcher_find(const struct otlp *otlp, size_t container)
{
	const struct phase *phases = otlp->timeline->phases;
	size_t found = TIMELINE_NONE;

	for (size_t i = otlp->group->first; i < otlp->group->first + otlp->group->n_phases; i++) {
		if (!phase_is_tool(otlp->timeline, &phases[i]) || process_of(otlp, i)->is_run ||
		    phases[i].start_ns > phases[container].start_ns ||
		    phase_end(&phases[i]) < phases[container].start_ns)
			continue;
		if (found == TIMELINE_NONE || phases[i].start_ns > phases[found].start_ns)
			found = i;
	}
	return found;
}

/* Writes the caller's span where the environment named it: false where it didn't. */
static bool caller_write(struct otlp *otlp, const struct process *process)
{
	const char *traceparent = traceparent_of(process);
	char hex[SPAN_HEX_BYTES];

	if (!traceparent || strncmp(traceparent + 3, otlp->trace_id, 32) != 0)
		return false;
	snprintf(hex, sizeof(hex), "%.16s", traceparent + 36);
	json_write_string(&otlp->writer, "parentSpanId", hex);
	return true;
}

/* Was it called from inside (as a hook is), by one that has put itself into its environment? */
static bool is_called_from_inside(const struct otlp *otlp, const struct process *process)
{
	const char *traceparent = traceparent_of(process), *of_run = NULL;

	if (otlp->run != TIMELINE_NONE)
		of_run = traceparent_of(process_of(otlp, otlp->run));
	return traceparent && of_run && strcmp(traceparent, of_run) != 0;
}

static void parent_write(struct otlp *otlp, size_t index)
{
	const struct process *process = process_of(otlp, index);
	size_t parent = otlp->timeline->phases[index].parent;
	char hex[SPAN_HEX_BYTES];

	if (parent == TIMELINE_NONE && process->is_container)
		parent = launcher_find(otlp, index);
	if (parent == TIMELINE_NONE && !process->is_run && !is_called_from_inside(otlp, process))
		parent = otlp->run;
	if (parent == TIMELINE_NONE) {
		(void)caller_write(otlp, process);
		return;
	}
	span_id(otlp, parent, hex);
	json_write_string(&otlp->writer, "parentSpanId", hex);
}

/* 64-bit numbers are strings in protobuf's JSON. */
static void number_write(struct otlp *otlp, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	json_write_string(&otlp->writer, key, text);
}

static void attribute_begin(struct otlp *otlp, const char *key)
{
	json_write_object_begin(&otlp->writer, NULL);
	json_write_string(&otlp->writer, "key", key);
	json_write_object_begin(&otlp->writer, "value");
}

static void attribute_end(struct otlp *otlp)
{
	json_write_object_end(&otlp->writer);
	json_write_object_end(&otlp->writer);
}

static void string_attribute(struct otlp *otlp, const char *key, const char *value)
{
	attribute_begin(otlp, key);
	json_write_string(&otlp->writer, "stringValue", value);
	attribute_end(otlp);
}

static void number_attribute(struct otlp *otlp, const char *key, uint64_t value)
{
	attribute_begin(otlp, key);
	number_write(otlp, "intValue", value);
	attribute_end(otlp);
}

static void attributes_write(struct otlp *otlp, size_t index)
{
	const struct phase *phase = &otlp->timeline->phases[index];
	const struct facts *facts = &otlp->view->analysis->facts[index];

	json_write_array_begin(&otlp->writer, "attributes");
	string_attribute(otlp, "process.executable.name", process_of(otlp, index)->name);
	number_attribute(otlp, "process.pid", (uint64_t)process_of(otlp, index)->pid);
	if (phase->has_cpu)
		number_attribute(otlp, "lamina.cpu_ns", phase->cpu_ns);
	if (facts->blocked_ns > 0)
		number_attribute(otlp, "lamina.blocked_ns", facts->blocked_ns);
	if (facts->wait)
		string_attribute(otlp, "lamina.wait", facts->wait);
	if (facts->floor_ns > 0)
		number_attribute(otlp, "lamina.floor_ns", facts->floor_ns);
	attribute_begin(otlp, "lamina.critical");
	json_write_bool(&otlp->writer, "boolValue", facts->is_critical);
	attribute_end(otlp);
	json_write_array_end(&otlp->writer);
}

static bool is_event(const struct phase *phase)
{
	return phase->duration_ns == 0 && phase->parent != TIMELINE_NONE;
}

/* Moments inside the phase. */
static void events_write(struct otlp *otlp, size_t index)
{
	const struct phase *phases = otlp->timeline->phases;
	size_t end = otlp->group->first + otlp->group->n_phases;

	json_write_array_begin(&otlp->writer, "events");
	for (size_t i = index + 1; i < end && phases[i].process == phases[index].process; i++) {
		if (phases[i].parent != index || !is_event(&phases[i]))
			continue;
		json_write_object_begin(&otlp->writer, NULL);
		number_write(otlp, "timeUnixNano", phases[i].start_ns + otlp->unix_offset_ns);
		json_write_string(&otlp->writer, "name", phases[i].name);
		json_write_object_end(&otlp->writer);
	}
	json_write_array_end(&otlp->writer);
}

static void span_write(struct otlp *otlp, size_t index)
{
	const struct phase *phase = &otlp->timeline->phases[index];
	struct json_writer *writer = &otlp->writer;
	char hex[SPAN_HEX_BYTES];

	span_id(otlp, index, hex);
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "traceId", otlp->trace_id);
	json_write_string(writer, "spanId", hex);
	parent_write(otlp, index);
	json_write_string(writer, "name", phase->name);
	json_write_uint(writer, "kind", KIND_INTERNAL);
	number_write(otlp, "startTimeUnixNano", phase->start_ns + otlp->unix_offset_ns);
	number_write(otlp, "endTimeUnixNano", phase_end(phase) + otlp->unix_offset_ns);
	attributes_write(otlp, index);
	events_write(otlp, index);
	json_write_object_begin(writer, "status");
	json_write_object_end(writer);
	json_write_object_end(writer);
}

static void resource_write(struct otlp *otlp)
{
	json_write_object_begin(&otlp->writer, "resource");
	json_write_array_begin(&otlp->writer, "attributes");
	string_attribute(otlp, "service.name", "lamina");
	string_attribute(otlp, "service.version", LAMINA_VERSION);
	if (otlp->group->id[0])
		string_attribute(otlp, "container.id", otlp->group->id);
	json_write_array_end(&otlp->writer);
	json_write_object_end(&otlp->writer);
}

static void request_write(struct otlp *otlp)
{
	struct json_writer *writer = &otlp->writer;
	const struct group *group = otlp->group;

	json_write_object_begin(writer, NULL);
	json_write_array_begin(writer, "resourceSpans");
	json_write_object_begin(writer, NULL);
	resource_write(otlp);
	json_write_array_begin(writer, "scopeSpans");
	json_write_object_begin(writer, NULL);
	json_write_object_begin(writer, "scope");
	json_write_string(writer, "name", "lamina-trace");
	json_write_string(writer, "version", LAMINA_VERSION);
	json_write_object_end(writer);
	json_write_array_begin(writer, "spans");
	for (size_t i = group->first; i < group->first + group->n_phases; i++)
		if (!is_event(&otlp->timeline->phases[i]))
			span_write(otlp, i);
	json_write_array_end(writer);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}

static int group_print(struct otlp *otlp, FILE *file)
{
	const struct group *group = otlp->group;
	int r = trace_id_choose(otlp);

	otlp->run = TIMELINE_NONE;
	for (size_t i = group->first; i < group->first + group->n_phases; i++)
		if (process_of(otlp, i)->is_run && otlp->run == TIMELINE_NONE)
			otlp->run = i;
	if (r == 0) {
		request_write(otlp);
		r = json_writer_status(&otlp->writer);
	}
	if (r == 0)
		fwrite(otlp->writer.buffer.bytes, 1, otlp->writer.buffer.n_bytes, file);
	json_writer_deinit(&otlp->writer);
	otlp->writer = (struct json_writer){};
	return r;
}

int render_otlp(const struct view *view, FILE *file)
{
	const struct timeline *timeline = view->timeline;
	struct otlp otlp = { .view = view,
			     .timeline = timeline,
			     .unix_offset_ns = unix_offset(timeline) };
	int r = 0;

	for (size_t i = 0; i < timeline->n_phases && r == 0; i += otlp.group->n_phases) {
		otlp.group = &timeline->groups[timeline->phases[i].group];
		r = group_print(&otlp, file);
	}
	return r;
}
