/* SPDX-License-Identifier: MIT */
/*
 * nslaunch run: one bundle, in the foreground or detached; run_stream.c has the stream of many.
 */
#include "tools/nslaunch/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attend.h"
#include "launch/self.h"
#include "base/lock.h"
#include "launch/hooks.h"
#include "tools/nslaunch/container.h"
#include "tools/nslaunch/remover.h"

#define FIELD(field) offsetof(struct run_options, field)
#define RUN_MAX_JOBS 1024

const struct command_option run_options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPTION_STRING,
	  .offset = FIELD(bundle),
	  .argument = "DIRECTORY",
	  .help = "the bundle; without it, bundles are read from standard input" },
	{ .name = "interactive",
	  .letter = 'i',
	  .type = OPTION_FLAG,
	  .offset = FIELD(interactive),
	  .help = "standard input is the container's (with --bundle it always is)" },
	{ .name = "tty",
	  .letter = 't',
	  .type = OPTION_FLAG,
	  .offset = FIELD(terminal),
	  .help = "give the container a terminal even where its config.json has none" },
	{ .name = "jobs",
	  .letter = 'j',
	  .type = OPTION_UINT,
	  .offset = FIELD(n_jobs),
	  .argument = "N",
	  .help = "run up to N bundles of the stream at once; 1 if not said" },
	{ .name = "stdin",
	  .type = OPTION_STRING,
	  .offset = FIELD(stdin_file),
	  .argument = "FILE",
	  .help = "the containers' standard input; /dev/null for a stream's if not said" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  .offset = FIELD(null),
	  .help = "the stream's paths end in NUL, not in a line break" },
	{ .name = "detach",
	  .letter = 'd',
	  .type = OPTION_FLAG,
	  .offset = FIELD(detach),
	  .help = "leave the container running; it stays until `delete`" },
	{ .name = "keep",
	  .type = OPTION_FLAG,
	  .offset = FIELD(keep),
	  .help = "keep the state of a container that has ended, for `state` and `delete`" },
	{ .name = "rm",
	  .type = OPTION_FLAG,
	  .offset = FIELD(rm),
	  .help = "remove the bundle at the end, or after a failed start, by layerfs rm "
		  "--volumes" },
	{ .name = "rm-on-failure",
	  .type = OPTION_FLAG,
	  .offset = FIELD(rm_on_failure),
	  .help = "remove the bundle after a failed start" },
	{ .name = "cidfile",
	  .type = OPTION_STRING,
	  .offset = FIELD(cidfile),
	  .argument = "FILE",
	  .help = "with --rm-on-failure: the file that has the id, which goes too" },
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
	  .help = "don't adopt what the container leaves running" },
};

int run_finish(struct launched *launched, bool keep, struct error *error)
{
	return keep ? 0 : launch_finish(launched, error);
}

/*
 * A signal that asked for the end before the program was there to hear it: a first process that has
 * no handler yet would never know. So the container ends here. Returns the signal, or 0.
 */
static int end_if_asked_early(const struct launched *launched)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t set;

	if (sigpending(&set) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (sigismember(&set, ends[i]) != 1)
			continue;
		(void)sys_pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
		return ends[i];
	}
	return 0;
}

/* Returns as what failed: 125, 126, 127 or a negative errno. */
static int removed_after_failure(const struct command_call *call, int status)
{
	const struct run_options *given = call->options;
	struct error error;

	if (!given->rm && !given->rm_on_failure)
		return status;
	error_init(&error);
	if (bundle_remove_now(call->process_argv[0], given->bundle, &error) < 0)
		command_report(call, &error);
	if (given->cidfile)
		(void)unlink(given->cidfile);
	return status;
}

/* The remover goes to work while we do the rest, unless hooks are to look at the bundle. */
static void bundle_let_go(struct launched *launched)
{
	TRACE_PHASE("bundle.close");

	if (!config_hooks_have(&launched->bundle.config.hooks, HOOK_POSTSTOP, HOOK_POSTSTOP))
		lock_release(launched->bundle.lock_fd);
}

/* @signal has ended it early, or is 0. Returns the exit status, or a negative errno. */
static int run_to_end(const struct run_options *given, struct launched *launched, int signal,
		      struct error *error)
{
	int wait_status, r;

	r = attend(launched, &wait_status, error);
	if (r < 0) {
		/* Nobody would ever see its end. */
		(void)sys_pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
		(void)process_wait(launched->pid, &wait_status);
		(void)run_finish(launched, given->keep, NULL);
		return r;
	}
	trace_container_exit(launched->state.id, wait_status);
	if (given->rm)
		bundle_let_go(launched);
	r = run_finish(launched, given->keep, error);
	if (r < 0)
		return r;
	return signal ? 128 + signal : process_exit_status(wait_status);
}

static int run_one(const struct command_call *call, struct launch_options *options,
		   struct error *error)
{
	const struct run_options *given = call->options;
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	struct remover remover = REMOVER_EMPTY;
	struct error removing;
	int status, signal, r;

	options->adopts = !given->no_subreaper;
	r = launch_start(options, &launched, &status, error);
	if (r < 0) {
		command_report(call, error);
		/* With it goes the bundle's lock. */
		launched_close(&launched);
		/* A container of this id is there, and may be the bundle's. */
		return r == -EEXIST ? status : removed_after_failure(call, status);
	}
	/* Before anything takes time: the program may be there to hear what comes from now on. */
	signal = end_if_asked_early(&launched);
	error_init(&removing);
	if (given->rm && remover_start(&remover, call->process_argv[0], &launched, &removing) < 0)
		command_report(call, &removing);
	status = run_to_end(given, &launched, signal, error);
	launched_close(&launched);
	if (remover_finish(&remover, &removing) < 0)
		command_report(call, &removing);
	return status;
}

/* A create and a start, so that what is killed in between leaves no container that nobody knows. */
static int run_detached(const struct command_call *call, struct launch_options *options,
			struct error *error)
{
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	struct error undoing;
	int status, r;

	error_init(&undoing);
	options->wait_for_start = true;
	r = launch_start(options, &launched, &status, error);
	if (r < 0) {
		command_report(call, error);
		return status;
	}
	r = container_start(call, launched.state.id, error);
	if (r < 0 && container_delete(call, launched.state.id, true, &undoing) < 0)
		command_report(call, &undoing);
	return r;
}

int run_stdin_open(const struct run_options *given, struct launch_options *options,
		   struct error *error)
{
	const char *path = given->stdin_file ? given->stdin_file
			   : given->bundle   ? NULL
					     : "/dev/null";

	if (!path)
		return 0;
	if (given->stdin_file && given->interactive)
		return error_usage(error,
				   "options '--stdin' and '--interactive' exclude each other");
	options->stdin_fd = fd_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (options->stdin_fd < 0)
		return error_set(error, -errno, "cannot open '%s'", path);
	return 0;
}

static int arguments_check(const struct command_call *call, struct error *error)
{
	const struct run_options *given = call->options;

	if (given->n_jobs > RUN_MAX_JOBS)
		return error_usage(error, "option '--jobs' takes at most %d", RUN_MAX_JOBS);
	if (!given->bundle && given->config)
		return error_usage(error, "option '--config' needs '--bundle' or an id");
	if (given->bundle && given->n_jobs > 1)
		return error_usage(error, "option '--jobs' is for a stream of bundles");
	if (!given->bundle && given->detach)
		return error_usage(error, "option '--detach' needs '--bundle' or an id");
	if (!given->bundle && (given->rm || given->rm_on_failure))
		return error_usage(error, "'--rm' and '--rm-on-failure' need '--bundle' or an id");
	if ((given->rm || given->rm_on_failure) && (given->detach || given->keep))
		return error_usage(error, "'--rm' and '--rm-on-failure' exclude '--detach' and "
					  "'--keep'");
	if (!given->bundle &&
	    (given->pid_file || given->console_socket || given->interactive || given->terminal))
		return error_usage(error,
				   "'--pid-file', '--console-socket', '--interactive' and '--tty' "
				   "need '--bundle' or an id");
	return 0;
}

static int run_prepare(const struct command_call *call, struct launch_options *options,
		       struct error *error)
{
	int r = self_protect(call->process_argv, error);

	if (r == 0)
		r = run_fill(call, options, error);
	return r == 0 ? run_stdin_open(call->options, options, error) : r;
}

int verb_run(const struct command_call *call, struct error *error)
{
	struct run_options *given = call->options;
	struct launch_options options;
	int r;

	/* As runc: who says an id means the bundle that is here. */
	if (!given->bundle && call->argc)
		given->bundle = ".";
	r = arguments_check(call, error);
	if (r < 0)
		return r;
	r = run_prepare(call, &options, error);
	if (r < 0)
		return removed_after_failure(call, r);
	options.id = call->argv[0];
	if (given->detach)
		return run_detached(call, &options, error);
	return given->bundle ? run_one(call, &options, error) : run_stream(call, &options, error);
}
