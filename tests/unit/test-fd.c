/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"

/* A process that writes @n_bytes into a pipe in small pieces; the read end. */
static int trickle(size_t n_bytes, pid_t *ret_pid)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	if (*ret_pid == 0) {
		for (size_t i = 0; i < n_bytes; i++) {
			char c = (char)('a' + i % 26);

			if (write(ends[1], &c, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void a_pipe_is_read_to_its_end_through_short_reads(void **state)
{
	_cleanup_free_ char *bytes = NULL;
	size_t n_bytes;
	pid_t pid;
	_cleanup_close_ int fd = trickle(9001, &pid);

	assert_int_equal(fd_read_all(fd, 1 << 20, &bytes, &n_bytes), 0);
	assert_int_equal(n_bytes, 9001);
	assert_int_equal(strlen(bytes), 9001);
	assert_int_equal(bytes[9000], 'a' + 9000 % 26);
	waitpid(pid, NULL, 0);
}

static void a_full_read_ends_at_its_size_or_at_the_end(void **state)
{
	char bytes[64];
	pid_t pid;
	_cleanup_close_ int fd = trickle(40, &pid);

	assert_int_equal(fd_read_full(fd, bytes, 30), 30);
	assert_int_equal(fd_read_full(fd, bytes, 30), 10);
	assert_int_equal(fd_read_full(fd, bytes, 30), 0);
	assert_int_equal(fd_read_full(-1, bytes, 30), -EBADF);
	waitpid(pid, NULL, 0);
}

static void what_is_larger_than_allowed_is_refused_and_sets_nothing(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char *bytes = (char *)1;
	size_t n_bytes = 4711;
	pid_t pid;
	_cleanup_close_ int fd = trickle(5000, &pid);

	assert_int_equal(fd_read_all(fd, 4999, &bytes, &n_bytes), -EFBIG);
	scratch_write(&scratch, "five", "12345");
	assert_int_equal(file_read_at(scratch.fd, "five", 4, &bytes, &n_bytes), -EFBIG);
	assert_ptr_equal(bytes, (char *)1);
	assert_int_equal(n_bytes, 4711);
	assert_int_equal(file_read_at(scratch.fd, "five", 5, &bytes, &n_bytes), 0);
	assert_int_equal(n_bytes, 5);
	assert_string_equal(bytes, "12345");
	free(bytes);
	waitpid(pid, NULL, 0);
}

static void a_file_without_a_size_is_read_whole(void **state)
{
	_cleanup_free_ char *bytes = NULL;
	size_t n_bytes;

	/* /proc says 0 for the size of all its files. */
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &bytes, &n_bytes),
			 0);
	assert_true(n_bytes > 100);
}

static void a_missing_file_is_no_entry_and_an_empty_one_is_empty(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *bytes = NULL;
	size_t n_bytes;

	assert_int_equal(file_read_at(scratch.fd, "no", 10, &bytes, &n_bytes), -ENOENT);
	scratch_write(&scratch, "empty", "");
	assert_int_equal(file_read_at(scratch.fd, "empty", 0, &bytes, &n_bytes), 0);
	assert_int_equal(n_bytes, 0);
	assert_string_equal(bytes, "");
}

static void a_written_file_must_be_new(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_int_equal(file_write_at(scratch.fd, "f", "one", 3, 0600), 0);
	assert_int_equal(file_write_at(scratch.fd, "f", "two", 3, 0600), -EEXIST);
	assert_int_equal(fstatat(scratch.fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	text = scratch_read(&scratch, "f");
	assert_string_equal(text, "one");
	assert_int_equal(symlinkat("gone", scratch.fd, "link"), 0);
	assert_int_equal(file_write_at(scratch.fd, "link", "x", 1, 0600), -EEXIST);
	assert_int_equal(scratch_count(&scratch, "."), 2);
}

static void a_replaced_file_is_the_new_one_with_its_mode_and_nothing_stays_beside_it(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_int_equal(mkdirat(scratch.fd, "d", 0755), 0);
	assert_int_equal(file_replace_at(scratch.fd, "d/f", "one", 3, 0644, 0), 0);
	assert_int_equal(file_replace_at(scratch.fd, "d/f", "second", 6, 0600, FILE_REPLACE_SYNC),
			 0);
	text = scratch_read(&scratch, "d/f");
	assert_string_equal(text, "second");
	assert_int_equal(fstatat(scratch.fd, "d/f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(scratch_count(&scratch, "d"), 1);
}

static void a_file_is_put_where_there_is_none_and_over_what_is_there(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL, *target = NULL;
	struct stat first, second;

	assert_int_equal(file_put_at(scratch.fd, "f", "one", 3, 0600), 0);
	assert_int_equal(fstatat(scratch.fd, "f", &first, 0), 0);
	assert_int_equal(file_put_at(scratch.fd, "f", "second", 6, 0644), 0);
	assert_int_equal(fstatat(scratch.fd, "f", &second, 0), 0);
	/* Who has the earlier one open reads all of it still. */
	assert_true(first.st_ino != second.st_ino);
	assert_int_equal(second.st_mode & 07777, 0644);
	text = scratch_read(&scratch, "f");
	assert_string_equal(text, "second");
	assert_int_equal(symlinkat("f", scratch.fd, "link"), 0);
	assert_int_equal(file_put_at(scratch.fd, "link", "x", 1, 0600), 0);
	target = scratch_read(&scratch, "f");
	assert_string_equal(target, "second");
	assert_int_equal(scratch_count(&scratch, "."), 2);
}

static void a_replacement_that_fails_leaves_the_old_file_and_no_other(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	struct rlimit earlier, small = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY };
	char large[8192] = "";

	scratch_write(&scratch, "f", "old");
	/* A file size limit stands in for a full disk: the second write fails. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &earlier), 0);
	small.rlim_max = earlier.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_replace_at(scratch.fd, "f", large, sizeof(large), 0644, 0), -EFBIG);
	assert_int_equal(file_write_at(scratch.fd, "g", large, sizeof(large), 0644), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &earlier), 0);
	text = scratch_read(&scratch, "f");
	assert_string_equal(text, "old");
	assert_int_equal(scratch_count(&scratch, "."), 1);

	/* And one whose name is taken by a directory. */
	assert_int_equal(mkdirat(scratch.fd, "d", 0755), 0);
	assert_int_equal(file_replace_at(scratch.fd, "d", "x", 1, 0644, 0), -EISDIR);
	assert_int_equal(scratch_count(&scratch, "."), 2);
	assert_int_equal(file_replace_at(scratch.fd, "none/f", "x", 1, 0644, 0), -ENOENT);
}

static void readers_of_a_replaced_file_never_see_a_part(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char texts[2][20000];
	pid_t writer;
	int status;

	memset(texts[0], 'a', sizeof(texts[0]));
	memset(texts[1], 'b', sizeof(texts[1]));
	assert_int_equal(file_replace_at(scratch.fd, "f", texts[0], sizeof(texts[0]), 0644, 0), 0);
	writer = fork();
	if (writer == 0) {
		for (int i = 0; i < 300; i++) {
			if (file_replace_at(scratch.fd, "f", texts[i % 2], sizeof(texts[0]), 0644,
					    0) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		_cleanup_free_ char *bytes = NULL;
		size_t n_bytes;

		assert_int_equal(file_read_at(scratch.fd, "f", 1 << 20, &bytes, &n_bytes), 0);
		assert_int_equal(n_bytes, sizeof(texts[0]));
		assert_memory_equal(bytes, texts[bytes[0] == 'b'], n_bytes);
	}
	waitpid(writer, &status, 0);
	assert_int_equal(status, 0);
}

static void a_full_write_says_why_it_failed(void **state)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(fd_write_full(ends[1], "x", 1), -EPIPE);
	assert_int_equal(fd_write_full(ends[1], "", 0), 0);
	close(ends[1]);
	assert_int_equal(fd_write_full(-1, "x", 1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_is_read_to_its_end_through_short_reads),
		cmocka_unit_test(a_full_read_ends_at_its_size_or_at_the_end),
		cmocka_unit_test(what_is_larger_than_allowed_is_refused_and_sets_nothing),
		cmocka_unit_test(a_file_without_a_size_is_read_whole),
		cmocka_unit_test(a_missing_file_is_no_entry_and_an_empty_one_is_empty),
		cmocka_unit_test(a_written_file_must_be_new),
		cmocka_unit_test(
			a_replaced_file_is_the_new_one_with_its_mode_and_nothing_stays_beside_it),
		cmocka_unit_test(a_file_is_put_where_there_is_none_and_over_what_is_there),
		cmocka_unit_test(a_replacement_that_fails_leaves_the_old_file_and_no_other),
		cmocka_unit_test(readers_of_a_replaced_file_never_see_a_part),
		cmocka_unit_test(a_full_write_says_why_it_failed),
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
