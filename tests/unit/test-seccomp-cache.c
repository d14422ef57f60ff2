/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/path.h"
#include "launch/seccomp/cache.h"
#include "launch/seccomp/program.h"

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

/* One whose check is right: it was kept so. */
static void a_program_that_the_kernel_refuses_is_none(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	struct sock_filter bad[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
	};
	const struct seccomp_filter kept = { .program = { .len = 2, .filter = bad } };
	char name[NAME_MAX + 1];

	seccomp_cache_keep(path, profile, strlen(profile), &kept);
	assert_false(finds(path, profile));
	assert_int_equal(file_open(&scratch, name), -1);
}

static void programs_are_valid_as_the_kernel_says(void **state)
{
	static const struct {
		struct sock_filter code[3];
		size_t n;
		bool valid;
	} cases[] = {
		{ { BPF_STMT(BPF_RET | BPF_K, 0) }, 1, true },
		{ { BPF_STMT(BPF_RET | BPF_K, 0) }, 0, false },
		{ { BPF_STMT(BPF_RET | BPF_A, 0) }, 1, false },
		{ { BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1) }, 1, false },
		{ { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), BPF_STMT(BPF_RET | BPF_K, 0) },
		  2,
		  true },
		{ { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, 0) },
		  2,
		  false },
		{ { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT(BPF_RET | BPF_K, 0) },
		  2,
		  false },
		{ { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		  2,
		  false },
		{ { BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_RET | BPF_K, 0) }, 2, false },
		{ { BPF_STMT(BPF_JMP | BPF_JA, 0), BPF_STMT(BPF_RET | BPF_K, 0) }, 2, true },
		{ { BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0) }, 2, false },
		{ { BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0) },
		  2,
		  false },
		{ { BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 1, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
		    BPF_STMT(BPF_RET | BPF_K, 0) },
		  3,
		  true },
		{ { BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 2, 0), BPF_STMT(BPF_RET | BPF_K, 0),
		    BPF_STMT(BPF_RET | BPF_K, 0) },
		  3,
		  false },
		{ { BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 2), BPF_STMT(BPF_RET | BPF_K, 0),
		    BPF_STMT(BPF_RET | BPF_K, 0) },
		  3,
		  false },
	};
	_cleanup_free_ struct sock_filter *long_one = calloc(BPF_MAXINSNS + 1, sizeof(*long_one));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (seccomp_program_is_valid(cases[i].code, cases[i].n) != cases[i].valid)
			fail_msg("case %zu", i);
	}
	assert_non_null(long_one);
	for (size_t i = 0; i <= BPF_MAXINSNS; i++)
		long_one[i].code = BPF_RET | BPF_K;
	assert_true(seccomp_program_is_valid(long_one, BPF_MAXINSNS));
	assert_false(seccomp_program_is_valid(long_one, BPF_MAXINSNS + 1));
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

static void what_belongs_to_another_is_not_used(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	char name[NAME_MAX + 1];
	int fd;

	if (geteuid() != 0)
		skip();
	keep(path, profile);
	assert_int_equal(fchownat(scratch.fd, SECCOMP_CACHE_DIRECTORY, 1, 0, 0), 0);
	assert_false(finds(path, profile));
	assert_int_equal(fchownat(scratch.fd, SECCOMP_CACHE_DIRECTORY, 0, 0, 0), 0);
	assert_true(finds(path, profile));
	fd = file_open(&scratch, name);
	assert_int_equal(fchown(fd, 1, 0), 0);
	close(fd);
	assert_false(finds(path, profile));
}

/* The one file is a link to a good one elsewhere, then the directory is. */
static void links_are_not_followed(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, ""),
			    *kept = scratch_path(&scratch, SECCOMP_CACHE_DIRECTORY),
			    *elsewhere = scratch_path(&scratch, "elsewhere");
	char name[NAME_MAX + 1];
	int directory_fd;

	keep(path, profile);
	close(file_open(&scratch, name));
	directory_fd = open(kept, O_PATH | O_DIRECTORY);
	assert_int_equal(renameat(directory_fd, name, scratch.fd, "elsewhere"), 0);
	assert_int_equal(symlinkat(elsewhere, directory_fd, name), 0);
	assert_false(finds(path, profile));
	(void)unlinkat(directory_fd, name, 0);
	close(directory_fd);

	keep(path, profile);
	assert_true(finds(path, profile));
	assert_int_equal(unlinkat(scratch.fd, "elsewhere", 0), 0);
	assert_int_equal(renameat(scratch.fd, SECCOMP_CACHE_DIRECTORY, scratch.fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", scratch.fd, SECCOMP_CACHE_DIRECTORY), 0);
	assert_false(finds(path, profile));
}

/* As starters that are killed leave them. */
static void files_that_were_left_aside_go_too(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	char name[64];

	keep(path, "{}");
	for (int i = 0; i < 2 * SECCOMP_CACHE_MAX_FILES; i++) {
		snprintf(name, sizeof(name), SECCOMP_CACHE_DIRECTORY "/.0123.%d.tmp", i);
		close(openat(scratch.fd, name, O_CREAT | O_WRONLY, 0600));
	}
	usleep(20000);
	keep(path, profile);
	assert_int_equal(scratch_count(&scratch, SECCOMP_CACHE_DIRECTORY), SECCOMP_CACHE_MAX_FILES);
	assert_true(finds(path, profile));
}

/* Each keeps other profiles, and the same ones: what is found is whole. */
static void several_keep_and_find_at_once(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "");
	pid_t pids[6];

	for (size_t i = 0; i < 6; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		for (int j = 0; pids[i] == 0 && j < 300; j++) {
			char text[32];

			snprintf(text, sizeof(text), "{\"number\":%d}", j % 97);
			(void)finds(path, text);
			keep(path, text);
		}
		if (pids[i] == 0)
			_exit(0);
	}
	for (size_t i = 0; i < 6; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	keep(path, profile);
	assert_true(finds(path, profile));
	assert_in_range(scratch_count(&scratch, SECCOMP_CACHE_DIRECTORY), 1,
			SECCOMP_CACHE_MAX_FILES);
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
		cmocka_unit_test(a_program_that_the_kernel_refuses_is_none),
		cmocka_unit_test(programs_are_valid_as_the_kernel_says),
		cmocka_unit_test(a_short_file_is_none),
		cmocka_unit_test(what_others_can_write_is_not_used),
		cmocka_unit_test(what_belongs_to_another_is_not_used),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(files_that_were_left_aside_go_too),
		cmocka_unit_test(several_keep_and_find_at_once),
		cmocka_unit_test(the_oldest_goes_where_there_are_too_many),
	};

	return cmocka_run_group_tests_name("seccomp-cache", tests, NULL, NULL);
}
