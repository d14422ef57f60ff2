/* SPDX-License-Identifier: MIT */
#include "bench/driver/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	double share;
} quantiles[] = {
	{ "min", 0 }, { "p10", 0.1 }, { "median", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 },
};

#define N_QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static const struct {
	const char *title, *key;
} measures[N_MEASURES] = {
	[MEASURE_STAMP] = { "to the program's first instruction", "first_instruction_us" },
	[MEASURE_BYTE] = { "to the first byte of output", "first_byte_us" },
	[MEASURE_RETURN] = { "to the command's return", "return_us" },
	[MEASURE_CPU] = { "CPU time of the command", "cpu_us" },
};

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int samples_sort(struct samples *samples)
{
	if (samples->n_values == 0)
		return 0;
	samples->sorted = reallocarray(NULL, samples->n_values, sizeof(double));
	if (!samples->sorted)
		return -ENOMEM;
	memcpy(samples->sorted, samples->values, samples->n_values * sizeof(double));
	qsort(samples->sorted, samples->n_values, sizeof(double), compare_doubles);
	return 0;
}

/* The nearest rank: a value that was measured, never one in between. */
double samples_at(const struct samples *samples, double share)
{
	size_t rank = (size_t)(share * (double)samples->n_values + 0.999999);

	if (samples->n_values == 0)
		return 0;
	return samples->sorted[rank > 0 ? rank - 1 : 0];
}

double comparison_ratio(const struct comparison *comparison, const struct variant *variant,
			enum measure measure)
{
	double reference = samples_at(&comparison->reference->samples[measure], 0.5);

	return reference > 0 ? samples_at(&variant->samples[measure], 0.5) / reference : 0;
}

/* One that failed has stopped earlier. */
struct interval comparison_interval(const struct comparison *comparison,
				    const struct variant *variant, enum measure measure)
{
	const struct samples *reference = &comparison->reference->samples[measure];
	const struct samples *samples = &variant->samples[measure];
	size_t n =
		samples->n_values < reference->n_values ? samples->n_values : reference->n_values;

	return statistics_ratio(samples->values, reference->values, n, 0.95);
}

const char *measure_title(enum measure measure)
{
	return measures[measure].title;
}

static void print_measure(const struct comparison *comparison, enum measure measure, FILE *file)
{
	bool has_any = false;

	for (size_t i = 0; i < comparison->n_variants; i++)
		has_any |= comparison->variants[i].samples[measure].n_values > 0;
	if (!has_any)
		return;
	fprintf(file, "\n%-28s", measures[measure].title);
	fprintf(file, "\n%-28s", "us");
	for (size_t q = 0; q < N_QUANTILES; q++)
		fprintf(file, "%10s", quantiles[q].name);
	fprintf(file, "%10s%16s%s\n", "ratio", "95 %",
		measure == MEASURE_RETURN ? "   peak RSS" : "");
	for (size_t i = 0; i < comparison->n_variants; i++) {
		const struct variant *variant = &comparison->variants[i];
		const struct samples *samples = &variant->samples[measure];
		struct interval interval;

		if (samples->n_values == 0)
			continue;
		fprintf(file, "%-28s", variant->name);
		for (size_t q = 0; q < N_QUANTILES; q++)
			fprintf(file, "%10.0f", samples_at(samples, quantiles[q].share));
		interval = comparison_interval(comparison, variant, measure);
		if (comparison->reference->samples[measure].n_values > 0)
			fprintf(file, "%10.2f   %5.2f - %5.2f",
				comparison_ratio(comparison, variant, measure), interval.low,
				interval.high);
		else
			fprintf(file, "%10s%16s", "-", "");
		if (measure == MEASURE_RETURN)
			fprintf(file, "%8" PRIu64 " kB", variant->max_rss_kb);
		if (measure == MEASURE_CPU && variant->daemon_cgroup)
			fputs("  (with its daemon's)", file);
		fprintf(file, "%s\n", variant->failed ? "  (stopped: it failed)" : "");
	}
}

void comparison_print(const struct comparison *comparison, FILE *file)
{
	fprintf(file,
		"%s: %" PRIu64 " runs each, interleaved, %" PRIu64 " ms apart; ratios to %s\n",
		comparison->scenario, comparison->n_rounds, comparison->pace_ms,
		comparison->reference->name);
	if (comparison->n_busy_runs > 0)
		fprintf(file,
			"%" PRIu64 " of %" PRIu64
			" runs began while other processes were running: read the minima\n",
			comparison->n_busy_runs, comparison->n_runs);
	for (int measure = 0; measure < N_MEASURES; measure++)
		print_measure(comparison, (enum measure)measure, file);
}

/* JSON numbers: microseconds in thousandths. */
static void write_number(struct json_writer *writer, const char *key, double value)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "%.3f", value);

	json_write_raw(writer, key, text, (size_t)n);
}

static void write_measure(const struct comparison *comparison, const struct variant *variant,
			  enum measure measure, struct json_writer *writer)
{
	const struct samples *samples = &variant->samples[measure];
	struct interval interval;

	if (samples->n_values == 0)
		return;
	json_write_object_begin(writer, measures[measure].key);
	for (size_t q = 0; q < N_QUANTILES; q++)
		write_number(writer, quantiles[q].name, samples_at(samples, quantiles[q].share));
	write_number(writer, "ratio", comparison_ratio(comparison, variant, measure));
	interval = comparison_interval(comparison, variant, measure);
	write_number(writer, "ratio_low", interval.low);
	write_number(writer, "ratio_high", interval.high);
	json_write_array_begin(writer, "samples");
	for (size_t i = 0; i < samples->n_values; i++)
		write_number(writer, NULL, samples->values[i]);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

void comparison_write(const struct comparison *comparison, struct json_writer *writer)
{
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "scenario", comparison->scenario);
	json_write_string(writer, "host", comparison->host);
	json_write_uint(writer, "rounds", comparison->n_rounds);
	json_write_uint(writer, "pace_ms", comparison->pace_ms);
	json_write_uint(writer, "runs", comparison->n_runs);
	json_write_uint(writer, "busy_runs", comparison->n_busy_runs);
	json_write_string(writer, "reference", comparison->reference->name);
	json_write_array_begin(writer, "variants");
	for (size_t i = 0; i < comparison->n_variants; i++) {
		const struct variant *variant = &comparison->variants[i];

		json_write_object_begin(writer, NULL);
		json_write_string(writer, "name", variant->name);
		json_write_bool(writer, "failed", variant->failed);
		json_write_uint(writer, "max_rss_kb", variant->max_rss_kb);
		json_write_bool(writer, "has_daemon_cpu", variant->daemon_cgroup != NULL);
		for (int measure = 0; measure < N_MEASURES; measure++)
			write_measure(comparison, variant, (enum measure)measure, writer);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}
