/* SPDX-License-Identifier: MIT */
#include "launch/bundle/mounts_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define MAX_MOUNTS 10000

static void mount_deinit(struct bundle_mount *mount)
{
	free(mount->source);
	free(mount->destination);
	free(mount->type);
	free(mount->volume);
	free(mount->subpath);
	string_list_deinit(&mount->options);
	*mount = (struct bundle_mount){};
}

/* The bytes of a field, its octal escapes decoded. NULL and errno: EBADMSG for a bad one. */
static char *field_decode(const char *field, size_t n)
{
	char *out = malloc(n + 1), *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned int value = 0;

		if (field[i] != '\\') {
			*p++ = field[i];
			continue;
		}
		for (size_t digit = 1; digit <= 3; digit++) {
			char c = i + digit < n ? field[i + digit] : '\0';

			if (c < '0' || c > '7') {
				free(out);
				errno = EBADMSG;
				return NULL;
			}
			value = value * 8 + (unsigned int)(c - '0');
		}
		if (value == 0 || value > 255) {
			free(out);
			errno = EBADMSG;
			return NULL;
		}
		*p++ = (char)value;
		i += 3;
	}
	*p = '\0';
	return out;
}

/* Has @path a component "." or ".." or an empty one? @path without its leading '/'. */
static bool path_is_clean(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && !strncmp(path, "..", 2)))
			return false;
		path += n;
		if (*path && !*++path)
			return false;
	}
	return true;
}

static int option_take(struct bundle_mount *mount, char *option, struct error *error)
{
	const char *value;
	char **named = NULL;

	if ((value = string_has_prefix(option, "x-lamina.volume=")))
		named = &mount->volume;
	else if ((value = string_has_prefix(option, "x-lamina.subpath=")))
		named = &mount->subpath;
	if (named) {
		if (*named || !*value || (named == &mount->volume && strchr(value, '/')) ||
		    (named == &mount->subpath && !path_is_clean(value)))
			return error_say(error, -EBADMSG, "bad option '%s'", option);
		*named = strdup(value);
		return *named ? 0 : error_set(error, -ENOMEM, "cannot read options");
	}
	if (!*option || !strncmp(option, "x-", 2) || !strcmp(option, "defaults"))
		return 0;
	if (string_list_add(&mount->options, option) < 0)
		return error_set(error, -ENOMEM, "cannot read options");
	return 0;
}

static int options_parse(struct bundle_mount *mount, const char *field, size_t n,
			 struct error *error)
{
	const char *end = field + n;

	for (const char *p = field; p <= end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t n_option = (size_t)((comma ? comma : end) - p);
		_cleanup_free_ char *option = field_decode(p, n_option);
		int r;

		if (!option)
			return error_set(error, -errno, "bad option '%.*s'", (int)n_option, p);
		r = option_take(mount, option, error);
		if (r < 0)
			return r;
		p += n_option + 1;
	}
	return 0;
}

static int mount_check(struct bundle_mount *mount, struct error *error)
{
	bool is_bind = !strcmp(mount->type, "bind") ||
		       string_list_contains(&mount->options, "bind") ||
		       string_list_contains(&mount->options, "rbind");

	if (mount->destination[0] != '/' || !mount->destination[1] ||
	    !path_is_clean(mount->destination + 1) || strlen(mount->destination) >= PATH_MAX)
		return error_say(error, -EBADMSG,
				 "'%s' can't be mounted on: not an absolute, clean path",
				 mount->destination);
	if (is_bind && strcmp(mount->type, "bind")) {
		char *type;

		if (strcmp(mount->type, "none"))
			return error_say(error, -EBADMSG, "a bind of type '%s'", mount->type);
		type = strdup("bind");
		if (!type)
			return error_set(error, -ENOMEM, "cannot read mounts");
		free(mount->type);
		mount->type = type;
	}
	if (is_bind && mount->source[0] != '/')
		return error_say(error, -EBADMSG, "'%s' can't be bound: not an absolute path",
				 mount->source);
	if (!is_bind && (!strcmp(mount->type, "none") || mount->volume || mount->subpath))
		return error_say(error, -EBADMSG, "neither a bind nor a file system");
	if (mount->subpath && !mount->volume)
		return error_say(error, -EBADMSG, "a sub-path without a volume");
	return 0;
}

/* @line without its line break. 0: nothing in it, 1: a mount. */
static int line_parse(struct bundle_mount *mount, const char *line, size_t n_line,
		      struct error *error)
{
	char **fields[] = { &mount->source, &mount->destination, &mount->type };
	const char *end = line + n_line, *p = line;
	size_t n_fields = 0;
	int r;

	for (;;) {
		const char *field;
		size_t n;

		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end || (n_fields == 0 && *p == '#'))
			break;
		field = p;
		while (p < end && *p != ' ' && *p != '\t')
			p++;
		n = (size_t)(p - field);
		if (n_fields < 3) {
			*fields[n_fields] = field_decode(field, n);
			if (!*fields[n_fields])
				return error_set(error, -errno, "bad field '%.*s'", (int)n, field);
		} else if (n_fields == 3) {
			r = options_parse(mount, field, n, error);
			if (r < 0)
				return r;
		} else if (strspn(field, "0123456789") < n || n_fields > 5) {
			return error_say(error, -EBADMSG, "don't understand '%.*s'", (int)n, field);
		}
		n_fields++;
	}
	if (n_fields == 0)
		return 0;
	if (n_fields < 3)
		return error_say(error, -EBADMSG, "it takes source, destination and type");
	r = mount_check(mount, error);
	return r < 0 ? r : 1;
}

static int mounts_add(struct bundle_mounts *mounts, struct bundle_mount *mount, struct error *error)
{
	struct bundle_mount *items;

	if (bundle_mounts_find(mounts, mount->destination))
		return error_say(error, -EBADMSG, "two mounts on '%s'", mount->destination);
	if (mounts->n_items == MAX_MOUNTS)
		return error_say(error, -E2BIG, "more than %d mounts", MAX_MOUNTS);
	items = reallocarray(mounts->items, mounts->n_items + 1, sizeof(*items));
	if (!items)
		return error_set(error, -ENOMEM, "cannot read mounts");
	mounts->items = items;
	items[mounts->n_items++] = *mount;
	*mount = (struct bundle_mount){};
	return 0;
}

int bundle_mounts_parse(struct bundle_mounts *mounts, const char *text, struct error *error)
{
	size_t number = 1;

	for (const char *line = text; *line; number++) {
		_cleanup_(mount_deinit) struct bundle_mount mount = {};
		size_t n = strcspn(line, "\n");
		int r = line_parse(&mount, line, n, error);

		if (r > 0)
			r = mounts_add(mounts, &mount, error);
		if (r < 0)
			return error_prefix(error, r, "line %zu", number);
		line += n + (line[n] == '\n');
	}
	return 0;
}

int bundle_mounts_read(int bundle_fd, struct bundle_mounts *mounts, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = file_read_at(bundle_fd, MOUNTS_FILE_NAME, MOUNTS_FILE_MAX_BYTES, &text, &n_bytes);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", MOUNTS_FILE_NAME);
	if (strlen(text) != n_bytes)
		return error_say(error, -EBADMSG, "'%s': a NUL in it", MOUNTS_FILE_NAME);
	r = bundle_mounts_parse(mounts, text, error);
	return r < 0 ? error_prefix(error, r, "'%s'", MOUNTS_FILE_NAME) : 0;
}

const struct bundle_mount *bundle_mounts_find(const struct bundle_mounts *mounts,
					      const char *destination)
{
	for (size_t i = 0; i < mounts->n_items; i++) {
		if (!strcmp(mounts->items[i].destination, destination))
			return &mounts->items[i];
	}
	return NULL;
}

void bundle_mounts_deinit(struct bundle_mounts *mounts)
{
	for (size_t i = 0; i < mounts->n_items; i++)
		mount_deinit(&mounts->items[i]);
	free(mounts->items);
	*mounts = (struct bundle_mounts){};
}
