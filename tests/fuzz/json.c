/* SPDX-License-Identifier: MIT */
/* What the parser takes must be walked without harm, and be taken again when it is written out. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

static size_t value_walk(struct json_value value)
{
	const char *text = json_string(value);
	int64_t number;
	size_t n = 1, n_bytes, n_elements = 0;

	if (text)
		n += strlen(text) > 1000000;
	(void)json_int64(value, &number);
	if (!json_raw(value, &n_bytes) || n_bytes == 0)
		abort();
	JSON_FOR_EACH (element, value) {
		if ((json_type(value) == JSON_OBJECT) != (json_key(element) != NULL))
			abort();
		n_elements++;
		n += value_walk(element);
	}
	if (n_elements != json_count(value))
		abort();
	return n;
}

/* The same document, by way of the writer. */
static void value_write(struct json_writer *writer, const char *key, struct json_value value)
{
	switch (json_type(value)) {
	case JSON_OBJECT:
		json_write_object_begin(writer, key);
		JSON_FOR_EACH (element, value)
			value_write(writer, json_key(element), element);
		json_write_object_end(writer);
		break;
	case JSON_ARRAY:
		json_write_array_begin(writer, key);
		JSON_FOR_EACH (element, value)
			value_write(writer, NULL, element);
		json_write_array_end(writer);
		break;
	case JSON_STRING:
		json_write_string(writer, key, json_string(value));
		break;
	default:
		json_write_value(writer, key, value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_json_ struct json_document document = {}, again = {};
	_cleanup_json_writer_ struct json_writer writer = {};
	struct error error;

	error_init(&error);
	if (json_parse(&document, (const char *)bytes, n_bytes, &error) < 0) {
		if (!error.message[0])
			abort();
		return 0;
	}
	value_write(&writer, NULL, json_root(&document));
	if (json_writer_status(&writer) < 0 ||
	    json_parse(&again, writer.buffer.bytes, writer.buffer.n_bytes, NULL) < 0 ||
	    value_walk(json_root(&document)) != value_walk(json_root(&again)))
		abort();
	return 0;
}
