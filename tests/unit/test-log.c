/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/unit/scratch.h"

static void log_begin(const struct scratch_directory *scratch, enum log_format format, bool debug)
{
	_cleanup_free_ char *path = scratch_path(scratch, "log");

	assert_int_equal(log_open("tool", path, format, debug, NULL), 0);
	assert_true(log_fd() >= 0);
}

static void a_json_record_is_json_whatever_the_message_has(void **state)
{
	static const char *const messages[] = {
		"plain", "", "a \"quote\" and a \\", "two\nlines\t.", "\x01\x1f\x7f", "caf\xc3\xa9"
	};
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	char *line, *rest;

	log_begin(&scratch, LOG_JSON, false);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		log_error(messages[i]);
	rest = text = scratch_read(&scratch, "log");
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		_cleanup_json_ struct json_document document = {};

		line = strsep(&rest, "\n");
		assert_int_equal(json_parse(&document, line, strlen(line), NULL), 0);
		assert_string_equal(json_string(json_get(json_root(&document), "msg")),
				    messages[i]);
		assert_string_equal(json_string(json_get(json_root(&document), "level")), "error");
	}
	assert_string_equal(rest, "");
}

static void a_message_of_any_length_fits(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	char message[ERROR_MESSAGE_BYTES * 3];

	memset(message, '\x01', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_begin(&scratch, LOG_JSON, false);
	log_error(message);
	log_warning("%s", message);
	text = scratch_read(&scratch, "log");
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void debug_messages_are_for_who_asks(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;

	log_begin(&scratch, LOG_TEXT, false);
	log_debug("not this");
	log_begin(&scratch, LOG_TEXT, true);
	log_debug("this: %d", 1);
	log_warning("and that");
	text = scratch_read(&scratch, "log");
	assert_null(strstr(text, "not this"));
	assert_non_null(strstr(text, "Z\" level=debug msg=\"this: 1\"\n"));
	assert_non_null(strstr(text, "Z\" level=warning msg=\"and that\"\n"));
}

static void a_log_that_cannot_be_opened_is_an_error(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(log_open("tool", "/nosuch/log", LOG_TEXT, false, &error), -ENOENT);
	assert_string_equal(error.message,
			    "cannot open the log '/nosuch/log': No such file or directory");
	assert_int_equal(log_fd(), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_json_record_is_json_whatever_the_message_has),
		cmocka_unit_test(a_message_of_any_length_fits),
		cmocka_unit_test(debug_messages_are_for_who_asks),
		cmocka_unit_test(a_log_that_cannot_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
