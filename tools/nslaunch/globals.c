/* SPDX-License-Identifier: MIT */
/*
 * nslaunch's own options, accepted before and behind every verb: runc's and crun's.
 */
#include <string.h>

#include "base/log.h"
#include "tools/nslaunch/verbs.h"

#define FIELD(field) offsetof(struct nslaunch_options, field)

const struct command_option global_options[] = {
	{ "root", 0, OPTION_STRING, FIELD(state), "DIR", "where the state of containers is",
	  "LAMINA_STATE" },
	{ "state", 0, OPTION_STRING, FIELD(state), "DIR", NULL, NULL },
	{ "store", 0, OPTION_STRING, FIELD(store), "DIR", "where bundles and names are",
	  "LAMINA_STORE" },
	{ "log", 0, OPTION_STRING, FIELD(log), "FILE", "append errors and warnings to a file",
	  NULL },
	{ "log-format", 0, OPTION_STRING, FIELD(log_format), "text|json",
	  "how its lines look; text if not said", NULL },
	{ "debug", 0, OPTION_FLAG, FIELD(debug), NULL, "tell what is done", NULL },
	{ "cgroup-manager", 0, OPTION_STRING, FIELD(cgroup_manager_name), "MANAGER",
	  "who makes cgroups: cgroupfs, systemd or disabled", NULL },
	{ "systemd-cgroup", 0, OPTION_FLAG, FIELD(systemd_cgroup), NULL,
	  "the same as --cgroup-manager=systemd", NULL },
	{ "rootless", 0, OPTION_STRING, FIELD(rootless_name), "auto|true|false",
	  "go on without cgroups that the caller may not make; auto if not said", NULL },
	{ "strict", 0, OPTION_FLAG, FIELD(strict), NULL,
	  "fail where a value would be clamped to what the caller may set", NULL },
	{ "criu", 0, OPTION_STRING, FIELD(criu), "FILE",
	  "the program for checkpoint and restore; criu if not said", NULL },
};

/* The position of @name in @names, 0 where it isn't said, or a usage error. */
static int choice(const char *option, const char *name, const char *const *names,
		  struct error *error)
{
	for (int i = 0; name && names[i]; i++) {
		if (!strcmp(name, names[i]))
			return i;
	}
	return name ? error_usage(error, "bad value '%s' for option '--%s'", name, option) : 0;
}

int globals_begin(void *nslaunch_options, struct error *error)
{
	static const char *const formats[] = { "text", "json", NULL };
	static const char *const managers[] = { "cgroupfs", "systemd", "disabled", NULL };
	static const char *const rootless[] = { "auto", "true", "false", NULL };
	struct nslaunch_options *options = nslaunch_options;
	int r = choice("log-format", options->log_format, formats, error);

	if (r < 0)
		return r;
	/* Engines that have none say it with an empty name. */
	r = log_open("nslaunch", options->log && *options->log ? options->log : NULL,
		     r == 1 ? LOG_JSON : LOG_TEXT, options->debug, error);
	if (r < 0)
		return r;
	r = choice("cgroup-manager", options->cgroup_manager_name, managers, error);
	if (r < 0)
		return r;
	options->cgroup_manager =
		options->systemd_cgroup ? LAUNCH_CGROUP_SYSTEMD : (enum launch_cgroup_manager)r;
	r = choice("rootless", options->rootless_name, rootless, error);
	if (r < 0)
		return r;
	options->rootless = (enum launch_rootless)r;
	return 0;
}
