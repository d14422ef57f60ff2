/* SPDX-License-Identifier: MIT */
#include "tools/trace/analysis.h"

#include <string.h>

bool phase_is_tool(const struct timeline *timeline, const struct phase *phase)
{
	return phase->depth == 0 && !strcmp(phase->name, timeline->processes[phase->process].name);
}

bool phase_waits(const struct phase *phase)
{
	static const char *const names[] = { "ns.clone",     "exec",	  "exit.wait",
					     "remover.wait", "free.wait", "stream.wait",
					     "hook.run" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(phase->name, names[i]))
			return true;
	return false;
}

bool segment_is_in(const struct timeline *timeline, const struct segment *segment, size_t phase)
{
	if (segment->leaf == LEAF_SHELL)
		return false;
	for (size_t i = segment->phase; i != TIMELINE_NONE; i = timeline->phases[i].parent)
		if (i == phase)
			return true;
	return false;
}

const char *segment_name(const struct timeline *timeline, const struct segment *segment)
{
	switch (segment->leaf) {
	case LEAF_PHASE:
		return timeline->phases[segment->phase].name;
	case LEAF_OTHER:
		return LEAF_OTHER_NAME;
	default:
		return LEAF_SHELL_NAME;
	}
}

static void path_count(struct analysis *analysis, const struct timeline *timeline,
		       struct group_facts *group)
{
	for (size_t i = group->first_segment; i < group->first_segment + group->n_segments; i++) {
		const struct segment *segment = &analysis->segments[i];
		uint64_t duration_ns = segment->end_ns - segment->start_ns;
		size_t phase = segment->phase;

		group->leaves_ns[segment->leaf] += duration_ns;
		if (segment->leaf == LEAF_PHASE)
			analysis->facts[phase].critical_ns += duration_ns;
		if (segment->leaf == LEAF_SHELL)
			continue;
		for (; phase != TIMELINE_NONE; phase = timeline->phases[phase].parent)
			analysis->facts[phase].is_critical = true;
	}
}

static uint64_t overlap_ns(const struct phase *a, const struct phase *b)
{
	uint64_t start = a->start_ns > b->start_ns ? a->start_ns : b->start_ns;
	uint64_t end = phase_end(a) < phase_end(b) ? phase_end(a) : phase_end(b);

	return end > start ? end - start : 0;
}

/*
 * The time that @index neither worked nor is explained: by the waits of phases in it, by processes
 * that the path went through meanwhile, or, on the launcher's side, by what the container's child
 * did (with vfork the launcher sleeps until its exec).
 */
static uint64_t blocked_ns(const struct analysis *analysis, const struct timeline *timeline,
			   size_t index)
{
	const struct phase *phases = timeline->phases, *phase = &phases[index];
	const struct group *group = &timeline->groups[phase->group];
	bool is_launcher = !timeline->processes[phase->process].is_container;
	uint64_t explained = phase->cpu_ns, by_child = 0;

	if (!phase->has_cpu || phase_waits(phase) ||
	    phase->duration_ns <= explained + ANALYSIS_BLOCKED_NS)
		return 0;
	for (size_t i = group->first; i < group->first + group->n_phases; i++) {
		if (phases[i].parent == index && phases[i].duration_ns > phases[i].cpu_ns)
			explained += phases[i].duration_ns - phases[i].cpu_ns;
		if (is_launcher && phases[i].depth == 0 &&
		    timeline->processes[phases[i].process].is_container)
			by_child += overlap_ns(&phases[i], phase);
	}
	explained += by_child > analysis->facts[index].elsewhere_ns
			     ? by_child
			     : analysis->facts[index].elsewhere_ns;
	return phase->duration_ns > explained + ANALYSIS_BLOCKED_NS ? phase->duration_ns - explained
								    : 0;
}

/* Where the phase's process was seen for the longest while it lasted. */
static const char *wait_find(const struct timeline *timeline, const struct phase *phase)
{
	int64_t pid = timeline->processes[phase->process].pid;
	const char *wait = NULL;
	uint64_t longest = 0;

	for (size_t i = 0; i < timeline->n_samples; i++) {
		const struct sample *sample = &timeline->samples[i];
		uint64_t start = sample->start_ns, end = sample->end_ns;

		if (sample->pid != pid || start > phase_end(phase) || end < phase->start_ns)
			continue;
		if (start < phase->start_ns)
			start = phase->start_ns;
		if (end > phase_end(phase))
			end = phase_end(phase);
		/* Seen once, it has no length. */
		if (end - start + 1 > longest) {
			longest = end - start + 1;
			wait = sample->wait;
		}
	}
	return wait;
}

int analysis_make(struct analysis *analysis, const struct timeline *timeline,
		  const struct floors *floors)
{
	int r;

	analysis->facts = calloc(timeline->n_phases + 1, sizeof(*analysis->facts));
	analysis->groups = calloc(timeline->n_groups + 1, sizeof(*analysis->groups));
	if (!analysis->facts || !analysis->groups)
		return -ENOMEM;
	for (size_t i = 0; i < timeline->n_groups; i++) {
		r = critical_path(analysis, timeline, i);
		if (r < 0)
			return r;
		path_count(analysis, timeline, &analysis->groups[i]);
	}
	for (size_t i = 0; i < timeline->n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];
		struct group_facts *group = &analysis->groups[phase->group];
		struct facts *facts = &analysis->facts[i];

		facts->blocked_ns = blocked_ns(analysis, timeline, i);
		if (facts->blocked_ns > 0)
			facts->wait = wait_find(timeline, phase);
		facts->floor_ns = floors_find(floors, phase->name);
		analysis->has_floors = analysis->has_floors || facts->floor_ns > 0;
		if (!strcmp(phase->name, "exec.done") && group->first_instruction_ns == 0)
			group->first_instruction_ns = phase->start_ns;
	}
	return 0;
}

void analysis_deinit(struct analysis *analysis)
{
	free(analysis->facts);
	free(analysis->groups);
	free(analysis->segments);
	*analysis = (struct analysis){};
}
