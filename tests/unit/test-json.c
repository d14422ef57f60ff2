/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"

static struct json_document parsed(const char *text)
{
	struct json_document document = {};
	struct error error;

	error_init(&error);
	if (json_parse(&document, text, strlen(text), &error) < 0)
		fail_msg("%s: %s", text, error.message);
	return document;
}

/* The files of tests/DIRECTORY/json, one case each. */
static void corpus_check(const char *directory_name, bool is_refused)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	size_t n_cases = 0, n_wrong = 0;

	snprintf(path, sizeof(path), "%s/%s/json", getenv("TESTS_SOURCE"), directory_name);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_free_ char *text = NULL;
		struct error error;
		size_t n_bytes;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		n_cases++;
		error_init(&error);
		r = file_read_at(dirfd(directory), entry->d_name, 1 << 20, &text, &n_bytes);
		assert_int_equal(r, 0);
		r = json_parse(&document, text, n_bytes, &error);
		if ((r < 0) == is_refused && (r == 0 || (error.message[0] && !document.text)))
			continue;
		n_wrong++;
		print_message("# %s/json/%s: %d %s\n", directory_name, entry->d_name, r,
			      error.message);
	}
	assert_int_equal(n_wrong, 0);
	assert_true(n_cases > 30);
}

static void everything_that_is_not_json_is_refused_with_a_reason(void **state)
{
	corpus_check("refuse", true);
}

static void everything_that_is_json_is_accepted(void **state)
{
	corpus_check("accept", false);
}

static void a_refusal_says_where_and_what(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "line 1, column 1: it is empty" },
		{ "{\"a\":1", "line 1, column 7: it ends too early" },
		{ "{\n \"a\": 1,\n \"a\": 2\n}",
		  "line 3, column 3: the same name twice in one object" },
		{ "[1,\n01]", "line 2, column 1: not a value" },
		{ "[1,2,]", "line 1, column 5: expected a closing bracket" },
		{ "{} x", "line 1, column 4: something behind the document" },
		{ "\"\\u0000\"", "line 1, column 2: a string with a NUL in it" },
		{ "\"a\xff\"", "line 1, column 3: not UTF-8" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_document document = {};
		struct error error;

		error_init(&error);
		assert_int_equal(
			json_parse(&document, cases[i].text, strlen(cases[i].text), &error),
			-EBADMSG);
		/* The position is what people need; jsmn decides some of the words. */
		if (strcmp(error.message, cases[i].message) && !strstr(error.message, "not JSON"))
			assert_string_equal(error.message, cases[i].message);
	}
}

static void members_and_elements_are_found(void **state)
{
	_cleanup_json_ struct json_document document = parsed(
		"{\"s\":\"text\",\"n\":null,\"t\":true,\"f\":false,\"i\":-5,\"u\":"
		"18446744073709551615,\"a\":[1,[2,3],{\"b\":\"c\"}],\"o\":{\"p\":{\"q\":1}}}");
	struct json_value root = json_root(&document), array = json_get(root, "a");
	uint64_t unsigned_number;
	int64_t number;
	size_t n = 0;

	assert_int_equal(json_type(root), JSON_OBJECT);
	assert_int_equal(json_count(root), 8);
	assert_string_equal(json_string(json_get(root, "s")), "text");
	assert_int_equal(json_type(json_get(root, "n")), JSON_NULL);
	assert_false(json_exists(json_get(root, "n")));
	assert_true(json_bool_or(json_get(root, "t"), false));
	assert_false(json_bool_or(json_get(root, "f"), true));
	assert_true(json_bool_or(json_get(root, "s"), true));
	assert_int_equal(json_int64(json_get(root, "i"), &number), 0);
	assert_int_equal(number, -5);
	assert_int_equal(json_uint64(json_get(root, "i"), &unsigned_number), -EINVAL);
	assert_int_equal(json_uint64(json_get(root, "u"), &unsigned_number), 0);
	assert_true(unsigned_number == UINT64_MAX);
	assert_int_equal(json_int64(json_get(root, "u"), &number), -EINVAL);
	assert_int_equal(json_count(array), 3);
	JSON_FOR_EACH (element, array) {
		assert_null(json_key(element));
		n++;
	}
	assert_int_equal(n, 3);
	assert_int_equal(
		json_uint64(json_get(json_get(json_get(root, "o"), "p"), "q"), &unsigned_number),
		0);
}

static void members_come_in_order_with_their_names(void **state)
{
	_cleanup_json_ struct json_document document =
		parsed("{\"b\":{\"x\":[1,2]},\"a\":[],\"\\u0063\":\"d\"}");
	static const char *const names[] = { "b", "a", "c" };
	size_t i = 0;

	JSON_FOR_EACH (element, json_root(&document))
		assert_string_equal(json_key(element), names[i++]);
	assert_int_equal(i, 3);
	assert_null(json_key(json_root(&document)));
}

static void what_is_missing_answers_every_question(void **state)
{
	_cleanup_json_ struct json_document document = parsed("{\"a\":1}");
	struct json_document empty = {};
	struct json_value missing = json_get(json_get(json_root(&document), "x"), "y");
	int64_t number = 4711;
	size_t n_bytes = 1;

	assert_int_equal(json_type(json_root(&empty)), JSON_MISSING);
	assert_int_equal(json_type(missing), JSON_MISSING);
	assert_false(json_exists(missing));
	assert_null(json_string(missing));
	assert_string_equal(json_string_or(missing, "default"), "default");
	assert_true(json_bool_or(missing, true));
	assert_int_equal(json_int64(missing, &number), -EINVAL);
	assert_int_equal(number, 4711);
	assert_int_equal(json_count(missing), 0);
	assert_null(json_key(missing));
	assert_null(json_raw(missing, &n_bytes));
	assert_int_equal(n_bytes, 0);
	JSON_FOR_EACH (element, missing)
		fail();
	JSON_FOR_EACH (element, json_get(json_root(&document), "a"))
		fail();
	assert_int_equal(json_type(json_get(json_get(json_root(&document), "a"), "b")),
			 JSON_MISSING);
	json_document_deinit(&empty);
}

static void whole_numbers_are_exact_and_others_are_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -EINVAL },
		{ "-9223372036854775809", -EINVAL },
		{ "18446744073709551616", -EINVAL },
		{ "99999999999999999999999999", -EINVAL },
		{ "1.0", -EINVAL },
		{ "1e3", -EINVAL },
		{ "\"1\"", -EINVAL },
		{ "true", -EINVAL },
		{ "null", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = parsed(cases[i].text);
		int64_t number = 4711;

		assert_int_equal(json_int64(json_root(&document), &number), cases[i].result);
		assert_int_equal(number, cases[i].result == 0 ? cases[i].value : 4711);
	}
}

static void strings_are_unescaped_and_the_raw_text_stays(void **state)
{
	_cleanup_json_ struct json_document document =
		parsed("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\", "
		       "[1, {\"a\":2}]]");
	struct json_value value = json_first(json_root(&document));
	size_t n_bytes;
	const char *raw;

	assert_string_equal(json_string(value), "\"\\/\b\f\n\r\t");
	value = json_next(value);
	assert_string_equal(json_string(value), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	raw = json_raw(value, &n_bytes);
	assert_int_equal(n_bytes, 32);
	assert_memory_equal(raw, "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"", n_bytes);
	value = json_next(value);
	raw = json_raw(value, &n_bytes);
	assert_int_equal(n_bytes, strlen("[1, {\"a\":2}]"));
	assert_memory_equal(raw, "[1, {\"a\":2}]", n_bytes);
	assert_int_equal(json_type(json_next(value)), JSON_MISSING);
}

static void names_match_exactly_or_as_go_matches_them(void **state)
{
	_cleanup_json_ struct json_document document =
		parsed("{\"CMD\":1,\"cmd\":2,\"Entrypoint\":3}");
	struct json_value root = json_root(&document);
	int64_t number;

	assert_int_equal(json_type(json_get(root, "Cmd")), JSON_MISSING);
	assert_int_equal(json_int64(json_get_ignoring_case(root, "cmd"), &number), 0);
	assert_int_equal(number, 2);
	assert_int_equal(json_int64(json_get_ignoring_case(root, "entryPOINT"), &number), 0);
	assert_int_equal(number, 3);
}

static void a_file_is_parsed_and_named_when_it_cannot_be(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_json_ struct json_document document = {};
	struct error error;

	scratch_write(&scratch, "good", "{\"a\":[]}");
	scratch_write(&scratch, "bad", "{");
	error_init(&error);
	assert_int_equal(json_parse_file_at(&document, scratch.fd, "none", 100, &error), -ENOENT);
	assert_string_equal(error.message, "cannot read 'none': No such file or directory");
	error_init(&error);
	assert_int_equal(json_parse_file_at(&document, scratch.fd, "bad", 100, &error), -EBADMSG);
	assert_string_equal(error.message, "'bad': line 1, column 2: it ends too early");
	error_init(&error);
	assert_int_equal(json_parse_file_at(&document, scratch.fd, "good", 7, &error), -EFBIG);
	assert_int_equal(json_parse_file_at(&document, scratch.fd, "good", 8, &error), 0);
	assert_int_equal(json_count(json_root(&document)), 1);
}

static void a_document_of_tokens_only_is_taken(void **state)
{
	_cleanup_json_ struct json_document document = {};
	size_t n = 20001;
	_cleanup_free_ char *text = malloc(n + 1);

	/* Half as many tokens as bytes: more than the guess. */
	memset(text, '1', n);
	for (size_t i = 2; i < n; i += 2)
		text[i] = ',';
	text[0] = '[';
	text[n - 1] = ']';
	text[n] = '\0';
	assert_int_equal(json_parse(&document, text, n, NULL), 0);
	assert_int_equal(json_count(json_root(&document)), (n - 1) / 2);
}

static void every_cut_of_a_document_is_refused(void **state)
{
	static const char text[] =
		"{\"a\":[1,-2.5e3,\"x\\u00e9\\n\",true,null,{}],\"b\":{\"c\":\"\xc3\xa9\"}}";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct json_document document = {};
		/* A copy of just that size: a read behind it is seen by the sanitizers. */
		_cleanup_free_ char *cut = malloc(n + 1);

		memcpy(cut, text, n);
		assert_int_equal(json_parse(&document, cut, n, NULL), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_not_json_is_refused_with_a_reason),
		cmocka_unit_test(everything_that_is_json_is_accepted),
		cmocka_unit_test(a_refusal_says_where_and_what),
		cmocka_unit_test(members_and_elements_are_found),
		cmocka_unit_test(members_come_in_order_with_their_names),
		cmocka_unit_test(what_is_missing_answers_every_question),
		cmocka_unit_test(whole_numbers_are_exact_and_others_are_refused),
		cmocka_unit_test(strings_are_unescaped_and_the_raw_text_stays),
		cmocka_unit_test(names_match_exactly_or_as_go_matches_them),
		cmocka_unit_test(a_file_is_parsed_and_named_when_it_cannot_be),
		cmocka_unit_test(a_document_of_tokens_only_is_taken),
		cmocka_unit_test(every_cut_of_a_document_is_refused),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
