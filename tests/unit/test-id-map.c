/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "launch/config/id_map.h"

static int parse(const char *text, struct id_map *map, struct error *error)
{
	_cleanup_json_ struct json_document document = {};

	error_init(error);
	assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
	return id_map_parse(map, json_root(&document), "linux.uidMappings", error);
}

static void ranges_are_taken_and_printed_as_the_kernel_reads_them(void **state)
{
	struct id_maps maps = {};
	char text[ID_MAP_MAX_BYTES + 1];
	struct error error;
	size_t n_bytes;

	assert_int_equal(parse("[{\"containerID\":0,\"hostID\":100000,\"size\":10},"
			       "{\"containerID\":4294967294,\"hostID\":10,\"size\":1}]",
			       &maps.uids, &error),
			 0);
	n_bytes = id_map_print(&maps.uids, text);
	assert_int_equal(n_bytes, strlen(text));
	assert_string_equal(text, "0 100000 10\n4294967294 10 1\n");
	assert_true(id_map_contains(&maps.uids, 0));
	assert_true(id_map_contains(&maps.uids, 9));
	assert_false(id_map_contains(&maps.uids, 10));
	assert_true(id_map_contains(&maps.uids, 4294967294));
	assert_false(id_map_contains(&maps.uids, 4294967295));
	id_maps_deinit(&maps);
}

static void the_whole_of_all_ids_is_a_range(void **state)
{
	struct id_maps maps = {};
	struct error error;

	assert_int_equal(
		parse("[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}]", &maps.uids, &error),
		0);
	assert_true(id_map_contains(&maps.uids, 4294967294));
	assert_false(id_map_contains(&maps.uids, 4294967295));
	id_maps_deinit(&maps);
}

static void what_the_kernel_would_refuse_is_refused_in_words(void **state)
{
	static const struct {
		const char *ranges, *words;
	} cases[] = {
		{ "0,0,0", "[0]': its size is 0" },
		{ "1,0,4294967295", "past the last id" },
		{ "0,1,4294967295", "past the last id" },
		{ "4294967295,0,1", "past the last id" },
		{ "0,4294967295,1", "past the last id" },
		{ "0,100,10;9,200,1", "[1]': its container ids overlap those of" },
		{ "0,100,10;10,109,5", "[1]': its host ids overlap those of" },
		{ "5,100,1;0,200,6", "container ids overlap" },
		{ "4294967290,100,5;4294967294,200,1", "container ids overlap" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct id_maps maps = {};
		char text[512] = "[";
		struct error error;

		for (const char *p = cases[i].ranges; *p; p += strcspn(p, ";"), p += *p == ';') {
			unsigned int a, b, c;

			assert_int_equal(sscanf(p, "%u,%u,%u", &a, &b, &c), 3);
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "%s{\"containerID\":%u,\"hostID\":%u,\"size\":%u}",
				 text[1] ? "," : "", a, b, c);
		}
		strcat(text, "]");
		assert_int_equal(parse(text, &maps.uids, &error), -EINVAL);
		if (!strstr(error.message, cases[i].words))
			fail_msg("%s: '%s'", cases[i].ranges, error.message);
		id_maps_deinit(&maps);
	}
}

static void so_many_ranges_as_the_kernel_takes_and_no_more(void **state)
{
	static char text[64 * (ID_MAP_MAX_RANGES + 1)];

	for (int n = ID_MAP_MAX_RANGES; n <= ID_MAP_MAX_RANGES + 1; n++) {
		struct id_maps maps = {};
		struct error error;

		strcpy(text, "[");
		for (int i = 0; i < n; i++)
			sprintf(text + strlen(text),
				"%s{\"containerID\":%d,\"hostID\":%d,\"size\":1}", i ? "," : "",
				i * 2, i * 2);
		strcat(text, "]");
		assert_int_equal(parse(text, &maps.uids, &error),
				 n == ID_MAP_MAX_RANGES ? 0 : -E2BIG);
		id_maps_deinit(&maps);
	}
}

static void the_mappings_of_an_option_are_those_of_the_fields(void **state)
{
	struct id_maps option = {}, fields = {};
	struct error error;

	error_init(&error);
	assert_int_equal(
		id_maps_parse_text(&option, "uids=0-1000-10#10-2000-1;gids=0-5-4294967290", &error),
		0);
	assert_int_equal(parse("[{\"containerID\":0,\"hostID\":1000,\"size\":10},"
			       "{\"containerID\":10,\"hostID\":2000,\"size\":1}]",
			       &fields.uids, &error),
			 0);
	assert_int_equal(parse("[{\"containerID\":0,\"hostID\":5,\"size\":4294967290}]",
			       &fields.gids, &error),
			 0);
	assert_true(id_maps_equal(&option, &fields));
	fields.gids.ranges[0].size--;
	assert_false(id_maps_equal(&option, &fields));
	id_maps_deinit(&option);
	id_maps_deinit(&fields);
}

static void an_option_that_is_no_mapping_is_refused(void **state)
{
	static const char *const texts[] = {
		"0-1-1",
		"uids=",
		"uids=1",
		"uids=1-2",
		"uids=1-2-",
		"uids=1-2-3x",
		"uids=1-2-3#",
		"uids=1-2-3;uids=4-5-6",
		"uids=-1-2-3",
		"uids=@1-2-3",
		"uids=1-2-4294967296",
		"uids=12345678901-2-3",
		"ids=1-2-3",
		"uids=1-2-3;x=1",
		"uids=1-2-0",
		"uids= 1-2-3",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct id_maps maps = {};
		struct error error;

		error_init(&error);
		if (id_maps_parse_text(&maps, texts[i], &error) >= 0)
			fail_msg("'%s' is taken", texts[i]);
		assert_int_not_equal(error.message[0], '\0');
		id_maps_deinit(&maps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_taken_and_printed_as_the_kernel_reads_them),
		cmocka_unit_test(the_whole_of_all_ids_is_a_range),
		cmocka_unit_test(what_the_kernel_would_refuse_is_refused_in_words),
		cmocka_unit_test(so_many_ranges_as_the_kernel_takes_and_no_more),
		cmocka_unit_test(the_mappings_of_an_option_are_those_of_the_fields),
		cmocka_unit_test(an_option_that_is_no_mapping_is_refused),
	};

	return cmocka_run_group_tests_name("id-map", tests, NULL, NULL);
}
