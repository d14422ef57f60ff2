/* SPDX-License-Identifier: MIT */
#include "launch/spec/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static char **entry_find(const struct string_list *environment, const char *entry, size_t n_name)
{
	STRING_LIST_FOR_EACH (environment, i) {
		const char *item = environment->items[i];

		if (!strncmp(item, entry, n_name) && (item[n_name] == '=' || !item[n_name]))
			return &environment->items[i];
	}
	return NULL;
}

int environment_set(struct string_list *environment, const char *entry)
{
	char **earlier = entry_find(environment, entry, name_length(entry));
	char *copy;

	if (!earlier)
		return string_list_add(environment, entry);
	copy = strdup(entry);
	if (!copy)
		return -ENOMEM;
	free(*earlier);
	*earlier = copy;
	return 0;
}

const char *environment_get(const struct string_list *environment, const char *name)
{
	size_t n = strlen(name);
	char **entry = entry_find(environment, name, n);

	return entry && (*entry)[n] == '=' ? *entry + n + 1 : NULL;
}

/* @entry, or with the caller's own value where it has none. */
static int entry_add(struct string_list *environment, const char *entry, bool from_file,
		     struct error *error)
{
	size_t n_name = name_length(entry);
	_cleanup_free_ char *with_value = NULL;

	if (n_name == 0)
		return error_usage(error, "no variable name in '%s'", entry);
	if (!entry[n_name]) {
		const char *value = getenv(entry);

		if (value) {
			with_value = string_format("%s=%s", entry, value);
			if (!with_value)
				return error_set(error, -ENOMEM, "cannot take '%s'", entry);
			entry = with_value;
		} else if (from_file) {
			return 0;
		}
	}
	if (environment_set(environment, entry) < 0)
		return error_set(error, -ENOMEM, "cannot take '%s'", entry);
	return 0;
}

static int label_add(struct string_list *labels, const char *entry, bool from_file,
		     struct error *error)
{
	_cleanup_free_ char *with_value = NULL;

	if (name_length(entry) == 0)
		return error_usage(error, "no label name in '%s'", entry);
	if (!strchr(entry, '=')) {
		with_value = string_format("%s=", entry);
		entry = with_value;
	}
	if (!entry || environment_set(labels, entry) < 0)
		return error_set(error, -ENOMEM, "cannot take a label");
	return 0;
}

typedef int (*add_function)(struct string_list *list, const char *entry, bool from_file,
			    struct error *error);

static int file_line(struct string_list *list, char *line, add_function add, struct error *error)
{
	size_t n_name;

	line += strspn(line, " \t\r\v\f");
	if (!*line || *line == '#')
		return 0;
	n_name = name_length(line);
	if (strcspn(line, " \t\r\v\f") < n_name)
		return error_usage(error, "the name in '%s' has a blank in it", line);
	return add(list, line, true, error);
}

static int file_add(struct string_list *list, const char *path, add_function add,
		    struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n_bytes, number = 1;
	int r = file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, &n_bytes);
	char *line;

	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	if (strlen(text) != n_bytes)
		return error_usage(error, "'%s': a NUL in it", path);
	line = text;
	if (string_has_prefix(line, "\xef\xbb\xbf"))
		line += 3;
	for (; *line; number++) {
		size_t n = strcspn(line, "\n");
		char *next = line + n + (line[n] == '\n');

		line[n] = '\0';
		/* As Go's line scanner, which Docker reads with: CRLF ends a line too. */
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		r = file_line(list, line, add, error);
		if (r < 0)
			return error_prefix(error, r, "'%s': line %zu", path, number);
		line = next;
	}
	return 0;
}

static int list_from_options(const struct string_list *files, const struct string_list *entries,
			     add_function add, struct string_list *ret_list, struct error *error)
{
	_cleanup_strings_ struct string_list list = {};
	int r;

	STRING_LIST_FOR_EACH (files, i) {
		r = file_add(&list, files->items[i], add, error);
		if (r < 0)
			return r;
	}
	STRING_LIST_FOR_EACH (entries, i) {
		r = add(&list, entries->items[i], false, error);
		if (r < 0)
			return r;
	}
	*ret_list = list;
	list = (struct string_list){};
	return 0;
}

int environment_from_options(const struct string_list *files, const struct string_list *entries,
			     struct string_list *ret_environment, struct error *error)
{
	return list_from_options(files, entries, entry_add, ret_environment, error);
}

int labels_from_options(const struct string_list *files, const struct string_list *entries,
			struct string_list *ret_labels, struct error *error)
{
	return list_from_options(files, entries, label_add, ret_labels, error);
}

int environment_add_image(struct string_list *environment, struct json_value image_env,
			  struct error *error)
{
	if (json_exists(image_env) && json_type(image_env) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the image's config: 'Env' is %s, not an array",
				 json_type_name(json_type(image_env)));
	JSON_FOR_EACH (element, image_env) {
		const char *entry = json_string(element);

		if (!entry || name_length(entry) == 0)
			return error_say(error, -EBADMSG,
					 "the image's config: 'Env' has something that isn't "
					 "NAME=value");
		if (entry_find(environment, entry, name_length(entry)))
			continue;
		if (string_list_add(environment, entry) < 0)
			return error_set(error, -ENOMEM, "cannot merge environments");
	}
	return 0;
}
