/* SPDX-License-Identifier: MIT */
#include "launch/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"
#include "launch/seccomp/load.h"

/* Enough for the last line, whatever comes before it. */
#define OUTPUT_BYTES 1024

/* What the hook's process is given, in memory that both have until it executes its program. */
struct hook_process {
	const struct config_hook *hook;
	const struct hook_place *place;
	char **env;
	int input_fd, output_fd;
	pid_t parent;
	const char *step; /* what failed, with @code */
	int code;
};

/* While it runs. */
struct hook_run {
	pid_t pid;
	int pidfd;
	int output_fd;
	char output[OUTPUT_BYTES]; /* the end of what it has printed */
	size_t n_output;
};

/* The caller's memory: only what undoes itself by the exec or the exit may be done here. */
static int hook_main(void *argument)
{
	struct hook_process *process = argument;
	const struct config_hook *hook = process->hook;
	char *path_alone[] = { (char *)hook->path, NULL };
	sigset_t none;

	process->step = "cannot be prepared";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != process->parent)
		goto failed;
	process_signals_reset();
	sigemptyset(&none);
	if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 ||
	    dup2(process->input_fd, STDIN_FILENO) < 0 ||
	    dup2(process->output_fd, STDOUT_FILENO) < 0 ||
	    dup2(process->output_fd, STDERR_FILENO) < 0 || sys_close_range(3, ~0U, 0) < 0)
		goto failed;
	umask(0022);
	if (process->place->directory && chdir(process->place->directory) < 0)
		goto failed;
	if (process->place->filter) {
		int r = seccomp_load(&process->place->filter->program,
				     process->place->filter->flags);

		if (r < 0) {
			errno = -r;
			goto failed;
		}
	}
	process->step = "cannot be run";
	execve(hook->path, hook->args ? hook->args : path_alone, process->env);
failed:
	process->code = errno ? -errno : -ESRCH;
	return 127;
}

void hook_state_write(struct json_writer *writer, const struct hook_state *state)
{
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "ociVersion", "1.0.2");
	json_write_string(writer, "id", state->id);
	json_write_string(writer, "status", state_status_name(state->status));
	if (state->pid > 0)
		json_write_int(writer, "pid", state->pid);
	json_write_string(writer, "bundle", state->bundle);
	if (state->annotations)
		json_write_raw(writer, "annotations", state->annotations, state->n_annotations);
	json_write_object_end(writer);
	/* One line, for shells' `read`: annotations are as they stand in config.json. Inside of
	 * strings there are no such bytes. */
	for (size_t i = 0; i < writer->buffer.n_bytes; i++) {
		if (writer->buffer.bytes[i] == '\n' || writer->buffer.bytes[i] == '\r')
			writer->buffer.bytes[i] = ' ';
	}
}

static int state_file(const struct hook_state *state, int *ret_fd)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_close_ int fd = -EBADF;
	int r;

	hook_state_write(&writer, state);
	buffer_add_char(&writer.buffer, '\n');
	r = json_writer_status(&writer);
	if (r < 0)
		return r;
	/* A file: a hook that doesn't read holds nobody up. */
	fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, writer.buffer.bytes, writer.buffer.n_bytes);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

/* Whatever is there to read now; the end is kept. */
static void output_read(struct hook_run *run)
{
	ssize_t n;

	do {
		if (run->n_output > OUTPUT_BYTES / 2) {
			size_t n_kept = OUTPUT_BYTES / 2;

			memmove(run->output, run->output + run->n_output - n_kept, n_kept);
			run->n_output = n_kept;
		}
		n = read(run->output_fd, run->output + run->n_output, OUTPUT_BYTES - run->n_output);
		run->n_output += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	/* At its end, poll(2) would say so for ever. */
	if (n == 0)
		cleanup_close(&run->output_fd);
	if (n == 0)
		run->output_fd = -EBADF;
}

/* ": LINE", the last one that isn't empty, fit for a terminal; "" where there is none. */
static void output_last_line(const struct hook_run *run, char text[256])
{
	size_t end = run->n_output, start;

	while (end > 0 && (unsigned char)run->output[end - 1] <= ' ')
		end--;
	start = end;
	while (start > 0 && run->output[start - 1] != '\n' && end - start < 250)
		start--;
	snprintf(text, 256, "%s%.*s", end > start ? ": " : "", (int)(end - start),
		 run->output + start);
	for (char *p = text; *p; p++)
		*p = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Its end: 0, -ETIMEDOUT or -EINTR. What it has left running is no reason to wait. */
static int hook_wait(struct hook_run *run, unsigned int timeout_s, int interrupt_fd)
{
	int64_t end_ms = timeout_s ? now_ms() + (int64_t)timeout_s * 1000 : 0;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pidfd, .events = POLLIN },
			{ .fd = run->output_fd, .events = POLLIN },
			{ .fd = interrupt_fd, .events = POLLIN },
		};
		int64_t left_ms = end_ms ? end_ms - now_ms() : -1;

		if (end_ms && left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 3, left_ms > INT_MAX ? INT_MAX : (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			output_read(run);
		if (fds[0].revents)
			return 0;
		if (fds[2].revents)
			return -EINTR;
	}
}

static int hook_result(struct hook_run *run, const struct config_hook *hook, int wait_result,
		       struct error *error)
{
	char line[256];
	int status;

	if (wait_result < 0) {
		(void)kill(-run->pid, SIGKILL);
		(void)sys_pidfd_send_signal(run->pidfd, SIGKILL, NULL, 0);
	}
	(void)process_wait(run->pid, &status);
	if (run->output_fd >= 0)
		output_read(run);
	output_last_line(run, line);
	if (wait_result == -ETIMEDOUT)
		return error_say(error, -ETIMEDOUT,
				 "it ran longer than its timeout of %u s, and was killed%s",
				 hook->timeout_s, line);
	if (wait_result == -EINTR)
		return error_say(error, -EINTR, "killed, since a signal asks for the end%s", line);
	if (wait_result < 0)
		return error_set(error, wait_result, "cannot wait for it");
	if (WIFSIGNALED(status))
		return error_say(error, -ECHILD, "killed by signal %d%s", WTERMSIG(status), line);
	if (WEXITSTATUS(status))
		return error_say(error, -ECHILD, "exit status %d%s", WEXITSTATUS(status), line);
	return 0;
}

/* Its own variables, and the trace that the launcher is part of where it says no other. */
static char **hook_env(const struct config_hook *hook, struct trace_variables *variables)
{
	size_t n_variables = trace_variables(variables), n = 0;
	char **env;

	while (hook->env[n])
		n_variables = string_has_prefix(hook->env[n++], "TRACEPARENT=") ? 0 : n_variables;
	env = calloc(n + n_variables + 1, sizeof(*env));
	if (!env)
		return NULL;
	memcpy(env, hook->env, n * sizeof(*env));
	memcpy(env + n, variables->items, n_variables * sizeof(*env));
	return env;
}

static int hook_run(const struct config_hook *hook, const struct hook_state *state,
		    const struct hook_place *place, struct error *error)
{
	_cleanup_close_ int input_fd = -EBADF, pidfd = -EBADF, output_fd = -EBADF;
	int output_fds[2], r = state_file(state, &input_fd);
	struct trace_variables variables;
	_cleanup_free_ char **env = hook_env(hook, &variables);
	struct hook_process process = {
		.hook = hook, .place = place, .env = env, .parent = getpid()
	};
	struct hook_run run = {};

	if (r == 0 && !env)
		r = -ENOMEM;
	if (r < 0)
		return error_set(error, r, "cannot write the state");
	if (pipe2(output_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set(error, -errno, "cannot make a pipe");
	run.output_fd = output_fds[0];
	output_fd = output_fds[1];
	/* A hook expects a pipe that waits. */
	if (fcntl(output_fd, F_SETFL, 0) < 0)
		r = -errno;
	process.input_fd = input_fd;
	process.output_fd = output_fd;
	if (r == 0)
		r = run.pid = process_vfork(0, -1, &pidfd, hook_main, &process);
	cleanup_close(&output_fd);
	output_fd = -EBADF;
	if (r < 0) {
		error_set(error, r, "cannot make a process");
	} else if (process.code < 0) {
		int status;

		(void)process_wait(run.pid, &status);
		r = error_set(error, process.code, "%s", process.step);
	} else {
		run.pidfd = pidfd;
		r = hook_wait(&run, hook->timeout_s, place->interrupt_fd);
		r = hook_result(&run, hook, r, error);
	}
	cleanup_close(&run.output_fd);
	return r;
}

static int hook_run_named(const struct config_hooks *hooks, enum hook_kind kind, size_t i,
			  const struct hook_state *state, const struct hook_place *place,
			  struct error *error)
{
	const struct config_hook *hook = &hooks->lists[kind].hooks[i];
	int r = hook_run(hook, state, place, error);

	return r < 0 ? error_prefix(error, r, "hooks.%s[%zu] '%s'", config_hooks_kind_name(kind), i,
				    hook->path)
		     : 0;
}

int hooks_run(const struct config_hooks *hooks, enum hook_kind kind, const struct hook_state *state,
	      const struct hook_place *place, struct error *error)
{
	if (hooks->lists[kind].n == 0)
		return 0;
	TRACE_PHASE("hook.run");
	for (size_t i = 0; i < hooks->lists[kind].n; i++) {
		int r = hook_run_named(hooks, kind, i, state, place, error);

		if (r < 0)
			return r;
	}
	return 0;
}

void hooks_run_poststop(const struct config_hooks *hooks, struct hook_state state)
{
	struct error error;

	state.status = STATE_STOPPED;
	state.pid = 0;
	for (size_t i = 0; i < hooks->lists[HOOK_POSTSTOP].n; i++) {
		const struct hook_place place = { .directory = state.bundle,
						  .interrupt_fd = -EBADF };

		error_init(&error);
		if (hook_run_named(hooks, HOOK_POSTSTOP, i, &state, &place, &error) < 0)
			log_warning("container '%s': %s", state.id, error.message);
	}
}

int hooks_interrupt_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
