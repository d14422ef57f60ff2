/* SPDX-License-Identifier: MIT */
#include "tools/trace/rows.h"

struct maker {
	const struct timeline *timeline;
	const struct analysis *analysis;
	const struct group_facts *group;
	struct rows *rows;
};

const char *row_name(const struct timeline *timeline, const struct row *row)
{
	if (row->type == ROW_LEAVES)
		return row->leaf == LEAF_SHELL ? LEAF_SHELL_NAME : LEAF_OTHER_NAME;
	return row->type == ROW_PROCESS ? timeline->processes[row->process].name
					: timeline->phases[row->phase].name;
}

bool row_has(const struct timeline *timeline, const struct row *row, const struct segment *segment)
{
	switch (row->type) {
	case ROW_PHASE:
		return segment_is_in(timeline, segment, row->phase);
	case ROW_LEAVES:
		return segment->leaf == row->leaf && segment->process == row->process;
	default:
		return false;
	}
}

static void row_add(const struct maker *maker, const struct row *row)
{
	maker->rows->rows[maker->rows->n_rows++] = *row;
}

/* The pieces of @leaf that @process has on the path, if any. */
static void leaves_add(const struct maker *maker, size_t process, enum leaf leaf,
		       unsigned int depth)
{
	const struct segment *segments = maker->analysis->segments;
	size_t end = maker->group->first_segment + maker->group->n_segments;
	struct row row = { ROW_LEAVES, process, TIMELINE_NONE, leaf, depth, UINT64_MAX, 0, 0 };

	for (size_t i = maker->group->first_segment; i < end; i++) {
		if (!row_has(maker->timeline, &row, &segments[i]))
			continue;
		if (row.duration_ns == 0)
			row.start_ns = segments[i].start_ns;
		row.end_ns = segments[i].end_ns;
		row.duration_ns += segments[i].end_ns - segments[i].start_ns;
	}
	if (row.duration_ns > 0)
		row_add(maker, &row);
}

static void process_end(const struct maker *maker, size_t process)
{
	const struct process *of = &maker->timeline->processes[process];

	leaves_add(maker, process, of->is_run ? LEAF_SHELL : LEAF_OTHER, of->is_container ? 0 : 1);
}

static void phase_add(const struct maker *maker, size_t index)
{
	const struct phase *phase = &maker->timeline->phases[index];

	row_add(maker, &(struct row){ phase->duration_ns ? ROW_PHASE : ROW_EVENT, phase->process,
				      index, LEAF_PHASE, phase->depth, phase->start_ns,
				      phase_end(phase), phase->duration_ns });
}

int rows_make(struct rows *rows, const struct timeline *timeline, const struct analysis *analysis,
	      size_t group)
{
	const struct group *of = &timeline->groups[group];
	const struct maker maker = { timeline, analysis, &analysis->groups[group], rows };
	size_t process = TIMELINE_NONE;

	/* A phase brings at most a heading and a row of leaves; two are nobody's. */
	rows->rows = calloc(3 * of->n_phases + 2, sizeof(*rows->rows));
	if (!rows->rows)
		return -ENOMEM;
	leaves_add(&maker, TIMELINE_NONE, LEAF_SHELL, 0);
	leaves_add(&maker, TIMELINE_NONE, LEAF_OTHER, 0);
	for (size_t i = of->first; i < of->first + of->n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];

		if (phase->process != process) {
			if (process != TIMELINE_NONE)
				process_end(&maker, process);
			process = phase->process;
			row_add(&maker,
				&(struct row){ ROW_PROCESS, process, TIMELINE_NONE, LEAF_PHASE, 0,
					       phase->start_ns, phase->start_ns, 0 });
		}
		phase_add(&maker, i);
	}
	if (process != TIMELINE_NONE)
		process_end(&maker, process);
	return 0;
}

void rows_deinit(struct rows *rows)
{
	free(rows->rows);
	*rows = (struct rows){};
}
