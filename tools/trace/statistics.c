/* SPDX-License-Identifier: MIT */
#include "tools/trace/statistics.h"

#include <string.h>

#include "base/json_write.h"
#include "tools/trace/render.h"

static int durations_add(struct durations *durations, uint64_t ns)
{
	size_t n_new = durations->n_allocated ? durations->n_allocated * 2 : 128;
	uint64_t *grown;

	if (durations->n == durations->n_allocated) {
		grown = reallocarray(durations->ns, n_new, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		durations->ns = grown;
		durations->n_allocated = n_new;
	}
	durations->ns[durations->n++] = ns;
	return 0;
}

static int compare_ns(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void durations_sort(struct durations *durations)
{
	if (durations->n > 0)
		qsort(durations->ns, durations->n, sizeof(*durations->ns), compare_ns);
}

uint64_t durations_quantile(const struct durations *durations, unsigned int percent)
{
	size_t rank = (durations->n * percent + 99) / 100;

	if (durations->n == 0)
		return 0;
	return durations->ns[rank > 0 ? rank - 1 : 0];
}

/* In the trace, the n-th process of its name. */
static unsigned int ordinal_of(const struct timeline *timeline, size_t index)
{
	const struct process *process = &timeline->processes[index];
	unsigned int ordinal = 1;

	for (size_t i = 0; i < timeline->n_processes; i++) {
		const struct process *other = &timeline->processes[i];

		if (i != index && !strcmp(other->name, process->name) &&
		    other->start_ns < process->start_ns)
			ordinal++;
	}
	return ordinal;
}

static struct phase_statistics *phase_find(struct statistics *statistics, const char *process,
					   unsigned int ordinal, const char *phase)
{
	size_t n_new = statistics->n_phases_allocated ? statistics->n_phases_allocated * 2 : 64;
	struct phase_statistics *found, *grown;

	for (size_t i = 0; i < statistics->n_phases; i++) {
		found = &statistics->phases[i];
		if (found->ordinal == ordinal && !strcmp(found->phase, phase) &&
		    !strcmp(found->process, process))
			return found;
	}
	if (statistics->n_phases == statistics->n_phases_allocated) {
		grown = reallocarray(statistics->phases, n_new, sizeof(*grown));
		if (!grown)
			return NULL;
		statistics->phases = grown;
		statistics->n_phases_allocated = n_new;
	}
	found = &statistics->phases[statistics->n_phases];
	*found = (struct phase_statistics){ .process = strdup(process),
					    .ordinal = ordinal,
					    .phase = strdup(phase) };
	if (found->process && found->phase) {
		statistics->n_phases++;
		return found;
	}
	free(found->process);
	free(found->phase);
	return NULL;
}

static int phase_add(struct statistics *statistics, const struct trace *trace, size_t index)
{
	const struct phase *phase = &trace->timeline.phases[index];
	const struct facts *facts = &trace->analysis.facts[index];
	struct phase_statistics *found;

	found = phase_find(statistics, trace->timeline.processes[phase->process].name,
			   ordinal_of(&trace->timeline, phase->process), phase->name);
	if (!found)
		return -ENOMEM;
	if (found->durations.n == 0) {
		found->order_ns = phase->start_ns - trace->timeline.groups[phase->group].start_ns;
		found->depth = phase->depth;
		found->floor_ns = facts->floor_ns;
	}
	found->critical_ns += facts->critical_ns;
	return durations_add(&found->durations, phase->duration_ns);
}

int statistics_add(struct statistics *statistics, const struct trace *trace)
{
	const struct group_facts *group = NULL;

	/* A start has one container; what is measured from outside is around it. */
	for (size_t i = 0; i < trace->timeline.n_groups; i++)
		if (!group || trace->analysis.groups[i].is_measured)
			group = &trace->analysis.groups[i];
	for (size_t i = 0; i < trace->timeline.n_phases; i++) {
		const struct phase *phase = &trace->timeline.phases[i];

		if (phase->duration_ns > 0 && !trace->timeline.processes[phase->process].is_run &&
		    phase_add(statistics, trace, i) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < sizeof(group->leaves_ns) / sizeof(group->leaves_ns[0]); i++)
		if (durations_add(&statistics->leaves[i], group->leaves_ns[i]) < 0)
			return -ENOMEM;
	if (group->first_instruction_ns > group->start_ns &&
	    durations_add(&statistics->first_instruction,
			  group->first_instruction_ns - group->start_ns) < 0)
		return -ENOMEM;
	statistics->whole_ns += group->end_ns - group->start_ns;
	statistics->has_floors = statistics->has_floors || trace->analysis.has_floors;
	return durations_add(&statistics->whole, group->end_ns - group->start_ns);
}

/* A process's phases together, processes and phases by when they were seen first. */
static int compare_phases(const void *left, const void *right)
{
	const struct phase_statistics *a = left, *b = right;

	return (a->order_ns > b->order_ns) - (a->order_ns < b->order_ns);
}

static bool same_process(const struct phase_statistics *a, const struct phase_statistics *b)
{
	return a->ordinal == b->ordinal && !strcmp(a->process, b->process);
}

/* Behind the sort by time, which a container's phases and its launcher's share. */
static void processes_together(struct statistics *statistics)
{
	struct phase_statistics *phases = statistics->phases, moved;

	for (size_t i = 1; i < statistics->n_phases; i++) {
		size_t to = i;

		while (to > 0 && !same_process(&phases[to - 1], &phases[i]))
			to--;
		if (to == 0)
			continue;
		moved = phases[i];
		memmove(&phases[to + 1], &phases[to], (i - to) * sizeof(*phases));
		phases[to] = moved;
	}
}

void statistics_finish(struct statistics *statistics)
{
	for (size_t i = 0; i < statistics->n_phases; i++)
		durations_sort(&statistics->phases[i].durations);
	for (size_t i = 0; i < sizeof(statistics->leaves) / sizeof(statistics->leaves[0]); i++)
		durations_sort(&statistics->leaves[i]);
	durations_sort(&statistics->first_instruction);
	durations_sort(&statistics->whole);
	if (statistics->n_phases > 0)
		qsort(statistics->phases, statistics->n_phases, sizeof(*statistics->phases),
		      compare_phases);
	processes_together(statistics);
}

static void numbers_print(const struct durations *durations, FILE *file)
{
	static const unsigned int quantiles[] = { 0, 50, 90, 99 };

	fprintf(file, "%7zu", durations->n);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		us_print(file, 10, 1, durations_quantile(durations, quantiles[i]));
}

static void line_print(const struct statistics *statistics, const char *name, int indent,
		       const struct durations *durations, uint64_t critical_ns, FILE *file)
{
	int n;

	fprintf(file, "%*s", indent, "");
	n = indent + name_print(file, name, 27 - indent);
	fprintf(file, "%*s", 28 - n, "");
	numbers_print(durations, file);
	if (critical_ns > 0 && statistics->whole_ns > 0)
		fprintf(file, "%8.1f", 100.0 * (double)critical_ns / (double)statistics->whole_ns);
}

static uint64_t sum_of(const struct durations *durations)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < durations->n; i++)
		sum_ns += durations->ns[i];
	return sum_ns;
}

static void process_print(const struct phase_statistics *phase, FILE *file)
{
	name_print(file, phase->process, 64);
	if (phase->ordinal > 1)
		fprintf(file, " (%u)", phase->ordinal);
	fputc('\n', file);
}

static void totals_print(const struct statistics *statistics, FILE *file)
{
	fputc('\n', file);
	line_print(statistics, "to the first instruction", 0, &statistics->first_instruction, 0,
		   file);
	fputc('\n', file);
	line_print(statistics, "to the return", 0, &statistics->whole, 0, file);
	fputc('\n', file);
	line_print(statistics, LEAF_SHELL_NAME ": between processes", 0,
		   &statistics->leaves[LEAF_SHELL], sum_of(&statistics->leaves[LEAF_SHELL]), file);
	fputc('\n', file);
	line_print(statistics, LEAF_OTHER_NAME ": in no phase", 0, &statistics->leaves[LEAF_OTHER],
		   sum_of(&statistics->leaves[LEAF_OTHER]), file);
	fputc('\n', file);
}

void statistics_print_text(const struct statistics *statistics, FILE *file)
{
	const struct phase_statistics *phases = statistics->phases;

	fprintf(file, "%-28s%7s%10s%10s%10s%10s%8s%s\n", "microseconds", "n", "min", "median",
		"p90", "p99", "path %", statistics->has_floors ? "     floor" : "");
	for (size_t i = 0; i < statistics->n_phases; i++) {
		const struct phase_statistics *phase = &phases[i];
		unsigned int depth = phase->depth < 5 ? phase->depth : 5;

		if (i == 0 || !same_process(&phases[i - 1], phase))
			process_print(phase, file);
		line_print(statistics, phase->phase, 2 + 2 * (int)depth, &phase->durations,
			   phase->critical_ns, file);
		if (phase->floor_ns > 0) {
			if (phase->critical_ns == 0)
				fprintf(file, "%8s", "");
			us_print(file, 10, 1, phase->floor_ns);
		}
		fputc('\n', file);
	}
	totals_print(statistics, file);
}

static void json_line(const struct statistics *statistics, const struct phase_statistics *phase,
		      const char *name, const struct durations *durations, uint64_t critical_ns,
		      struct json_writer *writer)
{
	char share[32];
	int n = snprintf(share, sizeof(share), "%.6f",
			 statistics->whole_ns ? (double)critical_ns / (double)statistics->whole_ns
					      : 0);

	writer->comma = false;
	json_write_object_begin(writer, NULL);
	if (phase) {
		json_write_string(writer, "process", phase->process);
		json_write_uint(writer, "ordinal", phase->ordinal);
		json_write_string(writer, "phase", phase->phase);
	} else {
		json_write_string(writer, "total", name);
	}
	json_write_uint(writer, "n", durations->n);
	json_write_uint(writer, "min", durations_quantile(durations, 0));
	json_write_uint(writer, "median", durations_quantile(durations, 50));
	json_write_uint(writer, "p90", durations_quantile(durations, 90));
	json_write_uint(writer, "p99", durations_quantile(durations, 99));
	json_write_raw(writer, "share", share, (size_t)n);
	if (phase && phase->floor_ns > 0)
		json_write_uint(writer, "floor", phase->floor_ns);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}

int statistics_print_json(const struct statistics *statistics, FILE *file)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	const struct {
		const char *name;
		const struct durations *durations;
		bool is_of_path;
	} totals[] = {
		{ "first instruction", &statistics->first_instruction, false },
		{ "return", &statistics->whole, true },
		{ "phases", &statistics->leaves[LEAF_PHASE], true },
		{ LEAF_SHELL_NAME, &statistics->leaves[LEAF_SHELL], true },
		{ LEAF_OTHER_NAME, &statistics->leaves[LEAF_OTHER], true },
	};
	int r;

	for (size_t i = 0; i < statistics->n_phases; i++)
		json_line(statistics, &statistics->phases[i], NULL,
			  &statistics->phases[i].durations, statistics->phases[i].critical_ns,
			  &writer);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		json_line(statistics, NULL, totals[i].name, totals[i].durations,
			  totals[i].is_of_path ? sum_of(totals[i].durations) : 0, &writer);
	r = json_writer_status(&writer);
	if (r == 0)
		fwrite(writer.buffer.bytes, 1, writer.buffer.n_bytes, file);
	return r;
}

void statistics_deinit(struct statistics *statistics)
{
	for (size_t i = 0; i < statistics->n_phases; i++) {
		free(statistics->phases[i].process);
		free(statistics->phases[i].phase);
		free(statistics->phases[i].durations.ns);
	}
	for (size_t i = 0; i < sizeof(statistics->leaves) / sizeof(statistics->leaves[0]); i++)
		free(statistics->leaves[i].ns);
	free(statistics->first_instruction.ns);
	free(statistics->whole.ns);
	free(statistics->phases);
	*statistics = (struct statistics){};
}
