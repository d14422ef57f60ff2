/* SPDX-License-Identifier: MIT */
/*
 * Writing JSON: a buffer that puts in the commas, the quotes and the escapes.
 *
 * Begin and end containers in pairs; inside an object every value takes a key, inside an array
 * (and at the top) the key is NULL. Failed allocations are remembered: ask json_writer_status().
 * Bytes of a string that are not UTF-8 are written as U+FFFD, so that the output is JSON always.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"

/* All zero is a valid empty writer. */
struct json_writer {
	struct buffer buffer;
	bool comma; /* the next value needs one in front */
};

void json_write_object_begin(struct json_writer *writer, const char *key);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer, const char *key);
void json_write_array_end(struct json_writer *writer);

/** json_write_string() - a string; null where @string is NULL */
void json_write_string(struct json_writer *writer, const char *key, const char *string);
void json_write_int(struct json_writer *writer, const char *key, int64_t number);
void json_write_uint(struct json_writer *writer, const char *key, uint64_t number);
void json_write_bool(struct json_writer *writer, const char *key, bool truth);

/** json_write_raw() - text that is JSON already */
void json_write_raw(struct json_writer *writer, const char *key, const char *json, size_t n_bytes);

/** json_write_value() - a value of a parsed document as it stands there; nothing where missing */
void json_write_value(struct json_writer *writer, const char *key, struct json_value value);

/** json_writer_status() - 0, or -ENOMEM */
int json_writer_status(const struct json_writer *writer);

void json_writer_deinit(struct json_writer *writer);
#define _cleanup_json_writer_ _cleanup_(json_writer_deinit)
