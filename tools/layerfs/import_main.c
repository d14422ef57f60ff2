/* SPDX-License-Identifier: MIT */
/*
 * layerfs-import: images from archives and directories into the store. An executable of its own,
 * since it links what a start never needs; `layerfs import` executes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/command.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/trace.h"
#include "fs/layer/import.h"

struct import_globals {
	const char *store;
};

struct import_arguments {
	bool quiet;
	const char *progress;
};

static const struct command_option globals[] = {
	{ .name = "store",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct import_globals, store),
	  .argument = "DIR",
	  .help = "the store (default: /var/lib/lamina)",
	  .environment = "LAMINA_STORE" },
};

static const struct command_option import_options[] = {
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct import_arguments, quiet),
	  .help = "print digests only; no progress, no warnings" },
	{ .name = "progress",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct import_arguments, progress),
	  .argument = "auto|plain|json|none",
	  .help = "how to show the progress on standard error" },
};

/* How it goes on, on standard error. */
enum progress_form { PROGRESS_NONE, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_TERMINAL };

struct progress {
	enum progress_form form;
	uint64_t shown_ns; /* when the terminal's line was drawn last */
};

/* Ten times a second is enough for people. */
#define PROGRESS_INTERVAL_NS 100000000

static int progress_form_of(const char *word, enum progress_form *ret_form, struct error *error)
{
	static const struct {
		const char *word;
		enum progress_form form;
	} forms[] = {
		{ "none", PROGRESS_NONE },
		{ "plain", PROGRESS_PLAIN },
		{ "json", PROGRESS_JSON },
	};

	if (!word || !strcmp(word, "auto")) {
		*ret_form = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_NONE;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!strcmp(word, forms[i].word)) {
			*ret_form = forms[i].form;
			return 0;
		}
	}
	return error_usage(error, "option '--progress' is auto, plain, json or none, not '%s'",
			   word);
}

static void progress_json(const char *layer, uint64_t n_bytes, uint64_t n_total, bool done)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "layer", layer);
	json_write_uint(&writer, "bytes", n_bytes);
	if (n_total != UINT64_MAX)
		json_write_uint(&writer, "total", n_total);
	json_write_bool(&writer, "done", done);
	json_write_object_end(&writer);
	if (json_writer_status(&writer) == 0)
		fprintf(stderr, "%s\n", writer.buffer.bytes);
}

static void progress_layer(void *argument, const char *layer, uint64_t n_bytes, uint64_t n_total,
			   bool done)
{
	struct progress *progress = argument;
	double megabytes = (double)n_bytes / 1e6;
	uint64_t now;

	if (progress->form == PROGRESS_PLAIN && done)
		fprintf(stderr, "%s: %.1f MB\n", layer, megabytes);
	if (progress->form != PROGRESS_TERMINAL && progress->form != PROGRESS_JSON)
		return;
	now = trace_now();
	if (!done && now - progress->shown_ns < PROGRESS_INTERVAL_NS)
		return;
	progress->shown_ns = now;
	if (progress->form == PROGRESS_JSON)
		progress_json(layer, n_bytes, n_total, done);
	else if (done)
		fputs("\r\033[K", stderr);
	else if (n_total != UINT64_MAX && n_total > 0)
		fprintf(stderr, "\r%.19s: %.1f MB, %d%%\033[K", layer, megabytes,
			(int)(100 * n_bytes / n_total));
	else
		fprintf(stderr, "\r%.19s: %.1f MB\033[K", layer, megabytes);
}

static void warnings_print(const struct metadata_warnings *warnings)
{
	size_t n_shown = warnings->messages.n_items;

	for (size_t i = 0; i < n_shown; i++)
		fprintf(stderr, "layerfs: import: warning: %s\n", warnings->messages.items[i]);
	if (warnings->n_warnings > n_shown)
		fprintf(stderr, "layerfs: import: warning: and %zu more like these\n",
			warnings->n_warnings - n_shown);
}

static int import(const struct command_call *call, struct error *error)
{
	const struct import_globals *global = call->globals;
	const struct import_arguments *arguments = call->options;
	_cleanup_(import_result_deinit) struct import_result result = {};
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_free_ char *path = NULL;
	struct import_options options = {
		.source = call->argv[0],
		.source_fd = STDIN_FILENO,
		.name = call->argc > 1 ? call->argv[1] : NULL,
	};
	struct progress progress = {};
	const struct import_progress shown = { progress_layer, &progress };
	int r = progress_form_of(arguments->progress, &progress.form, error);

	if (r < 0)
		return r;
	if (!arguments->quiet && progress.form != PROGRESS_NONE)
		options.progress = &shown;
	umask(0);
	path = global->store && *global->store ? strdup(global->store) : store_default_path();
	if (!path)
		return error_say(error, -ENOENT,
				 "there is no default for the store: use --store or set HOME");
	r = store_open(&store, path, STORE_USE, error);
	if (r < 0)
		return r;
	import_collect(&store);
	r = image_import(&store, &options, &result, error);
	if (r < 0 && progress.form == PROGRESS_TERMINAL)
		fputs("\r\033[K", stderr);
	if (!arguments->quiet)
		warnings_print(&result.warnings);
	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&result.digests, i) {
		const char *names = result.names.items[i];

		puts(*names && !arguments->quiet ? names : result.digests.items[i]);
	}
	return 0;
}

static const struct command commands[] = {
	{ .name = "import",
	  .arguments = "SOURCE [NAME]",
	  .summary = "Import images: from an OCI layout or a docker-archive, a root file system "
		     "(tar or "
		     "directory), or - for standard input.",
	  .options = import_options,
	  .n_options = sizeof(import_options) / sizeof(import_options[0]),
	  .options_bytes = sizeof(struct import_arguments),
	  .min_arguments = 1,
	  .max_arguments = 2,
	  .run = import },
};

static const struct tool tool = {
	.name = "layerfs",
	.summary = "Import images into the store.",
	.globals = globals,
	.n_globals = sizeof(globals) / sizeof(globals[0]),
	.globals_bytes = sizeof(struct import_globals),
	.commands = commands,
	.n_commands = 1,
};

/* To the user this is `layerfs import`, in messages and in help. */
int main(int argc, char *argv[])
{
	_cleanup_free_ char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));

	if (!arguments)
		return 1;
	arguments[0] = (char *)"layerfs";
	arguments[1] = (char *)"import";
	for (int i = 1; i < argc; i++)
		arguments[i + 1] = argv[i];
	return command_main(&tool, argc + (argc > 0), arguments);
}
