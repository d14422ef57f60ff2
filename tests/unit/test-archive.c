/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs/archive/decompress.h"
#include "fs/archive/tar.h"
#include "fs/archive/tar_write.h"

/* "hello\n", by gzip -n and by zstd. */
static const uint8_t gzip_hello[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
				      0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
				      0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00 };
static const uint8_t zstd_hello[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x31, 0x00, 0x00, 0x68,
				      0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x53, 0x88, 0xbd, 0x91 };

/* One byte a block: every place where a stream can be cut is one where it is. */
struct slow_bytes {
	struct byte_stream stream;
	const uint8_t *bytes;
	size_t n_bytes;
};

static ssize_t slow_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct slow_bytes *slow = (struct slow_bytes *)stream;

	if (slow->n_bytes == 0)
		return 0;
	*ret_block = slow->bytes++;
	slow->n_bytes--;
	return 1;
}

static int decompress(const uint8_t *bytes, size_t n_bytes, char **ret_text, struct error *error)
{
	struct slow_bytes slow = { { .next = slow_next }, bytes, n_bytes };
	_cleanup_decompressed_bytes_ struct decompressed_bytes plain = {};
	size_t n;
	int r = decompressed_bytes_init(&plain, &slow.stream, error);

	return r < 0 ? r : byte_stream_read_all(&plain.stream, 1000, ret_text, &n, error);
}

static void gzip_zstd_and_plain_are_told_apart_by_their_bytes(void **state)
{
	_cleanup_free_ char *a = NULL, *b = NULL, *c = NULL, *d = NULL;

	assert_int_equal(decompress(gzip_hello, sizeof(gzip_hello), &a, NULL), 0);
	assert_string_equal(a, "hello\n");
	assert_int_equal(decompress(zstd_hello, sizeof(zstd_hello), &b, NULL), 0);
	assert_string_equal(b, "hello\n");
	assert_int_equal(decompress((const uint8_t *)"plain", 5, &c, NULL), 0);
	assert_string_equal(c, "plain");
	assert_int_equal(decompress((const uint8_t *)"", 0, &d, NULL), 0);
	assert_string_equal(d, "");
}

static void members_that_follow_each_other_are_one_stream(void **state)
{
	static const uint8_t skippable[] = { 0x5e, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'x', 'y' };
	uint8_t bytes[200];
	_cleanup_free_ char *a = NULL, *b = NULL;

	memcpy(bytes, gzip_hello, sizeof(gzip_hello));
	memcpy(bytes + sizeof(gzip_hello), gzip_hello, sizeof(gzip_hello));
	assert_int_equal(decompress(bytes, 2 * sizeof(gzip_hello), &a, NULL), 0);
	assert_string_equal(a, "hello\nhello\n");
	memcpy(bytes, skippable, sizeof(skippable));
	memcpy(bytes + sizeof(skippable), zstd_hello, sizeof(zstd_hello));
	memcpy(bytes + sizeof(skippable) + sizeof(zstd_hello), zstd_hello, sizeof(zstd_hello));
	assert_int_equal(decompress(bytes, sizeof(skippable) + 2 * sizeof(zstd_hello), &b, NULL),
			 0);
	assert_string_equal(b, "hello\nhello\n");
}

static void a_stream_cut_or_changed_anywhere_is_refused(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t n_bytes, n_magic;
	} streams[] = {
		{ gzip_hello, sizeof(gzip_hello), 2 },
		{ zstd_hello, sizeof(zstd_hello), 4 },
	};

	for (size_t i = 0; i < 2; i++) {
		for (size_t n = streams[i].n_magic; n < streams[i].n_bytes; n++) {
			_cleanup_free_ char *text = NULL;
			struct error error;

			error_init(&error);
			assert_int_equal(decompress(streams[i].bytes, n, &text, &error), -EBADMSG);
			assert_true(error.message[0]);
		}
		/* The checksum at the end. */
		for (size_t at = streams[i].n_bytes - 3; at < streams[i].n_bytes; at++) {
			_cleanup_free_ char *text = NULL;
			uint8_t bytes[64];

			memcpy(bytes, streams[i].bytes, streams[i].n_bytes);
			bytes[at] ^= 1;
			assert_int_equal(decompress(bytes, streams[i].n_bytes, &text, NULL),
					 -EBADMSG);
		}
	}
}

static void a_stream_that_ends_with_a_full_block_is_whole(void **state)
{
	/* 256 KiB of zeros, by zstd: the frame ends where the block of output does. */
	static const uint8_t zeros[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x54, 0x00,
					 0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0xfb, 0xff,
					 0x39, 0xc0, 0x02, 0x03, 0x00, 0x10, 0x00 };
	struct memory_bytes memory;
	_cleanup_decompressed_bytes_ struct decompressed_bytes plain = {};
	const void *block;

	memory_bytes_init(&memory, zeros, sizeof(zeros));
	assert_int_equal(decompressed_bytes_init(&plain, &memory.stream, NULL), 0);
	assert_int_equal(plain.stream.next(&plain.stream, &block, NULL), BYTE_STREAM_BLOCK_BYTES);
	assert_int_equal(plain.stream.next(&plain.stream, &block, NULL), 0);
}

static void other_compressions_are_named(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct error error;

	error_init(&error);
	assert_int_equal(decompress((const uint8_t *)"\xfd\x37zXZ\0abc", 9, &text, &error),
			 -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "xz"));
}

static void a_digest_has_a_limit_and_the_right_value(void **state)
{
	_cleanup_digested_bytes_ struct digested_bytes all = {}, few = {};
	char digest[DIGEST_TEXT_BYTES];
	struct memory_bytes memory;

	memory_bytes_init(&memory, "hello\n", 6);
	assert_int_equal(digested_bytes_init(&all, &memory.stream, 6), 0);
	assert_int_equal(byte_stream_drain(&all.stream, NULL), 0);
	digest_stream_finish(all.digest, digest);
	assert_string_equal(
		digest, "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
	memory_bytes_init(&memory, "hello\n", 6);
	assert_int_equal(digested_bytes_init(&few, &memory.stream, 5), 0);
	assert_int_equal(byte_stream_drain(&few.stream, NULL), -EBADMSG);
}

static const struct tar_entry *
entry_read_back(struct buffer *buffer, struct tar_reader **ret_reader, struct memory_bytes *memory)
{
	static const char zeros[2 * TAR_BLOCK_BYTES];
	const struct tar_entry *entry;

	buffer_add(buffer, zeros, sizeof(zeros));
	memory_bytes_init(memory, buffer->bytes, buffer->n_bytes);
	assert_int_equal(tar_reader_new(&memory->stream, ret_reader, NULL), 0);
	assert_int_equal(tar_reader_next(*ret_reader, &entry, NULL), 1);
	return entry;
}

static void what_is_written_is_read(void **state)
{
	char long_name[3000];
	const struct tar_entry cases[] = {
		{ .path = "a", .mode = S_IFREG | 04755, .mtime = { 1, 5 } },
		{ .path = "nfd-e\xcc\x81", .mode = S_IFREG | 0600, .mtime = { 0, 250000000 } },
		{ .path = "bad\xff\xfe utf-8 that is very long: "
			  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		  .mode = S_IFREG | 0600 },
		{ .path = long_name, .mode = S_IFREG | 0600, .mtime = { -2, 123456789 } },
		{ .path = "d/", .mode = S_IFDIR | 01777, .uid = 4294967294u, .gid = 3000000000u },
		{ .path = "l", .mode = S_IFLNK | 0777, .symlink = long_name },
		{ .path = "c", .mode = S_IFCHR | 0660, .device = makedev(4095, 1048575) },
		{ .path = "b", .mode = S_IFBLK | 0660, .device = makedev(8, 17) },
		{ .path = "f", .mode = S_IFIFO | 0600, .mtime = { 8589934592, 999999999 } },
	};

	memset(long_name, 'n', sizeof(long_name));
	memcpy(long_name + 1000, "\xc3\xa9/", 3);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_tar_reader_ struct tar_reader *reader = NULL;
		_cleanup_buffer_ struct buffer buffer = {};
		struct memory_bytes memory;
		const struct tar_entry *entry;

		assert_int_equal(tar_write_header(&buffer, &cases[i], NULL, 0), 0);
		assert_int_equal(buffer.n_bytes % TAR_BLOCK_BYTES, 0);
		entry = entry_read_back(&buffer, &reader, &memory);
		assert_string_equal(entry->path, cases[i].path);
		assert_int_equal(entry->mode, cases[i].mode);
		assert_int_equal(entry->uid, cases[i].uid);
		assert_int_equal(entry->gid, cases[i].gid);
		assert_int_equal(entry->mtime.tv_sec, cases[i].mtime.tv_sec);
		assert_int_equal(entry->mtime.tv_nsec, cases[i].mtime.tv_nsec);
		assert_int_equal(entry->device, cases[i].device);
		if (cases[i].symlink)
			assert_string_equal(entry->symlink, cases[i].symlink);
	}
}

static void attributes_are_written_and_read(void **state)
{
	static const struct tar_attribute attributes[] = {
		{ "security.capability", "\0\1\2\n=", 5 },
		{ "user.empty", "", 0 },
	};
	const struct tar_entry entry = { .path = "a", .mode = S_IFREG | 0600 };
	_cleanup_tar_reader_ struct tar_reader *reader = NULL;
	_cleanup_buffer_ struct buffer buffer = {};
	struct memory_bytes memory;
	const void *value;
	const char *name;
	size_t n, n_found = 0;

	assert_int_equal(tar_write_header(&buffer, &entry, attributes, 2), 0);
	entry_read_back(&buffer, &reader, &memory);
	while (tar_reader_xattr_next(reader, &name, &value, &n)) {
		const struct tar_attribute *expected =
			strcmp(name, attributes[0].name) ? &attributes[1] : &attributes[0];

		assert_string_equal(name, expected->name);
		assert_int_equal(n, expected->n_bytes);
		assert_memory_equal(value, expected->value, n);
		n_found++;
	}
	assert_int_equal(n_found, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_zstd_and_plain_are_told_apart_by_their_bytes),
		cmocka_unit_test(members_that_follow_each_other_are_one_stream),
		cmocka_unit_test(a_stream_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(a_stream_that_ends_with_a_full_block_is_whole),
		cmocka_unit_test(other_compressions_are_named),
		cmocka_unit_test(a_digest_has_a_limit_and_the_right_value),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(attributes_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
