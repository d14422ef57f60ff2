/* SPDX-License-Identifier: MIT */
#include "tools/trace/floors.h"

#include <string.h>

#include "base/json.h"

static int line_parse(struct floors *floors, const char *text, size_t n_bytes, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	struct floor *grown, floor = {};
	const char *phase;

	if (json_parse(&document, text, n_bytes, NULL) < 0)
		return error_say(error, -EBADMSG, "not JSON");
	phase = json_string(json_get(json_root(&document), "phase"));
	if (!phase || json_uint64(json_get(json_root(&document), "floor"), &floor.ns) < 0)
		return error_say(error, -EBADMSG, "not a phase and its floor in nanoseconds");
	grown = reallocarray(floors->floors, floors->n_floors + 1, sizeof(*grown));
	if (!grown)
		return error_set(error, -ENOMEM, "cannot keep the floors");
	floors->floors = grown;
	floor.phase = strdup(phase);
	if (!floor.phase)
		return error_set(error, -ENOMEM, "cannot keep the floors");
	grown[floors->n_floors++] = floor;
	return 0;
}

int floors_parse(struct floors *floors, const char *text, size_t n_bytes, struct error *error)
{
	const char *end = text + n_bytes;

	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n_line = (size_t)((newline ? newline : end) - text);
		int r = n_line ? line_parse(floors, text, n_line, error) : 0;

		if (r < 0)
			return error_prefix(error, r, "line %zu", number);
		text += n_line + 1;
	}
	return 0;
}

uint64_t floors_find(const struct floors *floors, const char *phase)
{
	for (size_t i = floors->n_floors; i-- > 0;)
		if (!strcmp(floors->floors[i].phase, phase))
			return floors->floors[i].ns;
	return 0;
}

void floors_deinit(struct floors *floors)
{
	for (size_t i = 0; i < floors->n_floors; i++)
		free(floors->floors[i].phase);
	free(floors->floors);
	*floors = (struct floors){};
}
