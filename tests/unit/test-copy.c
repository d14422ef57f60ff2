/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <pthread.h>
#include <time.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "fs/copy/copy.h"

struct trees {
	struct scratch_directory scratch;
	int source_fd, destination_fd;
};

static struct trees trees_make(void)
{
	struct trees trees = { .scratch = scratch_directory_make() };

	assert_int_equal(mkdirat(trees.scratch.fd, "s", 0755), 0);
	assert_int_equal(mkdirat(trees.scratch.fd, "d", 0755), 0);
	trees.source_fd = openat(trees.scratch.fd, "s", O_PATH | O_DIRECTORY | O_CLOEXEC);
	trees.destination_fd = openat(trees.scratch.fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(trees.source_fd >= 0 && trees.destination_fd >= 0);
	return trees;
}

static void trees_remove(struct trees *trees)
{
	close(trees->source_fd);
	close(trees->destination_fd);
	scratch_directory_remove(&trees->scratch);
}
#define _cleanup_trees_ _cleanup_(trees_remove)

static int copied(struct trees *trees, struct copy_stats *stats, struct error *error)
{
	const struct copy_options options = {};

	return copy_tree(trees->source_fd, trees->destination_fd, &options, stats, error);
}

static struct stat stat_of(const struct trees *trees, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(trees->scratch.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void a_directory_keeps_its_times_though_files_are_made_in_it(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	const struct timespec times[2] = { { 1000, 1 }, { 2000, 999999999 } };
	struct copy_stats stats = {};
	struct stat st;

	mkdirat(trees.scratch.fd, "s/a", 0755);
	mkdirat(trees.scratch.fd, "s/a/b", 0700);
	scratch_write(&trees.scratch, "s/a/f", "one");
	scratch_write(&trees.scratch, "s/a/b/f", "two");
	utimensat(trees.scratch.fd, "s/a/b", times, 0);
	utimensat(trees.scratch.fd, "s/a", times, 0);
	assert_int_equal(copied(&trees, &stats, NULL), 0);
	st = stat_of(&trees, "d/a");
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_nsec, 999999999);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	assert_int_equal(stat_of(&trees, "d/a/b").st_mtim.tv_sec, 2000);
	assert_int_equal(stats.n_directories, 2);
	assert_int_equal(stats.n_files, 2);
	assert_int_equal(stats.n_bytes, 6);
}

static void reading_changes_no_access_time_of_the_source(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };

	if (geteuid() != 0)
		skip();
	scratch_write(&trees.scratch, "s/f", "text");
	utimensat(trees.scratch.fd, "s/f", times, 0);
	utimensat(trees.scratch.fd, "s", times, 0);
	assert_int_equal(copied(&trees, NULL, NULL), 0);
	assert_int_equal(stat_of(&trees, "s/f").st_atim.tv_sec, 1000);
	assert_int_equal(stat_of(&trees, "s").st_atim.tv_sec, 1000);
}

static void an_existing_link_is_replaced_and_never_written_through(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	_cleanup_free_ char *text = NULL, *canary = NULL;

	scratch_write(&trees.scratch, "canary", "alive");
	scratch_write(&trees.scratch, "s/f", "new");
	assert_int_equal(symlinkat("../canary", trees.scratch.fd, "d/f"), 0);
	assert_int_equal(copied(&trees, NULL, NULL), 0);
	canary = scratch_read(&trees.scratch, "canary");
	text = scratch_read(&trees.scratch, "d/f");
	assert_string_equal(canary, "alive");
	assert_string_equal(text, "new");
	assert_true(S_ISREG(stat_of(&trees, "d/f").st_mode));
}

static void a_further_name_of_a_replaced_file_keeps_its_contents(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	_cleanup_free_ char *kept = NULL;

	scratch_write(&trees.scratch, "s/f", "new");
	scratch_write(&trees.scratch, "d/f", "old");
	assert_int_equal(linkat(trees.scratch.fd, "d/f", trees.scratch.fd, "kept", 0), 0);
	assert_int_equal(copied(&trees, NULL, NULL), 0);
	kept = scratch_read(&trees.scratch, "kept");
	assert_string_equal(kept, "old");
}

static void a_linked_directory_at_the_destination_is_refused(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	struct error error = {};

	mkdirat(trees.scratch.fd, "outside", 0755);
	mkdirat(trees.scratch.fd, "s/a", 0755);
	scratch_write(&trees.scratch, "s/a/f", "text");
	assert_int_equal(symlinkat("../outside", trees.scratch.fd, "d/a"), 0);
	assert_int_equal(copied(&trees, NULL, &error), -ENOTDIR);
	assert_non_null(strstr(error.message, "'a'"));
	assert_int_equal(scratch_count(&trees.scratch, "outside"), 0);
}

static void files_and_directories_never_replace_each_other(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	struct error error = {};

	scratch_write(&trees.scratch, "s/x", "file");
	mkdirat(trees.scratch.fd, "d/x", 0755);
	assert_int_equal(copied(&trees, NULL, &error), -EISDIR);
	assert_int_equal(unlinkat(trees.scratch.fd, "d/x", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(trees.scratch.fd, "s/x", 0), 0);
	mkdirat(trees.scratch.fd, "s/x", 0755);
	scratch_write(&trees.scratch, "d/x", "file");
	assert_int_equal(copied(&trees, NULL, &error), -ENOTDIR);
}

static void a_tree_is_not_copied_into_itself(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	const struct copy_options options = {};
	_cleanup_close_ int below_fd = -EBADF;
	struct error error = {};

	mkdirat(trees.scratch.fd, "s/a", 0755);
	mkdirat(trees.scratch.fd, "s/a/b", 0755);
	below_fd = openat(trees.scratch.fd, "s/a/b", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(copy_tree(trees.source_fd, below_fd, &options, NULL, &error), -EINVAL);
	assert_int_equal(copy_tree(trees.source_fd, trees.source_fd, &options, NULL, &error),
			 -EINVAL);
	assert_int_equal(copy_entry(trees.scratch.fd, "s", below_fd, "s", &options, NULL, &error),
			 -EINVAL);
	assert_int_equal(scratch_count(&trees.scratch, "s/a/b"), 0);
}

static void a_file_is_not_copied_onto_itself(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	const struct copy_options options = {};
	_cleanup_free_ char *text = NULL;

	scratch_write(&scratch, "f", "text");
	assert_int_equal(linkat(scratch.fd, "f", scratch.fd, "g", 0), 0);
	assert_int_equal(copy_entry(scratch.fd, "f", scratch.fd, "f", &options, NULL, NULL),
			 -EINVAL);
	assert_int_equal(copy_entry(scratch.fd, "f", scratch.fd, "g", &options, NULL, NULL),
			 -EINVAL);
	text = scratch_read(&scratch, "f");
	assert_string_equal(text, "text");
}

static void links_are_links_again_across_directories(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	struct copy_stats stats = {};
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "s/d%d", i);
		mkdirat(trees.scratch.fd, name, 0755);
		for (int k = 0; k < 5; k++) {
			snprintf(name, sizeof(name), "s/d%d/f%d", i, k);
			if (i == 0)
				scratch_write(&trees.scratch, name, name);
			else {
				char first[32];

				snprintf(first, sizeof(first), "s/d0/f%d", k);
				linkat(trees.scratch.fd, first, trees.scratch.fd, name, 0);
			}
		}
	}
	assert_int_equal(copied(&trees, &stats, NULL), 0);
	assert_int_equal(stats.n_files, 5);
	assert_int_equal(stats.n_links, 495);
	assert_int_equal(stat_of(&trees, "d/d0/f3").st_nlink, 100);
	assert_int_equal(stat_of(&trees, "d/d0/f3").st_ino, stat_of(&trees, "d/d77/f3").st_ino);
	/* Again, over itself: nothing is left behind and nothing comes apart. */
	assert_int_equal(copied(&trees, NULL, NULL), 0);
	assert_int_equal(stat_of(&trees, "d/d5/f3").st_nlink, 100);
}

static void what_an_acl_of_the_destination_gives_is_not_inherited(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	/* version 2; user::rwx user:1000:rwx group::r-x mask::rwx other::--- */
	static const unsigned char acl[] = {
		2, 0,	 0,    0,    1,	   0,	 7,    0, 0xff, 0xff, 0xff, 0xff, 2,	0,    7,
		0, 0xe8, 3,    0,    0,	   4,	 0,    5, 0,	0xff, 0xff, 0xff, 0xff, 0x10, 0,
		7, 0,	 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0,	0,    0xff, 0xff, 0xff, 0xff,
	};
	_cleanup_free_ char *path = scratch_path(&trees.scratch, "d");
	_cleanup_free_ char *directory = scratch_path(&trees.scratch, "d/a");
	_cleanup_free_ char *file = scratch_path(&trees.scratch, "d/a/f");
	char value[64];

	if (setxattr(path, "system.posix_acl_default", acl, sizeof(acl), 0) < 0)
		skip();
	mkdirat(trees.scratch.fd, "s/a", 0755);
	scratch_write(&trees.scratch, "s/a/f", "text");
	assert_int_equal(fchmodat(trees.scratch.fd, "s/a/f", 0644, 0), 0);
	assert_int_equal(copied(&trees, NULL, NULL), 0);
	assert_int_equal(getxattr(directory, "system.posix_acl_default", value, sizeof(value)), -1);
	assert_int_equal(getxattr(file, "system.posix_acl_access", value, sizeof(value)), -1);
	assert_int_equal(stat_of(&trees, "d/a").st_mode & 07777, 0755);
	assert_int_equal(stat_of(&trees, "d/a/f").st_mode & 07777, 0644);
}

static void a_tree_of_a_thousand_levels_is_copied(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	_cleanup_close_ int fd = fcntl(trees.source_fd, F_DUPFD_CLOEXEC, 3);
	struct copy_stats stats = {};
	struct stat first, last;
	int file_fd;

	for (int i = 0; i < 1000; i++) {
		int next_fd;

		assert_int_equal(mkdirat(fd, "a-directory-with-a-name", 0755), 0);
		assert_int_equal(mkdirat(fd, "sibling", 0755), 0);
		next_fd = openat(fd, "a-directory-with-a-name", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next_fd;
		if (i == 0)
			assert_int_equal(
				fd < 0 ? -1 : close(openat(fd, "f", O_CREAT | O_WRONLY, 0600)), 0);
	}
	/* A second name for it, at the other end: reached by a path longer than PATH_MAX. */
	file_fd = openat(fd, "end", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(file_fd >= 0);
	assert_int_equal(linkat(fd, "end", trees.source_fd, "zz-begin", 0), 0);
	close(file_fd);
	assert_int_equal(copied(&trees, &stats, NULL), 0);
	assert_int_equal(stats.n_directories, 2000);
	assert_int_equal(stats.n_links, 1);
	first = stat_of(&trees, "d/zz-begin");
	close(fd);
	fd = fcntl(trees.destination_fd, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 1000; i++) {
		int next_fd = openat(fd, "a-directory-with-a-name", O_PATH | O_DIRECTORY);

		assert_true(next_fd >= 0);
		close(fd);
		fd = next_fd;
	}
	assert_int_equal(fstatat(fd, "end", &last, 0), 0);
	assert_int_equal(first.st_ino, last.st_ino);
}

struct appender {
	int fd;
	atomic_bool stop;
};

static void *append_until_told(void *argument)
{
	struct appender *appender = argument;

	while (!atomic_load(&appender->stop))
		assert_int_equal(write(appender->fd, "x", 1), 1);
	return NULL;
}

static void a_file_that_changes_meanwhile_is_named_and_not_left_there(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	struct appender appender = {};
	struct error error = {};
	/* A busy machine may not let both run at once for long. */
	time_t end = time(NULL) + 30;
	pthread_t thread;
	int r = 0;

	scratch_write(&trees.scratch, "s/log", "start");
	appender.fd = openat(trees.scratch.fd, "s/log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(ftruncate(appender.fd, 4 << 20), 0);
	assert_int_equal(pthread_create(&thread, NULL, append_until_told, &appender), 0);
	/* One that was in time is whole; the next isn't. */
	while (r == 0 && time(NULL) < end) {
		(void)unlinkat(trees.scratch.fd, "d/log", 0);
		r = copied(&trees, NULL, &error);
	}
	atomic_store(&appender.stop, true);
	pthread_join(thread, NULL);
	close(appender.fd);
	assert_int_equal(r, -EBUSY);
	assert_string_equal(error.message, "'log' changed while it was copied");
	assert_int_equal(scratch_count(&trees.scratch, "d"), 0);
}

struct exchanger {
	int directory_fd;
	atomic_bool stop;
	atomic_ulong n_rounds;
};

/* The directory "x" and a link out of the tree, "y", change places all the time. */
static void *exchange_until_told(void *argument)
{
	struct exchanger *exchanger = argument;

	while (!atomic_load(&exchanger->stop)) {
		if (sys_renameat2(exchanger->directory_fd, "x", exchanger->directory_fd, "y",
				  RENAME_EXCHANGE) == 0)
			atomic_fetch_add(&exchanger->n_rounds, 1);
	}
	return NULL;
}

/* Did anything of the canary directory come along, under either name? */
static bool outside_is_there(int destination_fd)
{
	static const char *const names[] = { "x", "y" };

	for (int i = 0; i < 2; i++) {
		_cleanup_close_ int fd = openat(destination_fd, names[i],
						O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && faccessat(fd, "canary", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

/*
 * Copies while the exchanger runs, until it was around often enough: into a new directory each
 * time, or into the one where it runs. Some copies fail, which is fine.
 */
static void copy_through_exchanges(struct trees *trees, int exchanged_fd)
{
	struct exchanger exchanger = { .directory_fd = exchanged_fd };
	bool fresh = exchanged_fd != trees->destination_fd;
	unsigned int n_copied = 0, n_outside = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, exchange_until_told, &exchanger), 0);
	for (unsigned int i = 0; i < 2000 || atomic_load(&exchanger.n_rounds) < 5000; i++) {
		const struct copy_options options = { .reading = i % 2 ? COPY_READING_AHEAD
								       : COPY_READING_PLAIN };

		n_copied += copy_tree(trees->source_fd, trees->destination_fd, &options, NULL,
				      NULL) == 0;
		if (!fresh)
			continue;
		n_outside += outside_is_there(trees->destination_fd);
		(void)path_remove_tree(trees->destination_fd, "x");
		(void)path_remove_tree(trees->destination_fd, "y");
	}
	atomic_store(&exchanger.stop, true);
	pthread_join(thread, NULL);
	print_message("# %u copies, %lu exchanges\n", n_copied, exchanger.n_rounds);
	assert_int_equal(n_outside, 0);
}

static void a_source_that_swaps_in_links_gives_nothing_from_outside(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	_cleanup_close_ int exchanged_fd =
		openat(trees.scratch.fd, "s", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *outside = scratch_path(&trees.scratch, "outside");

	mkdirat(trees.scratch.fd, "outside", 0700);
	scratch_write(&trees.scratch, "outside/file", "canary");
	scratch_write(&trees.scratch, "outside/canary", "canary");
	/* Something to do between the reading of the directory and the opening of "x". */
	for (char name[] = "s/a"; name[2] < 'k'; name[2]++)
		mkdirat(trees.scratch.fd, name, 0755);
	mkdirat(trees.scratch.fd, "s/x", 0755);
	scratch_write(&trees.scratch, "s/x/file", "inside");
	/* Absolute: ".." wouldn't leave the engine's own mount of the source anyway. */
	assert_int_equal(symlinkat(outside, trees.scratch.fd, "s/y"), 0);
	copy_through_exchanges(&trees, exchanged_fd);
}

static void a_destination_that_swaps_in_links_takes_nothing_outside(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	_cleanup_free_ char *canary = NULL;
	struct stat st;

	mkdirat(trees.scratch.fd, "outside", 0700);
	scratch_write(&trees.scratch, "outside/file", "canary");
	utimensat(trees.scratch.fd, "outside", times, 0);
	mkdirat(trees.scratch.fd, "s/x", 0755);
	mkdirat(trees.scratch.fd, "s/x/sub", 0755);
	scratch_write(&trees.scratch, "s/x/file", "inside");
	scratch_write(&trees.scratch, "s/x/sub/file", "inside");
	linkat(trees.scratch.fd, "s/x/file", trees.scratch.fd, "s/x/sub/link", 0);
	mkdirat(trees.scratch.fd, "d/x", 0755);
	assert_int_equal(symlinkat("../outside", trees.scratch.fd, "d/y"), 0);
	copy_through_exchanges(&trees, trees.destination_fd);
	st = stat_of(&trees, "outside");
	canary = scratch_read(&trees.scratch, "outside/file");
	assert_string_equal(canary, "canary");
	assert_int_equal(scratch_count(&trees.scratch, "outside"), 1);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_atim.tv_sec, 1000);
}

static void a_full_disk_says_what_is_complete(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	_cleanup_free_ char *small = scratch_path(&trees.scratch, "d");
	_cleanup_close_ int small_fd = -EBADF;
	const struct copy_options options = {};
	struct copy_stats stats = {};
	struct error error = {};
	uint64_t n_there = 0;
	char name[32];

	scratch_in_mount_namespace();
	assert_int_equal(sys_mount("tmpfs", small, "tmpfs", 0, "size=1m"), 0);
	small_fd = open(small, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 40; i++) {
		int fd;

		snprintf(name, sizeof(name), "s/f%02d", i);
		scratch_write(&trees.scratch, name, "");
		fd = openat(trees.scratch.fd, name, O_WRONLY | O_CLOEXEC);
		assert_int_equal(posix_fallocate(fd, 0, 100000), 0);
		close(fd);
	}
	assert_int_equal(copy_tree(trees.source_fd, small_fd, &options, &stats, &error), -ENOSPC);
	assert_true(stats.n_files > 0 && stats.n_files < 12);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%02d", i);
		n_there += faccessat(small_fd, name, F_OK, 0) == 0;
	}
	assert_int_equal(n_there, stats.n_files);
	snprintf(name, sizeof(name), " %llu files", (unsigned long long)stats.n_files);
	assert_non_null(strstr(error.message, name));
	assert_non_null(strstr(error.message, "No space left on device"));
}

static void the_ring_and_plain_calls_make_the_same(void **state)
{
	_cleanup_trees_ struct trees trees = trees_make();
	static const enum copy_reading readings[] = { COPY_READING_PLAIN, COPY_READING_AHEAD };
	char name[32];

	/* Around the sizes at which the engine changes its ways, and more than fit the window. */
	for (int i = 0; i < 300; i++) {
		static const int sizes[] = { 0, 1, 4096, 65535, 65536, 65537, 262144, 300000 };
		_cleanup_free_ char *bytes = malloc(300000);
		int fd, n = sizes[i % 8] + (i > 8 && i % 8 == 1 ? i : 0);

		for (int k = 0; k < n; k++)
			bytes[k] = (char)(k * 31 + i + k / 4096);
		snprintf(name, sizeof(name), "s/f%03d", i);
		fd = openat(trees.scratch.fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		assert_int_equal(write(fd, bytes, (size_t)n), n);
		close(fd);
	}
	for (size_t i = 0; i < 2; i++) {
		const struct copy_options options = { .reading = readings[i] };
		struct copy_stats stats = {};

		assert_int_equal(
			copy_tree(trees.source_fd, trees.destination_fd, &options, &stats, NULL),
			0);
		assert_int_equal(stats.n_files, 300);
		for (int k = 0; k < 300; k++) {
			_cleanup_free_ char *from = NULL, *to = NULL;
			struct stat st;

			snprintf(name, sizeof(name), "s/f%03d", k);
			from = scratch_read(&trees.scratch, name);
			st = stat_of(&trees, name);
			name[0] = 'd';
			to = scratch_read(&trees.scratch, name);
			assert_int_equal(stat_of(&trees, name).st_size, st.st_size);
			assert_memory_equal(from, to, (size_t)st.st_size);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_keeps_its_times_though_files_are_made_in_it),
		cmocka_unit_test(reading_changes_no_access_time_of_the_source),
		cmocka_unit_test(an_existing_link_is_replaced_and_never_written_through),
		cmocka_unit_test(a_further_name_of_a_replaced_file_keeps_its_contents),
		cmocka_unit_test(a_linked_directory_at_the_destination_is_refused),
		cmocka_unit_test(files_and_directories_never_replace_each_other),
		cmocka_unit_test(a_tree_is_not_copied_into_itself),
		cmocka_unit_test(a_file_is_not_copied_onto_itself),
		cmocka_unit_test(links_are_links_again_across_directories),
		cmocka_unit_test(what_an_acl_of_the_destination_gives_is_not_inherited),
		cmocka_unit_test(a_tree_of_a_thousand_levels_is_copied),
		cmocka_unit_test(a_file_that_changes_meanwhile_is_named_and_not_left_there),
		cmocka_unit_test(a_source_that_swaps_in_links_gives_nothing_from_outside),
		cmocka_unit_test(a_destination_that_swaps_in_links_takes_nothing_outside),
		cmocka_unit_test(the_ring_and_plain_calls_make_the_same),
		cmocka_unit_test(a_full_disk_says_what_is_complete),
	};

	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
