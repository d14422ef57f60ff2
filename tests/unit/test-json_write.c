/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/json_write.h"

static void commas_and_names_are_put_in(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "s", "x");
	json_write_string(&writer, "none", NULL);
	json_write_int(&writer, "i", INT64_MIN);
	json_write_uint(&writer, "u", UINT64_MAX);
	json_write_bool(&writer, "t", true);
	json_write_array_begin(&writer, "a");
	json_write_int(&writer, NULL, 1);
	json_write_array_begin(&writer, NULL);
	json_write_array_end(&writer);
	json_write_object_begin(&writer, NULL);
	json_write_object_end(&writer);
	json_write_bool(&writer, NULL, false);
	json_write_array_end(&writer);
	json_write_raw(&writer, "r", "{\"x\": 1}", 8);
	json_write_object_end(&writer);
	assert_int_equal(json_writer_status(&writer), 0);
	assert_string_equal(writer.buffer.bytes,
			    "{\"s\":\"x\",\"none\":null,\"i\":-9223372036854775808,"
			    "\"u\":18446744073709551615,\"t\":true,\"a\":[1,[],{},false],"
			    "\"r\":{\"x\": 1}}");
}

static void strings_are_escaped(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain /text", "\"plain /text\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "a\nb\tc\r", "\"a\\nb\\u0009c\\u000d\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		/* What is no UTF-8 becomes U+FFFD, a byte each. */
		{ "a\xff", "\"a\xef\xbf\xbd\"" },
		{ "\x80x", "\"\xef\xbf\xbdx\"" },
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe2\x82\"", "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"" },
		{ "\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf5", "\"\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_writer_ struct json_writer writer = {};

		json_write_string(&writer, NULL, cases[i].text);
		assert_string_equal(writer.buffer.bytes, cases[i].json);
	}
}

static void any_bytes_come_out_as_json(void **state)
{
	unsigned int seed = 1;

	for (int round = 0; round < 2000; round++) {
		_cleanup_json_writer_ struct json_writer writer = {};
		_cleanup_json_ struct json_document document = {};
		char text[24];
		size_t n = (size_t)(rand_r(&seed) % 23);

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rand_r(&seed) % 255 + 1);
		text[n] = '\0';
		json_write_object_begin(&writer, NULL);
		json_write_string(&writer, text, text);
		json_write_object_end(&writer);
		assert_int_equal(
			json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, NULL), 0);
		assert_int_equal(json_count(json_root(&document)), 1);
	}
}

static void what_was_written_is_read_back(void **state)
{
	static const char text[] = "\x01 \"quotes\" \\ \n \xc3\xa9";
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_json_ struct json_document document = {};

	json_write_array_begin(&writer, NULL);
	json_write_string(&writer, NULL, text);
	json_write_array_end(&writer);
	assert_int_equal(json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, NULL),
			 0);
	assert_string_equal(json_string(json_first(json_root(&document))), text);
}

static void a_parsed_value_is_copied_as_it_stands(void **state)
{
	static const char text[] = "{\"a\": [1, 2.50, \"\\u0041\"], \"b\": null}";
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_json_ struct json_document document = {};

	assert_int_equal(json_parse(&document, text, sizeof(text) - 1, NULL), 0);
	json_write_object_begin(&writer, NULL);
	json_write_value(&writer, "x", json_get(json_root(&document), "a"));
	json_write_value(&writer, "gone", json_get(json_root(&document), "c"));
	json_write_value(&writer, "y", json_get(json_root(&document), "b"));
	json_write_object_end(&writer);
	assert_string_equal(writer.buffer.bytes, "{\"x\":[1, 2.50, \"\\u0041\"],\"y\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_names_are_put_in),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(any_bytes_come_out_as_json),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(a_parsed_value_is_copied_as_it_stands),
	};

	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
