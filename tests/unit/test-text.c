/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/text.h"

static void an_empty_list_holds_nothing_and_is_freed_twice(void **state)
{
	struct string_list list = {};

	assert_false(string_list_contains(&list, ""));
	string_list_deinit(&list);
	string_list_deinit(&list);
}

static void a_list_owns_copies_in_order_and_ends_with_null(void **state)
{
	_cleanup_strings_ struct string_list list = {};
	char text[16];

	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(string_list_add(&list, text), 0);
		assert_null(list.items[list.n_items]);
	}
	assert_int_equal(list.n_items, 100);
	assert_string_equal(list.items[0], "0");
	assert_string_equal(list.items[99], "99");
	assert_true(string_list_contains(&list, "57"));
	assert_false(string_list_contains(&list, "100"));
}

static void a_list_takes_a_string_over_and_says_when_there_was_no_memory_for_it(void **state)
{
	_cleanup_strings_ struct string_list list = {};

	assert_int_equal(string_list_take(&list, strdup("mine")), 0);
	assert_int_equal(string_list_take(&list, NULL), -ENOMEM);
	assert_int_equal(list.n_items, 1);
}

static void a_format_of_any_length_becomes_a_string(void **state)
{
	_cleanup_free_ char *text = string_format("%s-%d-%0*d", "a", 7, 5000, 0);

	assert_int_equal(strlen(text), 4 + 5000);
}

static void the_rest_behind_a_prefix_is_given(void **state)
{
	assert_string_equal(string_has_prefix("sha256:ab", "sha256:"), "ab");
	assert_string_equal(string_has_prefix("sha256:", "sha256:"), "");
	assert_string_equal(string_has_prefix("x", ""), "x");
	assert_null(string_has_prefix("sha25", "sha256:"));
	assert_null(string_has_prefix("", "a"));
}

static void numbers_are_whole_strings_of_digits_in_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", UINT64_MAX, 0, 0 },
		{ "007", UINT64_MAX, 0, 7 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE },
		{ "65535", 65535, 0, 65535 },
		{ "65536", 65535, -ERANGE },
		{ "1", 0, -ERANGE },
		{ "", UINT64_MAX, -EINVAL },
		{ "-1", UINT64_MAX, -EINVAL },
		{ "+1", UINT64_MAX, -EINVAL },
		{ " 1", UINT64_MAX, -EINVAL },
		{ "1 ", UINT64_MAX, -EINVAL },
		{ "0x10", UINT64_MAX, -EINVAL },
		{ "1.5", UINT64_MAX, -EINVAL },
		{ "1e3", UINT64_MAX, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 4711;

		assert_int_equal(string_to_uint64(cases[i].text, cases[i].max, &value),
				 cases[i].result);
		assert_int_equal(value, cases[i].result == 0 ? cases[i].value : 4711);
	}
}

static void sizes_are_what_docker_takes_them_for(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "17b", 0, 17 },
		{ "64k", 0, 64 << 10 },
		{ "64K", 0, 64 << 10 },
		{ "64kb", 0, 64 << 10 },
		{ "64KiB", 0, 64 << 10 },
		{ "512m", 0, 512 << 20 },
		{ "1g", 0, 1 << 30 },
		{ "2t", 0, UINT64_C(2) << 40 },
		{ "16777215t", 0, UINT64_C(16777215) << 40 },
		{ "0.5g", 0, 1 << 29 },
		{ "1.5k", 0, 1536 },
		{ "1.25MiB", 0, 1310720 },
		{ "0.9999999999k", 0, 1023 },
		{ "2.5t", 0, UINT64_C(5) << 39 },
		{ "0.0k", 0, 0 },
		{ "1.5", -EINVAL },
		{ "1.5b", -EINVAL },
		{ "1.k", -EINVAL },
		{ ".5k", -EINVAL },
		{ "1.5.5k", -EINVAL },
		{ "1,5k", -EINVAL },
		{ "16777216t", -ERANGE },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE },
		{ "18014398509481984k", -ERANGE },
		{ "", -EINVAL },
		{ "m", -EINVAL },
		{ "-1m", -EINVAL },
		{ "1 m", -EINVAL },
		{ "1mm", -EINVAL },
		{ "1bb", -EINVAL },
		{ "1bib", -EINVAL },
		{ "1mi", -EINVAL },
		{ "1x", -EINVAL },
		{ "1kbx", -EINVAL },
		{ "1\t", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 4711;

		assert_int_equal(string_to_bytes(cases[i].text, &value), cases[i].result);
		assert_int_equal(value, cases[i].result == 0 ? cases[i].value : 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_holds_nothing_and_is_freed_twice),
		cmocka_unit_test(a_list_owns_copies_in_order_and_ends_with_null),
		cmocka_unit_test(
			a_list_takes_a_string_over_and_says_when_there_was_no_memory_for_it),
		cmocka_unit_test(a_format_of_any_length_becomes_a_string),
		cmocka_unit_test(the_rest_behind_a_prefix_is_given),
		cmocka_unit_test(numbers_are_whole_strings_of_digits_in_range),
		cmocka_unit_test(sizes_are_what_docker_takes_them_for),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
