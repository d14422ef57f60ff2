/* SPDX-License-Identifier: MIT */
/*
 * Into a new cgroup, each way there is, after a pause of 100 ms: writing a pid into `cgroup.procs`
 * waits for an RCU grace period, unless somebody has just done the same.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/process.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"
#include "bench/shim/benchmark.h"

enum way {
	WAY_TASKS_SELF,	  /* v1: the child writes "0" into `tasks` */
	WAY_PROCS_SELF,	  /* the child writes "0" into `cgroup.procs` */
	WAY_PROCS_PARENT, /* the parent writes the child's pid there */
	WAY_CLONE,	  /* v2: clone3(CLONE_INTO_CGROUP) */
	WAY_NONE,	  /* made and removed, and nobody in it */
};

struct place {
	const char *root;
	long magic;
};

/* The memory controller's hierarchy stands for those of v1. */
static const struct place v1_place = { "/sys/fs/cgroup/memory", CGROUP_SUPER_MAGIC };
static const struct place v2_places[] = {
	{ "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC },
	{ "/sys/fs/cgroup/unified", CGROUP2_SUPER_MAGIC },
};

static bool place_is_there(const struct place *place)
{
	struct statfs fs;

	return statfs(place->root, &fs) == 0 && (long)fs.f_type == place->magic;
}

static const char *place_find(bool is_v2)
{
	if (!is_v2)
		return place_is_there(&v1_place) ? v1_place.root : NULL;
	for (size_t i = 0; i < 2; i++) {
		if (place_is_there(&v2_places[i]))
			return v2_places[i].root;
	}
	return NULL;
}

static void pause_100_ms(void)
{
	struct timespec pause = { 0, 100000000 };

	nanosleep(&pause, NULL);
}

/* The child's side: its own write, where that is the way, and no more. */
static int child(int write_fd)
{
	return write_fd >= 0 && write(write_fd, "0", 1) < 0;
}

static int parent_write(int write_fd, pid_t pid)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", pid);

	return write(write_fd, text, (size_t)n) < 0 ? -errno : 0;
}

/* A process made and in the cgroup; returned when it has ended. */
static int enter(enum way way, int directory_fd)
{
	const char *name = way == WAY_TASKS_SELF ? "tasks" : "cgroup.procs";
	_cleanup_close_ int write_fd = -EBADF;
	int status = 0, r = 0;
	pid_t pid;

	if (way == WAY_NONE)
		return 0;
	if (way != WAY_CLONE)
		write_fd = openat(directory_fd, name, O_WRONLY | O_CLOEXEC);
	if (way != WAY_CLONE && write_fd < 0)
		return -errno;
	pid = process_fork(0, way == WAY_CLONE ? directory_fd : -1, NULL);
	if (pid == 0) {
		/* One that the parent moves waits to be moved; its death ends the waiting. */
		if (way == WAY_PROCS_PARENT)
			pause();
		_exit(child(way == WAY_CLONE ? -1 : write_fd));
	}
	if (pid < 0)
		return pid;
	if (way == WAY_PROCS_PARENT) {
		r = parent_write(write_fd, pid);
		kill(pid, SIGKILL);
	}
	process_wait(pid, &status);
	return r < 0 ? r : WAY_PROCS_PARENT != way && status != 0 ? -EIO : 0;
}

static int one_round(enum way way, const char *path, uint64_t *ret_ns)
{
	_cleanup_close_ int directory_fd = -EBADF;
	uint64_t start_ns = trace_now();
	int r;

	if (mkdir(path, 0755) < 0)
		return -errno;
	directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = directory_fd < 0 ? -errno : enter(way, directory_fd);
	if (rmdir(path) < 0 && r == 0)
		r = -errno;
	*ret_ns = trace_now() - start_ns;
	return r;
}

static int compare_ns(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

#define N_ROUNDS 40

static void cgroup(struct benchmark_state *state, bool is_v2, enum way way)
{
	const char *root = place_find(is_v2);
	_cleanup_free_ char *path = NULL;
	uint64_t samples[N_ROUNDS] = {};
	size_t n = 0;

	if (!root) {
		benchmark_skip(state, is_v2 ? "no cgroup v2 here" : "no cgroup v1 here");
		return;
	}
	path = string_format("%s/lamina-bench-%d", root, getpid());
	while (benchmark_keep_running(state)) {
		int r;

		pause_100_ms();
		r = one_round(way, path, &samples[n % N_ROUNDS]);
		if (r < 0) {
			benchmark_skip(state, strerror(-r));
			return;
		}
		benchmark_set_iteration_ns(state, samples[n++ % N_ROUNDS]);
	}
	/* The mean says little of a wait that some rounds have and others don't. */
	qsort(samples, N_ROUNDS, sizeof(samples[0]), compare_ns);
	benchmark_set_counter(state, "median_us", (double)samples[N_ROUNDS / 2] / 1e3);
	benchmark_set_counter(state, "p90_us", (double)samples[N_ROUNDS * 9 / 10] / 1e3);
}

static void v1(struct benchmark_state *state, int64_t way)
{
	cgroup(state, false, (enum way)way);
}

static void v2(struct benchmark_state *state, int64_t way)
{
	cgroup(state, true, (enum way)way);
}

#define PACED .n_iterations = N_ROUNDS, .has_manual_time = true

static const struct benchmark_case cases[] = {
	{ .name = "cgroup/v1/floor", .function = v1, .argument = WAY_NONE, PACED },
	{ .name = "cgroup/v1/tasks-self", .function = v1, .argument = WAY_TASKS_SELF, PACED },
	{ .name = "cgroup/v1/procs-self", .function = v1, .argument = WAY_PROCS_SELF, PACED },
	{ .name = "cgroup/v1/procs-parent", .function = v1, .argument = WAY_PROCS_PARENT, PACED },
	{ .name = "cgroup/v2/floor", .function = v2, .argument = WAY_NONE, PACED },
	{ .name = "cgroup/v2/clone", .function = v2, .argument = WAY_CLONE, PACED },
	{ .name = "cgroup/v2/procs-self", .function = v2, .argument = WAY_PROCS_SELF, PACED },
	{ .name = "cgroup/v2/procs-parent", .function = v2, .argument = WAY_PROCS_PARENT, PACED },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
