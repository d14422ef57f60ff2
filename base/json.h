/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON (RFC 8259): a parsed document and cheap handles into it.
 *
 * jsmn finds the tokens; what it lets through (missing commas, bad escapes, bad numbers, broken
 * UTF-8, a member named twice) is refused here, since documents come from images and strangers.
 * Handles stay valid while the document lives. A missing value is a handle too: every accessor
 * accepts it and answers "not there", so a chain of json_get() needs no check in between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Deeper documents are refused: nothing that lamina reads comes near. */
#define JSON_MAX_DEPTH 64

enum json_type {
	JSON_MISSING,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_token;

/* All zero is a valid empty document: its root is missing. */
struct json_document {
	char *text;    /* as it came */
	char *decoded; /* the same bytes, strings unescaped in place and NUL-terminated */
	size_t n_bytes;
	struct json_token *tokens;
	size_t n_tokens;
};

struct json_value {
	const struct json_document *document;
	uint32_t index; /* of its token; meaningful where document is not NULL */
};

/**
 * json_parse() - parse @n_bytes of @text; a copy is kept
 *
 * Return: 0, -EBADMSG (not JSON; @error says at which line and what), -E2BIG (too deep), -ENOMEM.
 */
int json_parse(struct json_document *document, const char *text, size_t n_bytes,
	       struct error *error);

/**
 * json_parse_owned() - json_parse() without the copy
 * @text: of malloc(), with room for two bytes behind its @n_bytes (fd_read_all() leaves that);
 * taken, whatever the result is
 */
int json_parse_owned(struct json_document *document, char *text, size_t n_bytes,
		     struct error *error);

/** json_parse_file_at() - file_read_at() and json_parse(); @error names @path */
int json_parse_file_at(struct json_document *document, int directory_fd, const char *path,
		       size_t max_bytes, struct error *error);

void json_document_deinit(struct json_document *document);
#define _cleanup_json_ _cleanup_(json_document_deinit)

struct json_value json_root(const struct json_document *document);

enum json_type json_type(struct json_value value);

/** json_exists() - is it there, and not null? (Go's encoders write null for an empty list) */
bool json_exists(struct json_value value);

/** json_get() - the member @key of an object, or missing */
struct json_value json_get(struct json_value object, const char *key);

/** json_get_ignoring_case() - Go's matching of member names, for documents that Go programs read */
struct json_value json_get_ignoring_case(struct json_value object, const char *key);

/** json_string() - the text of a string, or NULL where it isn't one; borrowed */
const char *json_string(struct json_value value);

/** json_string_or() - the text of a string, or @otherwise */
const char *json_string_or(struct json_value value, const char *otherwise);

/** json_bool_or() - the truth of a bool, or @otherwise */
bool json_bool_or(struct json_value value, bool otherwise);

/** json_int64() - 0, or -EINVAL: not a number, not whole, or out of range */
int json_int64(struct json_value value, int64_t *ret_number);
int json_uint64(struct json_value value, uint64_t *ret_number);

/** json_count() - elements of an array or members of an object, else 0 */
size_t json_count(struct json_value value);

/*
 * JSON_FOR_EACH() - the elements of an array, or the values of an object, in the document's order:
 *	JSON_FOR_EACH(element, array) { ... json_string(element) ... }
 * Nothing is visited where @container is missing or neither.
 */
#define JSON_FOR_EACH(element, container)                                                          \
	for (struct json_value element = json_first(container);                                    \
	     json_type(element) != JSON_MISSING; element = json_next(element))
struct json_value json_first(struct json_value container);
struct json_value json_next(struct json_value element);

/** json_key() - the name of a member reached by JSON_FOR_EACH() over an object, else NULL */
const char *json_key(struct json_value element);

/** json_raw() - the bytes of a value as they stand in the document; borrowed, not NUL-terminated */
const char *json_raw(struct json_value value, size_t *ret_n_bytes);

const char *json_type_name(enum json_type type);
