/* SPDX-License-Identifier: MIT */
#include "base/json_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct json_token *json_token(struct json_value value)
{
	if (!value.document || value.index >= value.document->n_tokens)
		return NULL;
	return &value.document->tokens[value.index];
}

struct json_value json_root(const struct json_document *document)
{
	return (struct json_value){ .document = document };
}

enum json_type json_type(struct json_value value)
{
	const struct json_token *token = json_token(value);

	return token ? token->type : JSON_MISSING;
}

bool json_exists(struct json_value value)
{
	return json_type(value) > JSON_NULL;
}

static struct json_value json_find(struct json_value object, const char *key,
				   int (*compare)(const char *, const char *))
{
	if (json_type(object) != JSON_OBJECT)
		return (struct json_value){};
	JSON_FOR_EACH (element, object) {
		if (!compare(json_key(element), key))
			return element;
	}
	return (struct json_value){};
}

struct json_value json_get(struct json_value object, const char *key)
{
	return json_find(object, key, strcmp);
}

struct json_value json_get_ignoring_case(struct json_value object, const char *key)
{
	struct json_value exact = json_find(object, key, strcmp);

	return exact.document ? exact : json_find(object, key, strcasecmp);
}

const char *json_string(struct json_value value)
{
	return json_string_or(value, NULL);
}

const char *json_string_or(struct json_value value, const char *otherwise)
{
	if (json_type(value) != JSON_STRING)
		return otherwise;
	return value.document->decoded + json_token(value)->start;
}

bool json_bool_or(struct json_value value, bool otherwise)
{
	if (json_type(value) != JSON_BOOL)
		return otherwise;
	return value.document->text[json_token(value)->start] == 't';
}

/* The digits of a whole number; "1e3" and "1.0" are not taken for one. */
static int json_magnitude(struct json_value value, bool *ret_negative, uint64_t *ret_magnitude)
{
	const struct json_token *token = json_token(value);
	uint64_t magnitude = 0;
	const char *p, *end;

	if (json_type(value) != JSON_NUMBER)
		return -EINVAL;
	p = value.document->text + token->start;
	end = value.document->text + token->end;
	*ret_negative = *p == '-';
	for (p += *ret_negative; p < end; p++) {
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
		    __builtin_add_overflow(magnitude, (uint64_t)(*p - '0'), &magnitude))
			return -EINVAL;
	}
	*ret_magnitude = magnitude;
	return 0;
}

int json_int64(struct json_value value, int64_t *ret_number)
{
	uint64_t magnitude;
	bool negative;

	if (json_magnitude(value, &negative, &magnitude) < 0 ||
	    magnitude > (uint64_t)INT64_MAX + negative)
		return -EINVAL;
	*ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

int json_uint64(struct json_value value, uint64_t *ret_number)
{
	uint64_t magnitude;
	bool negative;

	if (json_magnitude(value, &negative, &magnitude) < 0 || (negative && magnitude > 0))
		return -EINVAL;
	*ret_number = magnitude;
	return 0;
}

size_t json_count(struct json_value value)
{
	enum json_type type = json_type(value);

	return type == JSON_ARRAY || type == JSON_OBJECT ? json_token(value)->n_children : 0;
}

struct json_value json_first(struct json_value container)
{
	enum json_type type = json_type(container);

	if ((type != JSON_ARRAY && type != JSON_OBJECT) || json_token(container)->n_children == 0)
		return (struct json_value){};
	container.index += type == JSON_OBJECT ? 2 : 1;
	return container;
}

struct json_value json_next(struct json_value element)
{
	const struct json_token *token = json_token(element);

	if (token->is_last)
		return (struct json_value){};
	element.index = token->next + token->is_member;
	return element;
}

const char *json_key(struct json_value element)
{
	const struct json_token *token = json_token(element);

	if (!token || !token->is_member)
		return NULL;
	return element.document->decoded + element.document->tokens[element.index - 1].start;
}

const char *json_raw(struct json_value value, size_t *ret_n_bytes)
{
	const struct json_token *token = json_token(value);
	size_t quote;

	if (!token) {
		*ret_n_bytes = 0;
		return NULL;
	}
	quote = token->type == JSON_STRING;
	*ret_n_bytes = token->end - token->start + 2 * quote;
	return value.document->text + token->start - quote;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = { "missing",	 "null",     "a bool",	 "a number",
					     "a string", "an array", "an object" };

	return names[type];
}
