/* SPDX-License-Identifier: MIT */
/*
 * nslaunch exec: another process in a container that runs.
 */
#include "launch/exec.h"

#include <errno.h>
#include <stdio.h>

#include "base/process.h"
#include "base/trace.h"
#include "launch/attend.h"
#include "launch/self.h"
#include "tools/nslaunch/container.h"
#include "tools/nslaunch/descriptors.h"

#define FIELD(field) offsetof(struct exec_verb_options, field)

const struct command_option exec_options[] = {
	{ "process", 'p', OPTION_STRING, FIELD(process_file), "FILE",
	  "the process, as in a config.json; in place of the other options", NULL },
	{ "tty", 't', OPTION_FLAG, FIELD(terminal), NULL, "give it a terminal", NULL },
	{ "cwd", 0, OPTION_STRING, FIELD(cwd), "DIR", "its working directory", NULL },
	{ "env", 'e', OPTION_LIST, FIELD(env), "NAME=VALUE", "set a variable", NULL },
	{ "trace-env", 0, OPTION_FLAG, FIELD(trace_env), NULL,
	  "hand TRACEPARENT and TRACESTATE on to it", NULL },
	{ "user", 'u', OPTION_STRING, FIELD(user), "UID[:GID]", "run as this user, a number",
	  NULL },
	{ "additional-gids", 'g', OPTION_LIST, FIELD(additional_gids), "GID", "add a group", NULL },
	{ "cap", 'c', OPTION_LIST, FIELD(capabilities), "NAME", "add a capability", NULL },
	{ "no-new-privs", 0, OPTION_FLAG, FIELD(no_new_privileges), NULL,
	  "no program may gain privileges", NULL },
	{ "apparmor", 0, OPTION_STRING, FIELD(apparmor), "PROFILE",
	  "its AppArmor profile, in place of the container's", NULL },
	{ "process-label", 0, OPTION_STRING, FIELD(process_label), "LABEL",
	  "its SELinux label, in place of the container's", NULL },
	{ "cgroup", 0, OPTION_LIST, FIELD(cgroups), "[CONTROLLER[,...]:]PATH",
	  "run it in a cgroup that is in the container's", NULL },
	{ "ignore-paused", 0, OPTION_FLAG, FIELD(ignore_paused), NULL,
	  "also in a paused container, where it waits for the resume", NULL },
	{ "detach", 'd', OPTION_FLAG, FIELD(detach), NULL, "don't wait for its end", NULL },
	{ "pid-file", 0, OPTION_STRING, FIELD(pid_file), "FILE", "write the process's id to a file",
	  NULL },
	{ "console-socket", 0, OPTION_STRING, FIELD(console_socket), "SOCKET",
	  "send the terminal's master to a socket", NULL },
	{ "preserve-fds", 0, OPTION_UINT, FIELD(n_preserved_fds), "N",
	  "keep descriptors 3 to 2+N open", NULL },
};

static void options_fill(const struct command_call *call, struct exec_options *options)
{
	const struct exec_verb_options *given = call->options;

	options->process_file = given->process_file;
	options->args = call->argv + 1;
	options->env = &given->env;
	options->has_trace = given->trace_env;
	options->cwd = given->cwd;
	options->user = given->user;
	options->additional_gids = &given->additional_gids;
	options->capabilities = &given->capabilities;
	options->apparmor_profile = given->apparmor;
	options->selinux_label = given->process_label;
	options->cgroups = &given->cgroups;
	options->ignore_paused = given->ignore_paused;
	options->no_new_privileges = given->no_new_privileges;
	options->strict = ((const struct nslaunch_options *)call->globals)->strict;
	options->terminal = given->terminal;
	options->pid_file = given->pid_file;
	options->console_socket = given->console_socket;
	options->detach = given->detach;
	options->n_preserved_fds = (unsigned int)given->n_preserved_fds;
}

int verb_exec(const struct command_call *call, struct error *error)
{
	const struct exec_verb_options *given = call->options;
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	struct exec_options options = {};
	char id[STATE_ID_MAX_BYTES + 1];
	int status, wait_status, r;

	if (!given->process_file && call->argc < 2)
		return error_usage(error, "say the command to run, or '--process'");
	r = descriptors_check(given->n_preserved_fds, error);
	if (r == 0)
		r = self_protect(call->process_argv, error);
	if (r == 0)
		r = container_resolve(call, call->argv[0], id, error);
	if (r == 0)
		r = attend_signals_block(&options.signal_mask, error);
	if (r < 0)
		return r;
	options_fill(call, &options);
	options.id = id;
	options.state_path = container_state_path(call, error);
	r = exec_start(&options, &launched, &status, error);
	if (r < 0) {
		if (error->usage)
			return r;
		command_report(call, error);
		return status;
	}
	trace_container_exec(id, launched.pid);
	if (given->detach)
		return 0;
	r = attend(&launched, &wait_status, error);
	if (r < 0)
		return r;
	trace_container_exit(id, wait_status);
	return process_exit_status(wait_status);
}
