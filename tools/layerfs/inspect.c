/* SPDX-License-Identifier: MIT */
/* layerfs inspect: all that is known about containers and images, in the shape of Docker's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "fs/rootfs/names.h"
#include "tools/layerfs/image_view.h"
#include "tools/layerfs/verbs.h"

#define CONTAINER_MAX_BYTES (16u << 20)

struct inspect_options {
	bool json;
	const char *type;
};

#define OPTION(field) .offset = offsetof(struct inspect_options, field)

static const struct command_option options[] = {
	{ .name = "json",
	  .type = OPTION_FLAG,
	  OPTION(json),
	  .help = "a JSON object a line, not one list of all" },
	{ .name = "type",
	  .type = OPTION_STRING,
	  OPTION(type),
	  .argument = "image|container",
	  .help = "what the words mean; else a container, then an image" },
};

struct inspection {
	const struct store *store;
	struct json_writer writer;
	bool json; /* lines */
};

static void list_write(struct json_writer *writer, const char *key, const struct string_list *list)
{
	json_write_array_begin(writer, key);
	STRING_LIST_FOR_EACH (list, i)
		json_write_string(writer, NULL, list->items[i]);
	json_write_array_end(writer);
}

static void string_copy(struct json_writer *writer, const char *key, struct json_value object,
			const char *member)
{
	json_write_string(writer, key, json_string_or(json_get(object, member), ""));
}

/* Where Docker's overlay2 says that its layers are. */
static void driver_write(struct json_writer *writer, const struct string_list *layers)
{
	_cleanup_buffer_ struct buffer lower = {};

	json_write_object_begin(writer, "GraphDriver");
	json_write_string(writer, "Name", "overlay");
	json_write_object_begin(writer, "Data");
	buffer_add(&lower, "", 0);
	STRING_LIST_FOR_EACH (layers, i)
		buffer_add_format(&lower, "%s%s", i > 0 ? ":" : "", layers->items[i]);
	json_write_string(writer, "LowerDir", buffer_status(&lower) < 0 ? NULL : lower.bytes);
	json_write_object_end(writer);
	json_write_object_end(writer);
}

static void image_write(struct json_writer *writer, const struct image *image,
			const struct image_view *view, const struct string_list *names)
{
	struct json_value config = json_root(&view->config);

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "Id", image->digest);
	json_write_string(writer, "ConfigId", view->id);
	list_write(writer, "RepoTags", names);
	string_copy(writer, "Comment", config, "comment");
	json_write_value(writer, "Created", json_get(config, "created"));
	string_copy(writer, "Author", config, "author");
	if (json_exists(json_get(config, "config")))
		json_write_value(writer, "Config", json_get(config, "config"));
	else
		json_write_raw(writer, "Config", "{}", 2);
	string_copy(writer, "Architecture", config, "architecture");
	if (json_exists(json_get(config, "variant")))
		string_copy(writer, "Variant", config, "variant");
	string_copy(writer, "Os", config, "os");
	json_write_uint(writer, "Size", view->n_bytes);
	driver_write(writer, &view->layers);
	json_write_object_begin(writer, "RootFS");
	json_write_string(writer, "Type", "layers");
	json_write_value(writer, "Layers", json_get(json_get(config, "rootfs"), "diff_ids"));
	json_write_object_end(writer);
	json_write_object_end(writer);
}

static int image_inspect(struct inspection *inspection, const char *word, struct error *error)
{
	_cleanup_image_view_ struct image_view view = {};
	_cleanup_strings_ struct string_list names = {};
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	int r = image_open(inspection->store, word, &image, error);

	if (r == 0)
		r = image_view_read(inspection->store, &image, &view, error);
	if (r < 0)
		return r;
	r = image_names(inspection->store, image.digest, &names);
	if (r < 0)
		return error_set(error, r, "cannot read the names of '%s'", word);
	image_write(&inspection->writer, &image, &view, &names);
	return 0;
}

static int container_inspect(struct inspection *inspection, const char *word, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_free_ char *path = NULL;
	char id[CONTAINER_ID_MAX_BYTES + 1];
	int r = bundle_find(inspection->store, word, id, error);

	if (r < 0)
		return r;
	path = string_format("containers/%s/container.json", id);
	if (!path)
		return error_set(error, -ENOMEM, "cannot inspect '%s'", word);
	r = json_parse_file_at(&document, inspection->store->fd, path, CONTAINER_MAX_BYTES, error);
	if (r == -ENOENT)
		return error_say(error, -EINVAL,
				 "container '%s' is not complete: nslaunch spec makes it so", word);
	if (r < 0)
		return r;
	json_write_value(&inspection->writer, NULL, json_root(&document));
	return 0;
}

static int word_inspect(struct inspection *inspection, const char *type, const char *word,
			struct error *error)
{
	bool only_image = type && !strcmp(type, "image");
	bool only_container = type && !strcmp(type, "container");
	int r = -ENOENT;

	if (!only_image)
		r = container_inspect(inspection, word, error);
	if (r == -ENOENT && !only_container) {
		r = image_inspect(inspection, word, error);
		if (r == -ENOENT && !only_image)
			r = error_say(error, r, "there is no container or image '%s'", word);
	}
	return r;
}

static int inspection_print(struct inspection *inspection, struct error *error)
{
	_cleanup_buffer_ struct buffer text = {};
	struct buffer *json = &inspection->writer.buffer;

	if (json_writer_status(&inspection->writer) < 0)
		return error_set(error, -ENOMEM, "cannot inspect");
	if (inspection->json) {
		fwrite(json->bytes, 1, json->n_bytes, stdout);
		return 0;
	}
	json_indent(json->bytes, json->n_bytes, &text);
	if (buffer_status(&text) < 0)
		return error_set(error, -ENOMEM, "cannot inspect");
	fwrite(text.bytes, 1, text.n_bytes, stdout);
	return 0;
}

static int inspect(const struct command_call *call, struct error *error)
{
	const struct inspect_options *given = call->options;
	_cleanup_store_ struct store store = STORE_EMPTY;
	struct inspection inspection = { .store = &store, .json = given->json };
	int r, n_failed = 0;

	if (given->type && strcmp(given->type, "image") && strcmp(given->type, "container"))
		return error_usage(error, "option '--type' is image or container, not '%s'",
				   given->type);
	r = layerfs_store_open(call, &store, STORE_USE, error);
	if (r < 0)
		return r;
	if (!given->json)
		json_write_array_begin(&inspection.writer, NULL);
	for (int i = 0; i < call->argc; i++) {
		r = word_inspect(&inspection, given->type, call->argv[i], error);
		if (r < 0) {
			fprintf(stderr, "%s: inspect: %s\n", call->tool->name, error->message);
			n_failed++;
		} else if (given->json) {
			buffer_add_char(&inspection.writer.buffer, '\n');
			inspection.writer.comma = false;
		}
		error_init(error);
	}
	if (!given->json)
		json_write_array_end(&inspection.writer);
	r = inspection_print(&inspection, error);
	json_writer_deinit(&inspection.writer);
	return r < 0 ? r : n_failed > 0;
}

const struct command inspect_command = {
	.name = "inspect",
	.arguments = "CONTAINER|IMAGE...",
	.summary = "Show what is known about containers and images, as JSON.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct inspect_options),
	.min_arguments = 1,
	.max_arguments = -1,
	.run = inspect,
};
