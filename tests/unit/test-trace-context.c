/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/trace_context.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

static void a_traceparent_is_what_the_recommendation_says(void **state)
{
	static const char *const good[] = {
		"00-" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "-00",
		"cc-" TRACE "-" SPAN "-01-what-the-future-has",
	};
	static const char *const bad[] = {
		"",
		"00",
		"ff-" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "-01-more",
		"00-" TRACE "-" SPAN,
		"00-" TRACE "-" SPAN "-0",
		"00-" TRACE "-0000000000000000-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-" TRACE "x-" SPAN "-01",
		"0-" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "-01.",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!trace_context_is_valid(good[i]))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (trace_context_is_valid(bad[i]))
			fail_msg("%s", bad[i]);
	}
}

static void spans_are_told_apart_and_found_again(void **state)
{
	char one[17], again[17], other[17];

	trace_context_span(1, "exec", 5, one);
	trace_context_span(1, "exec", 5, again);
	trace_context_span(1, "exec", 6, other);
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	assert_int_equal(strspn(one, "0123456789abcdef"), 16);
	trace_context_span(2, "exec", 5, other);
	assert_string_not_equal(one, other);
}

static void a_child_is_of_the_same_trace(void **state)
{
	char text[TRACE_CONTEXT_BYTES];

	trace_context_child("00-" TRACE "-" SPAN "-01", "1111111111111111", text);
	assert_string_equal(text, "00-" TRACE "-1111111111111111-01");
	assert_true(trace_context_is_valid(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_what_the_recommendation_says),
		cmocka_unit_test(spans_are_told_apart_and_found_again),
		cmocka_unit_test(a_child_is_of_the_same_trace),
	};

	return cmocka_run_group_tests_name("trace-context", tests, NULL, NULL);
}
