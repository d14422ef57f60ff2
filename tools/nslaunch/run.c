/* SPDX-License-Identifier: MIT */
/*
 * nslaunch run: one bundle in the foreground, or every bundle of a stream, some at once.
 */
#include "tools/nslaunch/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/stream.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attend.h"
#include "launch/self.h"
#include "tools/nslaunch/container.h"

#define FIELD(field)  offsetof(struct run_options, field)
#define RUN_MAX_JOBS  1024
#define STATUS_FAILED 125

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
	{ .name = "no-new-keyring",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_new_keyring),
	  .help = "keep the caller's session keyring" },
	{ .name = "no-subreaper",
	  .type = OPTION_FLAG,
	  .offset = FIELD(no_subreaper),
	  .help = "don't adopt what the container leaves running" },
};

static int finish(struct launched *launched, bool keep, struct error *error)
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

static int run_one(const struct command_call *call, struct launch_options *options,
		   struct error *error)
{
	const struct run_options *given = call->options;
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	int status, wait_status, signal, r;

	options->adopts = !given->no_subreaper;
	r = launch_start(options, &launched, &status, error);
	if (r < 0) {
		command_report(call, error);
		return status;
	}
	signal = end_if_asked_early(&launched);
	r = attend(&launched, &wait_status, error);
	if (r < 0) {
		/* Nobody would ever see its end. */
		(void)sys_pidfd_send_signal(launched.pidfd, SIGKILL, NULL, 0);
		(void)process_wait(launched.pid, &wait_status);
		(void)finish(&launched, given->keep, NULL);
		return r;
	}
	r = finish(&launched, given->keep, error);
	if (r < 0)
		return r;
	return signal ? 128 + signal : process_exit_status(wait_status);
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

/* The containers of a stream that run at this moment. */
struct crowd {
	struct launched *members; /* n_jobs places; pid 0: free */
	size_t n_places, n_running;
	const struct command_call *call;
	const struct run_options *given;
	struct launch_options *options;
	int status;	/* the first that isn't 0 */
	int end_signal; /* one that ends the stream: no more are started */
	int signal_fd;
};

static void status_note(struct crowd *crowd, int status)
{
	if (crowd->status == 0)
		crowd->status = status;
}

static void failure_note(struct crowd *crowd, int status, const struct error *error)
{
	command_report(crowd->call, error);
	status_note(crowd, status);
}

static void member_end(struct crowd *crowd, struct launched *member, int wait_status)
{
	struct error error;

	error_init(&error);
	status_note(crowd, process_exit_status(wait_status));
	if (finish(member, crowd->given->keep, &error) < 0)
		failure_note(crowd, STATUS_FAILED, &error);
	trace_flush();
	launched_close(member);
	member->pid = 0;
	crowd->n_running--;
}

static void crowd_reap(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->n_places; i++) {
		struct launched *member = &crowd->members[i];
		int wait_status;

		if (member->pid > 0 && waitpid(member->pid, &wait_status, WNOHANG) == member->pid)
			member_end(crowd, member, wait_status);
	}
}

/* A signal goes to all that run; one that asks for the end is the stream's end too. */
static void crowd_signal(struct crowd *crowd, int signal)
{
	if (!attend_signal_is_forwarded(signal))
		return;
	if (signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM)
		crowd->end_signal = signal;
	for (size_t i = 0; i < crowd->n_places; i++) {
		if (crowd->members[i].pid > 0)
			(void)sys_pidfd_send_signal(crowd->members[i].pidfd, signal, NULL, 0);
	}
}

/* Waits until a place is free. */
static void crowd_wait(struct crowd *crowd, size_t n_allowed)
{
	sigset_t all;

	sigfillset(&all);
	crowd_reap(crowd);
	while (crowd->n_running > n_allowed) {
		int signal = sigwaitinfo(&all, NULL);

		if (signal > 0)
			crowd_signal(crowd, signal);
		crowd_reap(crowd);
	}
}

/* Waits until the stream has a path or is at its end, or a signal ended it: who writes it may take
   its time, and meanwhile containers end, and signals come. */
static int crowd_wait_for_path(struct crowd *crowd, struct path_stream *stream, struct error *error)
{
	int r = 0;

	while (r == 0 && !crowd->end_signal && !path_stream_is_ready(stream)) {
		struct pollfd fds[] = {
			{ .fd = stream->fd, .events = POLLIN },
			{ .fd = crowd->signal_fd, .events = POLLIN },
		};
		struct signalfd_siginfo info;

		if (poll(fds, 2, -1) < 0) {
			if (errno != EINTR)
				return error_set(error, -errno, "cannot wait for paths");
			continue;
		}
		while (read(crowd->signal_fd, &info, sizeof(info)) == sizeof(info))
			crowd_signal(crowd, (int)info.ssi_signo);
		crowd_reap(crowd);
		if (fds[0].revents && !crowd->end_signal)
			r = path_stream_fill(stream, error);
	}
	return r;
}

static int stdin_open(const struct run_options *given, struct launch_options *options,
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
	options->stdin_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (options->stdin_fd < 0)
		return error_set(error, -errno, "cannot open '%s'", path);
	return 0;
}

/* Each container reads the file from its beginning, whatever the others have read. */
static int stdin_open_anew(struct crowd *crowd, struct error *error)
{
	if (!crowd->given->stdin_file)
		return 0;
	close(take_fd(&crowd->options->stdin_fd));
	return stdin_open(crowd->given, crowd->options, error);
}

static void crowd_start(struct crowd *crowd, const char *path)
{
	struct launched *member = crowd->members;
	struct error error;
	int status;

	while (member->pid > 0)
		member++;
	error_init(&error);
	if (stdin_open_anew(crowd, &error) < 0) {
		failure_note(crowd, STATUS_FAILED, &error);
		return;
	}
	*member = LAUNCHED_EMPTY;
	crowd->options->bundle_path = path;
	if (launch_start(crowd->options, member, &status, &error) < 0) {
		failure_note(crowd, status, &error);
		launched_close(member);
		member->pid = 0;
		return;
	}
	crowd->n_running++;
}

/* A container takes some 30 descriptors while it runs; a stream may have a thousand at once. */
static int files_raise(struct rlimit *ret_earlier, struct error *error)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, ret_earlier) < 0)
		return error_set(error, -errno, "cannot read the limit of open files");
	limit = *ret_earlier;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return 0;
}

static int run_stream(const struct command_call *call, struct launch_options *options,
		      struct error *error)
{
	const struct run_options *given = call->options;
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator =
								    given->null ? '\0' : '\n' };
	size_t n_jobs = given->n_jobs ? given->n_jobs : 1;
	_cleanup_free_ struct launched *members = calloc(n_jobs, sizeof(*members));
	struct crowd crowd = {
		.members = members,
		.n_places = n_jobs,
		.call = call,
		.given = given,
		.options = options,
	};
	_cleanup_close_ int signal_fd = -EBADF;
	struct rlimit n_files;
	sigset_t all;
	const char *path;
	size_t n_bundles = 0;
	int r;

	if (!members)
		return error_set(error, -ENOMEM, "cannot run");
	r = files_raise(&n_files, error);
	if (r < 0)
		return r;
	options->n_files = &n_files;
	sigfillset(&all);
	crowd.signal_fd = signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return error_set(error, -errno, "cannot wait for signals");
	while ((r = crowd_wait_for_path(&crowd, &stream, error)) == 0 && !crowd.end_signal &&
	       (r = path_stream_next(&stream, &path, error)) > 0) {
		n_bundles++;
		crowd_start(&crowd, path);
		crowd_wait(&crowd, n_jobs - 1);
	}
	crowd_wait(&crowd, 0);
	if (!crowd.end_signal && r < 0)
		return r;
	if (crowd.end_signal && crowd.status == 0)
		return 128 + crowd.end_signal;
	if (n_bundles == 0)
		return error_say(error, -ENODATA, "no bundle came");
	return crowd.status;
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
	if (!given->bundle &&
	    (given->pid_file || given->console_socket || given->interactive || given->terminal))
		return error_usage(error,
				   "'--pid-file', '--console-socket', '--interactive' and '--tty' "
				   "need '--bundle' or an id");
	return 0;
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

	if (r == 0)
		r = self_protect(call->process_argv, error);
	if (r == 0)
		r = run_fill(call, &options, error);
	if (r == 0)
		r = stdin_open(given, &options, error);
	if (r < 0)
		return r;
	options.id = call->argv[0];
	if (given->detach)
		return run_detached(call, &options, error);
	return given->bundle ? run_one(call, &options, error) : run_stream(call, &options, error);
}
