/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/text.h"
#include "launch/execute.h"

static void program_make(const struct scratch_directory *scratch, const char *name,
			 const char *text, mode_t mode)
{
	scratch_write(scratch, name, text);
	assert_int_equal(fchmodat(scratch->fd, name, mode, 0), 0);
}

static int find(const char *name, const char *path, char *ret_path, struct error *error)
{
	_cleanup_free_ char *variable = string_format("PATH=%s", path ? path : "");
	char *args[] = { (char *)name, NULL };
	char *env[] = { (char *)"A=PATH=/x", path ? variable : NULL, NULL };
	struct config_process process = { .args = args, .env = env };

	error_init(error);
	return execute_find(&process, ret_path, error);
}

static void a_name_is_looked_for_in_the_path_in_its_order(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path =
		string_format("%s/none:%s/a::%s/b:", scratch.path, scratch.path, scratch.path);
	_cleanup_free_ char *first = scratch_path(&scratch, "a/one");
	_cleanup_free_ char *second = scratch_path(&scratch, "b/two");
	char found[PATH_MAX];
	struct error error;

	assert_int_equal(mkdirat(scratch.fd, "a", 0755), 0);
	assert_int_equal(mkdirat(scratch.fd, "b", 0755), 0);
	program_make(&scratch, "a/one", "x", 0755);
	program_make(&scratch, "b/one", "x", 0755);
	program_make(&scratch, "a/two", "x", 0644);
	program_make(&scratch, "b/two", "x", 0755);
	assert_int_equal(find("one", path, found, &error), 0);
	assert_string_equal(found, first);
	/* What can't be executed is passed over. */
	assert_int_equal(find("two", path, found, &error), 0);
	assert_string_equal(found, second);
}

static void the_working_directory_is_not_in_an_empty_path_element(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char found[PATH_MAX];
	struct error error;

	program_make(&scratch, "here", "x", 0755);
	assert_int_equal(fchdir(scratch.fd), 0);
	assert_int_equal(find("here", "", found, &error), -ENOENT);
	assert_int_equal(find("here", ":", found, &error), -ENOENT);
	assert_int_equal(find("./here", ":", found, &error), 0);
	assert_string_equal(found, "./here");
	assert_int_equal(chdir("/"), 0);
}

static void what_is_wrong_is_said_in_the_words_that_engines_look_for(void **state)
{
	static const struct {
		const char *name;
		int code, status;
		const char *words;
	} cases[] = {
		{ "nosuch", -ENOENT, 127, "exec: \"nosuch\": executable file not found in $PATH" },
		{ "./nosuch", -ENOENT, 127, "exec: \"./nosuch\": no such file or directory" },
		{ "./plain/x", -ENOENT, 127, "exec: \"./plain/x\": no such file or directory" },
		{ "./plain", -EACCES, 126,
		  "exec: \"./plain\": permission denied: nobody may execute it (mode 0644): chmod "
		  "+x is missing" },
		{ "plain", -EACCES, 126,
		  "exec: \"plain\": permission denied: nobody may execute it (mode 0644): chmod +x "
		  "is missing" },
		{ "./directory", -EACCES, 126,
		  "exec: \"./directory\": permission denied: it is a directory" },
	};
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char found[PATH_MAX] = "untouched";
	struct error error;

	program_make(&scratch, "plain", "x", 0644);
	assert_int_equal(mkdirat(scratch.fd, "directory", 0755), 0);
	assert_int_equal(fchdir(scratch.fd), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = find(cases[i].name, scratch.path, found, &error);

		assert_int_equal(r, cases[i].code);
		assert_string_equal(error.message, cases[i].words);
		assert_int_equal(execute_status(r), cases[i].status);
	}
	assert_int_equal(chdir("/"), 0);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	static char name[PATH_MAX + 10];
	char found[PATH_MAX];
	struct error error;

	memset(name, 'x', sizeof(name) - 1);
	assert_true(find(name, "/bin", found, &error) < 0);
	name[0] = '/';
	assert_int_equal(find(name, "/bin", found, &error), -ENAMETOOLONG);
}

struct execution {
	const char *path;
	struct error error;
	int r;
};

static int execute(void *argument)
{
	struct execution *execution = argument;
	char *args[] = { (char *)execution->path, NULL };
	char *env[] = { NULL };
	struct config_process process = { .args = args, .env = env };

	execution->r = execute_program(&process, execution->path, &execution->error);
	return 1;
}

static void why_a_file_cant_be_executed_is_explained(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *words;
	} cases[] = {
		{ "#!/nosuch/sh\n", -ENOENT, "its interpreter '/nosuch/sh' isn't in the image" },
		{ "#! /nosuch/sh -x\n", -ENOENT, "its interpreter '/nosuch/sh' isn't" },
		{ "#!/bin/sh\r\n", -ENOENT, "carriage return" },
		{ "#!/nosuch\033[2J\n", -ENOENT, "its interpreter '/nosuch?[2J' isn't" },
		{ "#!/etc/passwd\n", -EACCES,
		  "its interpreter '/etc/passwd': nobody may execute it" },
		{ "#!\n", -ENOEXEC, "exec format error: no interpreter is behind its #!" },
		{ "\xef\xbb\xbf#!/bin/sh\n", -ENOEXEC, "exec format error: a byte order mark" },
		{ "hello there", -ENOEXEC, "exec format error: it is a text without a #! line" },
		{ "MZ\220", -ENOEXEC, "exec format error: it is a Windows program" },
		{ "\1\2\3\4", -ENOEXEC, "exec format error: it isn't a program of Linux" },
		{ "", -ENOEXEC, "exec format error: it is empty" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_free_ char *path = scratch_path(&scratch, "program");
		struct execution execution = { .path = path };
		int status;
		pid_t pid;

		program_make(&scratch, "program", cases[i].text, 0755);
		pid = process_vfork(0, -1, NULL, execute, &execution);
		assert_true(pid > 0);
		assert_int_equal(process_wait(pid, &status), 0);
		assert_int_equal(execution.r, cases[i].code);
		if (!strstr(execution.error.message, cases[i].words))
			fail_msg("'%s'", execution.error.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_looked_for_in_the_path_in_its_order),
		cmocka_unit_test(the_working_directory_is_not_in_an_empty_path_element),
		cmocka_unit_test(what_is_wrong_is_said_in_the_words_that_engines_look_for),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(why_a_file_cant_be_executed_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
