/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/stream.h"
#include "tools/volctl/verbs.h"

static const struct command_option globals[] = {
	{ .name = "store",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct volctl_globals, store),
	  .argument = "DIR",
	  .help = "the store (default: /var/lib/lamina)",
	  .environment = "LAMINA_STORE" },
};

int volctl_store_open(const struct command_call *call, struct store *store, struct error *error)
{
	const struct volctl_globals *options = call->globals;
	_cleanup_free_ char *otherwise = NULL;

	if (options->store && *options->store)
		return store_open(store, options->store, STORE_USE, error);
	otherwise = store_default_path();
	if (!otherwise)
		return error_say(error, -ENOENT,
				 "there is no default for the store: use --store or set HOME");
	return store_open(store, otherwise, STORE_USE, error);
}

void volctl_fail(const struct command_call *call, struct error *error)
{
	fprintf(stderr, "%s: %s: %s\n", call->tool->name, call->command->name, error->message);
	error_init(error);
}

struct visitor {
	const struct command_call *call;
	int (*visit)(const struct command_call *call, const char *path, void *argument,
		     struct error *error);
	void *argument;
	char separator;
	bool failed;
};

static int bundle_visit(struct visitor *visitor, const char *path, struct error *error)
{
	int r = visitor->visit(visitor->call, path, visitor->argument, error);

	if (r < 0) {
		volctl_fail(visitor->call, error);
		visitor->failed = true;
		return 0;
	}
	r = path_stream_write(STDOUT_FILENO, path, visitor->separator);
	return r < 0 ? error_set(error, r, "cannot write the output") : 0;
}

int volctl_bundles_each(const struct command_call *call, const struct string_list *bundles,
			char separator,
			int (*visit)(const struct command_call *call, const char *path,
				     void *argument, struct error *error),
			void *argument, struct error *error)
{
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator = separator };
	struct visitor visitor = { call, visit, argument, separator, false };
	const char *path;
	int r = 0;

	for (size_t i = 0; i < bundles->n_items && r == 0; i++)
		r = bundle_visit(&visitor, bundles->items[i], error);
	while (bundles->n_items == 0 && r == 0 && (r = path_stream_next(&stream, &path, error)) > 0)
		r = bundle_visit(&visitor, path, error);
	return r < 0 ? r : visitor.failed;
}

int main(int argc, char *argv[])
{
	/* Each verb's own file has its row of the table. */
	const struct command commands[] = {
		attach_command, create_command, detach_command, inspect_command,
		ls_command,	prune_command,	rm_command,
	};
	const struct tool tool = {
		.name = "volctl",
		.summary = "Volumes: named directories that outlive the containers that use them.",
		.globals = globals,
		.n_globals = sizeof(globals) / sizeof(globals[0]),
		.globals_bytes = sizeof(struct volctl_globals),
		.commands = commands,
		.n_commands = sizeof(commands) / sizeof(commands[0]),
	};

	return command_main(&tool, argc, argv);
}
