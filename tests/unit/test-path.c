/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/path.h"
#include "base/process.h"
#include "base/syscalls.h"

/*
 * SCRATCH/root is the root; SCRATCH/outside is what nothing may reach:
 *	root/etc/passwd  root/dir/file
 */
static int root_make(const struct scratch_directory *scratch)
{
	int fd;

	assert_int_equal(mkdirat(scratch->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "root/etc", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "root/dir", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "outside", 0755), 0);
	scratch_write(scratch, "root/etc/passwd", "inside");
	scratch_write(scratch, "root/dir/file", "file");
	scratch_write(scratch, "outside/passwd", "outside");
	fd = openat(scratch->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void root_link(const struct scratch_directory *scratch, const char *target, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "root/%s", name);
	assert_int_equal(symlinkat(target, scratch->fd, path), 0);
}

static void assert_reads(int root_fd, const char *path, const char *expected)
{
	_cleanup_close_ int fd = path_open_in_root(root_fd, path, O_RDONLY, 0);
	char text[16] = "";

	if (fd < 0)
		fail_msg("cannot open '%s': %s", path, strerror(-fd));
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, expected);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void links_and_dots_stay_in_the_root(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	static const char *const paths[] = {
		"etc/passwd",	   "/etc/passwd",
		"//etc//./passwd", "../../../etc/passwd",
		"/../etc/passwd",  "dir/../../../etc/passwd",
		"absolute",	   "relative",
		"chain",	   "up/etc/passwd",
		"dir/climb",
	};

	root_link(&scratch, "/etc/passwd", "absolute");
	root_link(&scratch, "../../../../etc/passwd", "relative");
	root_link(&scratch, "/absolute", "chain");
	root_link(&scratch, "..", "up");
	root_link(&scratch, "../../outside/../etc/passwd", "dir/bad");
	root_link(&scratch, "../../../etc/passwd", "dir/climb");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_reads(root_fd, paths[i], "inside");
	assert_int_equal(path_open_in_root(root_fd, "dir/bad", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in_root(root_fd, "../outside/passwd", O_RDONLY, 0), -ENOENT);
}

static void an_empty_path_is_the_root_itself(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	_cleanup_close_ int a = path_open_in_root(root_fd, "", O_PATH, 0);
	_cleanup_close_ int b = path_open_in_root(root_fd, "/", O_PATH, 0);
	_cleanup_close_ int c = path_open_beneath(root_fd, "/", O_PATH, 0);
	struct stat root_st, st;

	assert_int_equal(fstat(root_fd, &root_st), 0);
	assert_int_equal(fstat(a, &st), 0);
	assert_int_equal(st.st_ino, root_st.st_ino);
	assert_int_equal(fstat(b, &st), 0);
	assert_int_equal(st.st_ino, root_st.st_ino);
	assert_int_equal(fstat(c, &st), 0);
	assert_int_equal(st.st_ino, root_st.st_ino);
}

static void magic_links_are_refused(void **state)
{
	_cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[64];
	int r;

	assert_true(proc_fd >= 0);
	snprintf(path, sizeof(path), "%d/fd/%d", (int)getpid(), proc_fd);
	r = path_open_in_root(proc_fd, path, O_PATH, 0);
	assert_int_equal(r, -ELOOP);
	assert_int_equal(path_open_in_root(proc_fd, "self/exe", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_open_in_root(proc_fd, "self/root/etc", O_PATH, 0), -ELOOP);
}

static void loops_and_dangling_links_are_errors(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);

	root_link(&scratch, "b", "a");
	root_link(&scratch, "a", "b");
	root_link(&scratch, "/nowhere", "dangling");
	assert_int_equal(path_open_in_root(root_fd, "a", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_open_in_root(root_fd, "dangling", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in_root(root_fd, "etc/passwd/x", O_RDONLY, 0), -ENOTDIR);
}

static void beneath_refuses_every_link_and_every_way_up(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	_cleanup_close_ int fd = path_open_beneath(root_fd, "//etc/passwd", O_RDONLY, 0);

	assert_true(fd >= 0);
	root_link(&scratch, "etc", "link");
	root_link(&scratch, "passwd", "etc/link");
	assert_int_equal(path_open_beneath(root_fd, "link/passwd", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_open_beneath(root_fd, "etc/link", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_open_beneath(root_fd, "../outside/passwd", O_RDONLY, 0), -EXDEV);
}

static void directories_are_made_below_the_root_with_their_modes(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	mode_t earlier = umask(0);
	_cleanup_close_ int fd = path_mkdir_in_root(root_fd, "/a/b//c/", 01777);
	_cleanup_close_ int again = path_mkdir_in_root(root_fd, "a/b/c", 0700);
	struct stat st, again_st;

	umask(earlier);
	assert_true(fd >= 0);
	assert_true(again >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(fstat(again, &again_st), 0);
	assert_int_equal(st.st_ino, again_st.st_ino);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(fstatat(scratch.fd, "root/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_directory_behind_links_is_made_where_they_lead_inside_the_root(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	struct stat st;
	int fd;

	root_link(&scratch, "/dir", "absolute");
	root_link(&scratch, "../../../outside", "escape");
	fd = path_mkdir_in_root(root_fd, "absolute/new/er", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(scratch.fd, "root/dir/new/er", &st, 0), 0);
	/* Where a link leads to nothing, that is made: inside, wherever it meant to lead. */
	fd = path_mkdir_in_root(root_fd, "escape/new", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(scratch.fd, "root/outside/new", &st, 0), 0);
	root_link(&scratch, "loop", "loop");
	assert_int_equal(path_mkdir_in_root(root_fd, "loop/new", 0755), -ELOOP);
	assert_int_equal(scratch_count(&scratch, "outside"), 1);
	assert_int_equal(scratch_count(&scratch, "."), 2);
	fd = path_mkdir_in_root(root_fd, "../../x/../y", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(scratch.fd, "root/y", &st, 0), 0);
	assert_int_equal(scratch_count(&scratch, "."), 2);
}

static void a_file_in_the_way_of_a_directory_is_an_error(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	char long_path[PATH_MAX + 10];

	assert_int_equal(path_mkdir_in_root(root_fd, "etc/passwd", 0755), -ENOTDIR);
	assert_int_equal(path_mkdir_in_root(root_fd, "etc/passwd/x", 0755), -ENOTDIR);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(path_mkdir_in_root(root_fd, long_path, 0755), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(long_path) - 1; i += 2)
		long_path[i] = '/';
	assert_int_equal(path_mkdir_in_root(root_fd, long_path, 0755), -ENAMETOOLONG);
}

static void a_file_is_made_where_nothing_is_and_kept_where_something_is(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	_cleanup_close_ int fd = path_make_file_in_root(root_fd, "/new/dir/file", 0640);
	_cleanup_close_ int old = path_make_file_in_root(root_fd, "etc/passwd", 0640);
	_cleanup_close_ int directory = path_make_file_in_root(root_fd, "etc", 0640);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode & 07777 & ~0640, 0);
	assert_int_equal(fstat(old, &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(fstat(directory, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(path_make_file_in_root(root_fd, "newdir/", 0640), -EISDIR);
}

static void a_file_behind_a_dangling_link_is_made_inside_the_root(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	struct stat st, made;
	int fd;

	root_link(&scratch, "../../outside/new", "dangling");
	root_link(&scratch, "dangling", "etc/again");
	root_link(&scratch, "../../dangling", "etc/again2");
	fd = path_make_file_in_root(root_fd, "etc/again2", 0644);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(scratch_count(&scratch, "outside"), 1);
	assert_int_equal(fstatat(scratch.fd, "root/outside/new", &made, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_ino, made.st_ino);
}

static void a_parent_is_opened_in_the_root_and_the_name_is_the_rest(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	static const struct {
		const char *path, *parent, *name;
	} cases[] = {
		{ "etc/passwd", "root/etc", "passwd" },
		{ "/etc/passwd", "root/etc", "passwd" },
		{ "passwd", "root", "passwd" },
		{ "etc//none//", "root/etc", "none//" },
		{ "/", "root", "" },
		{ "", "root", "" },
		{ "link/x", "root/dir", "x" },
		{ "../../etc/../x", "root", "x" },
	};

	root_link(&scratch, "/dir", "link");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = NULL;
		_cleanup_close_ int fd = path_open_parent_in_root(root_fd, cases[i].path, &name);
		struct stat st, expected;

		assert_true(fd >= 0);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(fstatat(scratch.fd, cases[i].parent, &expected, 0), 0);
		assert_int_equal(st.st_ino, expected.st_ino);
	}
	assert_int_equal(path_open_parent_in_root(root_fd, "none/x", &(const char *){ 0 }),
			 -ENOENT);
}

/* Somebody exchanges a directory and a link to the outside, again and again. */
static pid_t exchanger_start(const struct scratch_directory *scratch)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			sys_renameat2(scratch->fd, "root/dir", scratch->fd, "root/link",
				      RENAME_EXCHANGE);
	}
	return pid;
}

static void no_race_leads_out_of_the_root(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	pid_t pid;

	root_link(&scratch, "../../../../../../../../../../../../../../", "link");
	scratch_write(&scratch, "root/dir/passwd", "inside");
	pid = exchanger_start(&scratch);
	for (int i = 0; i < 3000; i++) {
		int fd = path_open_in_root(root_fd, "dir/passwd", O_RDONLY, 0);
		char text[16] = "";

		if (fd >= 0) {
			assert_true(read(fd, text, sizeof(text) - 1) > 0);
			assert_string_equal(text, "inside");
			close(fd);
		}
		fd = path_mkdir_in_root(root_fd, "dir/made/deep", 0755);
		if (fd >= 0)
			close(fd);
		fd = path_make_file_in_root(root_fd, "link/lamina-unit-file", 0644);
		if (fd >= 0)
			close(fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(access("/made", F_OK), -1);
	assert_int_equal(access("/lamina-unit-file", F_OK), -1);
	assert_int_equal(scratch_count(&scratch, "outside"), 1);
	assert_int_equal(scratch_count(&scratch, "."), 2);
}

static void a_tree_is_removed_and_what_links_point_to_is_not(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int root_fd = root_make(&scratch);
	char name[64];

	root_link(&scratch, "../outside", "link");
	assert_int_equal(mkfifoat(scratch.fd, "root/fifo", 0644), 0);
	assert_int_equal(mkdirat(scratch.fd, "root/deep", 0755), 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "root/deep/f%d", i);
		scratch_write(&scratch, name, "x");
	}
	assert_int_equal(path_remove_tree(scratch.fd, "root"), 0);
	assert_int_equal(scratch_count(&scratch, "."), 1);
	assert_int_equal(scratch_count(&scratch, "outside"), 1);
	assert_int_equal(path_remove_tree(scratch.fd, "root"), 0);
	assert_int_equal(symlinkat("outside", scratch.fd, "link"), 0);
	assert_int_equal(path_remove_tree(scratch.fd, "link"), 0);
	assert_int_equal(scratch_count(&scratch, "outside"), 1);
}

static void a_very_deep_tree_is_removed_with_few_descriptors(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int fd = -EBADF;
	struct rlimit earlier, few;

	assert_int_equal(mkdirat(scratch.fd, "deep", 0755), 0);
	fd = openat(scratch.fd, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Far longer than PATH_MAX; deeper than the descriptors a process may have open. */
	for (int i = 0; i < 3000; i++) {
		int child;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		assert_int_equal(mkdirat(fd, "sibling", 0755), 0);
		child = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(child >= 0);
		close(fd);
		fd = child;
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &earlier), 0);
	few = (struct rlimit){ .rlim_cur = 256, .rlim_max = earlier.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(path_remove_tree(scratch.fd, "deep"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &earlier), 0);
	assert_int_equal(scratch_count(&scratch, "."), 0);
}

static void two_remove_the_same_tree(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char name[64];
	pid_t pid;
	int status;

	for (int round = 0; round < 10; round++) {
		assert_int_equal(mkdirat(scratch.fd, "t", 0755), 0);
		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "t/d%d", i);
			assert_int_equal(mkdirat(scratch.fd, name, 0755), 0);
			snprintf(name, sizeof(name), "t/d%d/f", i);
			scratch_write(&scratch, name, "");
		}
		pid = fork();
		if (pid == 0)
			_exit(path_remove_tree(scratch.fd, "t") < 0);
		assert_int_equal(path_remove_tree(scratch.fd, "t"), 0);
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		assert_int_equal(scratch_count(&scratch, "."), 0);
	}
}

static void removing_stops_at_a_mount(void **state)
{
	scratch_in_mount_namespace();

	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *mount_point = scratch_path(&scratch, "t/m");
	_cleanup_free_ char *kept = NULL;

	assert_int_equal(mkdirat(scratch.fd, "t", 0755), 0);
	assert_int_equal(mkdirat(scratch.fd, "t/m", 0755), 0);
	scratch_write(&scratch, "t/f", "");
	assert_int_equal(sys_mount("none", mount_point, "tmpfs", 0, NULL), 0);
	scratch_write(&scratch, "t/m/kept", "kept");
	assert_int_equal(path_remove_tree(scratch.fd, "t"), -EXDEV);
	kept = scratch_read(&scratch, "t/m/kept");
	assert_string_equal(kept, "kept");
	/* What could be removed is gone. */
	assert_int_equal(scratch_count(&scratch, "t"), 1);
}

static void removing_stops_at_a_bind_mount_of_the_same_file_system(void **state)
{
	scratch_in_mount_namespace();

	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *mount_point = scratch_path(&scratch, "t/m");
	_cleanup_free_ char *source = scratch_path(&scratch, "precious");
	_cleanup_free_ char *kept = NULL;

	assert_int_equal(mkdirat(scratch.fd, "t", 0755), 0);
	assert_int_equal(mkdirat(scratch.fd, "t/m", 0755), 0);
	assert_int_equal(mkdirat(scratch.fd, "precious", 0755), 0);
	scratch_write(&scratch, "precious/kept", "kept");
	assert_int_equal(sys_mount(source, mount_point, NULL, MS_BIND, NULL), 0);
	assert_int_equal(path_remove_tree(scratch.fd, "t"), -EXDEV);
	kept = scratch_read(&scratch, "precious/kept");
	assert_string_equal(kept, "kept");
}

struct on_small_stack {
	int root_fd;
	int r[2];
};

static int chain_follow(void *argument)
{
	struct on_small_stack *call = argument;

	call->r[0] = path_mkdir_in_root(call->root_fd, "l38", 0755);
	call->r[1] = path_make_file_in_root(call->root_fd, "l38/f", 0644);
	return 0;
}

/* A launcher's child has PROCESS_STACK_BYTES, and resolves what an image has made. */
static void a_long_chain_of_dangling_links_fits_a_small_stack(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	struct on_small_stack call = { .root_fd = scratch.fd };
	char name[16], target[16] = "nowhere";
	pid_t pid;
	int status;

	for (int i = 0; i < 39; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(symlinkat(target, scratch.fd, name), 0);
		memcpy(target, name, sizeof(target));
	}
	pid = process_vfork(0, -1, NULL, chain_follow, &call);
	assert_true(pid > 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(status, 0);
	assert_true(call.r[0] >= 0);
	assert_true(call.r[1] >= 0);
	assert_int_equal(faccessat(scratch.fd, "nowhere/f", F_OK, 0), 0);
}

static void a_chain_that_is_too_long_or_a_ring_is_refused(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	char name[16], target[16] = "nowhere";

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(symlinkat(target, scratch.fd, name), 0);
		memcpy(target, name, sizeof(target));
	}
	assert_int_equal(symlinkat("ring", scratch.fd, "ring"), 0);
	assert_int_equal(path_mkdir_in_root(scratch.fd, "l59", 0755), -ELOOP);
	assert_int_equal(path_make_file_in_root(scratch.fd, "l59", 0755), -ELOOP);
	assert_int_equal(path_mkdir_in_root(scratch.fd, "ring", 0755), -ELOOP);
}

static void a_directory_is_made_beneath_what_is_there_and_through_no_link(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	int fd;

	assert_int_equal(mkdirat(scratch.fd, "there", 0755), 0);
	assert_int_equal(symlinkat("there", scratch.fd, "link"), 0);
	fd = path_mkdir_beneath(scratch.fd, "/there/new", 0700);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(scratch.fd, "there/new", F_OK, 0), 0);
	assert_int_equal(path_mkdir_beneath(scratch.fd, "there/new", 0700), -EEXIST);
	assert_int_equal(path_mkdir_beneath(scratch.fd, "missing/new", 0700), -ENOENT);
	assert_int_equal(path_mkdir_beneath(scratch.fd, "link/other", 0700), -ELOOP);
	assert_int_equal(path_mkdir_beneath(scratch.fd, "../other", 0700), -EXDEV);
	assert_int_equal(faccessat(scratch.fd, "there/other", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_chain_of_dangling_links_fits_a_small_stack),
		cmocka_unit_test(a_chain_that_is_too_long_or_a_ring_is_refused),
		cmocka_unit_test(links_and_dots_stay_in_the_root),
		cmocka_unit_test(an_empty_path_is_the_root_itself),
		cmocka_unit_test(magic_links_are_refused),
		cmocka_unit_test(loops_and_dangling_links_are_errors),
		cmocka_unit_test(beneath_refuses_every_link_and_every_way_up),
		cmocka_unit_test(directories_are_made_below_the_root_with_their_modes),
		cmocka_unit_test(a_directory_behind_links_is_made_where_they_lead_inside_the_root),
		cmocka_unit_test(a_file_in_the_way_of_a_directory_is_an_error),
		cmocka_unit_test(a_file_is_made_where_nothing_is_and_kept_where_something_is),
		cmocka_unit_test(a_file_behind_a_dangling_link_is_made_inside_the_root),
		cmocka_unit_test(a_parent_is_opened_in_the_root_and_the_name_is_the_rest),
		cmocka_unit_test(no_race_leads_out_of_the_root),
		cmocka_unit_test(a_tree_is_removed_and_what_links_point_to_is_not),
		cmocka_unit_test(a_very_deep_tree_is_removed_with_few_descriptors),
		cmocka_unit_test(two_remove_the_same_tree),
		cmocka_unit_test(removing_stops_at_a_mount),
		cmocka_unit_test(removing_stops_at_a_bind_mount_of_the_same_file_system),
		cmocka_unit_test(a_directory_is_made_beneath_what_is_there_and_through_no_link),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
