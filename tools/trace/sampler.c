/* SPDX-License-Identifier: MIT */
#include "tools/trace/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/process.h"
#include "base/trace.h"

#define INTERVAL_NS 500000
/* A container that runs for long is no start any more. */
#define SLOW_AFTER_NS	 UINT64_C(10000000000)
#define SLOW_INTERVAL_NS 20000000

#define MAX_SEEN      8192
#define MAX_PROCESSES 64 /* in one look */
#define MAX_DEPTH     16
#define WAIT_BYTES    48

struct seen {
	int32_t pid;
	uint64_t start_ns, end_ns;
	bool is_open; /* it has not been seen awake since */
	char wait[WAIT_BYTES];
};

struct sampler_table {
	uint32_t n_seen;
	struct seen seen[MAX_SEEN];
};

struct look {
	struct sampler_table *table;
	pid_t own_pid;
	uint64_t now_ns;
	unsigned int n_processes;
};

/* A file of /proc: -1 where it isn't to be had. */
static ssize_t proc_read(const char *path, char *text, size_t n_bytes)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, n_bytes - 1);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* Field 3 of /proc/PID/stat: the name before it may have anything in it. */
static bool process_sleeps(pid_t pid)
{
	char path[40], text[512];
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' && (name_end[2] == 'S' || name_end[2] == 'D');
}

static bool is_of_scheduler(const char *function)
{
	static const char *const prefixes[] = { "schedule", "__schedule", "io_schedule",
						"wait_for_completion", "__wait_for_common" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

const char *stack_function(char *text)
{
	char *line_state = NULL;

	/* "[<0>] function+0x12/0x34" */
	for (char *line = strtok_r(text, "\n", &line_state); line;
	     line = strtok_r(NULL, "\n", &line_state)) {
		char *function = strchr(line, ' '), *end;

		if (!function)
			continue;
		end = strpbrk(++function, "+. ");
		if (end)
			*end = '\0';
		if (*function && !is_of_scheduler(function))
			return function;
	}
	return NULL;
}

/* The stack is root's to read; the wait channel is anybody's, where the kernel has it. */
static bool wait_read(pid_t pid, char wait[WAIT_BYTES])
{
	char path[40], text[2048];
	const char *function;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	if (proc_read(path, text, sizeof(text)) > 0) {
		function = stack_function(text);
	} else {
		snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
		function = proc_read(path, text, sizeof(text)) > 0 && strcmp(text, "0") != 0 ? text
											     : NULL;
	}
	if (!function)
		return false;
	snprintf(wait, WAIT_BYTES, "%.*s", WAIT_BYTES - 1, function);
	return true;
}

static struct seen *seen_last(struct sampler_table *table, pid_t pid)
{
	for (uint32_t i = table->n_seen; i-- > 0;)
		if (table->seen[i].pid == pid)
			return &table->seen[i];
	return NULL;
}

/* The same place as when it was looked at last is one sleep. */
static void seen_add(const struct look *look, pid_t pid, const char *wait)
{
	struct sampler_table *table = look->table;
	struct seen *seen = seen_last(table, pid);

	if (seen && seen->is_open && !strcmp(seen->wait, wait)) {
		seen->end_ns = look->now_ns;
		return;
	}
	if (table->n_seen == MAX_SEEN)
		return;
	seen = &table->seen[table->n_seen];
	*seen = (struct seen){
		.pid = pid, .start_ns = look->now_ns, .end_ns = look->now_ns, .is_open = true
	};
	snprintf(seen->wait, sizeof(seen->wait), "%s", wait);
	/* It is read once this process has been killed: complete, or not there. */
	__atomic_store_n(&table->n_seen, table->n_seen + 1, __ATOMIC_RELEASE);
}

static void process_look(struct look *look, pid_t pid)
{
	struct seen *seen;
	char wait[WAIT_BYTES];

	/* Asleep before and after: then the stack was a sleeper's. */
	if (process_sleeps(pid) && wait_read(pid, wait) && process_sleeps(pid)) {
		seen_add(look, pid, wait);
		return;
	}
	seen = seen_last(look->table, pid);
	if (seen)
		seen->is_open = false;
}

static void children_look(struct look *look, pid_t parent, unsigned int depth)
{
	char path[64], text[1024], *at = text, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	if (depth > MAX_DEPTH || proc_read(path, text, sizeof(text)) <= 0)
		return;
	for (;; at = end) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		/* A number at the very end may have been cut. */
		if (end == at || *end == '\0' || look->n_processes == MAX_PROCESSES)
			return;
		if (pid == look->own_pid)
			continue;
		look->n_processes++;
		process_look(look, pid);
		children_look(look, pid, depth + 1);
	}
}

static __attribute__((noreturn)) void sampler_run(struct sampler_table *table, pid_t parent)
{
	uint64_t start_ns = trace_now();
	struct look look = { .table = table, .own_pid = getpid() };
	struct timespec pause = {};

	for (;;) {
		look.now_ns = trace_now();
		look.n_processes = 0;
		children_look(&look, parent, 0);
		pause.tv_nsec =
			look.now_ns - start_ns < SLOW_AFTER_NS ? INTERVAL_NS : SLOW_INTERVAL_NS;
		nanosleep(&pause, NULL);
	}
}

int sampler_start(struct sampler *sampler)
{
	pid_t parent = getpid();
	void *table = mmap(NULL, sizeof(*sampler->table), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (table == MAP_FAILED)
		return -errno;
	sampler->table = table;
	sampler->pid = fork();
	if (sampler->pid < 0) {
		sampler->pid = 0;
		return -errno;
	}
	if (sampler->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		sampler_run(table, parent);
	}
	return 0;
}

void sampler_stop(struct sampler *sampler)
{
	int status;

	if (sampler->pid <= 0)
		return;
	kill(sampler->pid, SIGKILL);
	(void)process_wait(sampler->pid, &status);
	sampler->pid = 0;
}

void sampler_write(const struct sampler *sampler, FILE *file)
{
	for (uint32_t i = 0; sampler->table && i < sampler->table->n_seen; i++) {
		const struct seen *seen = &sampler->table->seen[i];

		/* A kernel function's name has nothing that JSON would escape. */
		fprintf(file,
			"{\"pid\":%" PRId32 ",\"sample\":%" PRIu64
			",\"wait\":\"%s\",\"until\":%" PRIu64 "}\n",
			seen->pid, seen->start_ns, seen->wait, seen->end_ns);
	}
}

void sampler_deinit(struct sampler *sampler)
{
	sampler_stop(sampler);
	if (sampler->table)
		munmap(sampler->table, sizeof(*sampler->table));
	*sampler = (struct sampler){};
}
