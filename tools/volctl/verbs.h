/* SPDX-License-Identifier: MIT */
/*
 * The verbs of volctl, a file each.
 */
#pragma once

#include "base/command.h"
#include "fs/store.h"

/* The tool's own options, on either side of the verb: call->globals. */
struct volctl_globals {
	const char *store;
};

/** volctl_store_open() - the store that --store, LAMINA_STORE or the default names */
int volctl_store_open(const struct command_call *call, struct store *store, struct error *error);

/** volctl_fail() - tell an error of one of several objects on standard error, and clear it */
void volctl_fail(const struct command_call *call, struct error *error);

/**
 * volctl_bundles_each() - call @visit with each bundle of --bundle, or of standard input where that
 * isn't given, and print those that succeeded, at once
 *
 * Return: 0, 1 (some failed, as told on standard error) or a negative errno.
 */
int volctl_bundles_each(const struct command_call *call, const struct string_list *bundles,
			char separator,
			int (*visit)(const struct command_call *call, const char *path,
				     void *argument, struct error *error),
			void *argument, struct error *error);

extern const struct command attach_command;
extern const struct command create_command;
extern const struct command detach_command;
extern const struct command inspect_command;
extern const struct command ls_command;
extern const struct command prune_command;
extern const struct command rm_command;
