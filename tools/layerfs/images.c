/* SPDX-License-Identifier: MIT */
/* layerfs images: list them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/table.h"
#include "tools/layerfs/image_view.h"
#include "tools/layerfs/verbs.h"

/* As many hex digits as Docker shows. */
#define SHORT_ID_BYTES 12

struct images_options {
	bool json;
	bool quiet;
	bool no_trunc;
};

#define OPTION(field) .offset = offsetof(struct images_options, field)

static const struct command_option options[] = {
	{ .name = "json", .type = OPTION_FLAG, OPTION(json), .help = "a JSON object an image" },
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  OPTION(quiet),
	  .help = "print digests only" },
	{ .name = "no-trunc",
	  .type = OPTION_FLAG,
	  OPTION(no_trunc),
	  .help = "whole digests, also on a terminal" },
};

static const char *const columns[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };

struct listing {
	const struct store *store;
	const struct images_options *given;
	const char *wanted; /* a name or repository, or NULL */
	bool for_people;
	struct table table;
};

static void size_format(uint64_t n_bytes, char ret_text[16])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double size = (double)n_bytes;
	size_t i = 0;

	while (size >= 1000 && i + 1 < sizeof(units) / sizeof(units[0])) {
		size /= 1000;
		i++;
	}
	snprintf(ret_text, 16, "%.3g%s", size, units[i]);
}

static void json_print(const struct image_list_entry *entry, const struct image_view *view,
		       struct json_writer *writer)
{
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "Id", entry->digest);
	json_write_string(writer, "ConfigId", view->id);
	json_write_array_begin(writer, "RepoTags");
	STRING_LIST_FOR_EACH (&entry->names, i)
		json_write_string(writer, NULL, entry->names.items[i]);
	json_write_array_end(writer);
	json_write_value(writer, "Created", json_get(json_root(&view->config), "created"));
	json_write_uint(writer, "Size", view->n_bytes);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}

static int row_add(struct listing *listing, const struct image_list_entry *entry,
		   const struct image_view *view, const char *name)
{
	const char *created = json_string_or(json_get(json_root(&view->config), "created"), "");
	const char *tag = name ? strrchr(name, ':') + 1 : "<none>";
	const char *hex = entry->digest + strlen("sha256:");
	char repository[IMAGE_NAME_BYTES] = "<none>", id[DIGEST_TEXT_BYTES], date[32], size[24];
	const char *cells[] = { repository, tag, id, date, size };
	bool truncate = listing->for_people && !listing->given->no_trunc;
	int r = 0;

	if (name)
		snprintf(repository, sizeof(repository), "%.*s", (int)(tag - 1 - name), name);
	snprintf(id, sizeof(id), "%.*s", truncate ? SHORT_ID_BYTES : DIGEST_TEXT_BYTES,
		 truncate ? hex : entry->digest);
	/* RFC 3339 without the parts of a second and the zone: Go writes nine digits of them. */
	snprintf(date, sizeof(date), "%.19s", created);
	if (listing->for_people)
		size_format(view->n_bytes, size);
	else
		snprintf(size, sizeof(size), "%llu", (unsigned long long)view->n_bytes);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]) && r == 0; i++)
		r = table_add(&listing->table, cells[i]);
	return r;
}

/* `busybox` means all tags of it, `busybox:1` the one, as in docker images. */
static bool name_matches(const char *name, const char *wanted)
{
	size_t n = strlen(wanted);

	return !strcmp(name, wanted) || (!strncmp(name, wanted, n) && name[n] == ':');
}

static bool entry_matches(const struct image_list_entry *entry, const char *wanted)
{
	for (size_t i = 0; wanted && i < entry->names.n_items; i++) {
		if (name_matches(entry->names.items[i], wanted))
			return true;
	}
	return !wanted;
}

static int entry_show(struct listing *listing, const struct image_list_entry *entry,
		      const struct image_view *view)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r = 0;

	if (listing->given->json) {
		json_print(entry, view, &writer);
		r = json_writer_status(&writer);
		if (r == 0)
			fputs(writer.buffer.bytes, stdout);
		return r;
	}
	if (entry->names.n_items == 0)
		return row_add(listing, entry, view, NULL);
	for (size_t i = 0; i < entry->names.n_items && r == 0; i++) {
		if (!listing->wanted || name_matches(entry->names.items[i], listing->wanted))
			r = row_add(listing, entry, view, entry->names.items[i]);
	}
	return r;
}

static int entry_list(struct listing *listing, const struct image_list_entry *entry,
		      struct error *error)
{
	_cleanup_image_view_ struct image_view view = {};
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	int r;

	if (!entry_matches(entry, listing->wanted))
		return 0;
	if (listing->given->quiet) {
		puts(entry->digest);
		return 0;
	}
	r = image_open_digest(listing->store, entry->digest, &image);
	if (r < 0)
		return error_set(error, r, "cannot open image %s", entry->digest);
	r = image_view_read(listing->store, &image, &view, error);
	if (r < 0)
		return r;
	r = entry_show(listing, entry, &view);
	return r < 0 ? error_set(error, r, "cannot list image %s", entry->digest) : 0;
}

static int images(const struct command_call *call, struct error *error)
{
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_image_list_ struct image_list list = {};
	struct listing listing = {
		.store = &store,
		.given = call->options,
		.wanted = call->argc > 0 ? call->argv[0] : NULL,
		.for_people = isatty(STDOUT_FILENO),
		.table = { .columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0]) },
	};
	int r = layerfs_store_open(call, &store, STORE_USE, error);

	if (r == 0)
		r = image_list_read(&store, &list, error);
	for (size_t i = 0; i < list.n_entries && r == 0; i++)
		r = entry_list(&listing, &list.entries[i], error);
	if (r == 0 && !listing.given->json && !listing.given->quiet) {
		r = table_print(&listing.table, stdout, listing.for_people);
		if (r < 0)
			error_set(error, r, "cannot write the output");
	}
	table_deinit(&listing.table);
	return r;
}

const struct command images_command = {
	.name = "images",
	.arguments = "[REPOSITORY[:TAG]]",
	.summary = "List images.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct images_options),
	.max_arguments = 1,
	.run = images,
};
