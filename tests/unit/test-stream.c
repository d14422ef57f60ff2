/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/stream.h"

/* A pipe that has @bytes in it and no writer. */
static int pipe_with(const void *bytes, size_t n_bytes)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= (int)n_bytes);
	assert_int_equal(fd_write_full(ends[1], bytes, n_bytes), 0);
	close(ends[1]);
	return ends[0];
}

static void each_line_is_a_path_and_empty_ones_are_skipped(void **state)
{
	static const char text[] = "\n/a\n\n/b c\n/d";
	_cleanup_close_ int fd = pipe_with(text, sizeof(text) - 1);
	_cleanup_path_stream_ struct path_stream stream = { .fd = fd, .separator = '\n' };
	const char *path;

	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/a");
	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/b c");
	/* What printf %s "$bundle" writes. */
	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/d");
	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
}

static void paths_between_nuls_may_have_newlines(void **state)
{
	static const char text[] = "/a\nb\0\0/c\0";
	_cleanup_close_ int fd = pipe_with(text, sizeof(text) - 1);
	_cleanup_path_stream_ struct path_stream stream = { .fd = fd, .separator = '\0' };
	const char *path;

	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/a\nb");
	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/c");
	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
}

static void a_stream_is_ready_when_the_next_path_needs_no_reading(void **state)
{
	_cleanup_close_ int read_fd = -EBADF;
	_cleanup_close_ int write_fd = -EBADF;
	_cleanup_path_stream_ struct path_stream stream = { .separator = '\n' };
	static const struct {
		const char *written;
		bool ready;
	} steps[] = {
		{ "/a", false },   { "b", false },	 { "\n", true },
		{ "\n\n", false }, { "\n/c\n/d", true },
	};
	const char *path;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	stream.fd = read_fd = ends[0];
	write_fd = ends[1];
	assert_false(path_stream_is_ready(&stream));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(
			fd_write_full(write_fd, steps[i].written, strlen(steps[i].written)), 0);
		assert_int_equal(path_stream_fill(&stream, NULL), 0);
		assert_int_equal(path_stream_is_ready(&stream), steps[i].ready);
		if (i == 2) {
			assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
			assert_string_equal(path, "/ab");
			assert_false(path_stream_is_ready(&stream));
		}
	}
	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/c");
	assert_false(path_stream_is_ready(&stream));
	close(take_fd(&write_fd));
	assert_int_equal(path_stream_fill(&stream, NULL), 0);
	assert_true(path_stream_is_ready(&stream));
	assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
	assert_string_equal(path, "/d");
	assert_true(path_stream_is_ready(&stream));
	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
}

static void an_empty_stream_has_no_paths(void **state)
{
	_cleanup_close_ int fd = pipe_with("", 0);
	_cleanup_path_stream_ struct path_stream stream = { .fd = fd, .separator = '\n' };
	const char *path;

	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
}

static void a_path_is_given_before_the_next_is_there(void **state)
{
	int ends[2];
	const char *path;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	_cleanup_path_stream_ struct path_stream stream = { .fd = ends[0], .separator = '\n' };
	for (int i = 0; i < 3; i++) {
		assert_int_equal(path_stream_write(ends[1], "/one", '\n'), 0);
		alarm(10);
		assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
		alarm(0);
		assert_string_equal(path, "/one");
	}
	close(ends[0]);
	close(ends[1]);
}

static void the_longest_path_is_taken_and_one_byte_more_is_refused(void **state)
{
	char text[PATH_MAX + 2];
	struct error error;
	const char *path;

	memset(text, 'x', sizeof(text));
	for (int with_separator = 0; with_separator < 2; with_separator++) {
		text[PATH_MAX - 1] = '\n';
		{
			_cleanup_close_ int fd =
				pipe_with(text, (size_t)(PATH_MAX - 1 + with_separator));
			_cleanup_path_stream_ struct path_stream stream = { .fd = fd,
									    .separator = '\n' };

			assert_int_equal(path_stream_next(&stream, &path, &error), 1);
			assert_int_equal(strlen(path), PATH_MAX - 1);
			assert_int_equal(path_stream_next(&stream, &path, &error), 0);
		}
		text[PATH_MAX - 1] = 'x';
		text[PATH_MAX] = '\n';
		{
			_cleanup_close_ int fd =
				pipe_with(text, (size_t)(PATH_MAX + with_separator));
			_cleanup_path_stream_ struct path_stream stream = { .fd = fd,
									    .separator = '\n' };

			error_init(&error);
			assert_int_equal(path_stream_next(&stream, &path, &error), -ENAMETOOLONG);
			assert_true(error.message[0]);
		}
	}
}

static void endless_garbage_does_not_fill_memory(void **state)
{
	_cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	_cleanup_path_stream_ struct path_stream stream = { .fd = fd, .separator = '\n' };
	const char *path;

	assert_int_equal(path_stream_next(&stream, &path, NULL), -ENAMETOOLONG);
}

static void a_thousand_paths_come_out_as_they_went_in(void **state)
{
	int ends[2], status;
	pid_t pid;
	const char *path;
	char expected[200];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++) {
			snprintf(expected, sizeof(expected), "/%0*d", i % 150 + 1, i);
			if (path_stream_write(ends[1], expected, '\n') < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	_cleanup_path_stream_ struct path_stream stream = { .fd = ends[0], .separator = '\n' };
	for (int i = 0; i < 1000; i++) {
		snprintf(expected, sizeof(expected), "/%0*d", i % 150 + 1, i);
		assert_int_equal(path_stream_next(&stream, &path, NULL), 1);
		assert_string_equal(path, expected);
	}
	assert_int_equal(path_stream_next(&stream, &path, NULL), 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	close(ends[0]);
}

static void a_stream_that_cannot_be_read_or_written_is_said(void **state)
{
	_cleanup_path_stream_ struct path_stream stream = { .fd = -1, .separator = '\n' };
	char path[PATH_MAX + 1];
	struct error error;
	const char *next;
	int ends[2];

	error_init(&error);
	assert_int_equal(path_stream_next(&stream, &next, &error), -EBADF);
	assert_string_equal(error.message, "cannot read paths: Bad file descriptor");
	memset(path, 'x', PATH_MAX);
	path[PATH_MAX] = '\0';
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(path_stream_write(ends[1], path, '\n'), -ENAMETOOLONG);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(path_stream_write(ends[1], "/a", '\n'), -EPIPE);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_a_path_and_empty_ones_are_skipped),
		cmocka_unit_test(paths_between_nuls_may_have_newlines),
		cmocka_unit_test(a_stream_is_ready_when_the_next_path_needs_no_reading),
		cmocka_unit_test(an_empty_stream_has_no_paths),
		cmocka_unit_test(a_path_is_given_before_the_next_is_there),
		cmocka_unit_test(the_longest_path_is_taken_and_one_byte_more_is_refused),
		cmocka_unit_test(endless_garbage_does_not_fill_memory),
		cmocka_unit_test(a_thousand_paths_come_out_as_they_went_in),
		cmocka_unit_test(a_stream_that_cannot_be_read_or_written_is_said),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
