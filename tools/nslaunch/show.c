/* SPDX-License-Identifier: MIT */
/*
 * nslaunch state and list: what containers there are, and how they are.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/table.h"
#include "launch/config/config.h"
#include "tools/nslaunch/container.h"

#define FIELD(field) offsetof(struct list_options, field)

const struct command_option list_options[] = {
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = FIELD(quiet),
	  .help = "ids only" },
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = FIELD(json),
	  .help = "a JSON object a line" },
	{ .name = "format",
	  .letter = 'f',
	  .type = OPTION_STRING,
	  .offset = FIELD(format),
	  .argument = "table|json",
	  .help = "as runc's: json is one array" },
};

/* As runc: the host's name of the user, or "#" and the number. */
static const char *owner_name(uid_t uid)
{
	static char number[16];
	const struct passwd *user = uid == 0 ? NULL : getpwuid(uid);

	snprintf(number, sizeof(number), "#%u", uid);
	return uid == 0 ? "root" : user ? user->pw_name : number;
}

/* The OCI runtime spec's state (runtime.md, "State"), and what runc adds to it. */
static void record_write(struct json_writer *writer, const struct state *state,
			 const struct state_record *record)
{
	enum state_status status = container_status(state, record);

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "ociVersion", OCI_VERSION_MAX);
	json_write_string(writer, "id", state->id);
	json_write_int(writer, "pid", status == STATE_STOPPED ? 0 : record->pid);
	json_write_string(writer, "status", state_status_name(status));
	json_write_string(writer, "bundle", record->bundle);
	json_write_string(writer, "rootfs", record->rootfs);
	json_write_string(writer, "created", record->created);
	if (record->annotations)
		json_write_raw(writer, "annotations", record->annotations,
			       strlen(record->annotations));
	json_write_string(writer, "owner", owner_name(record->owner));
	json_write_object_end(writer);
}

static int writer_print(const struct json_writer *writer, struct error *error)
{
	int r = json_writer_status(writer);

	if (r < 0)
		return error_set(error, r, "cannot print");
	fwrite(writer->buffer.bytes, 1, writer->buffer.n_bytes, stdout);
	putchar('\n');
	return 0;
}

int verb_state(const struct command_call *call, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	int r = container_open(call, call->argv[0], false, &state, &record, error);

	if (r < 0)
		return r;
	record_write(&writer, &state, &record);
	return writer_print(&writer, error);
}

struct listing {
	const struct list_options *options;
	bool is_array;
	struct json_writer writer;
	struct table table;
};

static int row_add(struct listing *listing, const struct state *state,
		   const struct state_record *record, bool is_creating)
{
	enum state_status status = is_creating ? STATE_CREATING : container_status(state, record);
	char pid[16];
	int r;

	snprintf(pid, sizeof(pid), "%d", status == STATE_STOPPED ? 0 : (int)record->pid);
	r = table_add(&listing->table, state->id);
	if (r == 0)
		r = table_add(&listing->table, pid);
	if (r == 0)
		r = table_add(&listing->table, state_status_name(status));
	if (r == 0)
		r = table_add(&listing->table, record->bundle);
	if (r == 0)
		r = table_add(&listing->table, record->created);
	return r == 0 ? table_add(&listing->table, is_creating ? "" : owner_name(record->owner))
		      : r;
}

static int container_list(const char *state_path, const char *id, struct listing *listing,
			  struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	int r = state_open(&state, state_path, id, false, error);

	/* Gone since the directory was read. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = state_read(&state, &record, error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (listing->options->quiet) {
		printf("%s\n", state.id);
		return 0;
	}
	if (!listing->options->json && !listing->is_array) {
		r = row_add(listing, &state, &record, r == -ENOENT);
		return r < 0 ? error_set(error, r, "cannot list") : 0;
	}
	if (r == -ENOENT)
		return 0;
	record_write(&listing->writer, &state, &record);
	if (listing->is_array)
		return 0;
	r = writer_print(&listing->writer, error);
	listing->writer.buffer.n_bytes = 0;
	listing->writer.comma = false;
	return r;
}

/* One that can't be read doesn't hide the others: its error is told at the end. */
static int containers_list(const char *state_path, struct listing *listing, struct error *error)
{
	_cleanup_strings_ struct string_list ids = {};
	int r = state_list(state_path, &ids, error);
	int unread = 0;

	if (r < 0)
		return r;

	if (listing->is_array)
		json_write_array_begin(&listing->writer, NULL);
	STRING_LIST_FOR_EACH (&ids, i) {
		struct error *its_error = unread == 0 ? error : &(struct error){};

		r = container_list(state_path, ids.items[i], listing, its_error);
		if (r < 0 && unread == 0)
			unread = error_prefix(error, r, "container '%s'", ids.items[i]);
	}
	r = 0;
	if (listing->is_array) {
		json_write_array_end(&listing->writer);
		r = writer_print(&listing->writer, error);
	} else if (!listing->options->quiet && !listing->options->json) {
		r = table_print(&listing->table, stdout, isatty(STDOUT_FILENO));
		if (r < 0)
			error_set(error, r, "cannot print");
	}
	return r < 0 ? r : unread;
}

int verb_list(const struct command_call *call, struct error *error)
{
	static const char *const columns[] = {
		"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"
	};
	const struct list_options *options = call->options;
	struct listing listing = { .options = options,
				   .table = { .columns = columns, .n_columns = 6 } };
	const char *state_path = container_state_path(call, error);
	int r;

	if (!state_path)
		return error->code;
	if (options->format && strcmp(options->format, "table") && strcmp(options->format, "json"))
		return error_usage(error, "option '--format' is table or json, not '%s'",
				   options->format);
	listing.is_array = !options->quiet && options->format && !strcmp(options->format, "json");
	r = containers_list(state_path, &listing, error);
	json_writer_deinit(&listing.writer);
	table_deinit(&listing.table);
	return r;
}
