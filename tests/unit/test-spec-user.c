/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "launch/spec/user.h"

static const char passwd[] = "# a comment\n"
			     "broken\n"
			     "nouid:x:abc:0::/:/bin/sh\n"
			     "minus:x:4294967295:4294967295::/:/bin/sh\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "app:x:1000:1001:App:/home/app:/bin/sh\n"
			     "1234:x:777:778::/home/num:/bin/sh\n"
			     "homeless:x:5:6\n"
			     ":x:0:0::/evil:/bin/sh\n"
			     "twin:x:1000:2000::/home/twin:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "wheel:x:10:app,root\n"
			    "broken\n"
			    "nogid:x:abc:app\n"
			    "again:x:1001:app\n"
			    "99:x:555:\n"
			    "prefix:x:11:apple,xapp,ap\n"
			    "last:x:12:x,app";

static void users_are_what_the_image_says_and_numbers_are_numbers_first(void **state)
{
	static const struct {
		const char *user, *group_add;
		uint32_t uid, gid;
		const char *groups, *home;
	} cases[] = {
		{ "", NULL, 0, 0, "0 10 ", "/root" },
		{ NULL, NULL, 0, 0, "0 10 ", "/root" },
		{ "root", NULL, 0, 0, "0 10 ", "/root" },
		{ "app", NULL, 1000, 1001, "1001 10 12 ", "/home/app" },
		{ "1000", NULL, 1000, 1001, "1001 10 12 ", "/home/app" },
		{ "twin", NULL, 1000, 2000, "2000 ", "/home/twin" },
		{ "1234", NULL, 1234, 0, "0 ", NULL },
		{ "777", NULL, 777, 778, "778 ", "/home/num" },
		{ "app:wheel", NULL, 1000, 10, "10 ", "/home/app" },
		{ "app:99", NULL, 1000, 99, "99 ", "/home/app" },
		{ "5", NULL, 5, 6, "6 ", NULL },
		{ "1", NULL, 1, 0, "0 ", NULL },
		{ "01", NULL, 1, 0, "0 ", NULL },
		{ "1:", NULL, 1, 0, "0 ", NULL },
		{ ":1", NULL, 0, 1, "1 ", "/root" },
		{ "0:5", NULL, 0, 5, "5 ", "/root" },
		{ "4294967294", NULL, 4294967294, 0, "0 ", NULL },
		{ "app", "wheel", 1000, 1001, "1001 10 12 ", "/home/app" },
		{ "app", "7", 1000, 1001, "1001 10 12 7 ", "/home/app" },
		{ "app:wheel", "99", 1000, 10, "10 99 ", "/home/app" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_spec_user_ struct spec_user user = {};
		_cleanup_strings_ struct string_list more = {};
		char groups[128] = "";

		if (cases[i].group_add)
			assert_int_equal(string_list_add(&more, cases[i].group_add), 0);
		assert_int_equal(user_resolve(cases[i].user, &more, passwd, group, &user, NULL), 0);
		assert_int_equal(user.uid, cases[i].uid);
		assert_int_equal(user.gid, cases[i].gid);
		for (size_t g = 0; g < user.n_groups; g++)
			snprintf(groups + strlen(groups), sizeof(groups) - strlen(groups), "%u ",
				 user.groups[g]);
		assert_string_equal(groups, cases[i].groups);
		if (cases[i].home)
			assert_string_equal(user.home, cases[i].home);
		else
			assert_null(user.home);
	}
}

static void users_that_are_nobody_are_refused_and_set_nothing(void **state)
{
	static const char *const users[] = {
		"nobody", "ap",		"apple",      "nouid",
		"minus",  "broken",	"4294967295", "-1",
		"+0",	  "4294967296", "0:-1",	      "0:4294967295",
		"app:x",  "1:2:3",	"app:nogid",  "18446744073709551616"
	};
	struct string_list none = {};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		struct spec_user user = { .uid = 4711 };
		struct error error;

		error_init(&error);
		assert_int_equal(user_resolve(users[i], &none, passwd, group, &user, &error),
				 -EINVAL);
		assert_int_equal(user.uid, 4711);
		assert_true(error.message[0]);
	}
}

static void an_image_without_the_files_has_numbers_only(void **state)
{
	_cleanup_spec_user_ struct spec_user user = {};
	struct string_list none = {};

	assert_int_equal(user_resolve("7:8", &none, NULL, NULL, &user, NULL), 0);
	assert_int_equal(user.uid, 7);
	assert_int_equal(user.gid, 8);
	assert_int_equal(user_resolve("root", &none, NULL, NULL, &user, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_what_the_image_says_and_numbers_are_numbers_first),
		cmocka_unit_test(users_that_are_nobody_are_refused_and_set_nothing),
		cmocka_unit_test(an_image_without_the_files_has_numbers_only),
	};

	return cmocka_run_group_tests_name("spec-user", tests, NULL, NULL);
}
