/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/trace.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/*
 * A process has one timeline: each test runs its part in a child, and looks at the file.
 */
static char *traced(struct scratch_directory *scratch, void (*work)(void))
{
	_cleanup_free_ char *path = scratch_path(scratch, "trace");
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		trace_open("tool", path);
		work();
		trace_flush();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	return scratch_read(scratch, "trace");
}

/* The @number-th line of @text as a document. */
static struct json_document line_parse(const char *text, size_t number)
{
	struct json_document document = {};

	while (number-- > 0)
		text = strchr(text, '\n') + 1;
	assert_int_equal(json_parse(&document, text, strcspn(text, "\n"), NULL), 0);
	return document;
}

static size_t lines_count(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void off_it_does_nothing(void **state)
{
	assert_false(trace_is_on());
	trace_end(trace_begin("x"), "x");
	trace_event("y");
	{
		TRACE_PHASE("z");
	}
	trace_flush();
}

static void work_nested(void)
{
	unsigned int outer = trace_begin("outer");

	trace_set_ids("c1", 4242);
	{
		TRACE_PHASE("inner");
		usleep(2000);
	}
	trace_event("moment");
	trace_end(outer, "outer");
}

static void a_phase_is_a_json_line_with_its_times(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	uint64_t before = trace_now();
	_cleanup_free_ char *text = traced(&scratch, work_nested);
	static const char *const phases[] = { "outer", "inner", "moment" };
	uint64_t starts[3], durations[3];

	assert_int_equal(lines_count(text), 3);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_json_ struct json_document document = line_parse(text, i);
		struct json_value line = json_root(&document);

		assert_string_equal(json_string(json_get(line, "process")), "tool");
		assert_string_equal(json_string(json_get(line, "phase")), phases[i]);
		assert_string_equal(json_string(json_get(line, "container")), "c1");
		assert_int_equal(json_uint64(json_get(line, "start"), &starts[i]), 0);
		assert_int_equal(json_uint64(json_get(line, "duration"), &durations[i]), 0);
	}
	assert_true(before <= starts[0] && starts[0] <= starts[1]);
	assert_true(durations[1] >= 2000000);
	assert_true(starts[0] + durations[0] >= starts[1] + durations[1]);
	assert_int_equal(durations[2], 0);
	assert_true(trace_now() >= starts[0] + durations[0]);
}

static void work_with_a_child(void)
{
	pid_t pid;

	trace_event("parent");
	if (trace_share() < 0)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		trace_set_container(true);
		trace_event("child");
		/* No flush: what it stamped is its parent's to write. */
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	trace_set_ids("c2", pid);
}

static void what_the_child_stamps_its_parent_writes(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = traced(&scratch, work_with_a_child);
	_cleanup_json_ struct json_document document = line_parse(text, 1);
	struct json_value line = json_root(&document);
	int64_t pid;

	assert_int_equal(lines_count(text), 2);
	assert_string_equal(json_string(json_get(line, "process")), "container");
	assert_string_equal(json_string(json_get(line, "phase")), "child");
	assert_int_equal(json_int64(json_get(line, "pid"), &pid), 0);
	assert_true(pid > 1 && pid != getpid());
}

static void work_too_much(void)
{
	for (int i = 0; i < 1000; i++)
		trace_end(trace_begin("many"), "many");
}

static void more_phases_than_fit_are_dropped(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = traced(&scratch, work_too_much);

	assert_int_equal(lines_count(text), 256);
}

static void work_one(void)
{
	trace_event("one");
}

static void the_files_of_several_tools_are_one(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *first = traced(&scratch, work_one);
	_cleanup_free_ char *second = traced(&scratch, work_one);

	assert_int_equal(lines_count(first), 1);
	assert_int_equal(lines_count(second), 2);
	assert_memory_equal(first, second, strlen(first));
}

static void work_flushes_twice(void)
{
	trace_event("one");
	trace_flush();
	trace_flush();
	trace_event("two");
}

static void work_is_a_stream(void)
{
	unsigned int slot;

	trace_exec();
	slot = trace_begin("tool");
	trace_end(trace_begin("one"), "one");
	(void)trace_begin("never ended");
	trace_flush();
	trace_end(trace_begin("two"), "two");
	trace_flush();
	trace_end(slot, "tool");
}

static void the_tools_own_phase_outlasts_a_flush(void **state)
{
	static const char *const phases[] = { "tool.exec", "one", "two", "tool" };
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = traced(&scratch, work_is_a_stream);
	uint64_t durations[4];

	assert_int_equal(lines_count(text), 4);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_json_ struct json_document document = line_parse(text, i);
		struct json_value line = json_root(&document);

		assert_string_equal(json_string(json_get(line, "phase")), phases[i]);
		assert_int_equal(json_uint64(json_get(line, "duration"), &durations[i]), 0);
	}
	assert_true(durations[3] > durations[1] + durations[2]);
}

static void the_trace_is_handed_on_where_there_is_one(void **state)
{
	struct trace_variables variables;

	unsetenv("TRACEPARENT");
	setenv("TRACESTATE", "a=b", 1);
	assert_int_equal(trace_variables(&variables), 0);
	setenv("TRACEPARENT", "x", 1);
	assert_int_equal(trace_variables(&variables), 0);
	setenv("TRACEPARENT", PARENT, 1);
	assert_int_equal(trace_variables(&variables), 2);
	assert_string_equal(variables.items[0], "TRACEPARENT=" PARENT);
	assert_string_equal(variables.items[1], "TRACESTATE=a=b");
	unsetenv("TRACESTATE");
	assert_int_equal(trace_variables(&variables), 1);
	unsetenv("TRACEPARENT");
}

static void what_was_written_is_forgotten(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = traced(&scratch, work_flushes_twice);

	assert_int_equal(lines_count(text), 2);
}

static void a_file_that_cannot_be_written_changes_nothing(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		trace_open("tool", "/none/trace");
		trace_event("x");
		trace_flush();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_it_does_nothing),
		cmocka_unit_test(a_phase_is_a_json_line_with_its_times),
		cmocka_unit_test(what_the_child_stamps_its_parent_writes),
		cmocka_unit_test(more_phases_than_fit_are_dropped),
		cmocka_unit_test(the_files_of_several_tools_are_one),
		cmocka_unit_test(the_tools_own_phase_outlasts_a_flush),
		cmocka_unit_test(the_trace_is_handed_on_where_there_is_one),
		cmocka_unit_test(what_was_written_is_forgotten),
		cmocka_unit_test(a_file_that_cannot_be_written_changes_nothing),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
