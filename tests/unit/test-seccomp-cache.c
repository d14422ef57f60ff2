/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "launch/seccomp/cache.h"

static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";

static struct sock_filter instructions[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
};

static const struct seccomp_filter filter = {
	.program = { .len = 2, .filter = instructions },
	.flags = 4,
};

/* Is what is found, if anything is, the filter that was kept? */
static bool finds(const char *state_path, const char *text)
{
	_cleanup_seccomp_filter_ struct seccomp_filter found = {};

	if (!seccomp_cache_find(state_path, text, strlen(text), &found))
		return false;
	assert_int_equal(found.program.len, 2);
	assert_int_equal(found.flags, 4);
	assert_memory_equal(found.program.filter, instructions, sizeof(instructions));
	return true;
}

static void keep(const char *state_path, const char *text)
{
	seccomp_cache_keep(state_path, text, strlen(text), &filter);
}

/* The one file of the cache. */
static int file_open(const struct scratch_directory *scratch, char ret_name[NAME_MAX + 1])
{
	int fd = openat(scratch->fd, SECCOMP_CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *directory = fdopendir(fd);
	const struct dirent *entry;

	assert_non_null(directory);
	while (directory_entry_next(directory, &entry) > 0) {
		if (entry->d_name[0] == '.')
			continue;
		strcpy(ret_name, entry->d_name);
		return openat(fd, entry->d_name, O_RDWR);
	}
	return -1;
}

static void what_was_kept_is_found_by_its_whole_text(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");

	assert_false(finds(path, profile));
	keep(path, profile);
	assert_true(finds(path, profile));
	assert_false(finds(path, "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}"));
	assert_false(finds(path, ""));
}

/* Every byte of it counts. */
static void a_damaged_file_is_none_and_is_removed(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	size_t n_bytes = 0;

	for (size_t at = 0; at == 0 || at < n_bytes; at++) {
		char name[NAME_MAX + 1], byte;
		struct stat st;
		int fd;

		keep(path, profile);
		fd = file_open(&scratch, name);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		n_bytes = (size_t)st.st_size;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		assert_false(finds(path, profile));
	}
	assert_true(n_bytes > sizeof(profile));
}

static void a_short_file_is_none(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	char name[NAME_MAX + 1];
	int fd;

	keep(path, profile);
	fd = file_open(&scratch, name);
	assert_int_equal(ftruncate(fd, 40), 0);
	close(fd);
	assert_false(finds(path, profile));
	assert_int_equal(file_open(&scratch, name), -1);
}

static void what_others_can_write_is_not_used(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	char name[NAME_MAX + 1];
	int fd;

	keep(path, profile);
	assert_int_equal(fchmodat(scratch.fd, SECCOMP_CACHE_DIRECTORY, 0777, 0), 0);
	assert_false(finds(path, profile));
	assert_int_equal(fchmodat(scratch.fd, SECCOMP_CACHE_DIRECTORY, 0700, 0), 0);
	assert_true(finds(path, profile));
	fd = file_open(&scratch, name);
	assert_int_equal(fchmod(fd, 0666), 0);
	close(fd);
	assert_false(finds(path, profile));
}

static void the_oldest_goes_where_there_are_too_many(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	char text[32];

	for (int i = 0; i < SECCOMP_CACHE_MAX_FILES + 2; i++) {
		snprintf(text, sizeof(text), "{\"number\":%d}", i);
		keep(path, text);
		/* A file's time is the last tick's. */
		usleep(5000);
	}
	assert_true(finds(path, text));
	assert_false(finds(path, "{\"number\":0}"));
	assert_true(finds(path, "{\"number\":3}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_kept_is_found_by_its_whole_text),
		cmocka_unit_test(a_damaged_file_is_none_and_is_removed),
		cmocka_unit_test(a_short_file_is_none),
		cmocka_unit_test(what_others_can_write_is_not_used),
		cmocka_unit_test(the_oldest_goes_where_there_are_too_many),
	};

	return cmocka_run_group_tests_name("seccomp-cache", tests, NULL, NULL);
}
