/* SPDX-License-Identifier: MIT */
/*
 * nslaunch mounts: mounts added to a container that runs, and removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "launch/config/mount.h"
#include "launch/mount_running.h"
#include "launch/self.h"
#include "tools/nslaunch/container.h"

/* A mount that was asked for, and the text that it borrows from. */
struct wanted {
	struct json_document *documents;
	size_t n_documents;
	struct config_mount *mounts;
	size_t n_mounts;
};

static void wanted_deinit(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n_mounts; i++)
		config_mount_deinit(&wanted->mounts[i]);
	for (size_t i = 0; i < wanted->n_documents; i++)
		json_document_deinit(&wanted->documents[i]);
	free(wanted->mounts);
	free(wanted->documents);
}

static int mount_add(struct wanted *wanted, struct json_value value, struct error *error)
{
	struct config_mount *more =
		realloc(wanted->mounts, (wanted->n_mounts + 1) * sizeof(*wanted->mounts));

	if (!more)
		return error_set(error, -ENOMEM, "cannot mount");
	wanted->mounts = more;
	wanted->mounts[wanted->n_mounts] = (struct config_mount){};
	return config_mount_parse(&wanted->mounts[wanted->n_mounts++], value, error);
}

/* SOURCE:DESTINATION[:OPTION[,OPTION...]] as an element of config.json's `mounts`. */
static int short_to_json(const char *text, struct json_document *document, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *source, *destination, *option;
	int r;

	if (!copy)
		return error_set(error, -ENOMEM, "cannot mount");
	source = strsep(&rest, ":");
	destination = strsep(&rest, ":");
	if (!*source || !destination || !*destination)
		return error_usage(error, "'%s' is not SOURCE:DESTINATION[:OPTIONS]", text);
	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "destination", destination);
	json_write_string(&writer, "source", source);
	json_write_string(&writer, "type", "bind");
	json_write_array_begin(&writer, "options");
	json_write_string(&writer, NULL, "rbind");
	while ((option = strsep(&rest, ",")))
		json_write_string(&writer, NULL, option);
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	r = json_writer_status(&writer);
	return r < 0 ? error_set(error, r, "cannot mount")
		     : json_parse(document, writer.buffer.bytes, writer.buffer.n_bytes, error);
}

/* A file has an array of mounts, or an object with one, as config.json is. */
static int file_add(struct wanted *wanted, const struct json_document *document, const char *path,
		    struct error *error)
{
	struct json_value array = json_root(document);

	if (json_type(array) == JSON_OBJECT)
		array = json_get(array, "mounts");
	if (json_type(array) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'%s' has no array of mounts", path);
	JSON_FOR_EACH (element, array) {
		int r = mount_add(wanted, element, error);

		if (r < 0)
			return error_prefix(error, r, "'%s'", path);
	}
	return 0;
}

static bool is_file(const char *argument, bool remove)
{
	size_t n = strlen(argument);

	return remove ? n > 5 && !strcmp(argument + n - 5, ".json") : !strchr(argument, ':');
}

static int argument_add(struct wanted *wanted, const char *argument, bool remove,
			struct error *error)
{
	struct json_document *document = &wanted->documents[wanted->n_documents++];
	int r;

	if (is_file(argument, remove)) {
		r = json_parse_file_at(document, AT_FDCWD, argument, CONFIG_MAX_BYTES, error);
		return r < 0 ? r : file_add(wanted, document, argument, error);
	}
	r = short_to_json(argument, document, error);
	return r < 0 ? r : mount_add(wanted, json_root(document), error);
}

static int container_live_open(const struct command_call *call, struct state *state,
			       struct state_record *record, struct error *error)
{
	enum state_status status;
	int fd, r = container_open(call, call->argv[1], true, state, record, error);

	if (r < 0)
		return r;
	status = state_status(state, record);
	if (status != STATE_RUNNING && status != STATE_CREATED)
		return error_say(error, -EINVAL, "container not running: '%s' is %s", state->id,
				 state_status_name(status));
	fd = state_process_open(record);
	return fd < 0 ? error_set(error, fd, "container '%s'", state->id) : fd;
}

static int mounts_add(const struct command_call *call, int pidfd, struct error *error)
{
	_cleanup_(wanted_deinit) struct wanted wanted = {
		.documents = calloc((size_t)call->argc, sizeof(*wanted.documents)),
	};
	int r = wanted.documents ? 0 : error_set(error, -ENOMEM, "cannot mount");

	for (int i = 2; r == 0 && i < call->argc; i++)
		r = argument_add(&wanted, call->argv[i], false, error);
	return r < 0 ? r
		     : mount_running_add(pidfd, wanted.mounts, wanted.n_mounts, ".", NULL, error);
}

static int destinations_take(const struct command_call *call, struct wanted *wanted,
			     struct string_list *list, struct error *error)
{
	int r = 0;

	for (int i = 2; r == 0 && i < call->argc; i++) {
		size_t n_before = wanted->n_mounts;

		if (!is_file(call->argv[i], true)) {
			r = string_list_add(list, call->argv[i]);
			continue;
		}
		r = argument_add(wanted, call->argv[i], true, error);
		if (r < 0)
			return r;
		/* What was mounted last may lie on the others. */
		for (size_t k = wanted->n_mounts; r == 0 && k > n_before; k--)
			r = string_list_add(list, wanted->mounts[k - 1].destination);
	}
	return r < 0 ? error_set(error, r, "cannot unmount") : 0;
}

static int mounts_remove(const struct command_call *call, int pidfd, struct error *error)
{
	_cleanup_(wanted_deinit) struct wanted wanted = {
		.documents = calloc((size_t)call->argc, sizeof(*wanted.documents)),
	};
	_cleanup_strings_ struct string_list list = {};
	int r = wanted.documents ? destinations_take(call, &wanted, &list, error)
				 : error_set(error, -ENOMEM, "cannot unmount");

	return r < 0 ? r : mount_running_remove(pidfd, list.items, list.n_items, error);
}

int verb_mounts(const struct command_call *call, struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	_cleanup_close_ int pidfd = -EBADF;
	bool remove = !strcmp(call->argv[0], "remove");
	int r;

	if (!remove && strcmp(call->argv[0], "add"))
		return error_usage(error, "say add or remove, not '%s'", call->argv[0]);
	r = self_protect(call->process_argv, error);
	if (r < 0)
		return r;
	pidfd = container_live_open(call, &state, &record, error);
	if (pidfd < 0)
		return pidfd;
	r = remove ? mounts_remove(call, pidfd, error) : mounts_add(call, pidfd, error);
	return r < 0 && !error->usage ? error_prefix(error, r, "container '%s'", state.id) : r;
}
