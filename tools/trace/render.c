/* SPDX-License-Identifier: MIT */
#include "tools/trace/timeline.h"

#include <inttypes.h>
#include <string.h>

/* A phase that waits longer than this beside its own work is told: that is where starts are lost.
 */
#define BLOCKED_NS 1000000

#define NAME_COLUMNS	28
#define BEFORE_COLUMNS	(11 + 11 + 2 + NAME_COLUMNS)
#define AFTER_COLUMNS	17 /* " blocked 123.4 ms" */
#define MIN_BAR_COLUMNS 20
#define MAX_BAR_COLUMNS 120

struct render {
	const struct timeline *timeline;
	const struct group *group;
	const struct render_options *options;
	unsigned int bar_columns;
	FILE *file;
};

/* Microseconds with one decimal, since much of a start is shorter than one: "1234.5". */
static void print_us(FILE *file, int width, uint64_t ns)
{
	ns += 50;
	fprintf(file, "%*" PRIu64 ".%u", width > 2 ? width - 2 : 0, ns / 1000,
		(unsigned int)(ns % 1000 / 100));
}

/* Names come from a file that anybody may have written: they can't speak to the terminal. */
static int print_name(FILE *file, const char *name, int n_max)
{
	int n = 0;

	for (; *name && n < n_max; name++, n++)
		fputc((unsigned char)*name < ' ' || (unsigned char)*name > '~' ? '?' : *name, file);
	return n;
}

static uint64_t phase_end(const struct phase *phase)
{
	return phase->start_ns + phase->duration_ns;
}

static bool is_container_side(const struct timeline *timeline, const struct phase *phase)
{
	return !strcmp(timeline->processes[phase->process].name, "container");
}

static uint64_t overlap_ns(const struct phase *a, const struct phase *b)
{
	uint64_t start = a->start_ns > b->start_ns ? a->start_ns : b->start_ns;
	uint64_t end = phase_end(a) < phase_end(b) ? phase_end(a) : phase_end(b);

	return end > start ? end - start : 0;
}

/*
 * The time that @phase neither worked nor is explained by phases in it or, on the launcher's side,
 * by what the container's child did meanwhile (with vfork the launcher sleeps until its exec).
 */
static uint64_t blocked_ns(const struct render *render, size_t index)
{
	const struct phase *phases = render->timeline->phases;
	const struct phase *phase = &phases[index];
	const struct group *group = render->group;
	uint64_t explained = phase->cpu_ns;

	if (phase->duration_ns <= explained + BLOCKED_NS)
		return 0;
	for (size_t i = group->first; i < group->first + group->n_phases; i++) {
		const struct phase *other = &phases[i];
		bool inside = i > index && other->process == phase->process &&
			      other->depth == phase->depth + 1 &&
			      other->start_ns < phase_end(phase);
		bool of_child = other->depth == 0 && is_container_side(render->timeline, other) &&
				!is_container_side(render->timeline, phase);

		if (inside && other->duration_ns > other->cpu_ns)
			explained += other->duration_ns - other->cpu_ns;
		if (of_child)
			explained += overlap_ns(other, phase);
	}
	return phase->duration_ns > explained ? phase->duration_ns - explained : 0;
}

/* Half columns: a phase's bar is at least one of them. */
static void print_bar(const struct render *render, const struct phase *phase)
{
	static const char *const drawn[] = { " ", "╸", "╺", "━" };
	static const char *const plain[] = { " ", "-", "-", "-" };
	const char *const *cells = render->options->ascii ? plain : drawn;
	uint64_t total = render->group->end_ns - render->group->start_ns;
	uint64_t n_halves = 2 * (uint64_t)render->bar_columns;
	double scale = total ? (double)n_halves / (double)total : 0;
	uint64_t first = (uint64_t)((double)(phase->start_ns - render->group->start_ns) * scale);
	uint64_t end = (uint64_t)((double)(phase_end(phase) - render->group->start_ns) * scale);

	if (first >= n_halves)
		first = n_halves - 1;
	if (end <= first)
		end = first + 1;
	for (uint64_t column = 0; 2 * column < end; column++) {
		unsigned int left = 2 * column >= first;
		unsigned int right = 2 * column + 1 >= first && 2 * column + 1 < end;

		if (phase->duration_ns == 0 && left + right > 0)
			fputs(render->options->ascii ? "*" : "◆", render->file);
		else
			fputs(cells[left | right << 1], render->file);
	}
}

static void print_phase(const struct render *render, size_t index)
{
	const struct phase *phase = &render->timeline->phases[index];
	uint64_t blocked = blocked_ns(render, index);
	int indent = 2 + 2 * (int)(phase->depth < 8 ? phase->depth : 8);
	int n;

	print_us(render->file, 11, phase->start_ns - render->group->start_ns);
	if (phase->duration_ns)
		print_us(render->file, 11, phase->duration_ns);
	else
		fprintf(render->file, "%11s", "");
	fprintf(render->file, "  %*s", indent, "");
	n = indent + print_name(render->file, phase->name, NAME_COLUMNS - indent - 1);
	fprintf(render->file, "%*s", NAME_COLUMNS - n, "");
	print_bar(render, phase);
	if (blocked > BLOCKED_NS)
		fprintf(render->file, " blocked %" PRIu64 ".%u ms", blocked / 1000000,
			(unsigned int)(blocked % 1000000 / 100000));
	fputc('\n', render->file);
}

static void print_process(const struct render *render, const struct process *process)
{
	fprintf(render->file, "%24s", "");
	print_name(render->file, process->name, 64);
	fprintf(render->file, " [%" PRId64 "]\n", process->pid);
}

struct total {
	const char *name;
	uint64_t duration_ns, cpu_ns;
	size_t n_phases;
};

/* Outermost phases only: what is in them is part of them. */
static void print_totals(const struct timeline *timeline, size_t first, size_t n_phases, FILE *file)
{
	struct total totals[16];
	size_t n_totals = 0, t;

	for (size_t i = first; i < first + n_phases; i++) {
		const struct phase *phase = &timeline->phases[i];
		const char *name = timeline->processes[phase->process].name;

		for (t = 0; t < n_totals && strcmp(totals[t].name, name) != 0; t++)
			;
		if (t == sizeof(totals) / sizeof(totals[0]))
			continue;
		if (t == n_totals)
			totals[n_totals++] = (struct total){ .name = name };
		totals[t].n_phases++;
		if (phase->depth > 0)
			continue;
		totals[t].duration_ns += phase->duration_ns;
		totals[t].cpu_ns += phase->duration_ns ? phase->cpu_ns : 0;
	}
	fprintf(file, "\n%11s%11s  totals\n", "cpu us", "wall us");
	for (t = 0; t < n_totals; t++) {
		print_us(file, 11, totals[t].cpu_ns);
		print_us(file, 11, totals[t].duration_ns);
		fputs("  ", file);
		print_name(file, totals[t].name, 64);
		fprintf(file, ", %zu phase%s\n", totals[t].n_phases,
			totals[t].n_phases == 1 ? "" : "s");
	}
}

static void print_group(const struct render *render)
{
	const struct group *group = render->group;
	const struct timeline *timeline = render->timeline;

	if (group->id[0]) {
		fputs("container ", render->file);
		print_name(render->file, group->id, 64);
	} else {
		fputs(timeline->n_groups > 1 ? "of all containers" : "no container", render->file);
	}
	fputs(": ", render->file);
	print_us(render->file, 0, group->end_ns - group->start_ns);
	fprintf(render->file, " us\n%11s%11s  phase\n", "start us", "wall us");
	for (size_t i = group->first; i < group->first + group->n_phases; i++) {
		size_t process = timeline->phases[i].process;

		if (i == group->first || timeline->phases[i - 1].process != process)
			print_process(render, &timeline->processes[process]);
		print_phase(render, i);
	}
	print_totals(timeline, group->first, group->n_phases, render->file);
}

static const struct group *group_at(const struct timeline *timeline, size_t phase)
{
	return &timeline->groups[timeline->phases[phase].group];
}

void timeline_render(const struct timeline *timeline, const struct render_options *options,
		     FILE *file)
{
	struct render render = { .timeline = timeline, .options = options, .file = file };
	size_t n_containers = 0;

	render.bar_columns = options->n_columns > BEFORE_COLUMNS + AFTER_COLUMNS + MIN_BAR_COLUMNS
				     ? options->n_columns - BEFORE_COLUMNS - AFTER_COLUMNS
				     : MIN_BAR_COLUMNS;
	if (render.bar_columns > MAX_BAR_COLUMNS)
		render.bar_columns = MAX_BAR_COLUMNS;
	for (size_t i = 0; i < timeline->n_phases; i += render.group->n_phases) {
		render.group = group_at(timeline, i);
		n_containers += render.group->id[0] != '\0';
		if (i > 0)
			fputc('\n', file);
		print_group(&render);
	}
	if (n_containers > 1) {
		fprintf(file, "\n%zu containers", n_containers);
		print_totals(timeline, 0, timeline->n_phases, file);
	}
}
