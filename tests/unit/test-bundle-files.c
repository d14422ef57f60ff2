/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/bundle/mounts_file.h"
#include "launch/bundle/overlay_file.h"

static void what_is_written_about_the_root_is_read_back(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_overlay_file_ struct overlay_file written = {}, read = {};

	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -ENOENT);
	assert_int_equal(string_list_add(&written.lowers, "/init diff"), 0);
	assert_int_equal(string_list_add(&written.lowers, "/layer:,\\/diff"), 0);
	written.upper = strdup("/b/upper");
	written.work = strdup("/b/work");
	assert_int_equal(overlay_file_write(scratch.fd, &written, NULL), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), 0);
	assert_int_equal(read.lowers.n_items, 2);
	assert_string_equal(read.lowers.items[0], "/init diff");
	assert_string_equal(read.lowers.items[1], "/layer:,\\/diff");
	assert_string_equal(read.upper, "/b/upper");
	assert_string_equal(read.work, "/b/work");
	assert_false(read.is_ephemeral);
}

static void an_ephemeral_root_has_a_size_and_no_upper(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_overlay_file_ struct overlay_file written = { .is_ephemeral = true,
							       .ephemeral_bytes = 1 << 20 },
						   read = {};

	assert_int_equal(string_list_add(&written.lowers, "/l"), 0);
	assert_int_equal(overlay_file_write(scratch.fd, &written, NULL), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), 0);
	assert_true(read.is_ephemeral);
	assert_int_equal(read.ephemeral_bytes, 1 << 20);
	assert_null(read.upper);
}

static void a_path_that_would_be_two_lines_is_not_written(void **state)
{
	static const char *const paths[] = { "/a\nupper /etc", "relative", "" };
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		_cleanup_overlay_file_ struct overlay_file written = {};

		assert_int_equal(string_list_add(&written.lowers, paths[i]), 0);
		assert_int_equal(overlay_file_write(scratch.fd, &written, NULL), -EINVAL);
	}
	assert_int_equal(scratch_count(&scratch, "."), 0);
}

static void an_overlay_file_of_another_shape_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"lower /a",
		"lower a\n",
		"upper /u\nwork /w\n",
		"lower /a\nupper /u\n",
		"lower /a\nwork /w\n",
		"lower /a\nupper /u\nupper /v\nwork /w\n",
		"lower /a\nupper u\nwork /w\n",
		"lower /a\nupper /u\nwork /w\nephemeral 1\n",
		"lower /a\nephemeral -1\n",
		"lower /a\nephemeral\n",
		"lower /a\nephemeral 1\nephemeral 2\n",
		"lower /a\n\n",
		"lower /a\nbogus /b\n",
		" lower /a\n",
		"LOWER /a\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		struct overlay_file read = { .ephemeral_bytes = 4711 };

		scratch_write(&scratch, "overlay", texts[i]);
		assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -EBADMSG);
		assert_int_equal(read.ephemeral_bytes, 4711);
	}
}

static void an_overlay_file_that_others_can_write_or_that_is_a_link_is_refused(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	struct overlay_file read = {};

	scratch_write(&scratch, "overlay", "lower /a\n");
	assert_int_equal(fchmodat(scratch.fd, "overlay", 0620, 0), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -EPERM);
	assert_int_equal(fchmodat(scratch.fd, "overlay", 0602, 0), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -EPERM);
	assert_int_equal(fchmodat(scratch.fd, "overlay", 0644, 0), 0);
	assert_int_equal(renameat(scratch.fd, "overlay", scratch.fd, "real"), 0);
	assert_int_equal(symlinkat("real", scratch.fd, "overlay"), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -ELOOP);
	assert_int_equal(unlinkat(scratch.fd, "overlay", 0), 0);
	assert_int_equal(mkfifoat(scratch.fd, "overlay", 0600), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -EPERM);
}

static void a_directory_in_place_of_the_overlay_file_is_an_engines_own(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	struct overlay_file read = {};

	assert_int_equal(mkdirat(scratch.fd, "overlay", 0700), 0);
	assert_int_equal(overlay_file_read(scratch.fd, &read, NULL), -ENOENT);
}

static void fstab_lines_become_mounts(void **state)
{
	static const char text[] =
		"\n"
		"  # a comment with words in it\n"
		"/h\\040o\\134st\t/a/b\\011c  none\tbind,ro,x-other=1,defaults\n"
		"/v /v none rbind,x-lamina.volume=data,x-lamina.subpath=a\\054b/c 0 0\n"
		"/b /bind bind\n"
		"tmpfs /run tmpfs size=64k,mode=1777 0";
	_cleanup_bundle_mounts_ struct bundle_mounts mounts = {};
	const struct bundle_mount *mount;

	assert_int_equal(bundle_mounts_parse(&mounts, text, NULL), 0);
	assert_int_equal(mounts.n_items, 4);
	mount = &mounts.items[0];
	assert_string_equal(mount->source, "/h o\\st");
	assert_string_equal(mount->destination, "/a/b\tc");
	assert_string_equal(mount->type, "bind");
	assert_int_equal(mount->options.n_items, 2);
	assert_string_equal(mount->options.items[0], "bind");
	assert_string_equal(mount->options.items[1], "ro");
	assert_null(mount->volume);
	mount = bundle_mounts_find(&mounts, "/v");
	assert_ptr_equal(mount, &mounts.items[1]);
	assert_string_equal(mount->volume, "data");
	assert_string_equal(mount->subpath, "a,b/c");
	assert_int_equal(mount->options.n_items, 1);
	assert_string_equal(mounts.items[2].type, "bind");
	assert_string_equal(mounts.items[3].type, "tmpfs");
	assert_int_equal(mounts.items[3].options.n_items, 2);
	assert_null(bundle_mounts_find(&mounts, "/ru"));
}

static void lines_that_are_no_mounts_are_refused_by_number(void **state)
{
	static const char *const lines[] = {
		"/a",
		"/a /b",
		"/a b none bind",
		"/a / none bind",
		"/a /b/../c none bind",
		"/a /b/./c none bind",
		"/a /b//c none bind",
		"/a /b/ none bind",
		"/a /.. none bind",
		"a /b none bind",
		"a /b bind",
		"/a /b none",
		"/a /b none ro",
		"/a /b ext4 bind",
		"/a /b\\04 none bind",
		"/a /b\\ none bind",
		"/a /b\\400 none bind",
		"/a /b\\000 none bind",
		"/a /b\\x41 none bind",
		"/a /b none bind,o\\",
		"/a /b none bind x",
		"/a /b none bind 0 0 0",
		"/a /b none bind,x-lamina.volume=",
		"/a /b none bind,x-lamina.volume=a/b",
		"/a /b none bind,x-lamina.volume=a,x-lamina.volume=b",
		"/a /b none bind,x-lamina.subpath=a",
		"/a /b none bind,x-lamina.volume=v,x-lamina.subpath=/a",
		"/a /b none bind,x-lamina.volume=v,x-lamina.subpath=a/../b",
		"/a /b none bind,x-lamina.volume=v,x-lamina.subpath=..",
		"tmpfs /b tmpfs x-lamina.volume=v",
		"/a /first none bind",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		_cleanup_bundle_mounts_ struct bundle_mounts mounts = {};
		_cleanup_free_ char *text = string_format("tmpfs /first tmpfs\n%s\n", lines[i]);
		struct error error;

		error_init(&error);
		assert_int_equal(bundle_mounts_parse(&mounts, text, &error), -EBADMSG);
		assert_ptr_equal(strstr(error.message, "line 2: "), error.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_about_the_root_is_read_back),
		cmocka_unit_test(an_ephemeral_root_has_a_size_and_no_upper),
		cmocka_unit_test(a_path_that_would_be_two_lines_is_not_written),
		cmocka_unit_test(an_overlay_file_of_another_shape_is_refused),
		cmocka_unit_test(
			an_overlay_file_that_others_can_write_or_that_is_a_link_is_refused),
		cmocka_unit_test(a_directory_in_place_of_the_overlay_file_is_an_engines_own),
		cmocka_unit_test(fstab_lines_become_mounts),
		cmocka_unit_test(lines_that_are_no_mounts_are_refused_by_number),
	};

	return cmocka_run_group_tests_name("bundle-files", tests, NULL, NULL);
}
