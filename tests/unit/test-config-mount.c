/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/syscalls.h"
#include "launch/config/mount.h"

/* A mount from its options alone, as a JSON array; it is freed by the caller. */
static int parse(const char *type, const char *options, struct config_mount *mount,
		 struct json_document *document)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"destination\":\"/d\",\"source\":\"/s\",\"type\":\"%s\",\"options\":%s}", type,
		 options);
	assert_int_equal(json_parse(document, text, strlen(text), NULL), 0);
	return config_mount_parse(mount, json_root(document), NULL);
}

#define ATIME MOUNT_ATTR__ATIME

static const struct {
	const char *options;
	uint64_t set, clear;
} attribute_cases[] = {
	{ "[]", 0, 0 },
	{ "null", 0, 0 },
	{ "[\"ro\"]", MOUNT_ATTR_RDONLY, 0 },
	{ "[\"rw\"]", 0, MOUNT_ATTR_RDONLY },
	{ "[\"nosuid\"]", MOUNT_ATTR_NOSUID, 0 },
	{ "[\"suid\"]", 0, MOUNT_ATTR_NOSUID },
	{ "[\"nodev\"]", MOUNT_ATTR_NODEV, 0 },
	{ "[\"dev\"]", 0, MOUNT_ATTR_NODEV },
	{ "[\"noexec\"]", MOUNT_ATTR_NOEXEC, 0 },
	{ "[\"exec\"]", 0, MOUNT_ATTR_NOEXEC },
	{ "[\"nosymfollow\"]", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "[\"symfollow\"]", 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "[\"nodiratime\"]", MOUNT_ATTR_NODIRATIME, 0 },
	{ "[\"diratime\"]", 0, MOUNT_ATTR_NODIRATIME },
	{ "[\"noatime\"]", MOUNT_ATTR_NOATIME, ATIME },
	{ "[\"atime\"]", 0, ATIME },
	{ "[\"strictatime\"]", MOUNT_ATTR_STRICTATIME, ATIME },
	{ "[\"nostrictatime\"]", 0, ATIME },
	{ "[\"relatime\"]", 0, ATIME },
	{ "[\"norelatime\"]", 0, 0 },
	{ "[\"defaults\",\"async\",\"loud\",\"silent\",\"auto\",\"nomand\"]", 0, 0 },
	/* The last one wins. */
	{ "[\"ro\",\"rw\"]", 0, MOUNT_ATTR_RDONLY },
	{ "[\"rw\",\"ro\"]", MOUNT_ATTR_RDONLY, 0 },
	{ "[\"noatime\",\"relatime\"]", 0, ATIME },
	{ "[\"relatime\",\"noatime\"]", MOUNT_ATTR_NOATIME, ATIME },
	{ "[\"noatime\",\"strictatime\"]", MOUNT_ATTR_STRICTATIME, ATIME },
	{ "[\"strictatime\",\"noatime\"]", MOUNT_ATTR_NOATIME, ATIME },
	/* The opposite of another word leaves this one. */
	{ "[\"strictatime\",\"atime\"]", MOUNT_ATTR_STRICTATIME, ATIME },
	{ "[\"noatime\",\"nostrictatime\"]", MOUNT_ATTR_NOATIME, ATIME },
	{ "[\"noatime\",\"nodiratime\"]", MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, ATIME },
	{ "[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]",
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, 0 },
};

static void each_word_sets_and_clears_its_attribute_and_the_last_wins(void **state)
{
	for (size_t i = 0; i < sizeof(attribute_cases) / sizeof(attribute_cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_(config_mount_deinit) struct config_mount mount = {};

		assert_int_equal(parse("tmpfs", attribute_cases[i].options, &mount, &document), 0);
		if (mount.attributes != attribute_cases[i].set ||
		    mount.attributes_clear != attribute_cases[i].clear || mount.data[0])
			fail_msg("%s: set %llx, clear %llx", attribute_cases[i].options,
				 (unsigned long long)mount.attributes,
				 (unsigned long long)mount.attributes_clear);
	}
}

static void an_r_in_front_means_all_mounts_below(void **state)
{
	static const struct {
		const char *word;
		uint64_t set, clear;
	} cases[] = {
		{ "rro", MOUNT_ATTR_RDONLY, 0 },
		{ "rrw", 0, MOUNT_ATTR_RDONLY },
		{ "rnosuid", MOUNT_ATTR_NOSUID, 0 },
		{ "rsuid", 0, MOUNT_ATTR_NOSUID },
		{ "rnodev", MOUNT_ATTR_NODEV, 0 },
		{ "rdev", 0, MOUNT_ATTR_NODEV },
		{ "rnoexec", MOUNT_ATTR_NOEXEC, 0 },
		{ "rexec", 0, MOUNT_ATTR_NOEXEC },
		{ "rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
		{ "rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
		{ "rnoatime", MOUNT_ATTR_NOATIME, ATIME },
		{ "ratime", 0, ATIME },
		{ "rnodiratime", MOUNT_ATTR_NODIRATIME, 0 },
		{ "rdiratime", 0, MOUNT_ATTR_NODIRATIME },
		{ "rstrictatime", MOUNT_ATTR_STRICTATIME, ATIME },
		{ "rnostrictatime", 0, ATIME },
		{ "rrelatime", 0, ATIME },
		{ "rnorelatime", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_(config_mount_deinit) struct config_mount mount = {};
		char options[64];

		snprintf(options, sizeof(options), "[\"rbind\",\"%s\"]", cases[i].word);
		assert_int_equal(parse("bind", options, &mount, &document), 0);
		if (mount.recursive_set != cases[i].set ||
		    mount.recursive_clear != cases[i].clear || mount.attributes ||
		    mount.attributes_clear)
			fail_msg("%s", cases[i].word);
	}
}

static void propagation_is_one_word_of_eight(void **state)
{
	static const struct {
		const char *word;
		unsigned long propagation;
		bool recursive;
	} cases[] = {
		{ "private", MS_PRIVATE, false },	{ "rprivate", MS_PRIVATE, true },
		{ "slave", MS_SLAVE, false },		{ "rslave", MS_SLAVE, true },
		{ "shared", MS_SHARED, false },		{ "rshared", MS_SHARED, true },
		{ "unbindable", MS_UNBINDABLE, false }, { "runbindable", MS_UNBINDABLE, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_(config_mount_deinit) struct config_mount mount = {};
		char options[64];

		snprintf(options, sizeof(options), "[\"rshared\",\"bind\",\"%s\"]", cases[i].word);
		assert_int_equal(parse("none", options, &mount, &document), 0);
		assert_int_equal(mount.propagation, cases[i].propagation);
		assert_int_equal(mount.propagation_recursive, cases[i].recursive);
	}
}

static void a_bind_is_known_by_its_type_or_its_option(void **state)
{
	static const struct {
		const char *type, *options;
		bool is_bind, recursive;
	} cases[] = {
		{ "bind", "[]", true, false },	       { "bind", "[\"bind\"]", true, false },
		{ "bind", "[\"rbind\"]", true, true }, { "none", "[\"bind\"]", true, false },
		{ "", "[\"rbind\"]", true, true },     { "tmpfs", "[]", false, false },
		{ "proc", "[\"ro\"]", false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_(config_mount_deinit) struct config_mount mount = {};

		assert_int_equal(parse(cases[i].type, cases[i].options, &mount, &document), 0);
		assert_int_equal(mount.is_bind, cases[i].is_bind);
		assert_int_equal(mount.recursive, cases[i].recursive);
	}
}

static void what_is_left_is_the_file_systems_own(void **state)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_(config_mount_deinit) struct config_mount mount = {};

	assert_int_equal(
		parse("tmpfs", "[\"nosuid\",\"size=64k\",\"ro\",\"mode=755\"]", &mount, &document),
		0);
	assert_string_equal(mount.data[0], "size=64k");
	assert_string_equal(mount.data[1], "mode=755");
	assert_null(mount.data[2]);
}

static void destinations_are_cleaned_by_their_letters(void **state)
{
	static const char *const cases[][2] = {
		{ "/a", "/a" },		{ "a", "/a" },
		{ "//a///b/", "/a/b" }, { "/./a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },	{ "/../../a", "/a" },
		{ "../a", "/a" },	{ "/a/b/c/../..", "/a" },
		{ "/a...", "/a..." },	{ "/..a/.b", "/..a/.b" },
		{ "/dev/", "/dev" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_document document = {};
		_cleanup_(config_mount_deinit) struct config_mount mount = {};
		char text[256];

		snprintf(text, sizeof(text), "{\"destination\":\"%s\",\"type\":\"tmpfs\"}",
			 cases[i][0]);
		assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
		assert_int_equal(config_mount_parse(&mount, json_root(&document), NULL), 0);
		assert_string_equal(mount.destination, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_sets_and_clears_its_attribute_and_the_last_wins),
		cmocka_unit_test(an_r_in_front_means_all_mounts_below),
		cmocka_unit_test(propagation_is_one_word_of_eight),
		cmocka_unit_test(a_bind_is_known_by_its_type_or_its_option),
		cmocka_unit_test(what_is_left_is_the_file_systems_own),
		cmocka_unit_test(destinations_are_cleaned_by_their_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
