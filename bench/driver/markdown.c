/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "bench/driver/driver.h"

/* Milliseconds with three figures or more: "0.123", "1.23", "12.3", "1234". */
static void print_ms(double us, FILE *file)
{
	int n_digits = us < 1000 ? 3 : us < 10000 ? 2 : us < 100000 ? 1 : 0;

	fprintf(file, " %.*f |", n_digits, us / 1e3);
}

static void print_row(const struct comparison *comparison, const struct variant *variant,
		      enum measure measure, FILE *file)
{
	const struct samples *samples = &variant->samples[measure];
	struct interval interval = comparison_interval(comparison, variant, measure);

	fprintf(file, "| %s: %s%s |", measure_title(measure), variant->name,
		variant->failed ? " (stopped: it failed)" : "");
	print_ms(samples_at(samples, 0), file);
	print_ms(samples_at(samples, 0.1), file);
	print_ms(samples_at(samples, 0.5), file);
	print_ms(samples_at(samples, 0.9), file);
	print_ms(samples_at(samples, 0.99), file);
	if (comparison->reference->samples[measure].n_values > 0)
		fprintf(file, " %.2f (%.2f - %.2f) |",
			comparison_ratio(comparison, variant, measure), interval.low,
			interval.high);
	else
		fputs(" |", file);
	if (measure != MEASURE_RETURN) {
		fputs(" | |\n", file);
		return;
	}
	print_ms(samples_at(&variant->samples[MEASURE_CPU], 0.5), file);
	fprintf(file, " %" PRIu64 " kB |\n", variant->max_rss_kb);
}

void comparison_print_markdown(const struct comparison *comparison, FILE *file)
{
	fprintf(file,
		"| %s, ms, %" PRIu64 " runs each | min | p10 | median | p90 | p99 "
		"| of %s (95 %%) | CPU | peak memory |\n"
		"|---|---|---|---|---|---|---|---|---|\n",
		comparison->scenario, comparison->n_rounds, comparison->reference->name);
	for (int measure = 0; measure < MEASURE_CPU; measure++) {
		for (size_t i = 0; i < comparison->n_variants; i++) {
			const struct variant *variant = &comparison->variants[i];

			if (variant->samples[measure].n_values > 0)
				print_row(comparison, variant, (enum measure)measure, file);
		}
	}
	if (comparison->n_busy_runs > 0)
		fprintf(file, "\n%" PRIu64 " of %" PRIu64 " runs began while something else ran.\n",
			comparison->n_busy_runs, comparison->n_runs);
}
