/* SPDX-License-Identifier: MIT */
/* Making processes: by how the program is linked, and by the namespaces it gets. */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/syscalls.h"
#include "bench/shim/benchmark.h"

static const char *const payloads[] = { PAYLOAD_MUSL, PAYLOAD_GLIBC, PAYLOAD_DYNAMIC };

static int execute(void *argument)
{
	char *path = argument;
	char *argv[] = { path, NULL };
	char *environment[] = { NULL };

	execve(path, argv, environment);
	return 127;
}

/* To the program's end: starting is most of what these do. */
static void exec_program(struct benchmark_state *state, int64_t payload)
{
	while (benchmark_keep_running(state)) {
		pid_t pid = process_vfork(0, -1, NULL, execute, (void *)payloads[payload]);
		int status = -1;

		if (pid < 0 || process_wait(pid, &status) < 0 || status != 0) {
			benchmark_skip(state, "cannot run the payload");
			break;
		}
	}
}

static int end(void *argument)
{
	return 0;
}

/* Only the making of the process, and of its namespaces: they are taken down off the clock. */
static void vfork_with_flags(struct benchmark_state *state, int64_t flags)
{
	while (benchmark_keep_running(state)) {
		pid_t pid = process_vfork((uint64_t)flags, -1, NULL, end, NULL);
		int status;

		if (pid < 0) {
			benchmark_skip(state, strerror(-pid));
			break;
		}
		benchmark_pause(state);
		process_wait(pid, &status);
		benchmark_resume(state);
	}
}

static void fork_with_flags(struct benchmark_state *state, int64_t flags)
{
	while (benchmark_keep_running(state)) {
		pid_t pid = process_fork((uint64_t)flags, -1, NULL);
		int status;

		if (pid == 0)
			_exit(0);
		if (pid < 0) {
			benchmark_skip(state, strerror(-pid));
			break;
		}
		benchmark_pause(state);
		process_wait(pid, &status);
		benchmark_resume(state);
	}
}

/* The call itself, and nothing of ours around it. */
static void bare_vfork(struct benchmark_state *state, int64_t argument)
{
	while (benchmark_keep_running(state)) {
		pid_t pid = vfork();
		int status;

		if (pid == 0)
			_exit(0);
		benchmark_pause(state);
		waitpid(pid, &status, 0);
		benchmark_resume(state);
	}
}

#define DOCKER_FLAGS (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

static const struct benchmark_case cases[] = {
	{ .name = "exec/static-musl", .function = exec_program, .argument = 0 },
	{ .name = "exec/static-glibc", .function = exec_program, .argument = 1 },
	{ .name = "exec/dynamic-glibc", .function = exec_program, .argument = 2 },
	{ .name = "vfork/none", .function = vfork_with_flags, .argument = 0 },
	{ .name = "vfork/none/floor", .function = bare_vfork },
	{ .name = "vfork/uts", .function = vfork_with_flags, .argument = CLONE_NEWUTS },
	{ .name = "vfork/ipc", .function = vfork_with_flags, .argument = CLONE_NEWIPC },
	{ .name = "vfork/pid", .function = vfork_with_flags, .argument = CLONE_NEWPID },
	{ .name = "vfork/cgroup", .function = vfork_with_flags, .argument = CLONE_NEWCGROUP },
	{ .name = "vfork/mount", .function = vfork_with_flags, .argument = CLONE_NEWNS },
	{ .name = "vfork/net", .function = vfork_with_flags, .argument = CLONE_NEWNET },
	{ .name = "vfork/docker", .function = vfork_with_flags, .argument = DOCKER_FLAGS },
	{ .name = "vfork/docker-host-net",
	  .function = vfork_with_flags,
	  .argument = DOCKER_FLAGS & ~CLONE_NEWNET },
	{ .name = "fork/none", .function = fork_with_flags, .argument = 0 },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
