/* SPDX-License-Identifier: MIT */
/*
 * floor-start: a container start with Docker's default isolation, and nothing else.
 *
 * No image, no bundle, no JSON, no state: the command line has the layers and the program, all else
 * is wired in. Read the two tables below to know what such a start asks of the kernel; time the
 * program to know the least that it can cost on a machine.
 */
#include "bench/floor/floor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"

struct step {
	const char *phase; /* as nslaunch's timeline names it */
	const char *what;
	int (*take)(struct floor *floor);
};

static int ask_to_die_with_the_parent(struct floor *floor)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int make_mounts_private(struct floor *floor)
{
	return sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

#define STEPS(array) ((struct steps){ (array), sizeof(array) / sizeof((array)[0]) })

struct steps {
	const struct step *items;
	size_t n_items;
};

/* The launcher's, on the host. */
static const struct step parent_steps[] = {
	{ "ovl.create", "mount the overlay", root_make },
	{ "cgroup.create", "make the cgroups", cgroup_make },
};

/* The container's child's, in its namespaces, until its root is in its place. */
static const struct step child_steps[] = {
	{ "child", "set the parent's death signal", ask_to_die_with_the_parent },
	{ "cgroup.attach", "enter the cgroups", cgroup_enter },
	{ "net.lo", "bring the loopback interface up", process_loopback_up },
	{ "mnt.private", "make the mounts private", make_mounts_private },
	{ "mnt.overlay", "attach the root", root_attach },
	{ "mnt.proc", "mount /proc", mount_proc },
	{ "sysctl", "write sysctls", write_sysctls },
	{ "mnt.dev", "mount /dev", mount_dev },
	{ "mnt.devpts", "mount /dev/pts", mount_dev_pts },
	{ "mnt.shm", "mount /dev/shm", mount_dev_shm },
	{ "mnt.mqueue", "mount /dev/mqueue", mount_dev_mqueue },
	{ "mnt.sys", "mount /sys", mount_sys },
	{ "mnt.cgroup", "mount /sys/fs/cgroup", cgroup_mount },
	{ "mnt.bind", "bind the files of /etc", mount_etc },
	{ "mask", "mask paths", mount_masks },
	{ "mask", "make paths read-only", mount_read_only_paths },
	{ "root.switch", "switch to the root", root_switch },
};

/* The same two with a template and a pool. */
static const struct step pooled_parent_steps[] = {
	{ "ovl.create", "mount the overlay", root_make },
	{ "template.open", "open the template", template_open },
	{ "mnt.bind", "clone the files of /etc", etc_take },
	{ "pool.take", "take from the pool", pool_take },
	{ "cgroup.create", "open the cgroups", cgroup_make },
};

static const struct step pooled_child_steps[] = {
	{ "child", "set the parent's death signal", ask_to_die_with_the_parent },
	{ "cgroup.attach", "enter the cgroups", cgroup_enter },
	{ "ns.setns", "join the network namespace", network_enter },
	{ "root.template", "copy the template", template_enter },
	{ "mnt.overlay", "attach the root", template_root_attach },
	{ "mnt.proc", "mount /proc", mount_proc },
	{ "sysctl", "write sysctls", write_sysctls },
	{ "mnt.dev", "attach /dev", pooled_dev_attach },
	{ "mnt.devpts", "mount /dev/pts", mount_dev_pts },
	{ "mnt.shm", "mount /dev/shm", mount_dev_shm },
	{ "mnt.mqueue", "mount /dev/mqueue", mount_dev_mqueue },
	{ "mnt.sys", "mount /sys", mount_sys },
	{ "mnt.cgroup", "mount /sys/fs/cgroup", cgroup_mount },
	{ "mnt.bind", "attach the files of /etc", etc_attach },
	{ "mask", "mask paths", mount_masks },
	{ "mask", "make paths read-only", mount_read_only_paths },
	{ "root.switch", "switch to the root", template_root_switch },
};

/* Then, with both. */
static const struct step last_steps[] = {
	{ "hostname", "set the host name", process_hostname },
	{ "key.session", "join a session keyring", process_keyring },
	{ "session", "make a session", process_session },
	{ "id.ids", "set the user", process_identity },
	{ "id.caps", "drop capabilities", process_capabilities },
	{ "sec.install", "load the seccomp filter", process_seccomp },
	{ "fd.sweep", "close descriptors", process_descriptors },
};

static int steps_take(struct floor *floor, struct steps steps)
{
	for (size_t i = 0; i < steps.n_items; i++) {
		TRACE_PHASE(steps.items[i].phase);

		floor->step = steps.items[i].what;
		if (steps.items[i].take(floor) < 0) {
			floor->step_errno = errno;
			return -1;
		}
	}
	return 0;
}

static int child(void *argument)
{
	static char *const environment[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"HOSTNAME=floor",
		NULL,
	};
	struct floor *floor = argument;
	sigset_t none;

	trace_set_container(true);
	if (steps_take(floor, floor->pool ? STEPS(pooled_child_steps) : STEPS(child_steps)) < 0 ||
	    steps_take(floor, STEPS(last_steps)) < 0)
		return 125;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(floor->program[0], floor->program, environment);
	floor->step = "execute the program";
	floor->step_errno = errno;
	return 127;
}

static int start(struct floor *floor, pid_t *ret_pid)
{
	uint64_t flags = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
			 (floor->pool ? 0 : CLONE_NEWNS) |
			 (floor->host_network || floor->pool ? 0 : CLONE_NEWNET);
	sigset_t all, earlier;
	unsigned int slot;
	pid_t pid;

	/* A handler that ran in the vforked child would run on the parent's memory. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &earlier);
	floor->step = "make the process";
	slot = trace_begin("ns.clone");
	pid = process_vfork(flags, floor->v2_fd, NULL, child, floor);
	trace_set_container(false);
	trace_end(slot, "ns.clone");
	sigprocmask(SIG_SETMASK, &earlier, NULL);
	if (pid < 0) {
		floor->step_errno = -(int)pid;
		return -1;
	}
	trace_set_ids("floor", pid);
	*ret_pid = pid;
	return 0;
}

static void wait_for(pid_t pid, int *ret_status)
{
	TRACE_PHASE("exit.wait");

	process_wait(pid, ret_status);
}

static void settle(struct floor *floor)
{
	TRACE_PHASE("pool.settle");

	pool_settle(floor);
}

static void clean_up(struct floor *floor)
{
	TRACE_PHASE("cgroup.remove");

	cgroup_remove(floor);
}

static int run(struct floor *floor)
{
	int status = 0;
	pid_t pid = 0;
	int r;

	r = steps_take(floor, floor->pool ? STEPS(pooled_parent_steps) : STEPS(parent_steps));
	if (r == 0)
		r = start(floor, &pid);
	if (floor->pool)
		settle(floor);
	if (r == 0)
		wait_for(pid, &status);
	clean_up(floor);
	trace_flush();
	if (floor->step_errno) {
		fprintf(stderr, "floor-start: cannot %s: %s\n", floor->step,
			strerror(floor->step_errno));
		return r < 0 ? 125 : process_exit_status(status);
	}
	return process_exit_status(status);
}

static int usage(void)
{
	fputs("usage: floor-start [--no-reexec] [--network host|none] --lower DIR...\n"
	      "       {--upper DIR --work DIR | --ephemeral}\n"
	      "       [--template FILE --pool STATE/@pool/ready] -- PROGRAM [ARGUMENT...]\n",
	      stderr);
	return 125;
}

/* --lower takes all that follows up to the next option: topmost first. */
static int arguments_take(struct floor *floor, char **argv)
{
	bool ephemeral = false;

	for (; *argv && strcmp(*argv, "--"); argv++) {
		if (!strcmp(*argv, "--ephemeral")) {
			ephemeral = true;
		} else if (!strcmp(*argv, "--no-reexec")) {
			floor->no_reexec = true;
		} else if (!argv[1]) {
			return -1;
		} else if (!strcmp(*argv, "--upper")) {
			floor->upper = *++argv;
		} else if (!strcmp(*argv, "--work")) {
			floor->work = *++argv;
		} else if (!strcmp(*argv, "--template")) {
			floor->template = *++argv;
		} else if (!strcmp(*argv, "--pool")) {
			floor->pool = *++argv;
		} else if (!strcmp(*argv, "--network")) {
			floor->host_network = !strcmp(*++argv, "host");
		} else if (!strcmp(*argv, "--lower")) {
			while (argv[1] && argv[1][0] == '/' && floor->n_lowers < FLOOR_MAX_LOWERS)
				floor->lowers[floor->n_lowers++] = *++argv;
		} else {
			return -1;
		}
	}
	if (!argv[0] || !argv[1] || floor->n_lowers == 0 || ephemeral != !floor->upper ||
	    !floor->upper != !floor->work || !floor->template != !floor->pool ||
	    (floor->pool && floor->host_network))
		return -1;
	floor->program = argv + 1;
	return 0;
}

int main(int argc, char *argv[])
{
	struct floor floor = { .root_fd = -1, .v2_fd = -1 };

	if (argc < 2 || arguments_take(&floor, argv + 1) < 0)
		return usage();
	if (!floor.no_reexec && process_protect(argv) < 0) {
		perror("floor-start: cannot execute a protected copy of itself");
		return 125;
	}
	/* Off, it is a test of a pointer for each step. */
	if (getenv("LAMINA_TRACE"))
		trace_open("floor-start", getenv("LAMINA_TRACE"));
	return run(&floor);
}
