/* SPDX-License-Identifier: MIT */
/*
 * A picture that needs nothing else: a panel for each container, with its axis, a row for each
 * phase, the critical path in its own colour, and what the mouse finds as titles.
 */
#include <string.h>

#include "tools/trace/render.h"
#include "tools/trace/rows.h"

#define MARGIN	       24
#define ROW_HEIGHT     17
#define BAR_HEIGHT     11
#define INDENT	       12
#define NAME_WIDTH     172
#define NUMBERS_WIDTH  76 /* of the durations, and of the floors */
#define PLOT_WIDTH     860
#define BEHIND_WIDTH   150 /* for what is written behind the last bar */
#define TITLE_HEIGHT   58
#define AXIS_HEIGHT    26
#define LEGEND_HEIGHT  42
#define PANEL_DISTANCE 20
#define N_TICKS	       10

struct svg {
	const struct view *view;
	const struct timeline *timeline;
	const struct analysis *analysis;
	const struct group *group;
	const struct group_facts *facts;
	unsigned int plot_left, width;
	unsigned int top; /* of the panel, then of the row */
	FILE *file;
};

static const char style[] =
	"<style>\n"
	"text { font: 11.5px 'DejaVu Sans', Verdana, sans-serif; fill: #24292f; }\n"
	".title { font-size: 15px; font-weight: bold; }\n"
	".process { font-weight: bold; }\n"
	".number { text-anchor: end; fill: #57606a; }\n"
	".on { fill: #9a3412; }\n"
	".tick { font-size: 10.5px; fill: #57606a; text-anchor: middle; }\n"
	".first { text-anchor: start; }\n"
	".line { stroke: #d8dee4; }\n"
	".guide { stroke: #c6ced6; stroke-dasharray: 1 4; }\n"
	".band { fill: #f3f5f7; }\n"
	".beside { fill: #a9b8c9; }\n"
	".critical { fill: #e8590c; }\n"
	".leaves { fill: #f4b183; }\n"
	".blocked { fill: #c92a2a; }\n"
	".floor { stroke: #111; stroke-width: 1.6; }\n"
	".event { stroke: #2b8a3e; stroke-dasharray: 4 3; }\n"
	".eventword, .diamond { fill: #2b8a3e; }\n"
	"</style>\n";

/* Names come from a file that anybody may have written: printable ASCII, and no markup of theirs.
 */
static void text_print(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		default:
			name_print(file, text, 1);
		}
	}
}

static double x_of(const struct svg *svg, uint64_t ns)
{
	uint64_t total_ns = svg->group->end_ns - svg->group->start_ns;

	if (total_ns == 0)
		return svg->plot_left;
	return svg->plot_left + PLOT_WIDTH * (double)(ns - svg->group->start_ns) / (double)total_ns;
}

static void bar_print(const struct svg *svg, const char *class, uint64_t start_ns, uint64_t end_ns)
{
	double x = x_of(svg, start_ns), width = x_of(svg, end_ns) - x;

	fprintf(svg->file,
		"<rect class=\"%s\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\"/>\n", class, x,
		svg->top + (ROW_HEIGHT - BAR_HEIGHT) / 2, width > 0.8 ? width : 0.8, BAR_HEIGHT);
}

/* The row's pieces of the path; those that touch are one. */
static void pieces_print(const struct svg *svg, const struct row *row, const char *class)
{
	const struct segment *segments = svg->analysis->segments;
	size_t end = svg->facts->first_segment + svg->facts->n_segments;
	uint64_t start_ns = 0, end_ns = 0;

	for (size_t i = svg->facts->first_segment; i < end; i++) {
		if (!row_has(svg->timeline, row, &segments[i]))
			continue;
		if (segments[i].start_ns != end_ns) {
			if (end_ns > start_ns)
				bar_print(svg, class, start_ns, end_ns);
			start_ns = segments[i].start_ns;
		}
		end_ns = segments[i].end_ns;
	}
	if (end_ns > start_ns)
		bar_print(svg, class, start_ns, end_ns);
}

static void event_print(const struct svg *svg, const struct row *row)
{
	double x = x_of(svg, row->start_ns), y = svg->top + ROW_HEIGHT / 2.0;

	fprintf(svg->file,
		"<path class=\"diamond\" d=\"M%.2f %.1f l4.5 4.5 l-4.5 4.5 l-4.5 -4.5 z\"/>\n", x,
		y - 4.5);
}

static void floor_print(const struct svg *svg, const struct row *row, uint64_t floor_ns)
{
	double x = x_of(svg, row->start_ns + floor_ns);

	if (floor_ns == 0)
		return;
	fprintf(svg->file, "<line class=\"floor\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%u\" y2=\"%u\"/>\n",
		x, x, svg->top + 1, svg->top + ROW_HEIGHT - 1);
	fprintf(svg->file, "<text class=\"number\" x=\"%u\" y=\"%u\">", svg->plot_left - 10,
		svg->top + 12);
	us_print(svg->file, 0, 1, floor_ns);
	fputs("</text>\n", svg->file);
}

/* What the mouse finds. */
static void tooltip_print(const struct svg *svg, const struct row *row)
{
	const struct phase *phase = row->type == ROW_LEAVES || row->type == ROW_PROCESS
					    ? NULL
					    : &svg->timeline->phases[row->phase];
	const struct facts *facts = phase ? &svg->analysis->facts[row->phase] : NULL;

	fputs("<title>", svg->file);
	text_print(svg->file, row_name(svg->timeline, row));
	fputs(": from ", svg->file);
	us_print(svg->file, 0, 1, row->start_ns - svg->group->start_ns);
	fputs(" us, wall ", svg->file);
	us_print(svg->file, 0, 1, row->duration_ns);
	fputs(" us", svg->file);
	if (phase && phase->has_cpu) {
		fputs(", CPU ", svg->file);
		us_print(svg->file, 0, 1, phase->cpu_ns);
		fputs(" us", svg->file);
	}
	if (facts && facts->floor_ns) {
		fputs(", floor ", svg->file);
		us_print(svg->file, 0, 1, facts->floor_ns);
		fputs(" us", svg->file);
	}
	fputs("</title>\n", svg->file);
}

static void blocked_print(const struct svg *svg, const struct row *row, const struct facts *facts)
{
	double x = x_of(svg, row->end_ns) + 5;

	if (facts->blocked_ns == 0)
		return;
	fprintf(svg->file, "<text class=\"blocked\" x=\"%.2f\" y=\"%u\">blocked ", x,
		svg->top + 12);
	us_print(svg->file, 0, 1, facts->blocked_ns);
	fputs(" µs", svg->file);
	if (facts->wait) {
		fputs(" in ", svg->file);
		text_print(svg->file, facts->wait);
	}
	fputs("</text>\n", svg->file);
}

/* From the name to the bar, which may be far away. */
static void guide_print(const struct svg *svg, const struct row *row)
{
	double x = x_of(svg, row->start_ns), y = svg->top + ROW_HEIGHT / 2.0;

	if (x > svg->plot_left + 8)
		fprintf(svg->file,
			"<line class=\"guide\" x1=\"%u\" x2=\"%.2f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
			svg->plot_left, x - 4, y, y);
}

static void name_cell_print(const struct svg *svg, const struct row *row, bool is_critical)
{
	unsigned int indent = INDENT * (row->depth < 6 ? row->depth + 1 : 7);

	fprintf(svg->file, "<text class=\"%s\" x=\"%u\" y=\"%u\">", is_critical ? "on" : "off",
		MARGIN + indent, svg->top + 12);
	text_print(svg->file, row_name(svg->timeline, row));
	fputs("</text>\n", svg->file);
	if (row->type == ROW_EVENT)
		return;
	fprintf(svg->file, "<text class=\"number\" x=\"%u\" y=\"%u\">",
		MARGIN + NAME_WIDTH + NUMBERS_WIDTH - 10, svg->top + 12);
	us_print(svg->file, 0, 1, row->duration_ns);
	fputs("</text>\n", svg->file);
}

static void process_print(const struct svg *svg, const struct row *row)
{
	const struct process *process = &svg->timeline->processes[row->process];

	fprintf(svg->file, "<rect class=\"band\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>\n",
		MARGIN - 6, svg->top, svg->width - 2 * MARGIN + 12, ROW_HEIGHT);
	fprintf(svg->file, "<text class=\"process\" x=\"%u\" y=\"%u\">", MARGIN, svg->top + 12);
	text_print(svg->file, process->name);
	fprintf(svg->file, " [%" PRId64 "]</text>\n", process->pid);
}

static void row_print(const struct svg *svg, const struct row *row)
{
	const struct facts *facts =
		row->type == ROW_PHASE ? &svg->analysis->facts[row->phase] : NULL;

	if (row->type == ROW_PROCESS) {
		process_print(svg, row);
		return;
	}
	fputs("<g>\n", svg->file);
	tooltip_print(svg, row);
	name_cell_print(svg, row, row->type == ROW_LEAVES || (facts && facts->is_critical));
	guide_print(svg, row);
	if (row->type == ROW_EVENT) {
		event_print(svg, row);
	} else if (row->type == ROW_LEAVES) {
		pieces_print(svg, row, "leaves");
	} else {
		bar_print(svg, "beside", row->start_ns, row->end_ns);
		pieces_print(svg, row, "critical");
		floor_print(svg, row, facts->floor_ns);
		blocked_print(svg, row, facts);
	}
	fputs("</g>\n", svg->file);
}

/* The shortest of 1, 2, 5, 10, 20... nanoseconds that makes at most N_TICKS of @total_ns. */
static uint64_t tick_ns(uint64_t total_ns)
{
	uint64_t decade = 1;

	for (;; decade *= 10) {
		if (total_ns / decade <= N_TICKS)
			return decade;
		if (total_ns / (2 * decade) <= N_TICKS)
			return 2 * decade;
		if (total_ns / (5 * decade) <= N_TICKS)
			return 5 * decade;
	}
}

static void tick_label(const struct svg *svg, uint64_t ns, uint64_t tick)
{
	if (tick >= 1000000000)
		fprintf(svg->file, "%g s", (double)ns / 1e9);
	else if (tick >= 100000)
		fprintf(svg->file, "%g ms", (double)ns / 1e6);
	else if (tick >= 100)
		fprintf(svg->file, "%g µs", (double)ns / 1e3);
	else
		fprintf(svg->file, "%" PRIu64 " ns", ns);
}

static void axis_print(const struct svg *svg, unsigned int bottom)
{
	uint64_t total_ns = svg->group->end_ns - svg->group->start_ns, tick = tick_ns(total_ns);

	for (uint64_t ns = 0; ns <= total_ns; ns += tick) {
		double x = x_of(svg, svg->group->start_ns + ns);

		fprintf(svg->file,
			"<line class=\"line\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%u\" y2=\"%u\"/>\n", x,
			x, svg->top - 4, bottom);
		fprintf(svg->file, "<text class=\"tick%s\" x=\"%.2f\" y=\"%u\">",
			ns == 0 ? " first" : "", x, svg->top - 8);
		tick_label(svg, ns, tick);
		fputs("</text>\n", svg->file);
	}
}

static void first_instruction_print(const struct svg *svg, unsigned int bottom)
{
	double x = x_of(svg, svg->facts->first_instruction_ns);

	if (svg->facts->first_instruction_ns == 0)
		return;
	fprintf(svg->file, "<line class=\"event\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%u\" y2=\"%u\"/>\n",
		x, x, svg->top - 4, bottom);
	fprintf(svg->file,
		"<text class=\"eventword\" x=\"%.2f\" y=\"%u\">first instruction</text>\n", x + 4,
		bottom + 10);
}

static void column_head(const struct svg *svg, unsigned int right, const char *words)
{
	fprintf(svg->file, "<text class=\"number\" x=\"%u\" y=\"%u\">%s</text>\n", right - 10,
		svg->top - 8, words);
}

static void title_print(const struct svg *svg)
{
	const struct group_facts *facts = svg->facts;
	uint64_t wall_ns = facts->end_ns - facts->start_ns;
	double percent = wall_ns ? 100.0 / (double)wall_ns : 0;

	fprintf(svg->file, "<text class=\"title\" x=\"%u\" y=\"%u\">", MARGIN, svg->top + 16);
	fputs(group_title(svg->view, svg->group), svg->file);
	text_print(svg->file, svg->group->id);
	fprintf(svg->file, "</text>\n<text x=\"%u\" y=\"%u\">", MARGIN, svg->top + 36);
	if (facts->first_instruction_ns > facts->start_ns) {
		us_print(svg->file, 0, 1, facts->first_instruction_ns - facts->start_ns);
		fputs(" µs to the program's first instruction, ", svg->file);
	}
	us_print(svg->file, 0, 1, wall_ns);
	fprintf(svg->file,
		" µs to the return%s; of the critical path %.1f %% are phases, %.1f %% the "
		"shell's, %.1f %% in no phase</text>\n",
		facts->is_measured ? ", measured from outside" : "",
		percent * (double)facts->leaves_ns[LEAF_PHASE],
		percent * (double)facts->leaves_ns[LEAF_SHELL],
		percent * (double)facts->leaves_ns[LEAF_OTHER]);
}

static unsigned int legend_entry(const struct svg *svg, unsigned int left, const char *class,
				 const char *words)
{
	fprintf(svg->file, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"22\" height=\"%u\"/>\n",
		class, left, svg->top + 22, BAR_HEIGHT);
	fprintf(svg->file, "<text x=\"%u\" y=\"%u\">%s</text>\n", left + 28, svg->top + 32, words);
	return left + 28 + 7 * (unsigned int)strlen(words) + 24;
}

static void legend_print(const struct svg *svg)
{
	unsigned int left = legend_entry(svg, svg->plot_left, "critical", "on the critical path");

	left = legend_entry(svg, left, "leaves", "on it, and in no phase");
	left = legend_entry(svg, left, "beside", "beside it");
	if (!svg->analysis->has_floors)
		return;
	fprintf(svg->file,
		"<line class=\"floor\" x1=\"%u\" x2=\"%u\" y1=\"%u\" y2=\"%u\"/>\n"
		"<text x=\"%u\" y=\"%u\">floor of the phase on this machine</text>\n",
		left, left, svg->top + 20, svg->top + 35, left + 8, svg->top + 32);
}

static unsigned int panel_height(size_t n_rows)
{
	return TITLE_HEIGHT + AXIS_HEIGHT + ROW_HEIGHT * (unsigned int)n_rows + LEGEND_HEIGHT +
	       PANEL_DISTANCE;
}

static void panel_print(struct svg *svg, const struct rows *rows)
{
	unsigned int bottom;

	title_print(svg);
	svg->top += TITLE_HEIGHT + AXIS_HEIGHT;
	bottom = svg->top + ROW_HEIGHT * (unsigned int)rows->n_rows;
	column_head(svg, MARGIN + NAME_WIDTH + NUMBERS_WIDTH, "wall µs");
	if (svg->analysis->has_floors)
		column_head(svg, svg->plot_left, "floor µs");
	/* Bands first, so that the axis's lines go through them, then what is on the lines. */
	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].type == ROW_PROCESS) {
			unsigned int top = svg->top;

			svg->top += ROW_HEIGHT * (unsigned int)i;
			row_print(svg, &rows->rows[i]);
			svg->top = top;
		}
	axis_print(svg, bottom);
	first_instruction_print(svg, bottom);
	for (size_t i = 0; i < rows->n_rows; i++, svg->top += ROW_HEIGHT)
		if (rows->rows[i].type != ROW_PROCESS)
			row_print(svg, &rows->rows[i]);
	legend_print(svg);
	svg->top += LEGEND_HEIGHT + PANEL_DISTANCE;
}

/* Each group in turn: measured where @height is given, else drawn. */
static int groups_walk(struct svg *svg, unsigned int *height)
{
	const struct timeline *timeline = svg->timeline;

	for (size_t i = 0; i < timeline->n_phases; i += svg->group->n_phases) {
		_cleanup_rows_ struct rows rows = {};
		size_t index = timeline->phases[i].group;

		svg->group = &timeline->groups[index];
		svg->facts = &svg->analysis->groups[index];
		if (rows_make(&rows, timeline, svg->analysis, index) < 0)
			return -ENOMEM;
		if (height)
			*height += panel_height(rows.n_rows);
		else
			panel_print(svg, &rows);
	}
	return 0;
}

int render_svg(const struct view *view, FILE *file)
{
	struct svg svg = { .view = view,
			   .timeline = view->timeline,
			   .analysis = view->analysis,
			   .plot_left = MARGIN + NAME_WIDTH + NUMBERS_WIDTH,
			   .top = MARGIN,
			   .file = file };
	unsigned int height = 2 * MARGIN - PANEL_DISTANCE;
	int r;

	if (view->analysis->has_floors)
		svg.plot_left += NUMBERS_WIDTH;
	svg.width = svg.plot_left + PLOT_WIDTH + BEHIND_WIDTH;
	r = groups_walk(&svg, &height);
	if (r < 0)
		return r;
	fprintf(file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n",
		svg.width, height, svg.width, height);
	fputs(style, file);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", file);
	r = groups_walk(&svg, NULL);
	fputs("</svg>\n", file);
	return r;
}
