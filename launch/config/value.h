/* SPDX-License-Identifier: MIT */
/*
 * Single values of a config.json, checked: what all its sections are read with.
 *
 * @field is how messages name the value: "process.user.uid". Where a value has the wrong type, it
 * is refused: what was asked for must not be taken for unsaid. A missing one (or null) is fine
 * unless said otherwise, and leaves what the field's default is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/**
 * value_asks() - does it ask for anything? Not what is missing, null, "", [], {}, or an object of
 * nothing but such: {"prestart": null, "poststop": []}
 */
bool value_asks(struct json_value value);

/**
 * value_strings() - an array of strings as a NULL-terminated vector, to be freed; its strings are
 * borrowed
 */
int value_strings(struct json_value array, const char *field, char ***ret_strings,
		  struct error *error);

/** value_string() - borrowed, or NULL where it is missing */
int value_string(struct json_value value, const char *field, const char **ret_string,
		 struct error *error);

/** value_name() - value_string() of one that an empty string doesn't ask for: NULL then too */
int value_name(struct json_value value, const char *field, const char **ret_name,
	       struct error *error);

/** value_bool() - false where it is missing */
int value_bool(struct json_value value, const char *field, bool *ret_bool, struct error *error);

/** value_check_type() - @type is JSON_ARRAY or JSON_OBJECT */
int value_check_type(struct json_value value, const char *field, enum json_type type,
		     struct error *error);

/** value_uint() - from 0 to @max; it must be there */
int value_uint(struct json_value value, const char *field, uint64_t max, uint64_t *ret_number,
	       struct error *error);

/** value_int() - from @min to @max; it must be there */
int value_int(struct json_value value, const char *field, int64_t min, int64_t max,
	      int64_t *ret_number, struct error *error);

/**
 * value_id() - a user's or group's; 0 where it is missing
 *
 * At most 4294967294: -1 means "leave it as it is" to setresuid(2).
 */
int value_id(struct json_value value, const char *field, uint32_t *ret_id, struct error *error);

/**
 * value_unknown() - the name of a member of @object that is none of @names, or NULL
 * @names: NULL-terminated
 */
const char *value_unknown(struct json_value object, const char *const *names);

/** value_refuse_unknown() - -EOPNOTSUPP where @object has a member that is none of @names */
int value_refuse_unknown(struct json_value object, const char *field, const char *const *names,
			 struct error *error);
