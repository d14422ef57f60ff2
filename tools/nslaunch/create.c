/* SPDX-License-Identifier: MIT */
/*
 * nslaunch create: a container whose process waits at its exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attend.h"
#include "launch/self.h"
#include "launch/template.h"
#include "tools/nslaunch/container.h"
#include "tools/nslaunch/descriptors.h"
#include "tools/nslaunch/run.h"

#define FIELD(field) offsetof(struct run_options, field)

const struct command_option create_options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPTION_STRING,
	  .offset = FIELD(bundle),
	  .argument = "DIRECTORY",
	  .help = "the bundle; . if not said" },
	{ .name = "config",
	  .letter = 'f',
	  .type = OPTION_STRING,
	  .offset = FIELD(config),
	  .argument = "FILE",
	  .help = "the bundle's config.json by another name" },
	{ .name = "pid-file",
	  .type = OPTION_STRING,
	  .offset = FIELD(pid_file),
	  .argument = "FILE",
	  .help = "write the process's id to a file" },
	{ .name = "console-socket",
	  .type = OPTION_STRING,
	  .offset = FIELD(console_socket),
	  .argument = "SOCKET",
	  .help = "send the terminal's master to a socket" },
	{ .name = "preserve-fds",
	  .type = OPTION_UINT,
	  .offset = FIELD(n_preserved_fds),
	  .argument = "N",
	  .help = "keep descriptors 3 to 2+N open" },
	{ .name = "no-pivot",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_pivot),
	  .help = "move the root over the host's; for a host that runs from its initramfs" },
	{ .name = "template",
	  .type = OPTION_STRING,
	  .offset = FIELD(template),
	  .argument = "DIRECTORY|no",
	  .help = "where the empty mount namespace is pinned that containers of root's start from",
	  .environment = "LAMINA_TEMPLATE" },
	{ .name = "no-template",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_template),
	  .help = "start from a copy of the host's mounts, as `--template=no`" },
	{ .name = "no-pool",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_pool),
	  .help = "take nothing from the pools" },
	{ .name = "trace-env",
	  .type = OPTION_FLAG,
	  .offset = FIELD(trace_env),
	  .help = "hand TRACEPARENT and TRACESTATE on to the program" },
	{ .name = "no-new-keyring",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_new_keyring),
	  .help = "keep the caller's session keyring" },
	{ .name = "no-subreaper",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_subreaper),
	  .help = "as crun's; create adopts nothing" },
};

const char *notify_socket(void)
{
	const char *socket = getenv("NOTIFY_SOCKET");

	return socket && *socket ? socket : NULL;
}

/* What root has made no other user can use. */
static const char *template_path(const struct run_options *given)
{
	if (given->no_template || geteuid() != 0 ||
	    (given->template && !strcmp(given->template, "no")))
		return NULL;
	return given->template && *given->template ? given->template : TEMPLATE_PATH;
}

int run_fill(const struct command_call *call, struct launch_options *options, struct error *error)
{
	TRACE_PHASE("cli.parse");
	const struct nslaunch_options *globals = call->globals;
	const struct run_options *given = call->options;
	unsigned int n_listen_fds;
	int r = descriptors_check(given->n_preserved_fds, error);

	if (r == 0)
		r = descriptors_listen(&n_listen_fds, error);
	/* Behind a service manager's, as with runc. */
	if (r == 0 && n_listen_fds)
		r = descriptors_check(n_listen_fds + given->n_preserved_fds, error);
	if (r < 0)
		return r;
	*options = (struct launch_options){
		.program = call->process_argv[0],
		.bundle_path = given->bundle,
		.state_path = container_state_path(call, error),
		.config_name = given->config,
		.template_path = template_path(given),
		.pid_file = given->pid_file,
		.console_socket = given->console_socket,
		.stdin_fd = -EBADF,
		.n_preserved_fds = n_listen_fds + (unsigned int)given->n_preserved_fds,
		.activation = { .n_listen_fds = n_listen_fds,
				.listen_names = getenv("LISTEN_FDNAMES"),
				.notify_socket = given->bundle ? notify_socket() : NULL,
				.has_trace = given->trace_env },
		.cgroup_manager = globals->cgroup_manager,
		.rootless = globals->rootless,
		.strict = globals->strict,
		.no_new_keyring = given->no_new_keyring,
		.no_pivot = given->no_pivot,
		.no_pool = given->no_pool,
		.force_terminal = given->terminal,
	};
	if (!options->state_path)
		return error->code;
	return attend_signals_block(&options->signal_mask, error);
}

/* All from @first on, but the log's. */
static int descriptors_close(unsigned int first, struct error *error)
{
	unsigned int kept = log_fd() >= (int)first ? (unsigned int)log_fd() : first - 1;

	if ((kept > first && sys_close_range(first, kept - 1, 0) < 0) ||
	    sys_close_range(kept + 1, ~0U, 0) < 0)
		return error_set(error, -errno, "cannot close descriptors");
	return 0;
}

int verb_create(const struct command_call *call, struct error *error)
{
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	struct launch_options options;
	int status, r;

	r = self_protect(call->process_argv, error);
	if (r == 0)
		r = run_fill(call, &options, error);
	if (r < 0)
		return r;
	/* The process that waits would keep them open for ever: a caller's pipes, and their ends.
	 */
	r = descriptors_close(3 + options.n_preserved_fds, error);
	if (r < 0)
		return r;
	options.id = call->argv[0];
	options.wait_for_start = true;
	options.activation.notify_socket = notify_socket();
	if (!options.bundle_path)
		options.bundle_path = ".";
	r = launch_start(&options, &launched, &status, error);
	return r < 0 ? r : 0;
}
