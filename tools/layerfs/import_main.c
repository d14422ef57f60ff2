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

#include "base/cleanup.h"
#include "base/command.h"
#include "base/text.h"
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
	  .help = "print digests only, and no progress" },
	{ .name = "progress",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct import_arguments, progress),
	  .argument = "auto|plain|json|none",
	  .help = "how to show the progress on standard error" },
};

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
	int r;

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
