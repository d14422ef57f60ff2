/* SPDX-License-Identifier: MIT */
#include "tools/trace/render.h"

#include <string.h>

#include "tools/trace/rows.h"

#define NUMBER_COLUMNS	11
#define NAME_COLUMNS	22
#define AFTER_COLUMNS	17 /* " blocked 123.4 ms" */
#define MIN_BAR_COLUMNS 16
#define MAX_BAR_COLUMNS 120

/* SGR parameters. */
#define COLOUR_CRITICAL "1;33"
#define COLOUR_LEAVES	"33"
#define COLOUR_BESIDE	"36"
#define COLOUR_HEADING	"1"
#define COLOUR_EVENT	"1;32"
#define COLOUR_BLOCKED	"1;31"

struct text {
	const struct view *view;
	const struct timeline *timeline;
	const struct analysis *analysis;
	const struct group_facts *facts;
	const struct group *group;
	uint64_t start_ns, end_ns; /* of what is drawn */
	unsigned int bar_columns;
	FILE *file;
};

static void colour_begin(const struct text *text, const char *colour)
{
	if (text->view->options->colour)
		fprintf(text->file, "\033[%sm", colour);
}

static void colour_end(const struct text *text)
{
	if (text->view->options->colour)
		fputs("\033[m", text->file);
}

/* What half a column shows. */
enum cell { CELL_EMPTY, CELL_BESIDE, CELL_CRITICAL };

/* By what the left half shows, then the right. */
static const char *cell_character(const struct text *text, enum cell left, enum cell right)
{
	static const char *const drawn[3][3] = { { " ", "╶", "╺" },
						 { "╴", "─", "╼" },
						 { "╸", "╾", "━" } };

	if (!text->view->options->ascii)
		return drawn[left][right];
	if (left == CELL_CRITICAL || right == CELL_CRITICAL)
		return "=";
	return left == CELL_BESIDE || right == CELL_BESIDE ? "-" : " ";
}

/* Marks from @start to @end, at least a half column; the more important stays. */
static void cells_mark(const struct text *text, enum cell *cells, enum cell mark, uint64_t start,
		       uint64_t end)
{
	uint64_t total = text->end_ns - text->start_ns, n_halves = 2 * (uint64_t)text->bar_columns;
	double scale = total ? (double)n_halves / (double)total : 0;
	uint64_t first = (uint64_t)((double)(start - text->start_ns) * scale);
	uint64_t last = (uint64_t)((double)(end - text->start_ns) * scale);

	if (first >= n_halves)
		first = n_halves - 1;
	do {
		if (cells[first] < mark)
			cells[first] = mark;
	} while (++first < last && first < n_halves);
}

static void cells_print(const struct text *text, const enum cell *cells)
{
	enum cell shown = CELL_EMPTY;
	unsigned int n_columns = text->bar_columns;

	while (n_columns > 0 && !cells[2 * n_columns - 1] && !cells[2 * n_columns - 2])
		n_columns--;
	for (unsigned int i = 0; i < n_columns; i++) {
		enum cell left = cells[2 * i], right = cells[2 * i + 1];
		enum cell most = left > right ? left : right;

		if (most != CELL_EMPTY && most != shown) {
			if (shown != CELL_EMPTY)
				colour_end(text);
			colour_begin(text, most == CELL_CRITICAL ? COLOUR_CRITICAL : COLOUR_BESIDE);
			shown = most;
		}
		fputs(cell_character(text, left, right), text->file);
	}
	if (shown != CELL_EMPTY)
		colour_end(text);
}

/*
 * Many short pieces: a half column is drawn where they fill a third of it or more, so that they
 * don't look longer than they are; the longest is there always.
 */
static void leaves_mark(const struct text *text, enum cell *cells, const struct row *row)
{
	const struct segment *segments = text->analysis->segments, *longest = NULL;
	size_t end = text->facts->first_segment + text->facts->n_segments;
	uint64_t cell_ns = (text->end_ns - text->start_ns) / (2 * text->bar_columns) + 1;
	uint64_t covered_ns[2 * MAX_BAR_COLUMNS] = {};

	for (size_t i = text->facts->first_segment; i < end; i++) {
		const struct segment *segment = &segments[i];
		uint64_t from = segment->start_ns - text->start_ns;
		uint64_t to = segment->end_ns - text->start_ns;

		if (!row_has(text->timeline, row, segment))
			continue;
		if (!longest || to - from > longest->end_ns - longest->start_ns)
			longest = segment;
		for (; from < to; from = (from / cell_ns + 1) * cell_ns) {
			uint64_t cell_end = (from / cell_ns + 1) * cell_ns;

			covered_ns[from / cell_ns] += (to < cell_end ? to : cell_end) - from;
		}
	}
	for (size_t i = 0; i < 2 * (size_t)text->bar_columns; i++)
		if (covered_ns[i] >= cell_ns / 3)
			cells[i] = CELL_CRITICAL;
	if (longest)
		cells_mark(text, cells, CELL_CRITICAL, longest->start_ns, longest->end_ns);
}

static void phase_mark(const struct text *text, enum cell *cells, const struct row *row)
{
	const struct segment *segments = text->analysis->segments;
	size_t end = text->facts->first_segment + text->facts->n_segments;

	cells_mark(text, cells, CELL_BESIDE, row->start_ns, row->end_ns);
	for (size_t i = text->facts->first_segment; i < end; i++)
		if (row_has(text->timeline, row, &segments[i]))
			cells_mark(text, cells, CELL_CRITICAL, segments[i].start_ns,
				   segments[i].end_ns);
}

static void bar_print(const struct text *text, const struct row *row)
{
	enum cell cells[2 * MAX_BAR_COLUMNS] = {};

	if (row->type == ROW_PHASE)
		phase_mark(text, cells, row);
	else
		leaves_mark(text, cells, row);
	cells_print(text, cells);
}

static void event_print(const struct text *text, const struct row *row)
{
	enum cell cells[2 * MAX_BAR_COLUMNS] = {};
	unsigned int column = 0;

	cells_mark(text, cells, CELL_CRITICAL, row->start_ns, row->start_ns);
	while (!cells[2 * column] && !cells[2 * column + 1])
		column++;
	fprintf(text->file, "%*s", (int)column, "");
	colour_begin(text, COLOUR_EVENT);
	fputs(text->view->options->ascii ? "*" : "◆", text->file);
	colour_end(text);
}

static void blocked_print(const struct text *text, const struct facts *facts)
{
	if (facts->blocked_ns == 0)
		return;
	colour_begin(text, COLOUR_BLOCKED);
	fprintf(text->file, " blocked %" PRIu64 ".%u ms", facts->blocked_ns / 1000000,
		(unsigned int)(facts->blocked_ns % 1000000 / 100000));
	if (facts->wait) {
		fputs(" in ", text->file);
		name_print(text->file, facts->wait, 48);
	}
	colour_end(text);
}

static bool row_is_critical(const struct text *text, const struct row *row)
{
	return row->type == ROW_LEAVES ||
	       (row->type == ROW_PHASE && text->analysis->facts[row->phase].is_critical);
}

static void process_print(const struct text *text, size_t index)
{
	const struct process *process = &text->timeline->processes[index];
	int n_before = (text->analysis->has_floors ? 3 : 2) * NUMBER_COLUMNS + 2;

	fprintf(text->file, "%*s", n_before, "");
	colour_begin(text, COLOUR_HEADING);
	name_print(text->file, process->name, 64);
	fprintf(text->file, " [%" PRId64 "]", process->pid);
	colour_end(text);
	fputc('\n', text->file);
}

static void floor_print(const struct text *text, const struct row *row)
{
	uint64_t floor_ns = row->type == ROW_PHASE ? text->analysis->facts[row->phase].floor_ns : 0;

	if (!text->analysis->has_floors)
		return;
	if (floor_ns)
		us_print(text->file, NUMBER_COLUMNS, 1, floor_ns);
	else
		fprintf(text->file, "%*s", NUMBER_COLUMNS, "");
}

static void row_print(const struct text *text, const struct row *row)
{
	int indent = 2 + 2 * (int)(row->depth < 6 ? row->depth : 6);
	int n;

	if (row->type == ROW_PROCESS) {
		process_print(text, row->process);
		return;
	}
	us_print(text->file, NUMBER_COLUMNS, 1, row->start_ns - text->start_ns);
	if (row->type == ROW_EVENT)
		fprintf(text->file, "%*s", NUMBER_COLUMNS, "");
	else
		us_print(text->file, NUMBER_COLUMNS, 1, row->duration_ns);
	floor_print(text, row);
	fprintf(text->file, "  %*s", indent, "");
	if (row_is_critical(text, row))
		colour_begin(text, row->type == ROW_LEAVES ? COLOUR_LEAVES : COLOUR_CRITICAL);
	n = indent +
	    name_print(text->file, row_name(text->timeline, row), NAME_COLUMNS - indent - 1);
	if (row_is_critical(text, row))
		colour_end(text);
	fprintf(text->file, "%*s", NAME_COLUMNS - n, "");
	if (row->type == ROW_EVENT)
		event_print(text, row);
	else
		bar_print(text, row);
	if (row->type == ROW_PHASE)
		blocked_print(text, &text->analysis->facts[row->phase]);
	fputc('\n', text->file);
}

static void share_print(const struct text *text, const char *name, uint64_t ns, uint64_t whole_ns)
{
	us_print(text->file, NUMBER_COLUMNS, 1, ns);
	fprintf(text->file, "  %5.1f %%  %s\n",
		whole_ns ? 100.0 * (double)ns / (double)whole_ns : 0, name);
}

static void summary_print(const struct text *text)
{
	const struct group_facts *facts = text->facts;
	uint64_t wall_ns = facts->end_ns - facts->start_ns, sum_ns = 0;

	for (size_t i = 0; i < sizeof(facts->leaves_ns) / sizeof(facts->leaves_ns[0]); i++)
		sum_ns += facts->leaves_ns[i];
	fputc('\n', text->file);
	if (facts->first_instruction_ns > facts->start_ns) {
		us_print(text->file, NUMBER_COLUMNS, 1,
			 facts->first_instruction_ns - facts->start_ns);
		fputs(" us  to the program's first instruction\n", text->file);
	}
	us_print(text->file, NUMBER_COLUMNS, 1, wall_ns);
	fprintf(text->file, " us  to the return, %s\n",
		facts->is_measured ? "as measured from outside" : "as far as it is recorded");
	us_print(text->file, NUMBER_COLUMNS, 1, sum_ns);
	fputs(" us  sum of the critical path's leaves:\n", text->file);
	share_print(text, "phases", facts->leaves_ns[LEAF_PHASE], wall_ns);
	share_print(text, LEAF_SHELL_NAME ": between the processes", facts->leaves_ns[LEAF_SHELL],
		    wall_ns);
	share_print(text, LEAF_OTHER_NAME ": in a process, and in no phase",
		    facts->leaves_ns[LEAF_OTHER], wall_ns);
}

struct total {
	const char *name;
	uint64_t duration_ns, cpu_ns;
	size_t n_phases;
};

/* Outermost phases only: what is in them is part of them. */
static void totals_print(const struct timeline *timeline, size_t first, size_t n_phases, FILE *file)
{
	struct total totals[16];
	size_t n_totals = 0, t;

	for (size_t i = first; i < first + n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];
		const char *name = timeline->processes[phase->process].name;

		for (t = 0; t < n_totals && strcmp(totals[t].name, name) != 0; t++)
			;
		if (t == sizeof(totals) / sizeof(totals[0]) ||
		    timeline->processes[phase->process].is_run)
			continue;
		if (t == n_totals)
			totals[n_totals++] = (struct total){ .name = name };
		totals[t].n_phases++;
		if (phase->depth > 0)
			continue;
		totals[t].duration_ns += phase->duration_ns;
		totals[t].cpu_ns += phase->duration_ns ? phase->cpu_ns : 0;
	}
	fprintf(file, "\n%*s%*s  totals\n", NUMBER_COLUMNS, "cpu us", NUMBER_COLUMNS, "wall us");
	for (t = 0; t < n_totals; t++) {
		us_print(file, NUMBER_COLUMNS, 1, totals[t].cpu_ns);
		us_print(file, NUMBER_COLUMNS, 1, totals[t].duration_ns);
		fputs("  ", file);
		name_print(file, totals[t].name, 64);
		fprintf(file, ", %zu phase%s\n", totals[t].n_phases,
			totals[t].n_phases == 1 ? "" : "s");
	}
}

static void legend_print(const struct text *text)
{
	bool ascii = text->view->options->ascii;

	fprintf(text->file, "%*s%*s", NUMBER_COLUMNS, "start us", NUMBER_COLUMNS, "wall us");
	if (text->analysis->has_floors)
		fprintf(text->file, "%*s", NUMBER_COLUMNS, "floor us");
	fprintf(text->file, "  %-*s", NAME_COLUMNS, "phase");
	colour_begin(text, COLOUR_CRITICAL);
	fputs(ascii ? "==" : "━━", text->file);
	colour_end(text);
	fputs(" critical path  ", text->file);
	colour_begin(text, COLOUR_BESIDE);
	fputs(ascii ? "--" : "──", text->file);
	colour_end(text);
	fputs(" beside it\n", text->file);
}

static int group_print(struct text *text)
{
	_cleanup_rows_ struct rows rows = {};
	size_t index = (size_t)(text->group - text->timeline->groups);
	int r = rows_make(&rows, text->timeline, text->analysis, index);

	if (r < 0)
		return r;
	text->facts = &text->analysis->groups[index];
	text->start_ns = text->group->start_ns;
	text->end_ns = text->group->end_ns;
	colour_begin(text, COLOUR_HEADING);
	fputs(group_title(text->view, text->group), text->file);
	name_print(text->file, text->group->id, 64);
	colour_end(text);
	fputs(": ", text->file);
	us_print(text->file, 0, 1, text->end_ns - text->start_ns);
	fputs(" us\n", text->file);
	legend_print(text);
	for (size_t i = 0; i < rows.n_rows; i++)
		row_print(text, &rows.rows[i]);
	totals_print(text->timeline, text->group->first, text->group->n_phases, text->file);
	summary_print(text);
	return 0;
}

/* What is written behind the bars needs room only where there is something. */
static unsigned int bar_columns(const struct view *view)
{
	unsigned int others =
		(view->analysis->has_floors ? 3 : 2) * NUMBER_COLUMNS + 2 + NAME_COLUMNS + 1;
	unsigned int n_columns = view->options->n_columns;

	for (size_t i = 0; i < view->timeline->n_phases; i++) {
		if (view->analysis->facts[i].blocked_ns > 0) {
			others += AFTER_COLUMNS;
			break;
		}
	}
	if (n_columns < others + MIN_BAR_COLUMNS)
		return MIN_BAR_COLUMNS;
	return n_columns - others < MAX_BAR_COLUMNS ? n_columns - others : MAX_BAR_COLUMNS;
}

int render_text(const struct view *view, FILE *file)
{
	const struct timeline *timeline = view->timeline;
	struct text text = { .view = view,
			     .timeline = timeline,
			     .analysis = view->analysis,
			     .bar_columns = bar_columns(view),
			     .file = file };
	size_t n_containers = 0;
	int r;

	for (size_t i = 0; i < timeline->n_phases; i += text.group->n_phases) {
		text.group = &timeline->groups[timeline->phases[i].group];
		n_containers += text.group->id[0] != '\0';
		if (i > 0)
			fputc('\n', file);
		r = group_print(&text);
		if (r < 0)
			return r;
	}
	if (n_containers > 1) {
		fprintf(file, "\n%zu containers", n_containers);
		totals_print(timeline, 0, timeline->n_phases, file);
	}
	return 0;
}
