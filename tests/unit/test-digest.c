/* SPDX-License-Identifier: MIT */
/* Digests as text, SHA-256 and XXH3: small, and all about names of objects. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/sha256.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void only_sha256_with_64_lower_case_digits_is_a_digest(void **state)
{
	static const char *const refused[] = {
		"",
		"sha256",
		"sha256:",
		HEX,
		"sha256:" HEX "0",
		"SHA256:" HEX,
		"sha512:" HEX,
		"sha256:" HEX "\n",
		" sha256:" HEX,
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:../456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
		"sha256:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};

	assert_true(digest_is_valid("sha256:" HEX));
	assert_true(digest_hex_is_valid(HEX));
	assert_false(digest_hex_is_valid("sha256:" HEX));
	assert_false(digest_hex_is_valid(HEX "0"));
	assert_false(digest_hex_is_valid(""));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(digest_is_valid(refused[i]));
}

static void bytes_become_lower_case_hex(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
	char hex[9] = "unchanged";

	hex_encode(bytes, sizeof(bytes), hex);
	assert_string_equal(hex, "000fa5ff");
	hex_encode(bytes, 0, hex);
	assert_string_equal(hex, "");
}

/* FIPS 180-4's examples, and the empty message. */
static void sha256_is_that_of_the_standard(void **state)
{
	static const struct {
		const char *message, *digest;
	} cases[] = {
		{ "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc",
		  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	char digest[DIGEST_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		digest_of(cases[i].message, strlen(cases[i].message), digest);
		assert_string_equal(digest, cases[i].digest);
		assert_true(digest_is_valid(digest));
	}
}

static void a_stream_in_pieces_has_the_digest_of_the_whole_and_starts_again(void **state)
{
	struct digest_stream *stream = digest_stream_new();
	char whole[DIGEST_TEXT_BYTES], pieces[DIGEST_TEXT_BYTES];
	char text[10007];

	assert_non_null(stream);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	digest_of(text, sizeof(text), whole);
	for (int round = 0; round < 2; round++) {
		for (size_t at = 0, n = 0; at < sizeof(text); at += n) {
			n = n * 2 + 1 < sizeof(text) - at ? n * 2 + 1 : sizeof(text) - at;
			digest_stream_update(stream, text + at, n);
		}
		digest_stream_update(stream, text, 0);
		digest_stream_finish(stream, pieces);
		assert_string_equal(pieces, whole);
	}
	digest_stream_free(stream);
	digest_stream_free(NULL);
}

/* xxhsum's own answers (xxhsum -H128). */
static void xxh3_is_that_of_xxhash(void **state)
{
	char hex[HASH_HEX_BYTES];

	hash_hex("", 0, hex);
	assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
	hash_hex("abc", 3, hex);
	assert_string_equal(hex, "06b05ab6733a618578af5f94892f3950");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_sha256_with_64_lower_case_digits_is_a_digest),
		cmocka_unit_test(bytes_become_lower_case_hex),
		cmocka_unit_test(sha256_is_that_of_the_standard),
		cmocka_unit_test(a_stream_in_pieces_has_the_digest_of_the_whole_and_starts_again),
		cmocka_unit_test(xxh3_is_that_of_xxhash),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
