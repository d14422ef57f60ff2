/* SPDX-License-Identifier: MIT */
/*
 * What the systemd driver makes of a config: names, properties, and which annotations it takes.
 */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <string.h>

#include "launch/cgroup/delegation.h"
#include "launch/cgroup/systemd.h"

static void a_path_names_slice_and_scope(void **state)
{
	static const struct {
		const char *path;
		bool is_user;
		const char *slice, *name; /* NULL: refused */
	} cases[] = {
		{ NULL, false, "system.slice", "lamina-box.scope" },
		{ "", true, "user.slice", "lamina-box.scope" },
		{ "machine.slice:libpod:abc", false, "machine.slice", "libpod-abc.scope" },
		{ ":docker:a+b", false, "system.slice", "docker-a\\x2bb.scope" },
		{ "a-b.slice::x", false, "a-b.slice", "x.scope" },
		{ "-.slice:p:x", false, "-.slice", "p-x.scope" },
		{ "/lamina/x", false, NULL, NULL },
		{ "a.slice:p", false, NULL, NULL },
		{ "a.slice:p:", false, NULL, NULL },
		{ "a.slice:p:x:y", false, NULL, NULL },
		{ "a:p:x", false, NULL, NULL },
		{ "a.service:p:x", false, NULL, NULL },
		{ "../a.slice:p:x", false, NULL, NULL },
		{ "a.slice:p/q:x", false, NULL, NULL },
		{ "a.slice:p:x y", false, NULL, NULL },
		{ "a.slice:p:x\n", false, NULL, NULL },
		{ ".slice:p:x", false, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct systemd_unit unit = {};
		struct error error = {};
		int r = systemd_unit_parse(cases[i].path, "box", cases[i].is_user, &unit, &error);

		if (!cases[i].name) {
			if (r != -EINVAL || !*error.message)
				fail_msg("'%s' is taken", cases[i].path);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(unit.slice, cases[i].slice);
		assert_string_equal(unit.name, cases[i].name);
		assert_int_equal(unit.is_user, cases[i].is_user);
	}
}

/* The list as one string, with spaces between. */
static void joined(const struct string_list *list, char text[2048])
{
	text[0] = '\0';
	STRING_LIST_FOR_EACH (list, i) {
		strcat(text, *text ? " " : "");
		strcat(text, list->items[i]);
	}
}

static void limits_become_properties(void **state)
{
	static const struct {
		const char *resources, *v2, *v1;
	} cases[] = {
		{ "{}", "", "" },
		{ "{\"memory\":{\"limit\":64,\"swap\":96,\"reservation\":8}}",
		  "MemoryMax=t:64 MemoryLow=t:8 MemorySwapMax=t:32", "MemoryLimit=t:64" },
		{ "{\"memory\":{\"limit\":-1}}",
		  "MemoryMax=t:18446744073709551615 MemorySwapMax=t:18446744073709551615",
		  "MemoryLimit=t:18446744073709551615" },
		{ "{\"memory\":{\"limit\":0,\"swap\":0}}", "", "" },
		{ "{\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":100000}}",
		  "CPUWeight=t:100 CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:500000",
		  "CPUShares=t:1024 CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:500000" },
		/* Whole percents, upwards. */
		{ "{\"cpu\":{\"quota\":33333}}", "CPUQuotaPerSecUSec=t:340000",
		  "CPUQuotaPerSecUSec=t:340000" },
		{ "{\"cpu\":{\"quota\":-1}}", "CPUQuotaPerSecUSec=t:18446744073709551615",
		  "CPUQuotaPerSecUSec=t:18446744073709551615" },
		{ "{\"cpu\":{\"idle\":1}}", "CPUWeight=t:0", "" },
		{ "{\"cpu\":{\"cpus\":\"0-2,9\",\"mems\":\"0\"}}",
		  "AllowedCPUs=ay:0702 AllowedMemoryNodes=ay:01", "" },
		{ "{\"cpu\":{\"cpus\":\"9999999\"}}", "", "" },
		{ "{\"cpu\":{\"cpus\":\"x\"}}", "", "" },
		{ "{\"pids\":{\"limit\":7}}", "TasksMax=t:7", "TasksMax=t:7" },
		{ "{\"blockIO\":{\"weight\":500}}", "IOWeight=t:4950", "BlockIOWeight=t:500" },
		{ "{\"unified\":{\"memory.high\":\"5\",\"pids.max\":\"max\",\"cpu.max\":\"20000 "
		  "40000\",\"cpuset.cpus\":\"1\",\"io.max\":\"8:0 rbps=1\"}}",
		  "MemoryHigh=t:5 TasksMax=t:18446744073709551615 CPUQuotaPerSecUSec=t:500000 "
		  "AllowedCPUs=ay:02",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_strings_ struct string_list v1 = {}, v2 = {};
		char text[2048];

		assert_int_equal(
			json_parse(&document, cases[i].resources, strlen(cases[i].resources), NULL),
			0);
		assert_int_equal(systemd_properties(json_root(&document), true, &v2, NULL), 0);
		joined(&v2, text);
		assert_string_equal(text, cases[i].v2);
		assert_int_equal(systemd_properties(json_root(&document), false, &v1, NULL), 0);
		joined(&v1, text);
		assert_string_equal(text, cases[i].v1);
	}
}

static void annotations_are_taken_from_a_short_list_only(void **state)
{
	static const char annotations[] =
		"{\"org.systemd.property.TimeoutStopUSec\":\"uint64 5\","
		"\"org.systemd.property.DefaultDependencies\":\"true\","
		"\"org.systemd.property.After\":\"['a.service', 'b.service']\","
		"\"org.systemd.property.CollectMode\":\"'inactive'\","
		"\"org.systemd.property.ExecStopPost\":\"'/bin/sh'\","
		"\"org.systemd.property.MemoryMax\":\"uint64 1\","
		"\"org.systemd.property.Before\":\"['a', uint64 1]\","
		"\"org.systemd.property.DeviceAllow\":\"[('/dev/sda', 'rwm')]\","
		"\"org.systemd.property.\":\"true\","
		"\"com.example\":\"org.systemd.property.X\"}";
	_cleanup_json_ struct json_document document = {};
	_cleanup_strings_ struct string_list properties = {}, ignored = {};
	char text[2048];

	(void)state;
	assert_int_equal(json_parse(&document, annotations, strlen(annotations), NULL), 0);
	assert_int_equal(systemd_annotations(json_root(&document), &properties, &ignored), 0);
	joined(&properties, text);
	assert_string_equal(text, "TimeoutStopUSec=t:5 DefaultDependencies=b:true "
				  "After=as:a.service,b.service CollectMode=s:inactive");
	assert_int_equal(ignored.n_items, 5);
}

static void values_of_another_type_are_no_properties(void **state)
{
	static const char *const values[] = {
		"-1", "'5'", "uint64", "uint64 5x", "uint32 5", "", "99999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_strings_ struct string_list properties = {}, ignored = {};
		_cleanup_free_ char *text = string_format(
			"{\"org.systemd.property.TimeoutStopUSec\":\"%s\"}", values[i]);

		assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
		assert_int_equal(systemd_annotations(json_root(&document), &properties, &ignored),
				 0);
		if (properties.n_items != 0 || ignored.n_items != 1)
			fail_msg("'%s' is taken", values[i]);
	}
}

static void without_a_helper_there_is_a_clear_error(void **state)
{
	struct systemd_unit unit = { .slice = "system.slice", .name = "x.scope" };
	struct systemd_scope scope = SYSTEMD_SCOPE_EMPTY;
	struct error error = {};

	(void)state;
	setenv("PATH", "/nosuch", 1);
	assert_int_equal(systemd_scope_start("/nosuch/nslaunch", &unit, NULL, NULL, &scope, &error),
			 -ENOENT);
	assert_non_null(strstr(error.message, "nslaunch-systemd"));
	assert_int_equal(scope.helper_pid, 0);
}

static void what_asks_for_no_limit_is_known(void **state)
{
	static const struct {
		const char *resources;
		bool asks;
	} cases[] = {
		{ "{}", false },
		{ "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", false },
		{ "{\"memory\":{\"limit\":0,\"swap\":-1},\"pids\":{\"limit\":-1},\"cpu\":{}}",
		  false },
		{ "{\"unified\":{},\"blockIO\":null,\"hugepageLimits\":[]}", false },
		{ "{\"memory\":{\"limit\":1}}", true },
		{ "{\"cpu\":{\"cpus\":\"0\"}}", true },
		{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}", true },
		{ "{\"unified\":{\"pids.max\":\"3\"}}", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};

		assert_int_equal(
			json_parse(&document, cases[i].resources, strlen(cases[i].resources), NULL),
			0);
		if (cgroup_resources_ask(json_root(&document)) != cases[i].asks)
			fail_msg("%s", cases[i].resources);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_slice_and_scope),
		cmocka_unit_test(limits_become_properties),
		cmocka_unit_test(annotations_are_taken_from_a_short_list_only),
		cmocka_unit_test(values_of_another_type_are_no_properties),
		cmocka_unit_test(without_a_helper_there_is_a_clear_error),
		cmocka_unit_test(what_asks_for_no_limit_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
