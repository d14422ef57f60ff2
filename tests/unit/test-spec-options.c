/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <string.h>

#include "launch/capability.h"
#include "launch/signal_name.h"
#include "launch/spec/environment.h"
#include "launch/spec/limits.h"
#include "launch/spec/network_files.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void capabilities_have_names_in_any_case_with_and_without_prefix(void **state)
{
	assert_int_equal(capability_from_name("CAP_CHOWN"), 0);
	assert_int_equal(capability_from_name("chown"), 0);
	assert_int_equal(capability_from_name("cap_Sys_Admin"), 21);
	assert_int_equal(capability_from_name("CHECKPOINT_RESTORE"), 40);
	assert_int_equal(capability_from_name(""), -EINVAL);
	assert_int_equal(capability_from_name("CAP_"), -EINVAL);
	assert_int_equal(capability_from_name("chow"), -EINVAL);
	assert_int_equal(capability_from_name("CAP_CAP_CHOWN"), -EINVAL);
	for (unsigned int i = 0; i <= 40; i++)
		assert_int_equal(capability_from_name(capability_name(i)), i);
	assert_null(capability_name(41));
}

static void adding_and_dropping_follow_dockers_rule(void **state)
{
	const uint64_t chown = CAPABILITY_BIT(0), admin = CAPABILITY_BIT(21);
	const uint64_t all = capability_bounding_set();
	const struct {
		const char *add, *drop;
		uint64_t set;
	} cases[] = {
		{ NULL, NULL, capability_docker_defaults },
		{ "sys_admin", NULL, capability_docker_defaults | admin },
		{ NULL, "chown", capability_docker_defaults & ~chown },
		{ "sys_admin", "sys_admin", capability_docker_defaults | admin },
		{ "chown", "ALL", chown },
		{ NULL, "all", 0 },
		{ "ALL", "chown", all & ~chown },
		{ "all", "all", all },
	};

	assert_int_equal(capability_docker_defaults, 0xa80425fb);
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_strings_ struct string_list add = {}, drop = {};
		uint64_t set;

		if (cases[i].add)
			assert_int_equal(string_list_add(&add, cases[i].add), 0);
		if (cases[i].drop)
			assert_int_equal(string_list_add(&drop, cases[i].drop), 0);
		assert_int_equal(capability_choose(&add, &drop, &set, NULL), 0);
		assert_int_equal(set, cases[i].set);
	}
}

static void signals_have_names_and_numbers(void **state)
{
	static const struct {
		const char *name;
		int number;
	} cases[] = {
		{ "TERM", 15 },		{ "SIGTERM", 15 },
		{ "sigterm", 15 },	{ "15", 15 },
		{ "64", 64 },		{ "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 },	{ "rtmax-1", 63 },
		{ "SIGRTMAX", 64 },	{ "0", -EINVAL },
		{ "65", -EINVAL },	{ "", -EINVAL },
		{ "SIG", -EINVAL },	{ "TER", -EINVAL },
		{ "-1", -EINVAL },	{ "RTMIN+31", -EINVAL },
		{ "RTMIN-1", -EINVAL }, { "RTMAX+1", -EINVAL },
		{ "RTMIN+", -EINVAL },
	};

	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(signal_from_name(cases[i].name), cases[i].number);
}

static void a_variable_set_twice_keeps_its_place_and_takes_the_last_value(void **state)
{
	_cleanup_strings_ struct string_list environment = {};

	assert_int_equal(environment_set(&environment, "A=1"), 0);
	assert_int_equal(environment_set(&environment, "AB=2"), 0);
	assert_int_equal(environment_set(&environment, "A=3=4"), 0);
	assert_int_equal(environment.n_items, 2);
	assert_string_equal(environment.items[0], "A=3=4");
	assert_string_equal(environment_get(&environment, "A"), "3=4");
	assert_string_equal(environment_get(&environment, "AB"), "2");
	assert_null(environment_get(&environment, "B"));
	assert_int_equal(environment_set(&environment, "AB"), 0);
	assert_null(environment_get(&environment, "AB"));
}

static void files_of_variables_have_comments_and_names_of_the_callers(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_strings_ struct string_list files = {}, entries = {}, environment = {},
					     labels = {};

	scratch_write(&scratch, "file",
		      "\xef\xbb\xbf"
		      "A=1\r\n\n# no\n  B= x \nLAMINA_TEST_HERE\nLAMINA_TEST_GONE\nC=");
	assert_int_equal(string_list_take(&files, scratch_path(&scratch, "file")), 0);
	assert_int_equal(string_list_add(&entries, "A=2"), 0);
	assert_int_equal(string_list_add(&entries, "LAMINA_TEST_GONE"), 0);
	setenv("LAMINA_TEST_HERE", "yes", 1);
	unsetenv("LAMINA_TEST_GONE");
	assert_int_equal(environment_from_options(&files, &entries, &environment, NULL), 0);
	assert_int_equal(environment.n_items, 5);
	assert_string_equal(environment.items[0], "A=2");
	assert_string_equal(environment.items[1], "B= x ");
	assert_string_equal(environment.items[2], "LAMINA_TEST_HERE=yes");
	assert_string_equal(environment.items[3], "C=");
	assert_string_equal(environment.items[4], "LAMINA_TEST_GONE");
	assert_int_equal(labels_from_options(&files, &entries, &labels, NULL), 0);
	assert_string_equal(labels.items[2], "LAMINA_TEST_HERE=");
}

static void files_of_variables_that_make_no_sense_are_refused_by_line(void **state)
{
	static const char *const texts[] = { "A=1\n=x\n", "A=1\na b=1\n",
					     "A=1\nname with blanks\n" };

	for (size_t i = 0; i < N(texts); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list files = {};
		struct string_list none = {}, environment = {};
		struct error error;

		error_init(&error);
		scratch_write(&scratch, "file", texts[i]);
		assert_int_equal(string_list_take(&files, scratch_path(&scratch, "file")), 0);
		assert_int_equal(environment_from_options(&files, &none, &environment, &error),
				 -EINVAL);
		assert_true(error.usage);
		assert_non_null(strstr(error.message, "line 2: "));
		assert_int_equal(environment.n_items, 0);
	}
}

static void limits_are_taken_as_docker_takes_them(void **state)
{
	struct spec_options options = { .memory = "64m", .cpu_shares = "2", .pids_limit = "-1" };
	_cleanup_strings_ struct string_list ulimits = {};
	struct spec_limits limits;

	assert_int_equal(limits_parse(&options, &limits, NULL), 0);
	assert_int_equal(limits.memory, 64 << 20);
	assert_int_equal(limits.memory_swap, 128 << 20);
	assert_int_equal(limits.shm_bytes, 64 << 20);
	assert_int_equal(limits.pids, 0);
	assert_int_equal(string_list_add(&ulimits, "nofile=10"), 0);
	assert_int_equal(string_list_add(&ulimits, "core=0:-1"), 0);
	assert_int_equal(string_list_add(&ulimits, "nofile=10:unlimited"), 0);
	options = (struct spec_options){ .ulimits = ulimits, .cpus = "0.5", .memory = "512k" };
	assert_int_equal(limits_parse(&options, &limits, NULL), 0);
	assert_int_equal(limits.cpu_quota, 50000);
	assert_int_equal(limits.cpu_period, 100000);
	assert_int_equal(limits.n_ulimits, 2);
	assert_string_equal(limits.ulimits[0].name, "core");
	assert_true(limits.ulimits[0].hard == UINT64_MAX);
	assert_string_equal(limits.ulimits[1].name, "nofile");
	assert_int_equal(limits.ulimits[1].soft, 10);
	assert_true(limits.ulimits[1].hard == UINT64_MAX);
}

static void name_servers_that_a_container_cannot_reach_are_left_out(void **state)
{
	/* What Docker 20.10 makes of the same files. */
	static const struct {
		const char *host, *container;
	} cases[] = {
		{ "nameserver 10.1.1.1\n", "nameserver 10.1.1.1\n" },
		{ "# comment\nnameserver 127.0.0.1\nnameserver ::1\nnameserver fe80::1%eth0\n"
		  "nameserver 2001:db8::1\n  nameserver 9.9.9.9\nsearch a b\n",
		  "# comment\nnameserver 9.9.9.9\nsearch a b\n" },
		{ "nameserver 127.0.0.53\noptions edns0\nsearch foo\n",
		  "options edns0\nsearch foo\n\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
		{ "", "\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
		{ "nameserver\t1.2.3.4 # why\nnameservers 1.1.1.1",
		  "nameserver 1.2.3.4\nnameservers 1.1.1.1\n" },
		{ "nameserver", "nameserver\n\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
	};

	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_buffer_ struct buffer text = {};

		resolv_conf_filter(cases[i].host, &text);
		assert_string_equal(text.bytes, cases[i].container);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_have_names_in_any_case_with_and_without_prefix),
		cmocka_unit_test(adding_and_dropping_follow_dockers_rule),
		cmocka_unit_test(signals_have_names_and_numbers),
		cmocka_unit_test(a_variable_set_twice_keeps_its_place_and_takes_the_last_value),
		cmocka_unit_test(files_of_variables_have_comments_and_names_of_the_callers),
		cmocka_unit_test(files_of_variables_that_make_no_sense_are_refused_by_line),
		cmocka_unit_test(limits_are_taken_as_docker_takes_them),
		cmocka_unit_test(name_servers_that_a_container_cannot_reach_are_left_out),
	};

	return cmocka_run_group_tests_name("spec-options", tests, NULL, NULL);
}
