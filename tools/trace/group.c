/* SPDX-License-Identifier: MIT */
#include "tools/trace/timeline.h"

#include <string.h>

static int add_common_group(struct timeline *timeline, size_t *ret)
{
	struct group *grown =
		reallocarray(timeline->groups, timeline->n_groups + 1, sizeof(*timeline->groups));

	if (!grown)
		return -ENOMEM;
	timeline->groups = grown;
	timeline->n_groups_allocated = timeline->n_groups + 1;
	grown[timeline->n_groups] = (struct group){ .id = strdup(""), .start_ns = UINT64_MAX };
	if (!grown[timeline->n_groups].id)
		return -ENOMEM;
	*ret = timeline->n_groups++;
	return 0;
}

/* The container whose first line is the next after @start_ns; the last one where none follows. */
static size_t next_container(const struct timeline *timeline, size_t n_containers,
			     uint64_t start_ns)
{
	size_t next = TIMELINE_NONE, last = 0;

	for (size_t i = 0; i < n_containers; i++) {
		const struct group *group = &timeline->groups[i];

		if (group->start_ns >= start_ns &&
		    (next == TIMELINE_NONE || group->start_ns < timeline->groups[next].start_ns))
			next = i;
		if (group->start_ns > timeline->groups[last].start_ns)
			last = i;
	}
	return next == TIMELINE_NONE ? last : next;
}

/* A command that made several containers belongs to none of them. */
static size_t container_of_run(const struct timeline *timeline, size_t n_containers,
			       const struct process *run)
{
	size_t found = TIMELINE_NONE;

	for (size_t i = 0; i < n_containers; i++) {
		const struct group *group = &timeline->groups[i];

		if (group->start_ns < run->start_ns || group->start_ns > run->end_ns)
			continue;
		if (found != TIMELINE_NONE)
			return TIMELINE_NONE;
		found = i;
	}
	return found;
}

/* The one container of the recorded command that @process ran under. */
static size_t container_of_command(const struct timeline *timeline, size_t n_containers,
				   const struct process *process)
{
	for (size_t i = 0; i < timeline->n_processes; i++) {
		const struct process *run = &timeline->processes[i];

		if (run->is_run && process->start_ns >= run->start_ns &&
		    process->start_ns <= run->end_ns)
			return container_of_run(timeline, n_containers, run);
	}
	return TIMELINE_NONE;
}

static size_t container_of(const struct timeline *timeline, size_t n_containers,
			   const struct phase *phase)
{
	size_t container;

	const struct process *process = &timeline->processes[phase->process];

	if (phase->container != TIMELINE_NONE)
		return phase->container;
	if (n_containers == 0 || process->has_several)
		return TIMELINE_NONE;
	if (process->container != TIMELINE_NONE)
		return process->container;
	container = container_of_command(timeline, n_containers, process);
	if (container == TIMELINE_NONE && !process->is_run)
		container = next_container(timeline, n_containers, process->start_ns);
	return container;
}

static void starts_find(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_phases; i++) {
		struct phase *phase = &timeline->phases[i];
		struct process *process = &timeline->processes[phase->process];

		if (phase->start_ns < process->start_ns)
			process->start_ns = phase->start_ns;
		if (phase_end(phase) > process->end_ns)
			process->end_ns = phase_end(phase);
		if (phase->container != TIMELINE_NONE &&
		    phase->start_ns < timeline->groups[phase->container].start_ns)
			timeline->groups[phase->container].start_ns = phase->start_ns;
	}
}

/* When the last tool had ended of those that lived within @phase. */
static uint64_t tools_end_within(const struct timeline *timeline, const struct phase *phase)
{
	uint64_t end_ns = phase->start_ns;

	for (size_t i = 0; i < timeline->n_processes; i++) {
		const struct process *process = &timeline->processes[i];

		if (i != phase->process && !process->is_container && !process->is_run &&
		    process->start_ns > phase->start_ns && process->end_ns < phase_end(phase) &&
		    process->end_ns > end_ns)
			end_ns = process->end_ns;
	}
	return end_ns;
}

/*
 * A tool that a shell has become (`exec`) counts the shell's work as its own until then: what was
 * before, and while, the shell's other tools ran is not.
 */
static void shells_work_drop(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_phases; i++) {
		struct phase *phase = &timeline->phases[i];
		uint64_t start_ns;

		if (strcmp(phase->name, "tool.exec") != 0)
			continue;
		start_ns = tools_end_within(timeline, phase);
		phase->duration_ns = phase_end(phase) - start_ns;
		phase->start_ns = start_ns;
		if (phase->cpu_ns > phase->duration_ns)
			phase->cpu_ns = phase->duration_ns;
	}
	for (size_t i = 0; i < timeline->n_processes; i++)
		timeline->processes[i].start_ns = UINT64_MAX;
	for (size_t i = 0; i < timeline->n_groups; i++)
		timeline->groups[i].start_ns = UINT64_MAX;
}

static int phases_assign(struct timeline *timeline)
{
	size_t n_containers = timeline->n_groups;
	size_t common = TIMELINE_NONE;

	starts_find(timeline);
	shells_work_drop(timeline);
	starts_find(timeline);
	for (size_t i = 0; i < timeline->n_phases; i++) {
		struct phase *phase = &timeline->phases[i];

		phase->group = container_of(timeline, n_containers, phase);
		if (phase->group != TIMELINE_NONE)
			continue;
		if (common == TIMELINE_NONE && add_common_group(timeline, &common) < 0)
			return -ENOMEM;
		phase->group = common;
	}
	return 0;
}

static void groups_measure(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];
		struct group *group = &timeline->groups[phase->group];

		if (phase->start_ns < group->start_ns)
			group->start_ns = phase->start_ns;
		if (phase_end(phase) > group->end_ns)
			group->end_ns = phase_end(phase);
	}
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* qsort_r() is glibc's: what a phase is sorted by comes along with it. */
struct sorted {
	uint64_t group_start_ns;   /* 0 for what is of all containers: it comes first */
	uint64_t process_start_ns; /* in this group */
	struct phase phase;
};

/* Groups and processes by their first moment; within, what is around others comes before them. */
static int compare_sorted(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int r = compare(a->group_start_ns, b->group_start_ns);

	if (r == 0)
		r = compare(a->phase.group, b->phase.group);
	if (r == 0)
		r = compare(a->process_start_ns, b->process_start_ns);
	if (r == 0)
		r = compare(a->phase.process, b->phase.process);
	if (r == 0)
		r = compare(a->phase.start_ns, b->phase.start_ns);
	if (r == 0)
		r = compare(b->phase.duration_ns, a->phase.duration_ns);
	return r;
}

static bool same_run(const struct phase *a, const struct phase *b)
{
	return a->group == b->group && a->process == b->process;
}

/* Sorted once, each process's phases stand together, the first of them first. */
static void process_starts_set(struct sorted *sorted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sorted[i].process_start_ns =
			i > 0 && same_run(&sorted[i - 1].phase, &sorted[i].phase)
				? sorted[i - 1].process_start_ns
				: sorted[i].phase.start_ns;
}

static int phases_sort(struct timeline *timeline)
{
	_cleanup_free_ struct sorted *sorted = calloc(timeline->n_phases + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < timeline->n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];
		const struct group *group = &timeline->groups[phase->group];

		sorted[i].phase = *phase;
		sorted[i].group_start_ns = group->id[0] ? group->start_ns : 0;
	}
	qsort(sorted, timeline->n_phases, sizeof(*sorted), compare_sorted);
	process_starts_set(sorted, timeline->n_phases);
	qsort(sorted, timeline->n_phases, sizeof(*sorted), compare_sorted);
	for (size_t i = 0; i < timeline->n_phases; i++) {
		struct group *group = &timeline->groups[sorted[i].phase.group];

		timeline->phases[i] = sorted[i].phase;
		if (group->n_phases++ == 0)
			group->first = i;
	}
	return 0;
}

/* How many of the phases before it, in the same process and group, last beyond its end. */
static void phases_nest(struct timeline *timeline)
{
	size_t around[64];
	unsigned int depth = 0;

	for (size_t i = 0; i < timeline->n_phases; i++) {
		struct phase *phase = &timeline->phases[i];

		if (i == 0 || !same_run(phase, &phase[-1]))
			depth = 0;
		while (depth > 0 &&
		       phase_end(&timeline->phases[around[depth - 1]]) < phase_end(phase))
			depth--;
		/* An event at the very end of a phase is behind it, not in it. */
		while (depth > 0 &&
		       phase_end(&timeline->phases[around[depth - 1]]) <= phase->start_ns)
			depth--;
		phase->depth = depth;
		phase->parent = depth > 0 ? around[depth - 1] : TIMELINE_NONE;
		if (depth < sizeof(around) / sizeof(around[0]))
			around[depth++] = i;
	}
}

int timeline_group(struct timeline *timeline)
{
	int r = phases_assign(timeline);

	if (r < 0)
		return r;
	groups_measure(timeline);
	r = phases_sort(timeline);
	if (r < 0)
		return r;
	phases_nest(timeline);
	return 0;
}
