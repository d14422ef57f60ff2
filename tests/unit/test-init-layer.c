/* SPDX-License-Identifier: MIT */
/* The table on plain directories; what overlayfs makes of it is tested in initlayer.bats. */
#include "tests/unit/scratch.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/rootfs/init_layer.h"

static struct root_identity caller(void)
{
	return (struct root_identity){ geteuid(), getegid() };
}

static mode_t mode_of(const struct scratch_directory *scratch, const char *path)
{
	struct stat st;

	if (fstatat(scratch->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("no '%s'", path);
	return st.st_mode;
}

static void every_entry_is_made_whatever_the_umask(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	mode_t earlier = umask(077);
	int r = init_layer_apply(scratch.fd, caller(), NULL);
	char target[32] = "";

	umask(earlier);
	assert_int_equal(r, 0);
	assert_int_equal(mode_of(&scratch, "dev"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "dev/pts"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "dev/shm"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "dev/console"), S_IFREG | 0755);
	assert_int_equal(mode_of(&scratch, "proc"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "sys"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, ".dockerenv"), S_IFREG | 0755);
	assert_int_equal(mode_of(&scratch, "etc"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "etc/hosts"), S_IFREG | 0755);
	assert_int_equal(mode_of(&scratch, "etc/hostname"), S_IFREG | 0755);
	assert_int_equal(mode_of(&scratch, "etc/resolv.conf"), S_IFREG | 0755);
	assert_true(readlinkat(scratch.fd, "etc/mtab", target, sizeof(target)) > 0);
	assert_string_equal(target, "/proc/mounts");
	assert_int_equal(scratch_count(&scratch, "."), 5);
	assert_int_equal(scratch_count(&scratch, "etc"), 4);
}

static void files_and_links_give_way_and_directories_stay(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;

	assert_int_equal(mkdirat(scratch.fd, "outside", 0700), 0);
	scratch_write(&scratch, "outside/hosts", "precious");
	assert_int_equal(symlinkat("outside", scratch.fd, "etc"), 0);
	assert_int_equal(mkdirat(scratch.fd, "dev", 0700), 0);
	scratch_write(&scratch, "dev/pts", "a file");
	assert_int_equal(mkdirat(scratch.fd, "dev/console", 0711), 0);
	assert_int_equal(symlinkat("/", scratch.fd, "proc"), 0);

	assert_int_equal(init_layer_apply(scratch.fd, caller(), NULL), 0);
	text = scratch_read(&scratch, "outside/hosts");
	assert_string_equal(text, "precious");
	assert_int_equal(mode_of(&scratch, "etc"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "dev"), S_IFDIR | 0700);
	assert_int_equal(mode_of(&scratch, "dev/pts"), S_IFDIR | 0755);
	assert_int_equal(mode_of(&scratch, "dev/console"), S_IFDIR | 0711);
	assert_int_equal(mode_of(&scratch, "proc"), S_IFDIR | 0755);
}

static void a_second_time_makes_the_files_empty_again(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;

	assert_int_equal(init_layer_apply(scratch.fd, caller(), NULL), 0);
	assert_int_equal(unlinkat(scratch.fd, "etc/hosts", 0), 0);
	scratch_write(&scratch, "etc/hosts", "127.0.0.1 localhost\n");
	assert_int_equal(init_layer_apply(scratch.fd, caller(), NULL), 0);
	text = scratch_read(&scratch, "etc/hosts");
	assert_string_equal(text, "");
}

static void a_failure_names_the_entry(void **state)
{
	struct error error;

	error_init(&error);
	assert_int_equal(init_layer_apply(-1, caller(), &error), -EBADF);
	assert_string_equal(error.message,
			    "cannot make '/dev/pts' in the root: Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_is_made_whatever_the_umask),
		cmocka_unit_test(files_and_links_give_way_and_directories_stay),
		cmocka_unit_test(a_second_time_makes_the_files_empty_again),
		cmocka_unit_test(a_failure_names_the_entry),
	};

	return cmocka_run_group_tests_name("init-layer", tests, NULL, NULL);
}
