/* SPDX-License-Identifier: MIT */
/*
 * A gantt chart for mermaid, which draws it where Markdown is shown. Its smallest unit is a
 * millisecond, so a microsecond of the start is one there.
 */
#include "tools/trace/render.h"
#include "tools/trace/rows.h"

/* Of the whole: shorter pieces that no phase has are said in sum only. */
#define SHORTEST_PIECE 200

struct mermaid {
	const struct view *view;
	const struct group *group;
	const struct group_facts *facts;
	FILE *file;
};

/* What ends a name, or a statement, is none of a name's. */
static void word_print(FILE *file, const char *word)
{
	for (; *word; word++) {
		bool plain = (*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') ||
			     (*word >= '0' && *word <= '9') || *word == '.' || *word == '-' ||
			     *word == '(' || *word == ')';

		fputc(plain ? *word : '_', file);
	}
}

static uint64_t us_of(const struct mermaid *mermaid, uint64_t ns)
{
	return (ns - mermaid->group->start_ns + 500) / 1000;
}

static void task_print(const struct mermaid *mermaid, const char *name, const char *tag,
		       uint64_t start_ns, uint64_t end_ns)
{
	uint64_t start = us_of(mermaid, start_ns), end = us_of(mermaid, end_ns);

	fputs("    ", mermaid->file);
	word_print(mermaid->file, name);
	/* One without a length would not be seen. */
	fprintf(mermaid->file, " :%s%" PRIu64 ", %" PRIu64 "\n", tag, start,
		end > start ? end : start + 1);
}

static void leaves_print(const struct mermaid *mermaid, const struct row *row)
{
	const struct timeline *timeline = mermaid->view->timeline;
	const struct segment *segments = mermaid->view->analysis->segments;
	size_t end = mermaid->facts->first_segment + mermaid->facts->n_segments;
	uint64_t whole_ns = mermaid->group->end_ns - mermaid->group->start_ns;

	fprintf(mermaid->file, "    %%%% %s: %" PRIu64 " us in sum\n", row_name(timeline, row),
		(row->duration_ns + 500) / 1000);
	for (size_t i = mermaid->facts->first_segment; i < end; i++)
		if (row_has(timeline, row, &segments[i]) &&
		    segments[i].end_ns - segments[i].start_ns >= whole_ns / SHORTEST_PIECE)
			task_print(mermaid, row_name(timeline, row), "crit, ", segments[i].start_ns,
				   segments[i].end_ns);
}

static void row_print(const struct mermaid *mermaid, const struct row *row)
{
	const struct timeline *timeline = mermaid->view->timeline;
	const struct process *process;

	switch (row->type) {
	case ROW_PROCESS:
		process = &timeline->processes[row->process];
		fputs("    section ", mermaid->file);
		word_print(mermaid->file, process->name);
		fprintf(mermaid->file, " %" PRId64 "\n", process->pid);
		break;
	case ROW_EVENT:
		fputs("    ", mermaid->file);
		word_print(mermaid->file, row_name(timeline, row));
		fprintf(mermaid->file, " :milestone, %" PRIu64 ", 0ms\n",
			us_of(mermaid, row->start_ns));
		break;
	case ROW_PHASE:
		task_print(mermaid, row_name(timeline, row),
			   mermaid->view->analysis->facts[row->phase].is_critical ? "crit, " : "",
			   row->start_ns, row->end_ns);
		break;
	case ROW_LEAVES:
		leaves_print(mermaid, row);
		break;
	}
}

static int chart_print(const struct mermaid *mermaid)
{
	const struct timeline *timeline = mermaid->view->timeline;
	_cleanup_rows_ struct rows rows = {};

	if (rows_make(&rows, timeline, mermaid->view->analysis,
		      (size_t)(mermaid->group - timeline->groups)) < 0)
		return -ENOMEM;
	fputs("gantt\n    title ", mermaid->file);
	fputs(group_title(mermaid->view, mermaid->group), mermaid->file);
	word_print(mermaid->file, mermaid->group->id);
	fputs(" (microseconds)\n    dateFormat x\n    axisFormat %Q\n", mermaid->file);
	for (size_t i = 0; i < rows.n_rows; i++)
		row_print(mermaid, &rows.rows[i]);
	return 0;
}

/* A file holds one chart: of several containers, each is one behind an empty line. */
int render_mermaid(const struct view *view, FILE *file)
{
	const struct timeline *timeline = view->timeline;
	struct mermaid mermaid = { .view = view, .file = file };
	int r = 0;

	for (size_t i = 0; i < timeline->n_phases && r == 0; i += mermaid.group->n_phases) {
		size_t group = timeline->phases[i].group;

		if (i > 0)
			fputc('\n', file);
		mermaid.group = &timeline->groups[group];
		mermaid.facts = &view->analysis->groups[group];
		r = chart_print(&mermaid);
	}
	return r;
}
