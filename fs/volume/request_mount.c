/* SPDX-License-Identifier: MIT */
/* --mount: Docker's KEY=VALUE list. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/volume/internal.h"
#include "fs/volume/request_internal.h"

/* What was said, before it is known of what kind the mount is. Strings are borrowed. */
struct said {
	const char *type, *source, *target, *propagation, *subpath, *tmpfs_options;
	bool has_source, is_read_only, is_recursive_read_only, is_flat, no_copy, make_source;
	bool has_tmpfs_bytes, has_tmpfs_mode;
	uint64_t tmpfs_bytes, tmpfs_mode;
	const char *bind_key, *volume_key, *tmpfs_key; /* the last one of each kind */
	struct string_list labels;
};

/*
 * The next field of a CSV record, in place: quoted where a comma or a quote is in it. NULL at the
 * end, or where a quote is out of place (*@ret_bad).
 */
static char *csv_next(char **rest, bool *ret_bad)
{
	char *field = *rest, *from = field, *to = field;
	bool is_quoted;

	*ret_bad = false;
	if (!field)
		return NULL;
	is_quoted = *from == '"';
	from += is_quoted;
	while (*from && (is_quoted || *from != ',')) {
		if (*from == '"') {
			if (!is_quoted || from[1] != '"') {
				*ret_bad = !is_quoted;
				if (*ret_bad)
					return NULL;
				is_quoted = false;
				from++;
				if (*from && *from != ',') {
					*ret_bad = true;
					return NULL;
				}
				break;
			}
			from++;
		}
		*to++ = *from++;
	}
	/* Still open at the end of the text. */
	if (is_quoted) {
		*ret_bad = true;
		return NULL;
	}
	*rest = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return field;
}

/* Go's strconv.ParseBool(); a key alone is true. */
static int bool_take(const char *key, const char *value, bool *ret, struct error *error)
{
	static const char *const words[] = { "1", "t", "T", "TRUE",  "true",  "True",
					     "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!value || !strcmp(value, words[i])) {
			*ret = i < 6;
			return 0;
		}
	}
	return error_usage(error, "'%s' is true or false, not '%s'", key, value);
}

static int octal_take(const char *value, uint64_t *ret_value)
{
	uint64_t number = 0;

	if (!*value || strspn(value, "01234567") != strlen(value) || strlen(value) > 5)
		return -EINVAL;
	for (const char *p = value; *p; p++)
		number = number * 8 + (uint64_t)(*p - '0');
	*ret_value = number;
	return number > 07777 ? -EINVAL : 0;
}

static int recursion_take(struct said *said, const char *value, struct error *error)
{
	said->is_flat = !strcmp(value, "disabled");
	said->is_recursive_read_only = !strcmp(value, "readonly");
	if (said->is_flat || said->is_recursive_read_only || !strcmp(value, "enabled") ||
	    !strcmp(value, "writable"))
		return 0;
	return error_usage(error,
			   "'bind-recursive' is enabled, disabled, writable or readonly, not '%s'",
			   value);
}

/* Keys of all kinds; 1: none of them. */
static int common_take(struct said *said, const char *key, const char *value, struct error *error)
{
	if (!strcmp(key, "type")) {
		said->type = value;
	} else if (!strcmp(key, "source") || !strcmp(key, "src")) {
		said->source = value;
		said->has_source = true;
	} else if (!strcmp(key, "target") || !strcmp(key, "dst") || !strcmp(key, "destination")) {
		said->target = value;
	} else if (!strcmp(key, "readonly") || !strcmp(key, "ro")) {
		return bool_take(key, value, &said->is_read_only, error);
	} else if (strcmp(key, "consistency")) {
		return 1;
	}
	return 0;
}

static int bind_take(struct said *said, const char *key, const char *value, struct error *error)
{
	said->bind_key = key;
	if (!strcmp(key, "bind-propagation")) {
		said->propagation = value;
		return value && propagation_is_valid(value)
			       ? 0
			       : error_usage(error, "bad propagation '%s'", value ? value : "");
	}
	if (!strcmp(key, "bind-nonrecursive"))
		return bool_take(key, value, &said->is_flat, error);
	if (!strcmp(key, "bind-create-src"))
		return bool_take(key, value, &said->make_source, error);
	if (!strcmp(key, "bind-recursive") && value)
		return recursion_take(said, value, error);
	return error_usage(error, "unknown key '%s'", key);
}

static int volume_take(struct said *said, const char *key, const char *value, struct error *error)
{
	said->volume_key = key;
	if (!strcmp(key, "volume-nocopy"))
		return bool_take(key, value, &said->no_copy, error);
	if (!value)
		return error_usage(error, "'%s' needs a value", key);
	if (!strcmp(key, "volume-subpath")) {
		said->subpath = value;
		return 0;
	}
	if (!strcmp(key, "volume-label"))
		return string_list_add(&said->labels, value) < 0
			       ? error_set(error, -ENOMEM, "cannot take a mount")
			       : 0;
	if (!strcmp(key, "volume-driver"))
		return !strcmp(value, "local")
			       ? 0
			       : error_usage(error, "there is no volume driver but 'local'");
	if (!strcmp(key, "volume-opt"))
		return error_usage(error, "volumes of a type and a device are not supported; "
					  "mount it on the host, and bind that");
	return error_usage(error, "unknown key '%s'", key);
}

static int tmpfs_take(struct said *said, const char *key, const char *value, struct error *error)
{
	said->tmpfs_key = key;
	if (!value)
		return error_usage(error, "'%s' needs a value", key);
	if (!strcmp(key, "tmpfs-size")) {
		said->has_tmpfs_bytes = true;
		return string_to_bytes(value, &said->tmpfs_bytes) < 0
			       ? error_usage(error, "'%s' takes a size such as 64m, not '%s'", key,
					     value)
			       : 0;
	}
	if (!strcmp(key, "tmpfs-mode")) {
		said->has_tmpfs_mode = true;
		return octal_take(value, &said->tmpfs_mode) < 0
			       ? error_usage(error, "'%s' takes an octal mode, not '%s'", key,
					     value)
			       : 0;
	}
	if (!strcmp(key, "tmpfs-options")) {
		said->tmpfs_options = value;
		return 0;
	}
	return error_usage(error, "unknown key '%s'", key);
}

static int field_take(struct said *said, char *field, struct error *error)
{
	char *value = strchr(field, '=');
	int r;

	if (value)
		*value++ = '\0';
	r = common_take(said, field, value, error);
	if (r <= 0)
		return r;
	if (string_has_prefix(field, "bind-"))
		return bind_take(said, field, value, error);
	if (string_has_prefix(field, "volume-"))
		return volume_take(said, field, value, error);
	if (string_has_prefix(field, "tmpfs-"))
		return tmpfs_take(said, field, value, error);
	return error_usage(error, "unknown key '%s'", field);
}

static int keys_check(const struct said *said, const char *type, struct error *error)
{
	const struct {
		const char *key, *type;
	} keys[] = { { said->bind_key, "bind" },
		     { said->volume_key, "volume" },
		     { said->tmpfs_key, "tmpfs" } };

	for (size_t i = 0; i < 3; i++) {
		if (keys[i].key && strcmp(keys[i].type, type))
			return error_usage(error, "'%s' is not for type=%s", keys[i].key, type);
	}
	return 0;
}

static int bind_make(const struct said *said, struct mount_request *request, struct error *error)
{
	int r = 0;

	request->kind = MOUNT_KIND_BIND;
	request->make_source = said->make_source;
	if (!said->source || !*said->source)
		return error_usage(error, "type=bind needs a source");
	if (*said->source != '/' && *said->source != '.')
		return error_usage(error, "the source '%s' is not an absolute path", said->source);
	if (said->is_flat)
		r = string_list_add(&request->options, "bind");
	if (r == 0 && said->is_recursive_read_only)
		r = string_list_add(&request->options, "rro");
	if (r == 0 && said->propagation)
		r = string_list_add(&request->options, said->propagation);
	if (r < 0)
		return error_set(error, r, "cannot take a mount");
	if (said->is_recursive_read_only && !said->is_read_only)
		return error_usage(error, "'bind-recursive=readonly' needs 'readonly'");
	return request_host_path(request, said->source, error);
}

static int volume_make(struct said *said, struct mount_request *request, struct error *error)
{
	request->kind = MOUNT_KIND_VOLUME;
	request->no_copy = said->no_copy;
	request->labels = said->labels;
	said->labels = (struct string_list){};
	if (said->source && *said->source) {
		if (volume_name_check(said->source, error) < 0) {
			if (error)
				error->usage = true;
			return -EINVAL;
		}
		request->source = strdup(said->source);
		if (!request->source)
			return error_set(error, -ENOMEM, "cannot take a mount");
	}
	if (!said->subpath)
		return 0;
	if (!request->source)
		return error_usage(error, "'volume-subpath' needs a source");
	request->subpath = path_clean(said->subpath);
	if (!request->subpath)
		return error_set(error, -ENOMEM, "cannot take a mount");
	/* As Docker: below the volume by its letters, and at start by its links too. */
	if (*said->subpath == '/' || !*said->subpath || !strcmp(request->subpath, "..") ||
	    !strncmp(request->subpath, "../", 3))
		return error_usage(error, "'volume-subpath' is a relative path within the volume");
	if (!strcmp(request->subpath, ".")) {
		free(request->subpath);
		request->subpath = NULL;
	}
	return 0;
}

static int tmpfs_make(const struct said *said, struct mount_request *request, struct error *error)
{
	_cleanup_free_ char *size = NULL, *mode = NULL;
	int r;

	request->kind = MOUNT_KIND_TMPFS;
	if (said->has_source)
		return error_usage(error, "type=tmpfs takes no source");
	r = tmpfs_options_add(request, said->tmpfs_options, error);
	if (r < 0)
		return r;
	size = string_format("size=%" PRIu64, said->tmpfs_bytes);
	mode = string_format("mode=%" PRIo64, said->tmpfs_mode);
	if (!size || !mode)
		r = -ENOMEM;
	/* 0 is no limit, for tmpfs as for Docker. */
	if (r == 0 && said->has_tmpfs_bytes && said->tmpfs_bytes)
		r = string_list_add(&request->options, size);
	if (r == 0 && said->has_tmpfs_mode)
		r = string_list_add(&request->options, mode);
	return r < 0 ? error_set(error, r, "cannot take a mount") : 0;
}

static int request_make(struct said *said, struct mount_request *request, struct error *error)
{
	const char *type = said->type ? said->type : "volume";
	int r = keys_check(said, type, error);

	if (r < 0)
		return r;
	if (!said->target || !*said->target)
		return error_usage(error, "a target is missing");
	request->is_read_only = said->is_read_only;
	r = request_destination(request, said->target, error);
	if (r < 0)
		return r;
	if (!strcmp(type, "bind"))
		return bind_make(said, request, error);
	if (!strcmp(type, "volume"))
		return volume_make(said, request, error);
	if (!strcmp(type, "tmpfs"))
		return tmpfs_make(said, request, error);
	return error_usage(error, "the type is bind, volume or tmpfs, not '%s'", type);
}

int mount_requests_add_mount(struct mount_requests *requests, const char *text, struct error *error)
{
	_cleanup_(mount_request_deinit) struct mount_request request = {};
	_cleanup_free_ char *copy = strdup(text);
	struct said said = {};
	char *rest = copy;
	bool is_bad = false;
	int r = 0;

	if (!copy)
		return error_set(error, -ENOMEM, "cannot take a mount");
	for (char *field = csv_next(&rest, &is_bad); field && r == 0;) {
		r = field_take(&said, field, error);
		if (r == 0)
			field = csv_next(&rest, &is_bad);
	}
	if (r == 0 && is_bad)
		r = error_usage(error, "a quote is out of place");
	if (r == 0)
		r = request_make(&said, &request, error);
	string_list_deinit(&said.labels);
	if (r < 0)
		return error_prefix(error, r, "mount '%s'", text);
	return request_add(requests, &request, error);
}
