/* SPDX-License-Identifier: MIT */
#include "fs/volume/lines.h"

#include <string.h>

/* Blanks, line breaks, '\', '#' and the comma as three octal digits: in every field and option. */
static void escaped_add(struct buffer *buffer, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr(" \t\n\r\v\f\\#,", *p))
			buffer_add_format(buffer, "\\%03o", (unsigned int)(unsigned char)*p);
		else
			buffer_add_char(buffer, *p);
	}
}

static void option_add(struct buffer *buffer, bool *comma, const char *name, const char *value)
{
	if (*comma)
		buffer_add_char(buffer, ',');
	*comma = true;
	buffer_add_string(buffer, name);
	if (value)
		escaped_add(buffer, value);
}

static bool is_flat(const struct mount_request *request)
{
	return string_list_contains(&request->options, "bind");
}

void mounts_line_add(struct buffer *buffer, const struct mount_request *request, const char *source,
		     const char *volume)
{
	bool is_tmpfs = request->kind == MOUNT_KIND_TMPFS;
	bool comma = false;

	escaped_add(buffer, is_tmpfs ? "tmpfs" : source);
	buffer_add_char(buffer, ' ');
	escaped_add(buffer, request->destination);
	buffer_add_string(buffer, is_tmpfs ? " tmpfs " : " none ");
	if (!is_tmpfs && !is_flat(request))
		option_add(buffer, &comma, "rbind", NULL);
	STRING_LIST_FOR_EACH (&request->options, i)
		option_add(buffer, &comma, "", request->options.items[i]);
	option_add(buffer, &comma, request->is_read_only ? "ro" : "rw", NULL);
	if (volume)
		option_add(buffer, &comma, "x-lamina.volume=", volume);
	if (volume && request->subpath)
		option_add(buffer, &comma, "x-lamina.subpath=", request->subpath);
	if (volume && !request->source)
		option_add(buffer, &comma, "x-lamina.anonymous", NULL);
	buffer_add_string(buffer, " 0 0\n");
}

/* Decodes in place; false: a bad escape. */
static bool field_decode(char *field)
{
	char *to = field;

	for (const char *p = field; *p; to++) {
		if (*p != '\\') {
			*to = *p++;
			continue;
		}
		if (strspn(p + 1, "01234567") < 3 || p[1] > '3')
			return false;
		*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
		p += 4;
	}
	*to = '\0';
	return true;
}

/* 1: a mount, 0: nothing on this line, or a negative errno. */
static int line_parse(char *text, struct mounts_line *line)
{
	char *fields[4] = {};
	size_t n = 0;

	for (char *field = strsep(&text, " \t"); field && n < 4; field = strsep(&text, " \t")) {
		if (*field)
			fields[n++] = field;
	}
	if (n == 0 || *fields[0] == '#')
		return 0;
	if (n < 3 || !field_decode(fields[1]))
		return -EBADMSG;
	for (char *option = strsep(&fields[3], ","); option; option = strsep(&fields[3], ",")) {
		const char *value = string_has_prefix(option, "x-lamina.volume=");

		if (value && !line->volume) {
			line->volume = strdup(value);
			if (!line->volume)
				return -ENOMEM;
		}
		line->is_anonymous |= !strcmp(option, "x-lamina.anonymous");
	}
	line->destination = strdup(fields[1]);
	return line->destination ? 1 : -ENOMEM;
}

static int line_append(struct mounts_lines *lines, struct mounts_line *line)
{
	struct mounts_line *items = reallocarray(lines->items, lines->n_items + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	lines->items = items;
	items[lines->n_items++] = *line;
	*line = (struct mounts_line){};
	return 0;
}

int mounts_lines_parse(struct mounts_lines *lines, const char *text, struct error *error)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy;
	int r = copy ? 0 : -ENOMEM;

	for (size_t number = 1; r >= 0 && rest; number++) {
		struct mounts_line line = {};

		r = line_parse(strsep(&rest, "\n"), &line);
		if (r > 0)
			r = line_append(lines, &line);
		free(line.destination);
		free(line.volume);
		if (r == -EBADMSG)
			return error_say(error, r, "don't understand line %zu of '%s'", number,
					 MOUNTS_FILE);
	}
	return r < 0 ? error_set(error, r, "cannot read '%s'", MOUNTS_FILE) : 0;
}

void mounts_lines_deinit(struct mounts_lines *lines)
{
	for (size_t i = 0; i < lines->n_items; i++) {
		free(lines->items[i].destination);
		free(lines->items[i].volume);
	}
	free(lines->items);
	*lines = (struct mounts_lines){};
}
