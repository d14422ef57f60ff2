/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <string.h>

#include "fs/image/name.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_have_one_spelling(void **state)
{
	static const struct {
		const char *text, *name, *digest;
	} cases[] = {
		{ "busybox", "busybox:latest", "" },
		{ "busybox:1.36", "busybox:1.36", "" },
		{ "docker.io/library/busybox:latest", "busybox:latest", "" },
		{ "docker.io/busybox", "busybox:latest", "" },
		{ "index.docker.io/library/busybox", "busybox:latest", "" },
		{ "library/busybox", "busybox:latest", "" },
		{ "docker.io/user/tool:v1", "user/tool:v1", "" },
		{ "library/a/b", "library/a/b:latest", "" },
		{ "localhost/a", "localhost/a:latest", "" },
		{ "localhost:5000/a/b-c__d.e:T_a-g.1", "localhost:5000/a/b-c__d.e:T_a-g.1", "" },
		{ "[::1]:5000/a", "[::1]:5000/a:latest", "" },
		{ "Registry.Example/a", "Registry.Example/a:latest", "" },
		{ "docker.io/docker.io/library/a", "docker.io/docker.io/library/a:latest", "" },
		{ "docker.io/localhost/a", "docker.io/localhost/a:latest", "" },
		{ "a---b", "a---b:latest", "" },
		{ "a@" DIGEST, "a:latest", DIGEST },
		{ "a:b@" DIGEST, "a:b", DIGEST },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_name name;

		if (image_name_parse(cases[i].text, &name, NULL) < 0)
			fail_msg("'%s' is refused", cases[i].text);
		assert_string_equal(name.name, cases[i].name);
		assert_string_equal(name.digest, cases[i].digest);
	}
}

static void what_is_no_name_is_refused_with_a_word(void **state)
{
	static const char *const cases[] = {
		"",	      ":",
		"a:",	      ":a",
		"/",	      "/a",
		"a/",	      "a//b",
		"A",	      "a/B",
		"a..b",	      "a._b",
		"a___b",      ".a",
		"a.",	      "-a",
		"a-",	      "a b",
		"a\nb",	      "a:.b",
		"a:-b",	      "a:b c",
		"a:b:c",      "..",
		"../a",	      "a/../b",
		"a@",	      "a@b",
		"a@sha256:",  "a@sha512:00",
		"a%2Fb",      "\xc3\xa9",
		"a:\xc3\xa9", "x.y:z/a",
		"x.:1/a",     "-x.y/a",
		"[::1/a",     "[g]/a",
		"a:b/c:",     "@" DIGEST,
		DIGEST,	      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_name name;
		struct error error;

		error_init(&error);
		if (image_name_parse(cases[i], &name, &error) != -EINVAL)
			fail_msg("'%s' is taken", cases[i]);
		assert_true(error.message[0]);
	}
}

static void lengths_are_distributions(void **state)
{
	char text[600];
	struct image_name name;

	memset(text, 'a', sizeof(text));
	text[255] = '\0';
	assert_int_equal(image_name_parse(text, &name, NULL), 0);
	text[255] = 'a';
	text[256] = '\0';
	assert_int_equal(image_name_parse(text, &name, NULL), -EINVAL);
	memset(text, 'a', sizeof(text));
	text[1] = ':';
	text[2 + 128] = '\0';
	assert_int_equal(image_name_parse(text, &name, NULL), 0);
	text[2 + 128] = 'a';
	text[2 + 129] = '\0';
	assert_int_equal(image_name_parse(text, &name, NULL), -EINVAL);
}

static void file_names_come_back_as_names(void **state)
{
	static const char *const cases[] = { "busybox:latest", "a/b/c:d", "x:5/y:z", "a%b", "%2F" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char escaped[IMAGE_NAME_ESCAPED_BYTES], name[IMAGE_NAME_BYTES];

		assert_int_equal(image_name_escape(cases[i], escaped), 0);
		assert_null(strchr(escaped, '/'));
		assert_true(image_name_unescape(escaped, name));
		assert_string_equal(name, cases[i]);
	}
}

static void what_is_no_escaped_name_is_told(void **state)
{
	static const char *const cases[] = { "", ".", "..", ".tmp", "a%", "a%2", "a%2f", "a%00" };
	char name[IMAGE_NAME_BYTES], escaped[IMAGE_NAME_ESCAPED_BYTES], longest[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(image_name_unescape(cases[i], name));
	memset(longest, '/', sizeof(longest));
	longest[85] = '\0';
	assert_int_equal(image_name_escape(longest, escaped), 0);
	longest[85] = '/';
	longest[86] = '\0';
	assert_int_equal(image_name_escape(longest, escaped), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_spelling),
		cmocka_unit_test(what_is_no_name_is_refused_with_a_word),
		cmocka_unit_test(lengths_are_distributions),
		cmocka_unit_test(file_names_come_back_as_names),
		cmocka_unit_test(what_is_no_escaped_name_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
