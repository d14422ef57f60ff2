/* SPDX-License-Identifier: MIT */
#include "fs/archive/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <archive.h>
#include <archive_entry.h>

struct tar_reader {
	struct archive *archive;
	struct archive_entry *raw;
	struct tar_entry entry;
	struct byte_stream *source;
	struct error error; /* of the source, on its way through libarchive */
};

static ssize_t source_read(struct archive *archive, void *argument, const void **ret_block)
{
	struct tar_reader *reader = argument;
	ssize_t n = reader->source->next(reader->source, ret_block, &reader->error);

	if (n < 0) {
		archive_set_error(archive, EIO, "the source failed");
		return ARCHIVE_FATAL;
	}
	return n;
}

static int64_t source_skip(struct archive *archive, void *argument, int64_t n_bytes)
{
	struct tar_reader *reader = argument;

	return reader->source->skip(reader->source, n_bytes);
}

/* libarchive's words, or the source's where that failed first. */
static int archive_failed(struct tar_reader *reader, struct error *error)
{
	const char *words = archive_error_string(reader->archive);

	if (reader->error.code < 0) {
		if (error)
			*error = reader->error;
		return reader->error.code;
	}
	if (archive_errno(reader->archive) == ENOMEM)
		return error_set(error, -ENOMEM, "cannot read the tar archive");
	return error_say(error, -EBADMSG, "damaged tar archive: %s",
			 words ? words : "unknown reason");
}

int tar_reader_new(struct byte_stream *source, struct tar_reader **ret_reader, struct error *error)
{
	_cleanup_tar_reader_ struct tar_reader *reader = calloc(1, sizeof(*reader));
	struct archive *archive;

	if (!reader)
		return error_set(error, -ENOMEM, "cannot read the tar archive");
	reader->source = source;
	archive = reader->archive = archive_read_new();
	if (!archive || archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(archive) != ARCHIVE_OK)
		return error_set(error, -ENOMEM, "cannot read the tar archive");
	archive_read_set_read_callback(archive, source_read);
	archive_read_set_callback_data(archive, reader);
	if (source->skip)
		archive_read_set_skip_callback(archive, source_skip);
	if (archive_read_open1(archive) != ARCHIVE_OK)
		return archive_failed(reader, error);
	*ret_reader = take_ptr(reader);
	return 0;
}

void tar_reader_free(struct tar_reader *reader)
{
	if (!reader)
		return;
	archive_read_free(reader->archive);
	free(reader);
}

/* Ids are 32 bits, and the last of them means "no change" to chown(2). */
static bool id_is_valid(int64_t id)
{
	return id >= 0 && id < UINT32_MAX;
}

/*
 * libarchive (3.6) reads the pax time "-1.25" as -1 s and +0.25 s; it is -2 s and +0.75 s. "-0.25"
 * can't be told from "0.25" any more.
 */
static struct timespec time_read(int64_t seconds, long nanoseconds)
{
	if (seconds < 0 && nanoseconds > 0)
		return (struct timespec){ seconds - 1, 1000000000 - nanoseconds };
	return (struct timespec){ seconds, nanoseconds };
}

static int entry_read(struct tar_reader *reader, struct error *error)
{
	struct archive_entry *raw = reader->raw;
	struct tar_entry *entry = &reader->entry;

	*entry = (struct tar_entry){
		.path = archive_entry_pathname(raw),
		.hard_link = archive_entry_hardlink(raw),
		.mode = archive_entry_mode(raw),
		.size = archive_entry_size(raw),
		.mtime = time_read(archive_entry_mtime(raw), archive_entry_mtime_nsec(raw)),
		.device = makedev(archive_entry_rdevmajor(raw), archive_entry_rdevminor(raw)),
	};
	if (!entry->path)
		return error_say(error, -EBADMSG, "damaged tar archive: an entry has no name");
	if (!entry->hard_link)
		entry->symlink = archive_entry_symlink(raw);
	if (!id_is_valid(archive_entry_uid(raw)) || !id_is_valid(archive_entry_gid(raw)))
		return error_say(error, -EBADMSG, "'%s': its owner %lld:%lld is out of range",
				 entry->path, (long long)archive_entry_uid(raw),
				 (long long)archive_entry_gid(raw));
	entry->uid = (uid_t)archive_entry_uid(raw);
	entry->gid = (gid_t)archive_entry_gid(raw);
	entry->atime = entry->mtime;
	if (archive_entry_atime_is_set(raw))
		entry->atime = time_read(archive_entry_atime(raw), archive_entry_atime_nsec(raw));
	archive_entry_xattr_reset(raw);
	return 1;
}

int tar_reader_next(struct tar_reader *reader, const struct tar_entry **ret_entry,
		    struct error *error)
{
	const char *words;
	int r = archive_read_next_header(reader->archive, &reader->raw);

	if (r == ARCHIVE_EOF)
		return 0;
	words = r == ARCHIVE_WARN ? archive_error_string(reader->archive) : NULL;
	/*
	 * A name that isn't ASCII "can't be converted" to the C locale, and stays as it is, which
	 * is what we want. Any other warning means that something was guessed.
	 */
	if (r != ARCHIVE_OK && !(words && strstr(words, "can't be converted")))
		return archive_failed(reader, error);
	r = entry_read(reader, error);
	if (r > 0)
		*ret_entry = &reader->entry;
	return r;
}

int tar_reader_data(struct tar_reader *reader, const void **ret_block, size_t *ret_n_bytes,
		    int64_t *ret_offset, struct error *error)
{
	int r;

	do {
		la_int64_t offset;

		r = archive_read_data_block(reader->archive, ret_block, ret_n_bytes, &offset);
		*ret_offset = offset;
	} while (r == ARCHIVE_OK && *ret_n_bytes == 0);
	if (r == ARCHIVE_EOF)
		return 0;
	return r == ARCHIVE_OK ? 1 : archive_failed(reader, error);
}

int tar_reader_xattr_next(struct tar_reader *reader, const char **ret_name, const void **ret_value,
			  size_t *ret_n_bytes)
{
	return archive_entry_xattr_next(reader->raw, ret_name, ret_value, ret_n_bytes) ==
	       ARCHIVE_OK;
}

static ssize_t member_next(struct byte_stream *stream, const void **ret_block, struct error *error)
{
	struct tar_member_bytes *bytes = (struct tar_member_bytes *)stream;
	int64_t offset;
	size_t n = 0;
	int r = tar_reader_data(bytes->reader, ret_block, &n, &offset, error);

	if (r == 0 && bytes->offset == bytes->reader->entry.size)
		return 0;
	if (r >= 0 && (r == 0 || offset != bytes->offset))
		return error_say(error, -EBADMSG, "'%s' is a sparse file",
				 bytes->reader->entry.path);
	bytes->offset += (int64_t)n;
	return r < 0 ? r : (ssize_t)n;
}

void tar_member_bytes_init(struct tar_member_bytes *bytes, struct tar_reader *reader)
{
	*bytes = (struct tar_member_bytes){ .stream = { .next = member_next }, .reader = reader };
}
