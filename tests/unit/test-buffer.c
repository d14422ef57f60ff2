/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/buffer.h"

static void an_empty_buffer_is_fine_to_ask_and_to_free(void **state)
{
	struct buffer buffer = {};

	assert_int_equal(buffer_status(&buffer), 0);
	buffer_deinit(&buffer);
	buffer_deinit(&buffer);
	assert_null(buffer.bytes);
}

static void what_is_added_stands_in_order_with_a_nul_behind(void **state)
{
	_cleanup_buffer_ struct buffer buffer = {};

	buffer_add(&buffer, "a\0b", 3);
	buffer_add_char(&buffer, 'c');
	buffer_add_string(&buffer, "de");
	buffer_add_format(&buffer, "%d-%s", 7, "f");
	assert_int_equal(buffer_status(&buffer), 0);
	assert_int_equal(buffer.n_bytes, 9);
	assert_memory_equal(buffer.bytes, "a\0bcde7-f", 10);
}

static void adding_nothing_still_gives_a_string(void **state)
{
	_cleanup_buffer_ struct buffer buffer = {};

	buffer_add(&buffer, NULL, 0);
	assert_int_equal(buffer.n_bytes, 0);
	assert_string_equal(buffer.bytes, "");
}

static void a_long_format_is_taken_whole(void **state)
{
	_cleanup_buffer_ struct buffer buffer = {};
	char text[5000];

	/* 255 fits the small array on the stack, 256 doesn't. */
	for (size_t n = 250; n < 262; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		buffer.n_bytes = 0;
		buffer_add_format(&buffer, "%s", text);
		assert_int_equal(buffer.n_bytes, n);
		assert_string_equal(buffer.bytes, text);
	}
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buffer_add_format(&buffer, "%s!", text);
	assert_int_equal(buffer.n_bytes, 261 + sizeof(text));
	assert_int_equal(buffer_status(&buffer), 0);
}

static void it_grows_a_byte_at_a_time(void **state)
{
	_cleanup_buffer_ struct buffer buffer = {};

	for (size_t i = 0; i < 100000; i++)
		buffer_add_char(&buffer, (char)('a' + i % 26));
	assert_int_equal(buffer.n_bytes, 100000);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(buffer.bytes[i], 'a' + i % 26);
}

static void a_size_that_overflows_is_remembered_as_a_failure(void **state)
{
	_cleanup_buffer_ struct buffer buffer = {};

	buffer_add_string(&buffer, "kept");
	buffer_add(&buffer, "x", SIZE_MAX - 4);
	assert_int_equal(buffer_status(&buffer), -ENOMEM);
	assert_string_equal(buffer.bytes, "kept");
	/* Nothing is added behind a hole. */
	buffer_add_string(&buffer, "more");
	assert_string_equal(buffer.bytes, "kept");
	assert_int_equal(buffer_status(&buffer), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_fine_to_ask_and_to_free),
		cmocka_unit_test(what_is_added_stands_in_order_with_a_nul_behind),
		cmocka_unit_test(adding_nothing_still_gives_a_string),
		cmocka_unit_test(a_long_format_is_taken_whole),
		cmocka_unit_test(it_grows_a_byte_at_a_time),
		cmocka_unit_test(a_size_that_overflows_is_remembered_as_a_failure),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
