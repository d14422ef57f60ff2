/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <math.h>

#include "bench/driver/statistics.h"

static void the_median_is_in_the_middle(void **state)
{
	double odd[] = { 5, 1, 3 }, even[] = { 4, 1, 3, 2 };

	assert_true(statistics_median(odd, 3) == 3);
	assert_true(statistics_median(even, 4) == 2.5);
	assert_true(statistics_median(NULL, 0) == 0);
}

/* Times as a machine gives them: mostly near 1000, some much later, and a drift that meets both. */
static void rounds_make(double *reference, double *values, size_t n, double ratio)
{
	unsigned int seed = 7;

	for (size_t i = 0; i < n; i++) {
		double drift = 1 + 0.3 * sin((double)i / 40);

		for (int which = 0; which < 2; which++) {
			double noise =
				(double)(rand_r(&seed) % 100) + (rand_r(&seed) % 10 ? 0 : 900);

			*(which ? &values[i] : &reference[i]) =
				(1000 + noise) * drift * (which ? ratio : 1);
		}
	}
}

static void an_interval_holds_the_ratio_and_shrinks_with_more_rounds(void **state)
{
	enum { N = 400 };
	static double reference[N], values[N];
	struct interval few, many, again;

	rounds_make(reference, values, N, 1.5);
	few = statistics_ratio(values, reference, 20, 0.95);
	many = statistics_ratio(values, reference, N, 0.95);
	again = statistics_ratio(values, reference, N, 0.95);
	assert_true(many.low < 1.5 && many.high > 1.5);
	assert_true(many.high - many.low < few.high - few.low);
	assert_true(many.low == again.low && many.high == again.high);
	assert_true(statistics_ratio(values, reference, 0, 0.95).high == 0);
}

/* What drifts by 30 % hides 5 % from medians, not from pairs. */
static void pairs_tell_a_twentieth_from_nothing(void **state)
{
	enum { N = 2000 };
	static double reference[N], values[N];
	struct interval interval;
	double median;

	rounds_make(reference, values, N, 1.05);
	median = statistics_pairs(values, reference, N, 0.995, &interval);
	assert_true(median > 1.04 && median < 1.06);
	assert_true(interval.low > 1.03 && interval.high < 1.07);
	rounds_make(reference, values, N, 1);
	(void)statistics_pairs(values, reference, N, 0.995, &interval);
	assert_true(interval.low < 1.005 && interval.high > 0.995);
	assert_true(interval.low > 0.98 && interval.high < 1.02);
}

static void a_few_pairs_say_nothing(void **state)
{
	double reference[] = { 1, 1, 1 }, values[] = { 2, 2, 2 };
	struct interval interval;

	assert_true(statistics_pairs(values, reference, 3, 0.995, &interval) == 2);
	assert_true(interval.low == 0 && isinf(interval.high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_median_is_in_the_middle),
		cmocka_unit_test(an_interval_holds_the_ratio_and_shrinks_with_more_rounds),
		cmocka_unit_test(pairs_tell_a_twentieth_from_nothing),
		cmocka_unit_test(a_few_pairs_say_nothing),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
