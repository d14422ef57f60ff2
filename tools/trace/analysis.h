/* SPDX-License-Identifier: MIT */
/*
 * What a timeline says: which phases the end of the command waited for, one after the other (the
 * critical path), where it slept, and how far each phase is from its floor on this machine.
 */
#pragma once

#include "tools/trace/floors.h"
#include "tools/trace/timeline.h"

/* A phase that waits longer than this beside its own work is blocked: there starts are lost. */
#define ANALYSIS_BLOCKED_NS 1000000

enum leaf {
	LEAF_PHASE, /* a phase with none inside */
	LEAF_OTHER, /* time of a process that no phase has */
	LEAF_SHELL, /* between the processes: the shell's forks and waits */
};

#define LEAF_OTHER_NAME "(other)"
#define LEAF_SHELL_NAME "shell"

/* A piece of the critical path. They follow each other without a gap. */
struct segment {
	uint64_t start_ns, end_ns;
	enum leaf leaf;
	size_t process; /* TIMELINE_NONE: of none (the shell's, where nothing was recorded of it) */
	size_t phase;	/* the leaf, or the innermost around it; TIMELINE_NONE: none */
};

/* Of the phase with the same index. */
struct facts {
	uint64_t critical_ns;  /* on the path, as its leaf */
	bool is_critical;      /* it, or one inside */
	uint64_t blocked_ns;   /* neither working nor explained; 0 below ANALYSIS_BLOCKED_NS */
	const char *wait;      /* where it slept, or NULL; borrowed from the timeline's samples */
	uint64_t floor_ns;     /* 0: not known */
	uint64_t elsewhere_ns; /* the path went through other processes meanwhile */
};

/* Of the group with the same index. */
struct group_facts {
	size_t first_segment, n_segments;
	uint64_t start_ns, end_ns;     /* of the path */
	bool is_measured;	       /* by the recorder: not only from first to last phase */
	uint64_t first_instruction_ns; /* the moment that the program ran; 0: it isn't recorded */
	uint64_t leaves_ns[3];	       /* of the path, by enum leaf */
};

struct analysis {
	struct facts *facts;
	struct group_facts *groups;
	struct segment *segments;
	size_t n_segments, n_segments_allocated;
	bool has_floors; /* of any of its phases */
};

/**
 * analysis_make() - of a grouped timeline
 * @floors: may be empty
 * @analysis: all zero; refers to @timeline
 *
 * Return: 0 or -ENOMEM.
 */
int analysis_make(struct analysis *analysis, const struct timeline *timeline,
		  const struct floors *floors);

void analysis_deinit(struct analysis *analysis);
#define _cleanup_analysis_ _cleanup_(analysis_deinit)

/** phase_is_tool() - is it a tool's whole life, named as the tool? */
bool phase_is_tool(const struct timeline *timeline, const struct phase *phase);

/** phase_waits() - does it wait for another process by nature? */
bool phase_waits(const struct phase *phase);

/** segment_is_in() - is @segment @phase's, or of a phase inside it? */
bool segment_is_in(const struct timeline *timeline, const struct segment *segment, size_t phase);

/** segment_name() - the leaf's name */
const char *segment_name(const struct timeline *timeline, const struct segment *segment);

/**
 * critical_path() - find a group's, as segments from the analysis's first free one on
 *
 * From the end backwards: the process that ended last, from its start to its end, then the one
 * that ended last before it started. Where it waits (for the container's child, for what a pipe
 * brings, for a program), the path goes through the process that works meanwhile.
 *
 * Return: 0 or -ENOMEM.
 */
int critical_path(struct analysis *analysis, const struct timeline *timeline, size_t group);
