/* SPDX-License-Identifier: MIT */
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/json_write.h"
#include "base/probe.h"

#define TRACE_MAX_PHASES 256
#define TRACE_NO_SLOT	 UINT32_MAX
#define TRACE_OPEN	 UINT64_MAX /* the duration of a phase that hasn't ended */

LAMINA_PROBE_DEFINE(phase__begin);
LAMINA_PROBE_DEFINE(phase__end);
LAMINA_PROBE_DEFINE(event);
LAMINA_PROBE_DEFINE(container__exec);
LAMINA_PROBE_DEFINE(container__exit);

/*
 * The thread's CPU clock is a system call, the monotonic one isn't: two readings for each of fifty
 * phases would delay a program by 40 us. So the clock is read where a phase has taken longer than
 * this, and what was waited since the last reading is that phase's; a shorter one counts as CPU
 * time altogether.
 */
#define TRACE_LONG_NS 300000

struct trace_phase {
	const char *name; /* a literal: the same address in the child */
	uint64_t start_ns;
	uint64_t duration_ns;
	uint64_t cpu_ns; /* while it lasts: what its process had waited before */
	bool is_container;
};

struct trace_table {
	uint32_t n_phases;
	uint32_t n_dropped;
	struct trace_phase phases[TRACE_MAX_PHASES];
};

/* How long a process has had no processor, or wanted none. */
struct trace_waiting {
	uint64_t behind_ns; /* the CPU clock behind the monotonic one, at the last reading */
	uint64_t waited_ns; /* from the first reading to the last */
};

/* With the log's, the one global of the library: phases are stamped everywhere, and a process has
 * one timeline. */
static struct {
	struct trace_table *table;
	const char *tool;
	const char *path; /* NULL: only probes are told */
	pid_t pid;
	char container_id[128];
	pid_t container_pid;
	bool is_container, is_shared;
	struct trace_waiting waiting[2]; /* the tool's, and the container's child's */
} trace;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t trace_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void waiting_begin(void)
{
	trace.waiting[trace.is_container].behind_ns =
		trace_now() - clock_ns(CLOCK_THREAD_CPUTIME_ID);
	trace.waiting[trace.is_container].waited_ns = 0;
}

static void waiting_read(void)
{
	struct trace_waiting *waiting = &trace.waiting[trace.is_container];
	uint64_t behind_ns = trace_now() - clock_ns(CLOCK_THREAD_CPUTIME_ID);

	waiting->waited_ns += behind_ns - waiting->behind_ns;
	waiting->behind_ns = behind_ns;
}

bool trace_is_seen(void)
{
	return LAMINA_PROBE_IS_SEEN(phase__end);
}

void trace_open(const char *tool, const char *path)
{
	/* Memory that is mapped would cost the start 10 us: of this the pages are made that are
	 * written. */
	static struct trace_table table;

	trace.tool = tool;
	trace.path = path;
	trace.pid = getpid();
	trace.table = &table;
	waiting_begin();
}

int trace_share(void)
{
	struct trace_table *shared;

	if (!trace.table || trace.is_shared)
		return 0;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -errno;
	*shared = *trace.table;
	trace.table = shared;
	trace.is_shared = true;
	return 0;
}

bool trace_is_on(void)
{
	return trace.table;
}

const char *trace_parent(void)
{
	const char *text = getenv("TRACEPARENT");

	return text && trace_context_is_valid(text) ? text : NULL;
}

/* Of the tool itself: the first or the second; or NULL. */
static struct trace_phase *outermost(void)
{
	for (uint32_t i = 0; trace.table && i < trace.table->n_phases; i++) {
		if (!strcmp(trace.table->phases[i].name, trace.tool))
			return &trace.table->phases[i];
	}
	return NULL;
}

size_t trace_variables(struct trace_variables *variables)
{
	const char *parent = trace_parent(), *state = parent ? getenv("TRACESTATE") : NULL;
	const struct trace_phase *tool = outermost();
	char *text = variables->traceparent + sprintf(variables->traceparent, "TRACEPARENT=");
	char span[17];

	if (!parent)
		return 0;
	if (tool && trace.path) {
		trace_context_span(trace.pid, tool->name, tool->start_ns, span);
		trace_context_child(parent, span, text);
	} else {
		snprintf(text, TRACE_CONTEXT_BYTES, "%s", parent);
	}
	variables->items[0] = variables->traceparent;
	/* As it stands in the environment: what is in front of the value is the name. */
	variables->items[1] = state ? (char *)state - strlen("TRACESTATE=") : NULL;
	return state ? 2 : 1;
}

static unsigned int slot_take(const char *phase, uint64_t start_ns, uint64_t cpu_ns)
{
	struct trace_table *table = trace.table;
	struct trace_phase *slot;

	if (!table)
		return TRACE_NO_SLOT;
	if (table->n_phases == TRACE_MAX_PHASES) {
		table->n_dropped++;
		return TRACE_NO_SLOT;
	}
	slot = &table->phases[table->n_phases];
	*slot = (struct trace_phase){ .name = phase,
				      .start_ns = start_ns,
				      .duration_ns = TRACE_OPEN,
				      .cpu_ns = cpu_ns,
				      .is_container = trace.is_container };
	return table->n_phases++;
}

unsigned int trace_begin(const char *phase)
{
	LAMINA_PROBE1(phase__begin, phase);
	if (!trace.table)
		return TRACE_NO_SLOT;
	return slot_take(phase, trace_now(), trace.waiting[trace.is_container].waited_ns);
}

void trace_exec(void)
{
	uint64_t cpu_ns, start_ns;
	unsigned int slot;

	if (!trace.table)
		return;
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	start_ns = trace_now() - cpu_ns;
	slot = slot_take("tool.exec", start_ns, cpu_ns);
	if (slot != TRACE_NO_SLOT)
		trace.table->phases[slot].duration_ns = cpu_ns;
}

/* Returns its duration. */
static uint64_t slot_end(unsigned int number, bool has_cpu)
{
	struct trace_phase *slot;
	uint64_t waited_ns;

	if (!trace.table || number == TRACE_NO_SLOT)
		return 0;
	slot = &trace.table->phases[number];
	slot->duration_ns = trace_now() - slot->start_ns;
	if (!has_cpu) {
		slot->cpu_ns = 0;
		return slot->duration_ns;
	}
	if (slot->duration_ns > TRACE_LONG_NS)
		waiting_read();
	waited_ns = trace.waiting[trace.is_container].waited_ns - slot->cpu_ns;
	slot->cpu_ns = slot->duration_ns > waited_ns ? slot->duration_ns - waited_ns : 0;
	return slot->duration_ns;
}

/* The one place of the probe, whoever calls. */
static __attribute__((noinline)) void phase_end(unsigned int number, const char *phase,
						bool has_cpu)
{
	uint64_t duration_ns = trace.table ? slot_end(number, has_cpu) : 0;

	LAMINA_PROBE2(phase__end, phase, duration_ns);
}

void trace_end(unsigned int number, const char *phase)
{
	phase_end(number, phase, true);
}

void trace_end_elsewhere(unsigned int number, const char *phase)
{
	phase_end(number, phase, false);
}

void trace_event(const char *phase)
{
	unsigned int slot;

	LAMINA_PROBE1(event, phase);
	if (!trace.table)
		return;
	slot = slot_take(phase, trace_now(), 0);
	if (slot != TRACE_NO_SLOT)
		trace.table->phases[slot].duration_ns = 0;
}

void trace_container_exec(const char *id, pid_t pid)
{
	LAMINA_PROBE2(container__exec, id, pid);
}

void trace_container_exit(const char *id, int wait_status)
{
	LAMINA_PROBE2(container__exit, id, wait_status);
}

void trace_set_container(bool is_container)
{
	trace.is_container = is_container;
	if (!trace.table)
		return;
	/* The launcher has waited meanwhile, in no phase of its own. */
	if (is_container)
		waiting_begin();
	else
		waiting_read();
}

void trace_set_ids(const char *container_id, pid_t container_pid)
{
	snprintf(trace.container_id, sizeof(trace.container_id), "%s", container_id);
	trace.container_pid = container_pid;
}

static void phase_write(struct json_writer *writer, const struct trace_phase *phase,
			const char *parent)
{
	writer->comma = false;
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "process", phase->is_container ? "container" : trace.tool);
	json_write_int(writer, "pid", phase->is_container ? trace.container_pid : getpid());
	json_write_string(writer, "phase", phase->name);
	json_write_uint(writer, "start", phase->start_ns);
	json_write_uint(writer, "duration", phase->duration_ns);
	json_write_uint(writer, "cpu", phase->cpu_ns);
	if (trace.container_id[0])
		json_write_string(writer, "container", trace.container_id);
	if (parent)
		json_write_string(writer, "traceparent", parent);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}

void trace_flush(void)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_close_ int fd = -EBADF;
	const struct trace_phase *tool = outermost();
	uint32_t n_kept = 0;

	if (!trace.table || trace.table->n_phases == 0)
		return;
	/* In the middle of a stream the tool's own goes on, and keeps its place. */
	if (tool && tool->duration_ns == TRACE_OPEN)
		n_kept = (uint32_t)(tool - trace.table->phases) + 1;
	for (uint32_t i = 0; i < trace.table->n_phases; i++) {
		struct trace_phase *phase = &trace.table->phases[i];

		if (phase->duration_ns != TRACE_OPEN && trace.path)
			phase_write(&writer, phase, phase == tool ? trace_parent() : NULL);
		/* Not once more, where it is in front of one that is kept. */
		phase->duration_ns = TRACE_OPEN;
	}
	trace.table->n_phases = n_kept;
	if (!trace.path)
		return;
	fd = open(trace.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	/* A trace that can't be written must not change what the tool does or says. */
	if (fd >= 0 && json_writer_status(&writer) == 0)
		(void)fd_write_full(fd, writer.buffer.bytes, writer.buffer.n_bytes);
}
