/* SPDX-License-Identifier: MIT */
#include "tools/trace/analysis.h"

#include <string.h>

/* A process's phases in the group stand together. */
struct actor {
	size_t process;
	size_t first, n_phases; /* in the timeline's phases */
	uint64_t start_ns, end_ns;
	bool is_active; /* the path is in it: it can't wait for itself */
};

struct walk {
	const struct timeline *timeline;
	struct analysis *analysis;
	struct actor *actors;
	size_t n_actors;
	uint64_t end_ns;   /* of the path */
	bool has_launcher; /* which waits for the container: the shell does not */
	int r;
};

static const struct process *process_of(const struct walk *walk, size_t actor)
{
	return actor == TIMELINE_NONE ? NULL
				      : &walk->timeline->processes[walk->actors[actor].process];
}

static void emit(struct walk *walk, const struct segment *segment)
{
	struct analysis *analysis = walk->analysis;
	size_t n_new = analysis->n_segments_allocated ? analysis->n_segments_allocated * 2 : 256;
	struct segment *grown;

	if (segment->start_ns >= segment->end_ns || walk->r < 0)
		return;
	if (analysis->n_segments == analysis->n_segments_allocated) {
		grown = reallocarray(analysis->segments, n_new, sizeof(*grown));
		if (!grown) {
			walk->r = -ENOMEM;
			return;
		}
		analysis->segments = grown;
		analysis->n_segments_allocated = n_new;
	}
	analysis->segments[analysis->n_segments++] = *segment;
}

/* Did most of it pass without work? Then it waited for something. */
static bool phase_idles(const struct phase *phase)
{
	return phase->has_cpu && phase->cpu_ns < phase->duration_ns / 2;
}

/* May @waiter, in what @segment says, have waited for @other? */
static bool may_wait_for(const struct walk *walk, size_t waiter, const struct segment *segment,
			 size_t other)
{
	const struct process *waits = process_of(walk, waiter), *works = process_of(walk, other);
	const struct phase *phase;

	if (walk->actors[other].is_active || works->is_run)
		return false;
	if (!waits || waits->is_run)
		return !works->is_container || !walk->has_launcher;
	if (waits->is_container || works->is_container)
		return !waits->is_container;
	if (segment->leaf != LEAF_PHASE)
		return false;
	phase = &walk->timeline->phases[segment->phase];
	/* A program is waited for there, and it is no tool. */
	if (!strcmp(phase->name, "exit.wait"))
		return false;
	/* Who hands on what is awaited ends first; whom we hand it on to waits for us. */
	if (!strcmp(phase->name, "stream.wait"))
		return walk->actors[other].end_ns <= walk->actors[waiter].end_ns;
	return phase_waits(phase) || phase_idles(phase);
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How surely the shell waits for @actor: a command may leave others running, and end. */
static unsigned int shell_waits(const struct walk *walk, size_t shell, const struct actor *actor)
{
	const struct process *waits = process_of(walk, shell);

	/* What it has become, by an exec. */
	if (waits && walk->timeline->processes[actor->process].pid == waits->pid)
		return 2;
	return actor->end_ns <= walk->end_ns;
}

/* Does @a say more of what is waited for until @until than @b? */
static bool is_better(const struct walk *walk, size_t waiter, const struct actor *a,
		      const struct actor *b, uint64_t until)
{
	const struct process *waits = process_of(walk, waiter);
	uint64_t a_end = min(a->end_ns, until), b_end = min(b->end_ns, until);
	unsigned int a_surely, b_surely;

	if (!waits || waits->is_run) {
		a_surely = shell_waits(walk, waiter, a);
		b_surely = shell_waits(walk, waiter, b);
		if (a_surely != b_surely)
			return a_surely > b_surely;
	}
	return a_end != b_end ? a_end > b_end : a->start_ns > b->start_ns;
}

/* The one that worked last between @segment's start and its end; TIMELINE_NONE: none did. */
static size_t worker_find(const struct walk *walk, size_t waiter, const struct segment *segment)
{
	size_t found = TIMELINE_NONE;

	for (size_t i = 0; i < walk->n_actors; i++) {
		const struct actor *actor = &walk->actors[i];
		uint64_t end = min(actor->end_ns, segment->end_ns);

		if (i == waiter || max(actor->start_ns, segment->start_ns) >= end ||
		    !may_wait_for(walk, waiter, segment, i))
			continue;
		if (found == TIMELINE_NONE ||
		    is_better(walk, waiter, actor, &walk->actors[found], segment->end_ns))
			found = i;
	}
	return found;
}

static void actor_walk(struct walk *walk, size_t index, uint64_t from, uint64_t to);

/* @segment is @waiter's, but for the time in which others worked for it. */
static void elsewhere_walk(struct walk *walk, size_t waiter, struct segment segment)
{
	struct segment rest = segment;
	uint64_t start, end;
	size_t worker;

	while ((worker = worker_find(walk, waiter, &rest)) != TIMELINE_NONE) {
		start = max(walk->actors[worker].start_ns, rest.start_ns);
		end = min(walk->actors[worker].end_ns, rest.end_ns);
		segment.start_ns = end;
		segment.end_ns = rest.end_ns;
		emit(walk, &segment);
		if (segment.phase != TIMELINE_NONE)
			walk->analysis->facts[segment.phase].elsewhere_ns += end - start;
		if (waiter != TIMELINE_NONE)
			walk->actors[waiter].is_active = true;
		actor_walk(walk, worker, start, end);
		if (waiter != TIMELINE_NONE)
			walk->actors[waiter].is_active = false;
		rest.end_ns = start;
	}
	emit(walk, &rest);
}

static void leaf_walk(struct walk *walk, size_t actor, size_t phase, uint64_t from, uint64_t to)
{
	struct segment segment = { from, to, LEAF_PHASE, walk->actors[actor].process, phase };
	const struct phase *phases = walk->timeline->phases;

	if (from >= to)
		return;
	if (process_of(walk, actor)->is_run)
		segment.leaf = LEAF_SHELL;
	else if (phase == TIMELINE_NONE || phase_is_tool(walk->timeline, &phases[phase]))
		segment.leaf = LEAF_OTHER;
	if (segment.leaf == LEAF_PHASE && !phase_waits(&phases[phase]) &&
	    strcmp(phases[phase].name, "lock.wait") != 0)
		emit(walk, &segment);
	else
		elsewhere_walk(walk, actor, segment);
}

/* What is inside @parent, one after the other, and between that @parent itself. */
static void inside_walk(struct walk *walk, size_t index, size_t parent, uint64_t from, uint64_t to)
{
	const struct actor *actor = &walk->actors[index];
	const struct phase *phases = walk->timeline->phases;
	size_t i = parent == TIMELINE_NONE ? actor->first : parent + 1;

	for (; i < actor->first + actor->n_phases; i++) {
		uint64_t start = max(phases[i].start_ns, from),
			 end = min(phase_end(&phases[i]), to);

		if (phases[i].parent != parent || start >= end)
			continue;
		leaf_walk(walk, index, parent, from, start);
		inside_walk(walk, index, i, start, end);
		from = end;
	}
	leaf_walk(walk, index, parent, from, to);
}

static void actor_walk(struct walk *walk, size_t index, uint64_t from, uint64_t to)
{
	inside_walk(walk, index, TIMELINE_NONE, from, to);
}

static int actors_find(struct walk *walk, const struct group *group)
{
	const struct phase *phases = walk->timeline->phases;
	const struct process *process;
	struct actor *actor = NULL;

	walk->actors = calloc(group->n_phases + 1, sizeof(*walk->actors));
	if (!walk->actors)
		return -ENOMEM;
	for (size_t i = group->first; i < group->first + group->n_phases; i++) {
		if (!actor || actor->process != phases[i].process) {
			actor = &walk->actors[walk->n_actors++];
			*actor = (struct actor){ .process = phases[i].process,
						 .first = i,
						 .start_ns = phases[i].start_ns };
		}
		process = &walk->timeline->processes[actor->process];
		if (!process->is_container && !process->is_run)
			walk->has_launcher = true;
		actor->n_phases++;
		actor->end_ns = max(actor->end_ns, phase_end(&phases[i]));
	}
	return 0;
}

static int segments_compare(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

/* In the order of time, and those of one leaf that touch as one. */
static void segments_join(struct analysis *analysis, size_t first)
{
	struct segment *segments = analysis->segments;
	size_t n_kept = first;

	if (analysis->n_segments == first)
		return;
	qsort(segments + first, analysis->n_segments - first, sizeof(*segments), segments_compare);
	for (size_t i = first + 1; i < analysis->n_segments; i++) {
		struct segment *last = &segments[n_kept];

		if (segments[i].leaf == last->leaf && segments[i].phase == last->phase &&
		    segments[i].process == last->process)
			last->end_ns = segments[i].end_ns;
		else
			segments[++n_kept] = segments[i];
	}
	analysis->n_segments = n_kept + 1;
}

int critical_path(struct analysis *analysis, const struct timeline *timeline, size_t index)
{
	const struct group *group = &timeline->groups[index];
	struct group_facts *facts = &analysis->groups[index];
	struct walk walk = { .timeline = timeline, .analysis = analysis };
	size_t run = TIMELINE_NONE;

	if (actors_find(&walk, group) < 0)
		return -ENOMEM;
	for (size_t i = walk.n_actors; i-- > 0;)
		if (process_of(&walk, i)->is_run)
			run = i;
	facts->is_measured = run != TIMELINE_NONE;
	facts->start_ns = facts->is_measured ? walk.actors[run].start_ns : group->start_ns;
	facts->end_ns = facts->is_measured ? walk.actors[run].end_ns : group->end_ns;
	facts->first_segment = analysis->n_segments;
	walk.end_ns = facts->end_ns;
	if (facts->is_measured)
		actor_walk(&walk, run, facts->start_ns, facts->end_ns);
	else
		elsewhere_walk(&walk, TIMELINE_NONE,
			       (struct segment){ facts->start_ns, facts->end_ns,
						 timeline->n_groups > 1 ? LEAF_OTHER : LEAF_SHELL,
						 TIMELINE_NONE, TIMELINE_NONE });
	free(walk.actors);
	segments_join(analysis, facts->first_segment);
	facts->n_segments = analysis->n_segments - facts->first_segment;
	return walk.r;
}
