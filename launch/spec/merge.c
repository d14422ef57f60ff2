/* SPDX-License-Identifier: MIT */
#include "launch/spec/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/trace.h"
#include "launch/spec/environment.h"

#define IMAGE_CONFIG_MAX_BYTES (16 * 1024 * 1024)
#define PASSWD_MAX_BYTES       (16 * 1024 * 1024)

static int image_read(struct spec_container *container, struct error *error)
{
	static const char name[] = "image-config.json";
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = file_read_at(container->bundle_fd, name, IMAGE_CONFIG_MAX_BYTES, &text, &n_bytes);

	/* A bundle that no image made: all comes from the options. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", name);
	r = json_parse(&container->image_document, text, n_bytes, error);
	if (r < 0)
		return error_prefix(error, r, "'%s'", name);
	container->image = json_get(json_root(&container->image_document), "config");
	if (json_exists(container->image) && json_type(container->image) != JSON_OBJECT)
		return error_say(error, -EBADMSG, "'%s': 'config' is %s, not an object", name,
				 json_type_name(json_type(container->image)));
	return 0;
}

/* A string of the image's config; "" where it has none. */
static int image_string(const struct spec_container *container, const char *key,
			const char **ret_string, struct error *error)
{
	struct json_value value = json_get(container->image, key);

	*ret_string = json_string_or(value, "");
	if (json_exists(value) && json_type(value) != JSON_STRING)
		return error_say(error, -EBADMSG, "the image's config: '%s' is %s, not a string",
				 key, json_type_name(json_type(value)));
	return 0;
}

static int image_list(const struct spec_container *container, const char *key,
		      struct string_list *list, struct error *error)
{
	struct json_value value = json_get(container->image, key);

	if (json_exists(value) && json_type(value) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the image's config: '%s' is %s, not an array",
				 key, json_type_name(json_type(value)));
	JSON_FOR_EACH (element, value) {
		const char *string = json_string(element);

		if (!string)
			return error_say(error, -EBADMSG,
					 "the image's config: '%s' has %s in it, not a string", key,
					 json_type_name(json_type(element)));
		if (string_list_add(list, string) < 0)
			return error_set(error, -ENOMEM, "cannot read the image's config");
	}
	return 0;
}

/*
 * An entrypoint asked for takes the image's Cmd away too; an empty one is none. A command takes
 * only the Cmd's place.
 */
static int command_merge(struct spec_container *container, struct error *error)
{
	const char *entrypoint = container->request->options->entrypoint;
	char *const *command = container->request->command;
	int r = 0;

	if (entrypoint && *entrypoint)
		r = string_list_add(&container->entrypoint, entrypoint);
	else if (!entrypoint)
		r = image_list(container, "Entrypoint", &container->entrypoint, error);
	if (r < 0)
		return r == -ENOMEM ? error_set(error, r, "cannot take the command") : r;
	if (command[0]) {
		for (; *command && r == 0; command++)
			r = string_list_add(&container->command, *command);
		if (r < 0)
			return error_set(error, r, "cannot take the command");
	} else if (!entrypoint) {
		r = image_list(container, "Cmd", &container->command, error);
		if (r < 0)
			return r;
	}
	if (container->entrypoint.n_items + container->command.n_items == 0)
		return error_say(error, -EINVAL,
				 "no command: the image has none, and none was "
				 "given");
	return 0;
}

static int hostname_choose(struct spec_container *container, struct error *error)
{
	const char *asked = container->request->options->hostname;
	struct utsname host;

	if (asked && *asked) {
		snprintf(container->hostname, sizeof(container->hostname), "%s", asked);
	} else if (container->request->network.kind == SPEC_NETWORK_HOST) {
		if (uname(&host) < 0)
			return error_set(error, -errno, "cannot ask for the host's name");
		snprintf(container->hostname, sizeof(container->hostname), "%s", host.nodename);
	} else {
		snprintf(container->hostname, sizeof(container->hostname), "%.12s", container->id);
	}
	return 0;
}

/* Go's filepath.Clean() of an absolute path: what Docker makes of --workdir. */
static char *path_clean(const char *path)
{
	_cleanup_buffer_ struct buffer buffer = {};

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2)) {
			while (buffer.n_bytes > 0 && buffer.bytes[--buffer.n_bytes] != '/')
				;
		} else if (n > 0 && !(n == 1 && *path == '.')) {
			buffer_add_char(&buffer, '/');
			buffer_add(&buffer, path, n);
		}
		path += n + (path[n] == '/');
	}
	if (buffer.n_bytes == 0)
		buffer_add_char(&buffer, '/');
	if (buffer_status(&buffer) < 0)
		return NULL;
	buffer.bytes[buffer.n_bytes] = '\0';
	return take_ptr(buffer.bytes);
}

static int directory_merge(struct spec_container *container, struct error *error)
{
	const char *asked = container->request->options->workdir;
	const char *directory;
	int r = image_string(container, "WorkingDir", &directory, error);

	if (r < 0)
		return r;
	container->working_directory = path_clean(asked ? asked : directory);
	return container->working_directory ? 0
					    : error_set(error, -ENOMEM, "cannot take a directory");
}

/* The text of a file of the bundle, NULL where there is none. */
static int text_read(const struct spec_container *container, const char *name, char **ret_text,
		     struct error *error)
{
	int r = file_read_at(container->bundle_fd, name, PASSWD_MAX_BYTES, ret_text, NULL);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? error_set(error, r, "cannot read '%s'", name) : 0;
}

static int user_merge(struct spec_container *container, struct error *error)
{
	const struct spec_options *options = container->request->options;
	_cleanup_free_ char *passwd = NULL;
	_cleanup_free_ char *group = NULL;
	int r = image_string(container, "User", &container->user, error);

	if (r < 0)
		return r;
	if (options->user && *options->user)
		container->user = options->user;
	r = text_read(container, "passwd", &passwd, error);
	if (r == 0)
		r = text_read(container, "group", &group, error);
	if (r < 0)
		return r;
	return user_resolve(container->user, &options->group_add, passwd, group, &container->ids,
			    error);
}

/* PATH, HOSTNAME and TERM, then Config.Env over them; HOME as runc sets it, from passwd. */
static int environment_merge(struct spec_container *container, struct error *error)
{
	const struct spec_request *request = container->request;
	struct string_list *out = &container->process_environment;
	char hostname[sizeof(container->hostname) + 10];
	_cleanup_free_ char *home = NULL;
	const char *present;
	int r = 0;

	STRING_LIST_FOR_EACH (&request->environment, i) {
		if (r == 0)
			r = string_list_add(&container->environment, request->environment.items[i]);
	}
	if (r == 0) {
		r = environment_add_image(&container->environment,
					  json_get(container->image, "Env"), error);
		if (r < 0)
			return r;
	}
	snprintf(hostname, sizeof(hostname), "HOSTNAME=%s", container->hostname);
	if (r == 0)
		r = string_list_add(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
					 "/sbin:/bin");
	if (r == 0)
		r = string_list_add(out, hostname);
	if (r == 0 && request->options->tty)
		r = string_list_add(out, "TERM=xterm");
	for (size_t i = 0; r == 0 && i < container->environment.n_items; i++)
		r = environment_set(out, container->environment.items[i]);
	present = environment_get(out, "HOME");
	if (r == 0 && (!present || !*present)) {
		home = string_format("HOME=%s", container->ids.home ? container->ids.home : "/");
		r = home ? environment_set(out, home) : -ENOMEM;
	}
	return r < 0 ? error_set(error, r, "cannot merge environments") : 0;
}

int spec_container_merge(struct spec_container *container, struct error *error)
{
	int r = image_read(container, error);

	if (r == 0)
		r = command_merge(container, error);
	if (r == 0)
		r = hostname_choose(container, error);
	if (r == 0)
		r = directory_merge(container, error);
	if (r == 0)
		r = user_merge(container, error);
	if (r == 0)
		r = environment_merge(container, error);
	if (r == 0)
		r = bundle_mounts_read(container->bundle_fd, &container->mounts, error);
	return r;
}

void spec_container_deinit(struct spec_container *container)
{
	TRACE_PHASE("bundle.close");

	cleanup_close(&container->bundle_fd);
	cleanup_close(&container->lock_fd);
	free(container->path);
	free(container->working_directory);
	json_document_deinit(&container->image_document);
	spec_user_deinit(&container->ids);
	string_list_deinit(&container->environment);
	string_list_deinit(&container->process_environment);
	string_list_deinit(&container->entrypoint);
	string_list_deinit(&container->command);
	bundle_mounts_deinit(&container->mounts);
}
