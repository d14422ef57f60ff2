/* SPDX-License-Identifier: MIT */
/* Each behaviour by the mount API and by the way of older kernels. Needs root. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/overlay.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"

static const unsigned int ways[] = { 0, OVERLAY_FORCE_FALLBACK };

static void root_needed(void)
{
	if (geteuid() != 0) {
		print_message("not root\n");
		skip();
	}
}

/* Directories l0 l1 ... with a file of their name, one called "all", and upper and work. */
static void layers_make(const struct scratch_directory *scratch, size_t n_layers,
			struct string_list *lowers)
{
	char name[32], file[64];

	for (size_t i = 0; i < n_layers; i++) {
		snprintf(name, sizeof(name), "l%zu", i);
		assert_int_equal(mkdirat(scratch->fd, name, 0755), 0);
		snprintf(file, sizeof(file), "%s/%s", name, name);
		scratch_write(scratch, file, name);
		snprintf(file, sizeof(file), "%s/all", name);
		scratch_write(scratch, file, name);
		string_list_take(lowers, scratch_path(scratch, name));
	}
	assert_int_equal(mkdirat(scratch->fd, "upper", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "work", 0755), 0);
}

static int mounted(const struct overlay *overlay)
{
	struct error error;
	int fd = -EBADF;

	error_init(&error);
	if (overlay_mount(overlay, &fd, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	return fd;
}

static void assert_file(int root_fd, const char *name, const char *expected)
{
	_cleanup_close_ int fd = path_open_in_root(root_fd, name, O_RDONLY, 0);
	char text[64] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, expected);
}

static int file_make(int root_fd, const char *name)
{
	int fd = path_open_in_root(root_fd, name, O_WRONLY | O_CREAT, 0644);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* What the host sees is what it saw before. */
static size_t mounts_count(void)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &text, NULL), 0);
	for (char *p = text; *p; p++)
		n += *p == '\n';
	return n;
}

static void the_topmost_layer_is_seen_first_and_writes_go_to_the_upper(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_free_ char *upper = scratch_path(&scratch, "upper");
		_cleanup_free_ char *work = scratch_path(&scratch, "work");
		size_t n_mounts = mounts_count();
		_cleanup_close_ int fd = -EBADF;
		struct stat st;

		layers_make(&scratch, 3, &lowers);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = 3,
						.upper = upper,
						.work = work,
						.flags = ways[way] });
		assert_int_equal(mounts_count(), n_mounts);
		assert_file(fd, "all", "l0");
		assert_file(fd, "l2", "l2");
		assert_int_equal(file_make(fd, "new"), 0);
		assert_int_equal(fstatat(scratch.fd, "upper/new", &st, 0), 0);
	}
}

static void without_an_upper_nothing_can_be_written(void **state)
{
	root_needed();
	/* Two lowers, and one, which overlayfs refuses: it becomes a bind. */
	for (size_t n_lowers = 1; n_lowers < 3; n_lowers++) {
		for (size_t way = 0; way < 2; way++) {
			_cleanup_scratch_ struct scratch_directory scratch =
				scratch_directory_make();
			_cleanup_strings_ struct string_list lowers = {};
			_cleanup_close_ int fd = -EBADF;

			layers_make(&scratch, n_lowers, &lowers);
			fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
							.n_lowers = n_lowers,
							.flags = ways[way] });
			assert_file(fd, "all", "l0");
			assert_int_equal(file_make(fd, "new"), -EROFS);
			assert_int_equal(scratch_count(&scratch, "l0"), 2);
		}
	}
}

static void a_read_only_mount_with_an_upper_refuses_writes(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_free_ char *upper = scratch_path(&scratch, "upper");
		_cleanup_free_ char *work = scratch_path(&scratch, "work");
		_cleanup_close_ int fd = -EBADF;

		layers_make(&scratch, 1, &lowers);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = 1,
						.upper = upper,
						.work = work,
						.flags = ways[way] | OVERLAY_READ_ONLY });
		assert_int_equal(file_make(fd, "new"), -EROFS);
	}
}

static void an_ephemeral_upper_takes_writes_up_to_its_size_and_is_gone_with_the_mount(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_close_ int fd = -EBADF, file_fd = -EBADF;
		_cleanup_free_ char *megabyte = calloc(1, 1 << 20);
		struct stat st;

		layers_make(&scratch, 2, &lowers);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = 2,
						.ephemeral_bytes = 2 << 20,
						.flags = ways[way] | OVERLAY_EPHEMERAL });
		assert_file(fd, "all", "l0");
		assert_int_equal(fstatat(fd, ".", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
		file_fd = path_open_in_root(fd, "large", O_WRONLY | O_CREAT, 0644);
		assert_true(file_fd >= 0);
		assert_int_equal(fd_write_full(file_fd, megabyte, 1 << 20), 0);
		assert_int_equal(fd_write_full(file_fd, megabyte, 1 << 20), 0);
		assert_int_equal(fd_write_full(file_fd, megabyte, 1 << 20), -ENOSPC);
		assert_int_equal(scratch_count(&scratch, "l0"), 2);
	}
}

static void five_hundred_layers_with_long_paths_are_mounted(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_close_ int fd = -EBADF;
		char name[300];

		/* Far over what one page of mount options holds. */
		for (size_t i = 0; i < OVERLAY_MAX_LOWERS; i++) {
			snprintf(name, sizeof(name), "%0200zu", i);
			assert_int_equal(mkdirat(scratch.fd, name, 0755), 0);
			string_list_take(&lowers, scratch_path(&scratch, name));
		}
		snprintf(name, sizeof(name), "%0200d/bottom", OVERLAY_MAX_LOWERS - 1);
		scratch_write(&scratch, name, "bottom");
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = OVERLAY_MAX_LOWERS,
						.flags = ways[way] });
		assert_file(fd, "bottom", "bottom");
	}
}

static void paths_that_options_cannot_say_are_mounted(void **state)
{
	/* Over fsconfig()'s 255 bytes, and with what separates options. */
	static const char *const odd[] = { "with:colon", "with,comma", "with\\backslash",
					   "with space", "with\nnewline" };

	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_free_ char *upper = scratch_path(&scratch, "up,per:");
		_cleanup_free_ char *work = scratch_path(&scratch, "wo\\rk");
		_cleanup_close_ int fd = -EBADF;
		char name[400];

		for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
			assert_int_equal(mkdirat(scratch.fd, odd[i], 0755), 0);
			snprintf(name, sizeof(name), "%s/f%zu", odd[i], i);
			scratch_write(&scratch, name, odd[i]);
			string_list_take(&lowers, scratch_path(&scratch, odd[i]));
		}
		memset(name, 'x', sizeof(name));
		name[150] = name[300] = '/';
		name[150] = '\0';
		assert_int_equal(mkdirat(scratch.fd, name, 0755), 0);
		name[150] = '/';
		name[300] = '\0';
		assert_int_equal(mkdirat(scratch.fd, name, 0755), 0);
		string_list_take(&lowers, scratch_path(&scratch, name));
		assert_int_equal(mkdirat(scratch.fd, "up,per:", 0755), 0);
		assert_int_equal(mkdirat(scratch.fd, "wo\\rk", 0755), 0);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = lowers.n_items,
						.upper = upper,
						.work = work,
						.flags = ways[way] });
		assert_file(fd, "f0", odd[0]);
		assert_file(fd, "f4", odd[4]);
		assert_int_equal(file_make(fd, "new"), 0);
		assert_int_equal(scratch_count(&scratch, "up,per:"), 1);
	}
}

static void a_volatile_mount_works(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_free_ char *upper = scratch_path(&scratch, "upper");
		_cleanup_free_ char *work = scratch_path(&scratch, "work");
		_cleanup_close_ int fd = -EBADF;

		layers_make(&scratch, 1, &lowers);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = 1,
						.upper = upper,
						.work = work,
						.flags = ways[way] | OVERLAY_VOLATILE });
		assert_int_equal(file_make(fd, "new"), 0);
	}
}

static void what_cannot_be_mounted_is_refused_with_a_reason(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *directory = scratch_path(&scratch, "d");
	_cleanup_free_ char *missing = scratch_path(&scratch, "missing");
	_cleanup_free_ char *file = scratch_path(&scratch, "f");
	const char *one_file[] = { directory, file }, *one_missing[] = { directory, missing };
	const char *good[] = { directory, directory };
	const char *many[OVERLAY_MAX_LOWERS + 1];
	const struct {
		struct overlay overlay;
		int result;
		const char *words;
	} cases[] = {
		{ { .lowers = good, .n_lowers = 0 }, -EINVAL, "at least one" },
		{ { .lowers = many, .n_lowers = OVERLAY_MAX_LOWERS + 1 }, -E2BIG, "501 lowerdirs" },
		{ { .lowers = one_missing, .n_lowers = 2 }, -ENOENT, missing },
		{ { .lowers = one_file, .n_lowers = 2 }, -ENOTDIR, file },
		{ { .lowers = one_missing + 1, .n_lowers = 1 }, -ENOENT, missing },
		{ { .lowers = good, .n_lowers = 1, .upper = missing, .work = directory },
		  -ENOENT,
		  missing },
	};

	root_needed();
	assert_int_equal(mkdirat(scratch.fd, "d", 0755), 0);
	scratch_write(&scratch, "f", "");
	for (size_t i = 0; i <= OVERLAY_MAX_LOWERS; i++)
		many[i] = directory;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t way = 0; way < 2; way++) {
			struct overlay overlay = cases[i].overlay;
			struct error error;
			int fd = 4711, r;

			error_init(&error);
			overlay.flags |= ways[way];
			r = overlay_mount(&overlay, &fd, &error);
			assert_int_equal(r, cases[i].result);
			assert_int_equal(fd, 4711);
			if (!strstr(error.message, cases[i].words))
				fail_msg("'%s' has no '%s'", error.message, cases[i].words);
		}
	}
}

static void nothing_is_left_when_the_mount_is_closed(void **state)
{
	root_needed();
	for (size_t way = 0; way < 2; way++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		size_t n_mounts = mounts_count(), n_fds;
		int fd;

		layers_make(&scratch, 2, &lowers);
		n_fds = (size_t)open("/dev/null", O_RDONLY | O_CLOEXEC);
		close((int)n_fds);
		fd = mounted(&(struct overlay){ .lowers = (const char *const *)lowers.items,
						.n_lowers = 2,
						.flags = ways[way] | OVERLAY_EPHEMERAL });
		close(fd);
		assert_int_equal(mounts_count(), n_mounts);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		/* No descriptor stays: the next one has the number it had before. */
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_int_equal(fd, n_fds);
		close(fd);
	}
}

static void an_upper_that_cannot_be_written_is_an_error(void **state)
{
	root_needed();
	scratch_in_mount_namespace();
	for (size_t i = 0; i < 2; i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_strings_ struct string_list lowers = {};
		_cleanup_free_ char *full = scratch_path(&scratch, "full");
		_cleanup_free_ char *upper = scratch_path(&scratch, "full/upper");
		_cleanup_free_ char *work = scratch_path(&scratch, "full/work");
		struct overlay overlay = { .upper = upper, .work = work, .flags = ways[i] };
		struct error error;
		int fd = -EBADF;

		layers_make(&scratch, 1, &lowers);
		overlay.lowers = (const char *const *)lowers.items;
		overlay.n_lowers = 1;
		assert_int_equal(mkdir(full, 0755), 0);
		/* Inodes for the root, upper and work, and for nothing more. */
		assert_int_equal(sys_mount("tmpfs", full, "tmpfs", 0, "nr_inodes=3"), 0);
		assert_int_equal(mkdir(upper, 0755), 0);
		assert_int_equal(mkdir(work, 0755), 0);
		error_init(&error);
		assert_true(overlay_mount(&overlay, &fd, &error) < 0);
		assert_int_equal(fd, -EBADF);
		assert_true(error.code == -EROFS || error.code == -ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_topmost_layer_is_seen_first_and_writes_go_to_the_upper),
		cmocka_unit_test(without_an_upper_nothing_can_be_written),
		cmocka_unit_test(a_read_only_mount_with_an_upper_refuses_writes),
		cmocka_unit_test(
			an_ephemeral_upper_takes_writes_up_to_its_size_and_is_gone_with_the_mount),
		cmocka_unit_test(five_hundred_layers_with_long_paths_are_mounted),
		cmocka_unit_test(paths_that_options_cannot_say_are_mounted),
		cmocka_unit_test(a_volatile_mount_works),
		cmocka_unit_test(what_cannot_be_mounted_is_refused_with_a_reason),
		cmocka_unit_test(nothing_is_left_when_the_mount_is_closed),
		cmocka_unit_test(an_upper_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
