/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "fs/rootfs/branches.h"

/* Upper and lowers with '|' between, "-" for no upper. */
static char *parsed(const char *text)
{
	_cleanup_branches_ struct branches branches = {};
	struct error error;
	char *joined;

	error_init(&error);
	if (branches_parse(text, &branches, &error) < 0)
		fail_msg("%s: %s", text, error.message);
	joined = strdup(branches.upper ? branches.upper : "-");
	STRING_LIST_FOR_EACH (&branches.lowers, i) {
		char *longer = string_format("%s|%s", joined, branches.lowers.items[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

static void stacks_are_read_as_aufs_reads_them(void **state)
{
	static const char *const cases[][2] = {
		{ "br:/rw=rw:/a=ro:/b=ro", "/rw|/a|/b" },
		{ "br=/rw:/a", "/rw|/a" },
		{ "dirs=/rw=rw:/a=rr", "/rw|/a" },
		{ "br:/a=ro:/b=ro", "-|/a|/b" },
		{ "br:/rw:/a=b", "/rw|/a=b" },
		{ "br:/rw:/a=b=ro", "/rw|/a=b" },
		{ "br:/rw:/a=rox", "/rw|/a=rox" },
		{ "br:/r\\:w:/a\\,b:/c\\\\d", "/r:w|/a,b|/c\\d" },
		{ "xino=/x,br:/rw:/a,udba=reval,dirperm1", "/rw|/a" },
		{ "br:/rw:/a,br:/b", "/rw|/a|/b" },
		{ "br:/rw:/a\\", "/rw|/a\\" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = parsed(cases[i][0]);

		assert_string_equal(text, cases[i][1]);
	}
}

static void what_overlayfs_has_not_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"br",
		"br:",
		"br::/a",
		"br:/rw:",
		"br:/rw:/a=rw",
		"/rw:/a",
		"br:/a:=ro",
		"br:/rw:/a=ro+wh",
		"br:/rw=rw+nolwh",
		"noatime",
		"br:/rw:/a,",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_branches_ struct branches branches = {};
		struct error error;
		int r;

		error_init(&error);
		r = branches_parse(cases[i], &branches, &error);
		if (r != -EINVAL || !error.usage)
			fail_msg("'%s' was taken", cases[i]);
	}
}

static void the_work_directory_is_beside_the_upper(void **state)
{
	_cleanup_free_ char *deep = branches_work_path("/a/b/rw");
	_cleanup_free_ char *flat = branches_work_path("/rw");

	assert_string_equal(deep, "/a/b/.lamina-work-rw");
	assert_string_equal(flat, "/.lamina-work-rw");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_read_as_aufs_reads_them),
		cmocka_unit_test(what_overlayfs_has_not_is_refused),
		cmocka_unit_test(the_work_directory_is_beside_the_upper),
	};

	return cmocka_run_group_tests_name("branches", tests, NULL, NULL);
}
