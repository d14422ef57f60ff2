/* SPDX-License-Identifier: MIT */
#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

/* Bytes at @p that can be copied as they are: printable ASCII but the quote and the backslash. */
static size_t plain_length(const char *p)
{
	size_t n = 0;

	while ((unsigned char)p[n] >= 0x20 && (unsigned char)p[n] < 0x7f && p[n] != '"' &&
	       p[n] != '\\')
		n++;
	return n;
}

/* The length of a valid UTF-8 sequence of more than one byte at @p, or 0. */
static size_t multibyte_length(const unsigned char *p)
{
	size_t n = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;

	if (*p >= 0xf5)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void quoted_add(struct buffer *buffer, const char *p)
{
	buffer_add_char(buffer, '"');
	while (*p) {
		size_t n = plain_length(p);

		if (n > 0) {
			buffer_add(buffer, p, n);
			p += n;
			continue;
		}
		if (*p == '"' || *p == '\\') {
			buffer_add_char(buffer, '\\');
			buffer_add_char(buffer, *p);
			n = 1;
		} else if (*p == '\n') {
			buffer_add_string(buffer, "\\n");
			n = 1;
		} else if ((unsigned char)*p < 0x80) {
			buffer_add_format(buffer, "\\u%04x", (unsigned int)*p);
			n = 1;
		} else {
			n = multibyte_length((const unsigned char *)p);
			if (n > 0)
				buffer_add(buffer, p, n);
			else
				buffer_add_string(buffer, "\xef\xbf\xbd");
			n += n == 0;
		}
		p += n;
	}
	buffer_add_char(buffer, '"');
}

/* The comma and the name in front of a value. */
static void value_begin(struct json_writer *writer, const char *key)
{
	if (writer->comma)
		buffer_add_char(&writer->buffer, ',');
	if (key) {
		quoted_add(&writer->buffer, key);
		buffer_add_char(&writer->buffer, ':');
	}
	writer->comma = true;
}

static void container_begin(struct json_writer *writer, const char *key, char bracket)
{
	value_begin(writer, key);
	buffer_add_char(&writer->buffer, bracket);
	writer->comma = false;
}

static void container_end(struct json_writer *writer, char bracket)
{
	buffer_add_char(&writer->buffer, bracket);
	writer->comma = true;
}

void json_write_object_begin(struct json_writer *writer, const char *key)
{
	container_begin(writer, key, '{');
}

void json_write_object_end(struct json_writer *writer)
{
	container_end(writer, '}');
}

void json_write_array_begin(struct json_writer *writer, const char *key)
{
	container_begin(writer, key, '[');
}

void json_write_array_end(struct json_writer *writer)
{
	container_end(writer, ']');
}

void json_write_string(struct json_writer *writer, const char *key, const char *string)
{
	value_begin(writer, key);
	if (string)
		quoted_add(&writer->buffer, string);
	else
		buffer_add_string(&writer->buffer, "null");
}

void json_write_int(struct json_writer *writer, const char *key, int64_t number)
{
	value_begin(writer, key);
	buffer_add_format(&writer->buffer, "%" PRId64, number);
}

void json_write_uint(struct json_writer *writer, const char *key, uint64_t number)
{
	value_begin(writer, key);
	buffer_add_format(&writer->buffer, "%" PRIu64, number);
}

void json_write_bool(struct json_writer *writer, const char *key, bool truth)
{
	value_begin(writer, key);
	buffer_add_string(&writer->buffer, truth ? "true" : "false");
}

void json_write_raw(struct json_writer *writer, const char *key, const char *json, size_t n_bytes)
{
	value_begin(writer, key);
	buffer_add(&writer->buffer, json, n_bytes);
}

void json_write_value(struct json_writer *writer, const char *key, struct json_value value)
{
	size_t n_bytes;
	const char *raw = json_raw(value, &n_bytes);

	if (raw)
		json_write_raw(writer, key, raw, n_bytes);
}

int json_writer_status(const struct json_writer *writer)
{
	return buffer_status(&writer->buffer);
}

void json_writer_deinit(struct json_writer *writer)
{
	buffer_deinit(&writer->buffer);
}
