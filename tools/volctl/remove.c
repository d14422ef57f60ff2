/* SPDX-License-Identifier: MIT */
/* volctl rm and prune */
#include <errno.h>
#include <stdio.h>

#include "fs/volume/volume.h"
#include "tools/volctl/verbs.h"

struct rm_options {
	bool force;
};

static const struct command_option rm_options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct rm_options, force),
	  .help = "a volume that isn't there is no error" },
};

static int rm_run(const struct command_call *call, struct error *error)
{
	const struct rm_options *given = call->options;
	_cleanup_store_ struct store store = STORE_EMPTY;
	bool failed = false;
	int r = volctl_store_open(call, &store, error);

	if (r < 0)
		return r;
	for (int i = 0; i < call->argc; i++) {
		r = volume_remove(&store, call->argv[i], error);
		if (r == 0) {
			puts(call->argv[i]);
		} else if (r == -ENOENT && given->force) {
			error_init(error);
		} else {
			volctl_fail(call, error);
			failed = true;
		}
	}
	return failed;
}

const struct command rm_command = {
	.name = "rm",
	.arguments = "NAME...",
	.summary = "Remove volumes that no container uses.",
	.options = rm_options,
	.n_options = sizeof(rm_options) / sizeof(rm_options[0]),
	.options_bytes = sizeof(struct rm_options),
	.min_arguments = 1,
	.max_arguments = -1,
	.run = rm_run,
};

struct prune_options {
	bool all;
	bool force; /* accepted, means nothing */
};

static const struct command_option prune_options[] = {
	{ .name = "all",
	  .letter = 'a',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct prune_options, all),
	  .help = "those that have a name, too" },
	/* Docker asks whether one is sure; a pipeline can't answer. */
	{ .name = "force",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct prune_options, force) },
};

static bool is_prunable(const struct store *store, const char *name, bool all)
{
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;

	return all || (volume_open(store, name, false, &volume, NULL) == 0 &&
		       volume_is_anonymous(&volume));
}

static int prune_run(const struct command_call *call, struct error *error)
{
	const struct prune_options *given = call->options;
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_strings_ struct string_list names = {};
	bool failed = false;
	int r = volctl_store_open(call, &store, error);

	if (r == 0)
		r = volumes_list(&store, &names, error);
	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&names, i) {
		if (!is_prunable(&store, names.items[i], given->all))
			continue;
		r = volume_remove(&store, names.items[i], error);
		if (r == 0) {
			puts(names.items[i]);
		} else if (r == -EBUSY || r == -ENOENT) {
			error_init(error);
		} else {
			volctl_fail(call, error);
			failed = true;
		}
	}
	return failed;
}

const struct command prune_command = {
	.name = "prune",
	.summary = "Remove every volume that nobody named and no container uses.",
	.options = prune_options,
	.n_options = sizeof(prune_options) / sizeof(prune_options[0]),
	.options_bytes = sizeof(struct prune_options),
	.run = prune_run,
};
