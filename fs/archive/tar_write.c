/* SPDX-License-Identifier: MIT */
#include "fs/archive/tar_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The largest numbers that the old header's octal digits hold. */
#define MAX_7_DIGITS  07777777
#define MAX_11_DIGITS 077777777777LL

struct ustar {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char padding[12];
};

_Static_assert(sizeof(struct ustar) == TAR_BLOCK_BYTES, "a header is one block");

static void octal(char *field, size_t n_field, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%0*" PRIo64, (int)n_field - 1, number);
	memcpy(field, digits, n_field);
}

static void header_finish(struct ustar *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	unsigned int sum = 0;
	char digits[12];

	memcpy(header->magic, "ustar\00000", 8);
	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	snprintf(digits, sizeof(digits), "%06o", sum);
	memcpy(header->checksum, digits, 7);
}

static void pad(struct buffer *buffer)
{
	static const char zeros[TAR_BLOCK_BYTES];

	if (buffer->n_bytes % TAR_BLOCK_BYTES)
		buffer_add(buffer, zeros, TAR_BLOCK_BYTES - buffer->n_bytes % TAR_BLOCK_BYTES);
}

/* "LENGTH KEY=VALUE\n", where the length counts its own digits too. */
static void record(struct buffer *records, const char *key, const void *value, size_t n_value)
{
	size_t n = strlen(key) + n_value + 3, n_total = n + 1;
	char digits[24];

	while (n + (size_t)snprintf(digits, sizeof(digits), "%zu", n_total) != n_total)
		n_total = n + strlen(digits);
	buffer_add_format(records, "%zu %s=", n_total, key);
	buffer_add(records, value, n_value);
	buffer_add_char(records, '\n');
}

static void record_number(struct buffer *records, const char *key, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, number);
	record(records, key, digits, strlen(digits));
}

/* Seconds before 1970 have their fraction counted backwards: -0.25 is { -1, 750000000 }. */
static void record_time(struct buffer *records, const char *key, const struct timespec *time)
{
	bool before = time->tv_sec < 0 && time->tv_nsec > 0;
	int64_t seconds = before ? time->tv_sec + 1 : time->tv_sec;
	long nanoseconds = before ? 1000000000 - time->tv_nsec : time->tv_nsec;
	char text[48];
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "%s%" PRId64 ".%09ld",
			     before && seconds == 0 ? "-" : "", seconds, nanoseconds);
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	record(records, key, text, n);
}

static char type_of(const struct tar_entry *entry)
{
	if (entry->hard_link)
		return '1';
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return 0;
	}
}

static void records_add(struct buffer *records, const struct tar_entry *entry, const char *link,
			const struct tar_attribute *attributes, size_t n_attributes)
{
	if (strlen(entry->path) > sizeof(((struct ustar *)0)->name))
		record(records, "path", entry->path, strlen(entry->path));
	if (strlen(link) > sizeof(((struct ustar *)0)->link))
		record(records, "linkpath", link, strlen(link));
	if (entry->size > MAX_11_DIGITS)
		record_number(records, "size", entry->size);
	if (entry->uid > MAX_7_DIGITS)
		record_number(records, "uid", entry->uid);
	if (entry->gid > MAX_7_DIGITS)
		record_number(records, "gid", entry->gid);
	if (entry->mtime.tv_nsec || entry->mtime.tv_sec < 0 || entry->mtime.tv_sec > MAX_11_DIGITS)
		record_time(records, "mtime", &entry->mtime);
	for (size_t i = 0; i < n_attributes; i++) {
		char key[300];

		snprintf(key, sizeof(key), "SCHILY.xattr.%s", attributes[i].name);
		record(records, key, attributes[i].value, attributes[i].n_bytes);
	}
}

int tar_write_header(struct buffer *buffer, const struct tar_entry *entry,
		     const struct tar_attribute *attributes, size_t n_attributes)
{
	const char *link = entry->hard_link ? entry->hard_link
			   : entry->symlink ? entry->symlink
					    : "";
	_cleanup_buffer_ struct buffer records = {};
	struct ustar header = {};
	int r;

	if (!type_of(entry))
		return -EINVAL;
	records_add(&records, entry, link, attributes, n_attributes);
	r = buffer_status(&records);
	if (r < 0)
		return r;
	octal(header.mode, sizeof(header.mode), 0644);
	octal(header.uid, sizeof(header.uid), 0);
	octal(header.gid, sizeof(header.gid), 0);
	octal(header.mtime, sizeof(header.mtime), 0);
	if (records.n_bytes) {
		octal(header.size, sizeof(header.size), records.n_bytes);
		memcpy(header.name, "PaxHeaders/0", 12);
		header.type = 'x';
		header_finish(&header);
		buffer_add(buffer, &header, sizeof(header));
		buffer_add(buffer, records.bytes, records.n_bytes);
		pad(buffer);
		header = (struct ustar){};
	}
	memcpy(header.name, entry->path, strnlen(entry->path, sizeof(header.name)));
	memcpy(header.link, link, strnlen(link, sizeof(header.link)));
	octal(header.mode, sizeof(header.mode), entry->mode & 07777);
	octal(header.uid, sizeof(header.uid), entry->uid > MAX_7_DIGITS ? 0 : entry->uid);
	octal(header.gid, sizeof(header.gid), entry->gid > MAX_7_DIGITS ? 0 : entry->gid);
	octal(header.size, sizeof(header.size),
	      entry->size > MAX_11_DIGITS ? 0 : (uint64_t)entry->size);
	octal(header.mtime, sizeof(header.mtime),
	      entry->mtime.tv_sec < 0 || entry->mtime.tv_sec > MAX_11_DIGITS
		      ? 0
		      : (uint64_t)entry->mtime.tv_sec);
	octal(header.major, sizeof(header.major), major(entry->device));
	octal(header.minor, sizeof(header.minor), minor(entry->device));
	header.type = type_of(entry);
	header_finish(&header);
	buffer_add(buffer, &header, sizeof(header));
	return buffer_status(buffer);
}
