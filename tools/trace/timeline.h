/* SPDX-License-Identifier: MIT */
/*
 * A recorded start: the phases of a LAMINA_TRACE file, by container and process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"

struct phase {
	char *name;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t duration_ns;
	uint64_t cpu_ns;
	bool has_cpu;	/* a line may have none: an event, or what only wall time is known of */
	size_t process; /* index in the timeline's */
	size_t group;	/* likewise, once timeline_group() has run */
	size_t container;
	size_t parent;	    /* the phase of the same process around it; TIMELINE_NONE: none */
	unsigned int depth; /* how many there are around it */
};

/* An index of nothing: no container, no phase, no process. */
#define TIMELINE_NONE SIZE_MAX

/* The process, and the phase, that stand for the whole command: the recorder measures them. */
#define TIMELINE_RUN "run"

struct process {
	char *name; /* the tool's, or "container" for the container's side */
	int64_t pid;
	bool is_container, is_run;
	size_t container; /* the one it works for; TIMELINE_NONE: none */
	bool has_several;
	uint64_t start_ns, end_ns; /* of all its phases */
	uint64_t unix_ns;	   /* CLOCK_REALTIME at its start; 0: not said */
	char *traceparent;	   /* the environment's TRACEPARENT, or NULL */
};

/* Where a process slept: the kernel's function, seen from @start_ns to @end_ns. */
struct sample {
	int64_t pid;
	uint64_t start_ns, end_ns;
	char *wait;
};

/* One container's pipeline; or, with an empty id, what is nobody's alone. */
struct group {
	char *id;
	uint64_t start_ns, end_ns;
	size_t first, n_phases; /* its run of phases, once grouped */
};

/* All zero is a valid empty timeline. */
struct timeline {
	struct phase *phases;
	size_t n_phases, n_phases_allocated;
	struct process *processes;
	size_t n_processes, n_processes_allocated;
	struct group *groups;
	size_t n_groups, n_groups_allocated;
	struct sample *samples;
	size_t n_samples, n_samples_allocated;
};

/**
 * timeline_parse() - add the phases of @n_bytes of JSON lines, as base/trace.c writes them
 *
 * Return: 0, -EBADMSG (@error names the line and what is wrong with it) or -ENOMEM.
 */
int timeline_parse(struct timeline *timeline, const char *text, size_t n_bytes,
		   struct error *error);

/**
 * timeline_group() - give every phase its container, its parent and its depth, and sort them as
 * they are shown
 *
 * A line without a container belongs to the one that its process works for. A process that names
 * none (it ended before there was an id) belongs to the container that comes next; what a process
 * of several containers does for none of them has a group of its own, with an empty id.
 *
 * Return: 0 or -ENOMEM.
 */
int timeline_group(struct timeline *timeline);

void timeline_deinit(struct timeline *timeline);
#define _cleanup_timeline_ _cleanup_(timeline_deinit)

static inline uint64_t phase_end(const struct phase *phase)
{
	return phase->start_ns + phase->duration_ns;
}
