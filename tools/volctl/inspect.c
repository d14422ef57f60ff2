/* SPDX-License-Identifier: MIT */
/* volctl inspect and ls */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/table.h"
#include "fs/volume/volume.h"
#include "tools/volctl/verbs.h"

#define VOLUME_JSON_MAX_BYTES (1u << 20)

/* What is known of one volume. */
struct facts {
	struct volume volume;
	struct json_document description;
	struct string_list users;
	char *mountpoint;
};

static void facts_deinit(struct facts *facts)
{
	volume_close(&facts->volume);
	json_document_deinit(&facts->description);
	string_list_deinit(&facts->users);
	free(facts->mountpoint);
}

static int facts_read(const struct store *store, const char *name, struct facts *facts,
		      struct error *error)
{
	int r = volume_open(store, name, false, &facts->volume, error);

	if (r == 0)
		r = json_parse_file_at(&facts->description, facts->volume.fd, "volume.json",
				       VOLUME_JSON_MAX_BYTES, error);
	if (r == 0)
		r = volume_users(store, &facts->volume, &facts->users, error);
	if (r < 0)
		return r;
	facts->mountpoint = string_format("%s/volumes/%s/_data", store->path, name);
	return facts->mountpoint ? 0 : error_set(error, -ENOMEM, "volume '%s'", name);
}

/* Docker's fields in Docker's order, and who uses it. */
static void facts_write(const struct facts *facts, struct json_writer *writer)
{
	struct json_value description = json_root(&facts->description);

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "CreatedAt",
			  json_string_or(json_get(description, "CreatedAt"), ""));
	json_write_string(writer, "Driver", "local");
	json_write_value(writer, "Labels", json_get(description, "Labels"));
	json_write_string(writer, "Mountpoint", facts->mountpoint);
	json_write_string(writer, "Name", facts->volume.name);
	json_write_string(writer, "Options", NULL);
	json_write_string(writer, "Scope", "local");
	json_write_array_begin(writer, "UsedBy");
	STRING_LIST_FOR_EACH (&facts->users, i)
		json_write_string(writer, NULL, facts->users.items[i]);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static int output_write(struct json_writer *writer, struct error *error)
{
	buffer_add_char(&writer->buffer, '\n');
	if (json_writer_status(writer) < 0)
		return error_set(error, -ENOMEM, "cannot make the output");
	fwrite(writer->buffer.bytes, 1, writer->buffer.n_bytes, stdout);
	return 0;
}

static int inspect_run(const struct command_call *call, struct error *error)
{
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_json_writer_ struct json_writer writer = {};
	bool failed = false;
	int r = volctl_store_open(call, &store, error);

	if (r < 0)
		return r;
	json_write_array_begin(&writer, NULL);
	for (int i = 0; i < call->argc; i++) {
		_cleanup_(facts_deinit) struct facts facts = { .volume = VOLUME_EMPTY };

		r = facts_read(&store, call->argv[i], &facts, error);
		if (r == 0) {
			facts_write(&facts, &writer);
		} else {
			volctl_fail(call, error);
			failed = true;
		}
	}
	json_write_array_end(&writer);
	r = output_write(&writer, error);
	return r < 0 ? r : failed;
}

const struct command inspect_command = {
	.name = "inspect",
	.arguments = "NAME...",
	.summary = "Print what is known of volumes, as JSON of Docker's shape.",
	.min_arguments = 1,
	.max_arguments = -1,
	.run = inspect_run,
};

struct ls_options {
	bool quiet;
	bool json;
};

static const struct command_option ls_options[] = {
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct ls_options, quiet),
	  .help = "only the names" },
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct ls_options, json),
	  .help = "what inspect says of each, a line each" },
};

static const char *const ls_columns[] = { "VOLUME NAME", "CREATED", "CONTAINERS", "MOUNTPOINT" };

static int row_add(const struct facts *facts, struct table *table)
{
	char n_users[24];
	int r;

	snprintf(n_users, sizeof(n_users), "%zu", facts->users.n_items);
	r = table_add(table, facts->volume.name);
	if (r == 0)
		r = table_add(
			table,
			json_string_or(json_get(json_root(&facts->description), "CreatedAt"), ""));
	if (r == 0)
		r = table_add(table, n_users);
	return r == 0 ? table_add(table, facts->mountpoint) : r;
}

/* A volume that goes while it is looked at is left out. */
static int volume_show(const struct store *store, const char *name, const struct ls_options *given,
		       struct table *table, struct error *error)
{
	_cleanup_(facts_deinit) struct facts facts = { .volume = VOLUME_EMPTY };
	int r = facts_read(store, name, &facts, error);

	if (r == -ENOENT) {
		error_init(error);
		return 0;
	}
	if (r < 0)
		return r;
	if (given->json) {
		_cleanup_json_writer_ struct json_writer writer = {};

		facts_write(&facts, &writer);
		return output_write(&writer, error);
	}
	r = row_add(&facts, table);
	return r < 0 ? error_set(error, r, "cannot make the output") : 0;
}

static int ls_run(const struct command_call *call, struct error *error)
{
	const struct ls_options *given = call->options;
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_strings_ struct string_list names = {};
	_cleanup_table_ struct table table = { .columns = ls_columns, .n_columns = 4 };
	bool failed = false;
	int r = volctl_store_open(call, &store, error);

	if (r == 0)
		r = volumes_list(&store, &names, error);
	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&names, i) {
		if (given->quiet && !given->json) {
			puts(names.items[i]);
			continue;
		}
		r = volume_show(&store, names.items[i], given, &table, error);
		if (r < 0) {
			volctl_fail(call, error);
			failed = true;
		}
	}
	if (!given->quiet && !given->json)
		r = table_print(&table, stdout, isatty(STDOUT_FILENO));
	else
		r = 0;
	return r < 0 ? error_set(error, r, "cannot write the output") : failed;
}

const struct command ls_command = {
	.name = "ls",
	.summary = "List the volumes.",
	.options = ls_options,
	.n_options = sizeof(ls_options) / sizeof(ls_options[0]),
	.options_bytes = sizeof(struct ls_options),
	.run = ls_run,
};
