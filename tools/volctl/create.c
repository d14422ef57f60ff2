/* SPDX-License-Identifier: MIT */
/* volctl create */
#include <stdio.h>
#include <string.h>

#include "fs/volume/volume.h"
#include "tools/volctl/verbs.h"

struct create_options {
	struct string_list labels;
	const char *driver;
};

#define OPTION(field) .offset = offsetof(struct create_options, field)

static const struct command_option options[] = {
	{ .name = "label",
	  .type = OPTION_LIST,
	  OPTION(labels),
	  .argument = "KEY[=VALUE]",
	  .help = "what to say about it" },
	{ .name = "driver", .letter = 'd', .type = OPTION_STRING, OPTION(driver), .argument = "X" },
};

static int create_run(const struct command_call *call, struct error *error)
{
	const struct create_options *given = call->options;
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;
	int r;

	if (given->driver && strcmp(given->driver, "local"))
		return error_usage(error, "there is no volume driver but 'local'");
	STRING_LIST_FOR_EACH (&given->labels, i) {
		if (!*given->labels.items[i] || *given->labels.items[i] == '=')
			return error_usage(error, "option '--label' takes KEY[=VALUE], not '%s'",
					   given->labels.items[i]);
	}
	r = volctl_store_open(call, &store, error);
	if (r == 0)
		r = volume_create(&store, call->argc ? call->argv[0] : NULL, &given->labels, NULL,
				  &volume, error);
	if (r == 0)
		puts(volume.name);
	return r;
}

const struct command create_command = {
	.name = "create",
	.arguments = "[NAME]",
	.summary = "Create an empty volume, unless it is there; print its name.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct create_options),
	.max_arguments = 1,
	.run = create_run,
};
