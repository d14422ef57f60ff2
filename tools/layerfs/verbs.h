/* SPDX-License-Identifier: MIT */
/*
 * The verbs of layerfs, a file each.
 */
#pragma once

#include "base/command.h"
#include "fs/store.h"

/* The tool's own options, on either side of the verb: call->globals. */
struct layerfs_globals {
	const char *store;
};

/** layerfs_store_open() - the store that --store, LAMINA_STORE or the default names */
int layerfs_store_open(const struct command_call *call, struct store *store, enum store_mode mode,
		       struct error *error);

extern const struct command create_command;
extern const struct command images_command;
extern const struct command import_command;
extern const struct command copy_command;
extern const struct command inspect_command;
extern const struct command rmi_command;
extern const struct command tag_command;
extern const struct command rm_command;
extern const struct command mount_command;
extern const struct command umount_command;
