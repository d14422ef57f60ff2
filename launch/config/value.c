/* SPDX-License-Identifier: MIT */
#include "launch/config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

bool value_asks(struct json_value value)
{
	switch (json_type(value)) {
	case JSON_MISSING:
	case JSON_NULL:
		return false;
	case JSON_STRING:
		return *json_string(value);
	case JSON_ARRAY:
		return json_count(value) > 0;
	case JSON_OBJECT:
		/* {"prestart": null, "poststop": []} asks for nothing either. */
		JSON_FOR_EACH (member, value) {
			if (value_asks(member))
				return true;
		}
		return false;
	default:
		return true;
	}
}

int value_strings(struct json_value array, const char *field, char ***ret_strings,
		  struct error *error)
{
	_cleanup_free_ char **strings = calloc(json_count(array) + 1, sizeof(*strings));
	size_t n = 0;

	if (!strings)
		return error_set(error, -ENOMEM, "'%s'", field);
	if (json_exists(array) && json_type(array) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'%s' must be an array of strings", field);
	JSON_FOR_EACH (element, array) {
		strings[n] = (char *)json_string(element);
		if (!strings[n++])
			return error_say(error, -EINVAL, "'%s' must be an array of strings", field);
	}
	*ret_strings = take_ptr(strings);
	return 0;
}

int value_string(struct json_value value, const char *field, const char **ret_string,
		 struct error *error)
{
	*ret_string = json_string(value);
	if (json_exists(value) && !*ret_string)
		return error_say(error, -EINVAL, "'%s' must be a string", field);
	return 0;
}

int value_name(struct json_value value, const char *field, const char **ret_name,
	       struct error *error)
{
	int r = value_string(value, field, ret_name, error);

	if (r == 0 && *ret_name && !**ret_name)
		*ret_name = NULL;
	return r;
}

int value_bool(struct json_value value, const char *field, bool *ret_bool, struct error *error)
{
	if (json_exists(value) && json_type(value) != JSON_BOOL)
		return error_say(error, -EINVAL, "'%s' must be true or false", field);
	*ret_bool = json_bool_or(value, false);
	return 0;
}

int value_check_type(struct json_value value, const char *field, enum json_type type,
		     struct error *error)
{
	if (json_exists(value) && json_type(value) != type)
		return error_say(error, -EINVAL, "'%s' must be %s", field,
				 type == JSON_ARRAY ? "an array" : "an object");
	return 0;
}

int value_uint(struct json_value value, const char *field, uint64_t max, uint64_t *ret_number,
	       struct error *error)
{
	uint64_t number;

	if (json_uint64(value, &number) < 0 || number > max)
		return error_say(error, -EINVAL, "'%s' must be a number from 0 to %llu", field,
				 (unsigned long long)max);
	*ret_number = number;
	return 0;
}

int value_id(struct json_value value, const char *field, uint32_t *ret_id, struct error *error)
{
	uint64_t id = 0;
	int r = json_exists(value) ? value_uint(value, field, UINT32_MAX - 1, &id, error) : 0;

	*ret_id = (uint32_t)id;
	return r;
}

int value_int(struct json_value value, const char *field, int64_t min, int64_t max,
	      int64_t *ret_number, struct error *error)
{
	int64_t number;

	if (json_int64(value, &number) < 0 || number < min || number > max)
		return error_say(error, -EINVAL, "'%s' must be a number from %lld to %lld", field,
				 (long long)min, (long long)max);
	*ret_number = number;
	return 0;
}

const char *value_unknown(struct json_value object, const char *const *names)
{
	JSON_FOR_EACH (member, object) {
		const char *key = json_key(member);
		const char *const *name = names;

		while (key && *name && strcmp(*name, key))
			name++;
		if (key && !*name)
			return key;
	}
	return NULL;
}

int value_refuse_unknown(struct json_value object, const char *field, const char *const *names,
			 struct error *error)
{
	const char *name = value_unknown(object, names);

	return name ? error_say(error, -EOPNOTSUPP, "'%s.%s' is not supported", field, name) : 0;
}
