/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "tools/layerfs/verbs.h"

static const struct command_option globals[] = {
	{ .name = "store",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct layerfs_globals, store),
	  .argument = "DIR",
	  .help = "the store (default: /var/lib/lamina)",
	  .environment = "LAMINA_STORE" },
};

int layerfs_store_open(const struct command_call *call, struct store *store, enum store_mode mode,
		       struct error *error)
{
	const struct layerfs_globals *options = call->globals;
	_cleanup_free_ char *otherwise = NULL;

	if (options->store && *options->store)
		return store_open(store, options->store, mode, error);
	otherwise = store_default_path();
	if (!otherwise)
		return error_say(error, -ENOENT,
				 "there is no default for the store: use --store or set HOME");
	return store_open(store, otherwise, mode, error);
}

int main(int argc, char *argv[])
{
	/* Each verb's own file has its row of the table. */
	const struct command commands[] = {
		create_command, import_command, copy_command, images_command, inspect_command,
		tag_command,	rmi_command,	rm_command,   mount_command,  umount_command,
	};
	const struct tool tool = {
		.name = "layerfs",
		.summary = "Images, layers, bundles and their overlay mounts.",
		.globals = globals,
		.n_globals = sizeof(globals) / sizeof(globals[0]),
		.globals_bytes = sizeof(struct layerfs_globals),
		.commands = commands,
		.n_commands = sizeof(commands) / sizeof(commands[0]),
	};

	return command_main(&tool, argc, argv);
}
