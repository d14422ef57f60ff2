/* SPDX-License-Identifier: MIT */
#include "tools/layerfs/image_view.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "fs/image/facts.h"

#define CONFIG_MAX_BYTES (4u << 20)
#define LAYERS_MAX_BYTES (1u << 20)

static int layer_add(const struct store *store, const char *hex, struct image_view *view)
{
	_cleanup_free_ char *directory = string_format("layers/%s", hex);
	struct layer_facts facts = {};
	int r = directory ? layer_facts_read(store->fd, directory, &facts) : -ENOMEM;

	if (r < 0)
		return r;
	view->n_bytes += facts.n_content_bytes;
	return string_list_take(&view->layers, string_format("%s/%s/diff", store->path, directory));
}

int image_view_read(const struct store *store, const struct image *image, struct image_view *view,
		    struct error *error)
{
	_cleanup_free_ char *layers = NULL;
	char *rest;
	int r = image_id(image, view->id);

	if (r == 0)
		r = file_read_at(image->fd, "layers", LAYERS_MAX_BYTES, &layers, NULL);
	for (rest = layers; r == 0 && rest && *rest;) {
		const char *line = strsep(&rest, "\n");

		if (*line)
			r = layer_add(store, line, view);
	}
	if (r == 0)
		r = json_parse_file_at(&view->config, image->fd, "config.json", CONFIG_MAX_BYTES,
				       NULL);
	return r < 0 ? error_set(error, r, "cannot read image %s", image->digest) : 0;
}

void image_view_deinit(struct image_view *view)
{
	json_document_deinit(&view->config);
	string_list_deinit(&view->layers);
}

static void line_begin(struct buffer *buffer, size_t depth)
{
	buffer_add_char(buffer, '\n');
	for (size_t i = 0; i < depth; i++)
		buffer_add(buffer, "    ", 4);
}

/* Copies the string that starts at @json; how many bytes it has with its quotes. */
static size_t string_copy(const char *json, const char *end, struct buffer *buffer)
{
	const char *at = json + 1;

	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	buffer_add(buffer, json, (size_t)(at + 1 - json));
	return (size_t)(at + 1 - json);
}

static const char *blanks_skip(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	return at;
}

void json_indent(const char *json, size_t n_bytes, struct buffer *buffer)
{
	const char *end = json + n_bytes;
	size_t depth = 0;

	for (const char *at = blanks_skip(json, end); at < end; at = blanks_skip(at, end)) {
		char c = *at;

		if (c == '"') {
			at += string_copy(at, end, buffer);
			continue;
		}
		at++;
		if (c == '}' || c == ']')
			line_begin(buffer, --depth);
		buffer_add_char(buffer, c);
		if (c == ':')
			buffer_add_char(buffer, ' ');
		else if (c == ',')
			line_begin(buffer, depth);
		if (c != '{' && c != '[')
			continue;
		/* Empty ones stay on their line. */
		at = blanks_skip(at, end);
		if (at < end && (*at == '}' || *at == ']'))
			buffer_add_char(buffer, *at++);
		else
			line_begin(buffer, ++depth);
	}
	buffer_add_char(buffer, '\n');
}
