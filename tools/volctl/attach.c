/* SPDX-License-Identifier: MIT */
/* volctl attach: volumes, binds and tmpfs mounts for a bundle. */
#include "fs/volume/attach.h"
#include "tools/volctl/verbs.h"

struct attach_options {
	struct string_list bundles, volumes, mounts, tmpfs;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct attach_options, field)

static const struct command_option options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPTION_LIST,
	  OPTION(bundles),
	  .argument = "BUNDLE",
	  .help = "the bundle (default: those from standard input)" },
	{ .name = "volume",
	  .letter = 'v',
	  .type = OPTION_LIST,
	  OPTION(volumes),
	  .argument = "[NAME|DIR:]PATH[:OPTS]",
	  .help = "mount a volume or a host directory on PATH (ro, nocopy, rslave, ...)" },
	{ .name = "mount",
	  .type = OPTION_LIST,
	  OPTION(mounts),
	  .argument = "KEY=VALUE,...",
	  .help = "the same, or a tmpfs, in words: type=, source=, target=, readonly, ..." },
	{ .name = "tmpfs",
	  .type = OPTION_LIST,
	  OPTION(tmpfs),
	  .argument = "PATH[:OPTS]",
	  .help = "mount a new tmpfs on PATH (size=64m, mode=1777, exec, ...)" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

static int requests_parse(const struct attach_options *given, struct mount_requests *requests,
			  struct error *error)
{
	const struct {
		const struct string_list *texts;
		int (*add)(struct mount_requests *, const char *, struct error *);
	} kinds[] = { { &given->volumes, mount_requests_add_volume },
		      { &given->mounts, mount_requests_add_mount },
		      { &given->tmpfs, mount_requests_add_tmpfs } };

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		STRING_LIST_FOR_EACH (kinds[kind].texts, i) {
			int r = kinds[kind].add(requests, kinds[kind].texts->items[i], error);

			if (r < 0)
				return r;
		}
	}
	return mount_requests_settle(requests, error);
}

static int attach_visit(const struct command_call *call, const char *path, void *argument,
			struct error *error)
{
	const struct volctl_globals *global_options = call->globals;

	return bundle_attach(global_options->store, path, argument, error);
}

static int attach_run(const struct command_call *call, struct error *error)
{
	const struct attach_options *given = call->options;
	_cleanup_mount_requests_ struct mount_requests requests = {};
	int r = requests_parse(given, &requests, error);

	if (r < 0)
		return r;
	return volctl_bundles_each(call, &given->bundles, given->nul ? '\0' : '\n', attach_visit,
				   &requests, error);
}

const struct command attach_command = {
	.name = "attach",
	.summary = "Attach volumes, host directories and tmpfs mounts to bundles.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct attach_options),
	.run = attach_run,
};
