/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/lock.h"
#include "base/process.h"
#include "launch/bundle.h"

static const char document[] =
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"args\":[\"x\"],"
	"\"cwd\":\"/\"},\"mounts\":[{\"destination\":\"/data/\",\"type\":\"bind\",\"source\":\"/"
	"elsewhere\"}],\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}";

/* A bundle of lamina's in the scratch directory itself. */
static void bundle_make(const struct scratch_directory *scratch)
{
	scratch_write(scratch, "config.json", document);
	scratch_write(scratch, "lock", "");
	assert_int_equal(mkdirat(scratch->fd, "rootfs", 0755), 0);
}

static void overlay_write(const struct scratch_directory *scratch)
{
	scratch_write(scratch, "overlay", "lower /usr\n");
	assert_int_equal(fchmodat(scratch->fd, "overlay", 0600, 0), 0);
}

static void any_oci_bundle_is_opened_and_its_id_is_its_name(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *slashes = scratch_path(&scratch, "//");
	_cleanup_launch_bundle_ struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;
	_cleanup_free_ char *rootfs = scratch_path(&scratch, "rootfs");

	bundle_make(&scratch);
	assert_int_equal(unlinkat(scratch.fd, "lock", 0), 0);
	assert_int_equal(launch_bundle_open(&bundle, slashes, NULL, NULL), 0);
	assert_string_equal(bundle.path, scratch.path);
	assert_string_equal(bundle.id, strrchr(scratch.path, '/') + 1);
	assert_string_equal(bundle.root_path, rootfs);
	assert_false(bundle.has_overlay);
	assert_true(bundle.lock_fd < 0);
}

static void a_path_is_made_absolute(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_launch_bundle_ struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;

	bundle_make(&scratch);
	assert_int_equal(fchdir(scratch.fd), 0);
	assert_int_equal(launch_bundle_open(&bundle, ".", NULL, NULL), 0);
	assert_string_equal(bundle.path, scratch.path);
	assert_int_equal(chdir("/"), 0);
}

static void what_isnt_there_or_not_whole_is_told_and_nothing_is_held(void **state)
{
	static const char *const files[] = { "config.json", "rootfs" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;
		struct error error;

		error_init(&error);
		bundle_make(&scratch);
		assert_int_equal(unlinkat(scratch.fd, files[i], i == 1 ? AT_REMOVEDIR : 0), 0);
		assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, &error), -ENOENT);
		assert_non_null(strstr(error.message, files[i]));
		assert_int_equal(bundle.fd, -EBADF);
		assert_int_equal(bundle.lock_fd, -EBADF);
	}
}

static void a_bundle_that_is_locked_or_runs_is_in_use(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_launch_bundle_ struct launch_bundle first = LAUNCH_BUNDLE_EMPTY;
	struct launch_bundle second = LAUNCH_BUNDLE_EMPTY;

	bundle_make(&scratch);
	assert_int_equal(launch_bundle_open(&first, scratch.path, NULL, NULL), 0);
	assert_int_equal(launch_bundle_open(&second, scratch.path, NULL, NULL), -EBUSY);
	assert_int_equal(launch_bundle_mark(&first, getpid(), process_start_time(getpid()), NULL),
			 0);
	launch_bundle_close(&first);
	/* Nobody holds the lock, but the process lives. */
	assert_int_equal(launch_bundle_open(&second, scratch.path, NULL, NULL), -EBUSY);
	/* Another's note stays. */
	launch_bundle_unmark(scratch.path, getpid(), process_start_time(getpid()) + 1);
	launch_bundle_unmark(scratch.path, getpid() + 1, process_start_time(getpid()));
	assert_int_equal(launch_bundle_open(&second, scratch.path, NULL, NULL), -EBUSY);
	launch_bundle_unmark(scratch.path, getpid(), process_start_time(getpid()));
	assert_int_equal(faccessat(scratch.fd, "running", F_OK, 0), -1);
	assert_int_equal(launch_bundle_open(&second, scratch.path, NULL, NULL), 0);
	launch_bundle_close(&second);
}

static void a_note_of_a_dead_process_or_of_nobody_is_no_use(void **state)
{
	static const char *const texts[] = { "",
					     "x",
					     "1",
					     "1 1\n",
					     "-1 5\n",
					     "0 0\n",
					     "99999999 1\n",
					     "1 99999999999999999999999\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_launch_bundle_ struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;

		bundle_make(&scratch);
		scratch_write(&scratch, "running", texts[i]);
		assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, NULL), 0);
	}
}

static void an_overlay_in_a_directory_that_others_can_write_is_not_believed(void **state)
{
	static const mode_t modes[] = { 0777, 0720, 0702 };
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;

	bundle_make(&scratch);
	overlay_write(&scratch);
	assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, NULL), 0);
	assert_true(bundle.has_overlay);
	launch_bundle_close(&bundle);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(fchmod(scratch.fd, modes[i]), 0);
		assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, NULL), -EPERM);
	}
	/* Any other runtime's bundle is its caller's business. */
	assert_int_equal(unlinkat(scratch.fd, "overlay", 0), 0);
	assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, NULL), 0);
	launch_bundle_close(&bundle);
	assert_int_equal(fchmod(scratch.fd, 0700), 0);
}

static void a_volume_is_named_by_the_mounts_file_however_the_config_writes_its_place(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_launch_bundle_ struct launch_bundle bundle = LAUNCH_BUNDLE_EMPTY;

	bundle_make(&scratch);
	scratch_write(&scratch, "mounts",
		      "/volume /data none rbind,x-lamina.volume=v,x-lamina.subpath=a/b 0 0\n");
	assert_int_equal(launch_bundle_open(&bundle, scratch.path, NULL, NULL), 0);
	assert_string_equal(bundle.config.mounts[0].source, "/volume");
	assert_string_equal(bundle.config.mounts[0].subpath, "a/b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_oci_bundle_is_opened_and_its_id_is_its_name),
		cmocka_unit_test(a_path_is_made_absolute),
		cmocka_unit_test(what_isnt_there_or_not_whole_is_told_and_nothing_is_held),
		cmocka_unit_test(a_bundle_that_is_locked_or_runs_is_in_use),
		cmocka_unit_test(a_note_of_a_dead_process_or_of_nobody_is_no_use),
		cmocka_unit_test(an_overlay_in_a_directory_that_others_can_write_is_not_believed),
		cmocka_unit_test(
			a_volume_is_named_by_the_mounts_file_however_the_config_writes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
