/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>

#include "launch/number_list.h"

static void a_list_of_numbers_and_ranges_is_read(void **state)
{
	unsigned long bits[2] = { ~0UL, ~0UL };

	assert_int_equal(number_list_parse("0-3,8,64-65", bits, 128), 7);
	assert_true(bits[0] == 0x10fUL);
	assert_true(bits[1] == 0x3UL);
	assert_int_equal(number_list_parse("127", bits, 128), 1);
	assert_true(bits[0] == 0 && bits[1] == 1UL << 63);
	assert_int_equal(number_list_parse("8191", NULL, NUMBER_LIST_MAX_CPUS), 1);
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const lists[] = {
		"",	 "-",
		",",	 "0,",
		",0",	 "0-",
		"-1",	 "1-0",
		"0--1",	 "0 ",
		" 0",	 "0x1",
		"a",	 "0-1-2",
		"0;1",	 "128",
		"+1",	 "1,,2",
		"0-128", "0\n1",
		"1.5",	 "99999999999999999999999",
		"all",
	};
	unsigned long bits[2];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (number_list_parse(lists[i], bits, 128) != -EINVAL)
			fail_msg("'%s' was taken", lists[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_numbers_and_ranges_is_read),
		cmocka_unit_test(what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
