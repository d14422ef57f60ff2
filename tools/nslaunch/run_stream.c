/* SPDX-License-Identifier: MIT */
/*
 * nslaunch run without a bundle of its own: every bundle of a stream, some at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/stream.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attend.h"
#include "tools/nslaunch/run.h"

#define STATUS_FAILED 125

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
	trace_container_exit(member->state.id, wait_status);
	status_note(crowd, process_exit_status(wait_status));
	if (run_finish(member, crowd->given->keep, &error) < 0)
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

/* Each container reads the file from its beginning, whatever the others have read. */
static int stdin_open_anew(struct crowd *crowd, struct error *error)
{
	if (!crowd->given->stdin_file)
		return 0;
	close(take_fd(&crowd->options->stdin_fd));
	return run_stdin_open(crowd->given, crowd->options, error);
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

int run_stream(const struct command_call *call, struct launch_options *options, struct error *error)
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
