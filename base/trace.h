/* SPDX-License-Identifier: MIT */
/*
 * The timeline of a start: phases stamped into a fixed table and written after the work is done.
 *
 * One table per process, off until trace_open(); off, a phase costs one test of a pointer. A child
 * that has its parent's memory until its exec stamps into its parent's table; so does one that is
 * forked after trace_share(). The names are stable and listed in docs/profiling.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/trace_context.h"

/** trace_is_seen() - does somebody look at the probe of a phase's end, and want its duration? */
bool trace_is_seen(void);

/**
 * trace_open() - switch tracing on
 * @tool: the process's name in the timeline; borrowed for the life of the process
 * @path: LAMINA_TRACE: a file that gets one JSON object a line, appended; borrowed likewise; or
 * NULL: nothing is written, and the probes are told durations
 */
void trace_open(const char *tool, const char *path);

/**
 * trace_share() - before a fork: what the child stamps is in this process's table
 *
 * Return: 0 or a negative errno (what the child stamps is lost).
 */
int trace_share(void);

bool trace_is_on(void);

/**
 * trace_begin() - stamp a phase's start; @phase is a literal; give the result to trace_end()
 *
 * Off, it costs a test of a pointer, and the instruction of a probe (base/probe.h).
 */
unsigned int trace_begin(const char *phase);
void trace_end(unsigned int slot, const char *phase);

/**
 * trace_end_elsewhere() - end a phase that another process began: its CPU time, which two clocks
 * would have measured, is left at 0
 */
void trace_end_elsewhere(unsigned int slot, const char *phase);

/** trace_event() - a moment without a duration, such as exec.done */
void trace_event(const char *phase);

/**
 * trace_exec() - the phase tool.exec: what this process has computed since its fork, which is being
 * executed, loaded and prepared by its C library (and once more, where it executes itself)
 */
void trace_exec(void);

struct trace_scope {
	const char *phase;
	unsigned int slot;
};

static inline struct trace_scope trace_scope_begin(const char *phase)
{
	return (struct trace_scope){ phase, trace_begin(phase) };
}

static inline void trace_scope_end(const struct trace_scope *scope)
{
	trace_end(scope->slot, scope->phase);
}

/* TRACE_PHASE("mnt.proc"); at the top of a block: the phase lasts until the block is left. */
#define TRACE_PHASE_JOIN(a, b) a##b
#define TRACE_PHASE_NAME(line) TRACE_PHASE_JOIN(trace_slot_, line)
#define TRACE_PHASE(phase)                                                                         \
	__attribute__((unused)) _cleanup_(trace_scope_end) const struct trace_scope                \
	TRACE_PHASE_NAME(__LINE__) = trace_scope_begin(phase)

/** trace_set_container() - from here on this process stamps as the container's child, or not */
void trace_set_container(bool is_container);

/** trace_set_ids() - the container the phases belong to ("" for none), and the pid of its child */
void trace_set_ids(const char *container_id, pid_t container_pid);

/** trace_container_exec(), trace_container_exit() - the probes of these names, and nothing else */
void trace_container_exec(const char *id, pid_t pid);
void trace_container_exit(const char *id, int wait_status);

/** trace_flush() - append the phases that have ended to the file with one write, and forget them */
void trace_flush(void);

/**
 * trace_parent() - the environment's TRACEPARENT (base/trace_context.h), or NULL: none that is
 * valid
 */
const char *trace_parent(void);

/* "TRACEPARENT=..." and perhaps "TRACESTATE=...", for the environment of what this process starts.
 */
struct trace_variables {
	char *items[2];
	char traceparent[sizeof("TRACEPARENT=") + TRACE_CONTEXT_BYTES];
};

/**
 * trace_variables() - the trace that the environment is part of, for what this process starts
 *
 * Its parent is the tool's own span where that is recorded, in a file; else the environment's.
 *
 * Return: how many there are: 0 without a valid TRACEPARENT. They point into @variables, which must
 * not move, and into the environment.
 */
size_t trace_variables(struct trace_variables *variables);

/** trace_now() - CLOCK_MONOTONIC in nanoseconds */
uint64_t trace_now(void);
