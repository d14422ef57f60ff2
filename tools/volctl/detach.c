/* SPDX-License-Identifier: MIT */
/* volctl detach: the reverse of attach, for a bundle that is going. */
#include "fs/volume/attach.h"
#include "tools/volctl/verbs.h"

struct detach_options {
	struct string_list bundles;
	bool rm_anonymous;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct detach_options, field)

static const struct command_option options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPTION_LIST,
	  OPTION(bundles),
	  .argument = "BUNDLE",
	  .help = "the bundle (default: those from standard input)" },
	{ .name = "rm-anonymous",
	  .type = OPTION_FLAG,
	  OPTION(rm_anonymous),
	  .help = "remove its volumes that nobody named and nothing else uses" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

static int detach_visit(const struct command_call *call, const char *path, void *argument,
			struct error *error)
{
	const struct volctl_globals *global_options = call->globals;
	const struct detach_options *given = argument;

	return bundle_detach(global_options->store, path,
			     given->rm_anonymous ? BUNDLE_DETACH_RM_ANONYMOUS : 0, NULL, error);
}

static int detach_run(const struct command_call *call, struct error *error)
{
	struct detach_options *given = call->options;

	return volctl_bundles_each(call, &given->bundles, given->nul ? '\0' : '\n', detach_visit,
				   given, error);
}

const struct command detach_command = {
	.name = "detach",
	.summary = "Let go of the volumes of bundles that are to be removed.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct detach_options),
	.run = detach_run,
};
