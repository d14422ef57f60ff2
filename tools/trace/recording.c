/* SPDX-License-Identifier: MIT */
#include "tools/trace/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/process.h"
#include "base/text.h"
#include "base/trace.h"
#include "tools/trace/load.h"
#include "tools/trace/sampler.h"

extern char **environ;

/* How long is waited for what the command has left. */
#define STRAGGLERS_NS 20000000

/* Those that `run` passes on to the container. */
static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

struct measured {
	pid_t pid;
	uint64_t start_ns, end_ns, unix_ns;
};

/*
 * In a directory of its own: what writes to the file makes it where it isn't there, and may want to
 * when all is over. Then there is no such directory.
 */
static int temporary_open(struct trace_file *file)
{
	const char *directory = getenv("TMPDIR");

	if (!directory || !*directory)
		directory = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	file->directory = string_format("%s/lamina-trace.XXXXXX", directory);
	if (!file->directory)
		return -ENOMEM;
	if (!mkdtemp(file->directory)) {
		free(take_ptr(file->directory));
		return -errno;
	}
	file->path = string_format("%s/trace", file->directory);
	if (!file->path)
		return -ENOMEM;
	file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return file->fd < 0 ? -errno : 0;
}

int trace_file_open(struct trace_file *file, const char *path, struct error *error)
{
	off_t end;
	int r;

	if (!path) {
		r = temporary_open(file);
		return r < 0 ? error_set(error, r, "cannot make a temporary file") : 0;
	}
	file->path = strdup(path);
	file->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (!file->path || file->fd < 0)
		return error_set(error, file->path ? -errno : -ENOMEM, "cannot open '%s'", path);
	end = lseek(file->fd, 0, SEEK_END);
	file->start = end > 0 ? (size_t)end : 0;
	return 0;
}

int trace_file_read(const struct trace_file *file, char **ret_text, size_t *ret_n_bytes,
		    struct error *error)
{
	int r;

	if (lseek(file->fd, (off_t)file->start, SEEK_SET) < 0)
		return error_set(error, -errno, "cannot read '%s'", file->path);
	r = fd_read_all(file->fd, TRACE_MAX_BYTES, ret_text, ret_n_bytes);
	return r < 0 ? error_set(error, r, "cannot read '%s'", file->path) : 0;
}

void trace_file_close(struct trace_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	/* It may be made again in between. */
	for (int i = 0; file->directory && i < 3; i++) {
		if (file->path)
			unlink(file->path);
		if (rmdir(file->directory) == 0)
			break;
	}
	free(file->directory);
	free(file->path);
	*file = (struct trace_file)TRACE_FILE_INIT;
}

/* This environment with the file in it; the strings are borrowed, but for the first. */
static char **environment_make(const char *path)
{
	size_t n = 0, n_kept = 1;
	char **environment;

	while (environ[n])
		n++;
	environment = calloc(n + 2, sizeof(*environment));
	if (!environment)
		return NULL;
	environment[0] = string_format("LAMINA_TRACE=%s", path);
	for (size_t i = 0; i < n; i++)
		if (!string_has_prefix(environ[i], "LAMINA_TRACE="))
			environment[n_kept++] = environ[i];
	if (environment[0])
		return environment;
	free(environment);
	return NULL;
}

/* The mask that the command gets is the one that the caller had. */
static int command_spawn(const struct recording *recording, const char *path, const sigset_t *mask,
			 pid_t *ret_pid)
{
	char **environment = environment_make(path);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	if (!environment)
		return -ENOMEM;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (recording->mute)
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(ret_pid, recording->command[0], &actions, &attributes, recording->command,
			 environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment[0]);
	free(environment);
	return -r;
}

/* What is typed on a terminal reaches the command by itself. */
static int command_wait(pid_t pid, const sigset_t *awaited, int *ret_status)
{
	siginfo_t signal;
	pid_t ended;
	int r;

	for (;;) {
		ended = waitpid(pid, ret_status, WNOHANG);
		if (ended == pid)
			return 0;
		if (ended < 0 && errno != EINTR)
			return -errno;
		r = sigwaitinfo(awaited, &signal);
		if (r > 0 && r != SIGCHLD && signal.si_code != SI_KERNEL)
			kill(pid, r);
	}
}

/*
 * What the command has started and left, such as what removes a container behind its return, comes
 * to us to be waited for. It has a moment to say what it did: then the picture is whole.
 */
static void stragglers_wait(const sigset_t *awaited)
{
	uint64_t end_ns = trace_now() + STRAGGLERS_NS, now_ns;
	struct timespec left;

	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		now_ns = trace_now();
		if (now_ns >= end_ns)
			return;
		left = (struct timespec){ .tv_nsec = (long)(end_ns - now_ns) };
		(void)sigtimedwait(awaited, NULL, &left);
	}
}

static void lines_write(const struct trace_file *file, const struct measured *measured,
			const struct sampler *sampler)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	const char *traceparent = getenv("TRACEPARENT");
	char *text = NULL;
	size_t n_bytes = 0;
	FILE *lines = open_memstream(&text, &n_bytes);

	if (!lines)
		return;
	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "process", TIMELINE_RUN);
	json_write_int(&writer, "pid", measured->pid);
	json_write_string(&writer, "phase", TIMELINE_RUN);
	json_write_uint(&writer, "start", measured->start_ns);
	json_write_uint(&writer, "duration", measured->end_ns - measured->start_ns);
	json_write_uint(&writer, "unix", measured->unix_ns);
	if (traceparent && *traceparent)
		json_write_string(&writer, "traceparent", traceparent);
	json_write_object_end(&writer);
	if (json_writer_status(&writer) == 0)
		fprintf(lines, "%s\n", writer.buffer.bytes);
	sampler_write(sampler, lines);
	if (fclose(lines) == 0)
		(void)fd_write_full(file->fd, text, n_bytes);
	free(text);
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Between the first look at the clock and the second there is the command and nothing else. */
static int command_measure(const struct recording *recording, const struct trace_file *file,
			   const sigset_t *awaited, const sigset_t *mask, struct measured *measured,
			   int *ret_status)
{
	int r;

	measured->unix_ns = realtime_ns();
	measured->start_ns = trace_now();
	r = command_spawn(recording, file->path, mask, &measured->pid);
	if (r == 0)
		r = command_wait(measured->pid, awaited, ret_status);
	measured->end_ns = trace_now();
	return r;
}

int recording_run(const struct recording *recording, const struct trace_file *file,
		  struct error *error)
{
	_cleanup_sampler_ struct sampler sampler = {};
	struct measured measured = {};
	struct sigaction child_action;
	sigset_t awaited, mask;
	int status = 0, r;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&awaited, passed_on[i]);
	sigprocmask(SIG_BLOCK, &awaited, &mask);
	/* Ignored, as it may have come, there would be no status to get. */
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &child_action);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (recording->samples)
		(void)sampler_start(&sampler);
	r = command_measure(recording, file, &awaited, &mask, &measured, &status);
	sampler_stop(&sampler);
	if (r == 0)
		stragglers_wait(&awaited);
	sigaction(SIGCHLD, &child_action, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (r < 0) {
		error_set(error, r, "cannot execute '%s'", recording->command[0]);
		return r == -ENOMEM || r == -EAGAIN ? r
		       : r == -ENOENT		    ? RECORDING_NOT_FOUND
						    : RECORDING_CANNOT_EXECUTE;
	}
	lines_write(file, &measured, &sampler);
	return process_exit_status(status);
}
