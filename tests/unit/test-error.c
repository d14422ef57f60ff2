/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/error.h"

static void an_error_says_what_failed_and_why(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(error_set(&error, -ENOENT, "cannot open '%s'", "/x"), -ENOENT);
	assert_string_equal(error.message, "cannot open '/x': No such file or directory");
	assert_int_equal(error.code, -ENOENT);
	assert_false(error.usage);
}

static void words_of_its_own_get_none_appended(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(error_say(&error, -EINVAL, "too %s", "deep"), -EINVAL);
	assert_string_equal(error.message, "too deep");
}

static void larger_steps_are_put_in_front(void **state)
{
	struct error error;

	error_init(&error);
	error_set(&error, -ENOSPC, "cannot write '%s'", "a");
	assert_int_equal(error_prefix(&error, -ENOSPC, "layer %d", 3), -ENOSPC);
	error_prefix(&error, -ENOSPC, "image");
	assert_string_equal(error.message,
			    "image: layer 3: cannot write 'a': No space left on device");
}

static void a_prefix_without_an_earlier_message_says_the_reason(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(error_prefix(&error, -EIO, "layer"), -EIO);
	assert_string_equal(error.message, "layer: Input/output error");
}

static void wrong_usage_is_told_apart(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(error_usage(&error, "unknown option '%s'", "-x"), -EINVAL);
	assert_true(error.usage);
	assert_int_equal(error.code, -EINVAL);
	assert_string_equal(error.message, "unknown option '-x'");
}

static void a_message_that_is_too_long_is_cut_and_stays_a_string(void **state)
{
	struct error error;
	char text[3 * ERROR_MESSAGE_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_init(&error);
	error_set(&error, -ENOENT, "%s", text);
	assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
	error_prefix(&error, -ENOENT, "%s", text);
	assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
	error_prefix(&error, -ENOENT, "short");
	assert_memory_equal(error.message, "short: xxx", 10);
	assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
	error_say(&error, -ENOENT, "%s", text);
	error_usage(&error, "%s", text);
	assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
}

static void nobody_needs_to_listen(void **state)
{
	assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(error_say(NULL, -EIO, "x"), -EIO);
	assert_int_equal(error_prefix(NULL, -EIO, "x"), -EIO);
	assert_int_equal(error_usage(NULL, "x"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_says_what_failed_and_why),
		cmocka_unit_test(words_of_its_own_get_none_appended),
		cmocka_unit_test(larger_steps_are_put_in_front),
		cmocka_unit_test(a_prefix_without_an_earlier_message_says_the_reason),
		cmocka_unit_test(wrong_usage_is_told_apart),
		cmocka_unit_test(a_message_that_is_too_long_is_cut_and_stays_a_string),
		cmocka_unit_test(nobody_needs_to_listen),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
