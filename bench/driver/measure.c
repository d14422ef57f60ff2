/* SPDX-License-Identifier: MIT */
#include "bench/driver/driver.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"
#include "base/trace.h"

/* What one run gets and gives. */
struct run {
	char **argv;
	int null_fd, output_fd, error_fd;
	int watched_fd; /* -EBADF, or where the first byte that is written is waited for */
	uint64_t start_ns, byte_ns, end_ns;
	int status;
	struct rusage usage;
};

/* @string with the round's number for each "{}"; owned by the caller. */
static char *substitute(const char *string, uint64_t round)
{
	_cleanup_buffer_ struct buffer buffer = {};
	const char *braces;

	while ((braces = strstr(string, "{}"))) {
		buffer_add(&buffer, string, (size_t)(braces - string));
		buffer_add_format(&buffer, "%" PRIu64, round);
		string = braces + 2;
	}
	buffer_add_string(&buffer, string);
	buffer_add_char(&buffer, '\0');
	return buffer_status(&buffer) < 0 ? NULL : take_ptr(buffer.bytes);
}

static int arguments_make(const struct variant *variant, uint64_t round, struct string_list *ret)
{
	for (char **argument = variant->argv; *argument; argument++) {
		char *text = substitute(*argument, round);

		if (!text || string_list_take(ret, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The words of one program of a pipeline: "|" ends it. What is behind it, or NULL. */
static char **pipeline_cut(char **words)
{
	for (; *words; words++) {
		if (strcmp(*words, "|") != 0)
			continue;
		free(*words);
		*words = NULL;
		return words + 1;
	}
	return NULL;
}

/*
 * vfork: the clock starts with the call, and what the command is charged for is its own, not a copy
 * of this program's page tables.
 */
static pid_t program_start(const struct run *run, char **words, int input_fd, int output_fd)
{
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(input_fd, STDIN_FILENO);
		dup2(output_fd, STDOUT_FILENO);
		dup2(run->error_fd, STDERR_FILENO);
		execvp(words[0], words);
		_exit(127);
	}
	return pid < 0 ? -errno : pid;
}

static void usage_add(struct rusage *total, const struct rusage *more)
{
	timeradd(&total->ru_utime, &more->ru_utime, &total->ru_utime);
	timeradd(&total->ru_stime, &more->ru_stime, &total->ru_stime);
	if (more->ru_maxrss > total->ru_maxrss)
		total->ru_maxrss = more->ru_maxrss;
}

/* Waits for all programs of the pipeline; the status is the last one's that failed. */
static int programs_wait(struct run *run, size_t n_programs)
{
	run->status = 0;
	run->usage = (struct rusage){};
	while (n_programs > 0) {
		struct rusage usage;
		int status;

		if (wait4(-1, &status, 0, &usage) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		n_programs--;
		usage_add(&run->usage, &usage);
		if (status != 0)
			run->status = status;
	}
	return 0;
}

/* Also where nothing is ever written: the end of what writes is an end of the waiting. */
static void byte_await(struct run *run)
{
	struct pollfd byte = { .fd = run->watched_fd, .events = POLLIN };

	while (poll(&byte, 1, 10000) < 0 && errno == EINTR)
		;
	run->byte_ns = byte.revents & POLLIN ? trace_now() : 0;
}

/* As a shell that is there already starts a pipeline: no time of a shell's own start is in it. */
static int run_timed(struct run *run)
{
	char **words = run->argv;
	int input_fd = run->null_fd;
	size_t n_programs = 0;
	int r = 0;

	run->start_ns = trace_now();
	while (words && r >= 0) {
		char **rest = pipeline_cut(words);
		int ends[2] = { -EBADF, run->output_fd };

		if (rest && pipe2(ends, O_CLOEXEC) < 0) {
			r = -errno;
			break;
		}
		r = program_start(run, words, input_fd, ends[1]);
		n_programs += r >= 0;
		if (input_fd != run->null_fd)
			close(input_fd);
		if (rest)
			close(ends[1]);
		input_fd = ends[0];
		words = rest;
	}
	if (r >= 0 && run->watched_fd >= 0)
		byte_await(run);
	if (r >= 0)
		r = programs_wait(run, n_programs);
	run->end_ns = trace_now();
	return r;
}

static int shell(const char *command, uint64_t round, struct error *error)
{
	_cleanup_free_ char *text = substitute(command, round);
	int status;
	pid_t pid;

	if (!text)
		return error_set(error, -ENOMEM, "cannot run '%s'", command);
	pid = vfork();
	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", text, NULL);
		_exit(127);
	}
	if (pid < 0 || process_wait(pid, &status) < 0)
		return error_set(error, -errno, "cannot run '%s'", text);
	if (status != 0)
		return error_say(error, -ECHILD, "'%s' failed", text);
	return 0;
}

/* The last line of what the command said. */
static int run_failed(const struct variant *variant, const struct run *run, struct error *error)
{
	char words[512];
	ssize_t n = pread(run->error_fd, words, sizeof(words) - 1, 0);
	char *last;

	words[n > 0 ? n : 0] = '\0';
	while (n > 0 && words[n - 1] == '\n')
		words[--n] = '\0';
	last = strrchr(words, '\n');
	return error_say(error, -ECHILD, "'%s' failed with status %d%s%s", variant->name,
			 process_exit_status(run->status), words[0] ? ": " : "",
			 last ? last + 1 : words);
}

/* Digits and a newline, somewhere in what the command wrote: the last line that has them. */
static int stamp_read(const struct variant *variant, int fd, uint64_t *ret, struct error *error)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line = text;

	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	if (strrchr(text, '\n'))
		line = strrchr(text, '\n') + 1;
	if (string_to_uint64(line, UINT64_MAX, ret) < 0)
		return error_say(error, -ECHILD, "'%s' wrote no time stamp", variant->name);
	return 0;
}

static double timeval_us(const struct timeval *time)
{
	return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

static int sample_add(struct samples *samples, double value)
{
	double *grown = reallocarray(samples->values, samples->n_values + 1, sizeof(value));

	if (!grown)
		return -ENOMEM;
	samples->values = grown;
	grown[samples->n_values++] = value;
	return 0;
}

static int run_keep(struct variant *variant, const struct run *run, uint64_t stamp_ns)
{
	double cpu_us = timeval_us(&run->usage.ru_utime) + timeval_us(&run->usage.ru_stime);
	int r;

	if ((uint64_t)run->usage.ru_maxrss > variant->max_rss_kb)
		variant->max_rss_kb = (uint64_t)run->usage.ru_maxrss;
	r = sample_add(&variant->samples[MEASURE_RETURN],
		       (double)(run->end_ns - run->start_ns) / 1e3);
	if (r == 0)
		r = sample_add(&variant->samples[MEASURE_CPU], cpu_us);
	if (r == 0 && variant->has_byte)
		r = sample_add(&variant->samples[MEASURE_BYTE],
			       (double)(run->byte_ns - run->start_ns) / 1e3);
	if (r == 0 && variant->has_stamp)
		r = sample_add(&variant->samples[MEASURE_STAMP],
			       (double)(stamp_ns - run->start_ns) / 1e3);
	return r;
}

static int run_once(struct variant *variant, uint64_t round, bool keep, struct error *error)
{
	_cleanup_strings_ struct string_list arguments = {};
	_cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int error_fd = memfd_create("stderr", MFD_CLOEXEC);
	_cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
	struct run run = { .null_fd = null_fd, .error_fd = error_fd };
	uint64_t stamp_ns = 0;
	int pair[2];
	int r;

	if (null_fd < 0 || error_fd < 0 || pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set(error, -errno, "cannot prepare a run");
	read_fd = pair[0];
	write_fd = pair[1];
	/* The reader alone must not block: the command's standard output is as ever. */
	fcntl(write_fd, F_SETFL, 0);
	r = arguments_make(variant, round, &arguments);
	if (r < 0)
		return error_set(error, r, "cannot prepare a run");
	run.argv = arguments.items;
	run.output_fd = variant->has_stamp || variant->has_byte ? write_fd : null_fd;
	run.watched_fd = variant->has_byte ? read_fd : -EBADF;
	r = run_timed(&run);
	if (r < 0)
		return error_set(error, r, "cannot run '%s'", variant->name);
	if (run.status != 0)
		return run_failed(variant, &run, error);
	if (variant->has_byte && !run.byte_ns)
		return error_say(error, -ECHILD, "'%s' wrote nothing", variant->name);
	if (variant->has_stamp) {
		r = stamp_read(variant, read_fd, &stamp_ns, error);
		if (r < 0)
			return r;
	}
	r = keep ? run_keep(variant, &run, stamp_ns) : 0;
	return r < 0 ? error_set(error, r, "cannot keep a sample") : 0;
}

static bool machine_is_quiet(int stat_fd)
{
	static const char key[] = "procs_running ";
	char text[16384];
	ssize_t n = pread(stat_fd, text, sizeof(text) - 1, 0);
	const char *line;

	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, key);
	/* This process is one of them. */
	return !line || strtoul(line + strlen(key), NULL, 10) <= 1;
}

bool machine_settle(uint64_t max_ms)
{
	_cleanup_close_ int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	const struct timespec one_ms = { 0, 1000000 };
	unsigned int n_quiet = 0;

	/* Three looks in a row: what sleeps for a moment only comes back. */
	for (uint64_t ms = 0; ms <= max_ms && n_quiet < 3; ms++) {
		n_quiet = machine_is_quiet(fd) ? n_quiet + 1 : 0;
		nanosleep(&one_ms, NULL);
	}
	return n_quiet == 3;
}

/* What the daemon does for a command isn't over when that has returned. */
static int run_with_daemon(struct variant *variant, uint64_t round, bool keep, struct error *error)
{
	struct samples *cpu = &variant->samples[MEASURE_CPU];
	double before_us, after_us;
	int r = daemon_cpu_us(variant->daemon_cgroup, &before_us, error);

	if (r < 0)
		return error_prefix(error, r, "'%s'", variant->name);
	r = run_once(variant, round, keep, error);
	if (r < 0)
		return r;
	machine_settle(200);
	r = daemon_cpu_us(variant->daemon_cgroup, &after_us, error);
	if (r < 0)
		return error_prefix(error, r, "'%s'", variant->name);
	if (keep)
		cpu->values[cpu->n_values - 1] += after_us - before_us;
	return 0;
}

int variant_run(struct variant *variant, uint64_t round, bool keep, struct error *error)
{
	int r = variant->before ? shell(variant->before, round, error) : 0;
	int after;

	if (r < 0)
		return r;
	r = variant->daemon_cgroup ? run_with_daemon(variant, round, keep, error)
				   : run_once(variant, round, keep, error);
	/* Also behind a failure, for what it left; that is then the first thing to be said. */
	after = variant->after ? shell(variant->after, round, r < 0 ? NULL : error) : 0;
	return r < 0 ? r : after;
}
