/* SPDX-License-Identifier: MIT */
#include "bench/driver/statistics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define N_DRAWS 1000

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void sort(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
}

double statistics_median(double *values, size_t n)
{
	if (n == 0)
		return 0;
	sort(values, n);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* xorshift64*: of any quality, but the same on every machine. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static double draw(const double *values, const double *reference, size_t n, double *scratch,
		   uint64_t *state)
{
	double *drawn = scratch, *against = scratch + n, median;

	for (size_t i = 0; i < n; i++) {
		size_t round = (size_t)(random_next(state) % n);

		drawn[i] = values[round];
		against[i] = reference[round];
	}
	median = statistics_median(against, n);
	return median > 0 ? statistics_median(drawn, n) / median : 0;
}

struct interval statistics_ratio(const double *values, const double *reference, size_t n,
				 double confidence)
{
	double *scratch = n ? reallocarray(NULL, 2 * n + N_DRAWS, sizeof(*scratch)) : NULL;
	double *ratios = scratch + 2 * n;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	struct interval interval;

	if (!scratch)
		return (struct interval){};
	for (size_t i = 0; i < N_DRAWS; i++)
		ratios[i] = draw(values, reference, n, scratch, &state);
	sort(ratios, N_DRAWS);
	interval.low = ratios[(size_t)((1 - confidence) / 2 * (N_DRAWS - 1))];
	interval.high = ratios[(size_t)((1 + confidence) / 2 * (N_DRAWS - 1))];
	free(scratch);
	return interval;
}

/* How many standard deviations hold @confidence of a normal distribution. */
static double normal_width(double confidence)
{
	double low = 0, high = 10;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (erf(middle / sqrt(2)) < confidence)
			low = middle;
		else
			high = middle;
	}
	return low;
}

double statistics_pairs(const double *values, const double *reference, size_t n, double confidence,
			struct interval *ret_interval)
{
	double *ratios = n ? reallocarray(NULL, n, sizeof(*ratios)) : NULL;
	double half = normal_width(confidence) * sqrt((double)n) / 2, median, low, high;

	*ret_interval = (struct interval){ 0, INFINITY };
	if (!ratios)
		return 0;
	for (size_t i = 0; i < n; i++)
		ratios[i] = values[i] / reference[i];
	median = statistics_median(ratios, n);
	low = floor((double)n / 2 - half);
	high = ceil((double)n / 2 + half);
	if (low >= 1 && high < (double)n)
		*ret_interval = (struct interval){ ratios[(size_t)low - 1], ratios[(size_t)high] };
	free(ratios);
	return median;
}
