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
#include "base/trace_context.h"

#define TRACE_MAX_PHASES 256
#define TRACE_NO_SLOT	 UINT32_MAX

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
	const char *path;
	char container_id[128];
	pid_t container_pid;
	bool is_container;
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

int trace_open(const char *tool, const char *path)
{
	void *table = mmap(NULL, sizeof(*trace.table), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (table == MAP_FAILED)
		return -errno;
	trace.tool = tool;
	trace.path = path;
	trace.table = table;
	waiting_begin();
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

void trace_end(unsigned int number, const char *phase)
{
	struct trace_phase *slot;
	uint64_t waited_ns;

	LAMINA_PROBE1(phase__end, phase);
	if (!trace.table || number == TRACE_NO_SLOT)
		return;
	slot = &trace.table->phases[number];
	slot->duration_ns = trace_now() - slot->start_ns;
	if (slot->duration_ns > TRACE_LONG_NS)
		waiting_read();
	waited_ns = trace.waiting[trace.is_container].waited_ns - slot->cpu_ns;
	slot->cpu_ns = slot->duration_ns > waited_ns ? slot->duration_ns - waited_ns : 0;
}

void trace_end_elsewhere(unsigned int number, const char *phase)
{
	struct trace_phase *slot;

	LAMINA_PROBE1(phase__end, phase);
	if (!trace.table || number == TRACE_NO_SLOT)
		return;
	slot = &trace.table->phases[number];
	slot->cpu_ns = 0;
	slot->duration_ns = trace_now() - slot->start_ns;
}

void trace_event(const char *phase)
{
	LAMINA_PROBE1(event, phase);
	if (trace.table)
		(void)slot_take(phase, trace_now(), 0);
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

void trace_flush(void)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_close_ int fd = -EBADF;
	const char *parent;

	if (!trace.table || trace.table->n_phases == 0)
		return;
	parent = trace_parent();
	for (uint32_t i = 0; i < trace.table->n_phases; i++) {
		const struct trace_phase *phase = &trace.table->phases[i];

		writer.comma = false;
		json_write_object_begin(&writer, NULL);
		json_write_string(&writer, "process",
				  phase->is_container ? "container" : trace.tool);
		json_write_int(&writer, "pid",
			       phase->is_container ? trace.container_pid : getpid());
		json_write_string(&writer, "phase", phase->name);
		json_write_uint(&writer, "start", phase->start_ns);
		json_write_uint(&writer, "duration", phase->duration_ns);
		json_write_uint(&writer, "cpu", phase->cpu_ns);
		if (trace.container_id[0])
			json_write_string(&writer, "container", trace.container_id);
		if (parent && !phase->is_container && !strcmp(phase->name, trace.tool))
			json_write_string(&writer, "traceparent", parent);
		json_write_object_end(&writer);
		buffer_add_char(&writer.buffer, '\n');
	}
	trace.table->n_phases = 0;
	fd = open(trace.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	/* A trace that can't be written must not change what the tool does or says. */
	if (fd >= 0 && json_writer_status(&writer) == 0)
		(void)fd_write_full(fd, writer.buffer.bytes, writer.buffer.n_bytes);
}
