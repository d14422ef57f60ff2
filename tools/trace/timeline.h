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
	size_t process; /* index in the timeline's */
	size_t group;	/* likewise, once timeline_group() has run */
	size_t container;
	unsigned int depth; /* phases of the same process around it */
};

/* The value of phase.container where a line names none. */
#define TIMELINE_NO_CONTAINER SIZE_MAX

struct process {
	char *name; /* the tool's, or "container" for the container's side */
	int64_t pid;
	size_t container; /* the one it works for; TIMELINE_NO_CONTAINER: none */
	bool has_several;
	uint64_t start_ns; /* of its first phase */
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
};

/**
 * timeline_parse() - add the phases of @n_bytes of JSON lines, as base/trace.c writes them
 *
 * Return: 0, -EBADMSG (@error names the line and what is wrong with it) or -ENOMEM.
 */
int timeline_parse(struct timeline *timeline, const char *text, size_t n_bytes,
		   struct error *error);

/**
 * timeline_group() - give every phase its container and its depth, and sort them as they are shown
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

struct render_options {
	unsigned int n_columns;
	bool ascii; /* the terminal can't show line-drawing characters */
};

/** timeline_render() - write a grouped timeline as text for people */
void timeline_render(const struct timeline *timeline, const struct render_options *options,
		     FILE *file);
