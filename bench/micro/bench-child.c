/* SPDX-License-Identifier: MIT */
/*
 * What a container's child does between its clone and its exec, each step by itself: in new
 * namespaces each time, timed inside, beside the bare system calls for the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "bench/micro/bundle.h"
#include "bench/shim/benchmark.h"
#include "launch/config/config.h"
#include "launch/credentials.h"
#include "launch/device.h"
#include "launch/mount.h"
#include "launch/root.h"
#include "launch/spec/spec.h"

enum step {
	STEP_PROC,
	STEP_DEV,
	STEP_DEVPTS,
	STEP_SHM,
	STEP_MQUEUE,
	STEP_SYS,
	STEP_BIND,
	STEP_DEVICES,
	STEP_MASKS,
	STEP_SWITCH,
	STEP_CAPABILITIES,
	N_STEPS,
};

/* Shared with the child. */
struct result {
	uint64_t ns[N_STEPS];
	char failure[ERROR_MESSAGE_BYTES + 32];
};

struct child {
	const struct config *config; /* NULL: the bare calls */
	const char *bundle;
	struct result *result;
};

static int step_failed(const struct child *child, enum step step, const char *why)
{
	snprintf(child->result->failure, sizeof(child->result->failure), "step %d: %s", (int)step,
		 why);
	return 1;
}

/* --- the launcher's own steps --- */

static int step_of(const struct config_mount *mount)
{
	static const char *const destinations[] = {
		[STEP_PROC] = "/proc",	       [STEP_DEV] = "/dev",
		[STEP_DEVPTS] = "/dev/pts",    [STEP_SHM] = "/dev/shm",
		[STEP_MQUEUE] = "/dev/mqueue", [STEP_SYS] = "/sys",
		[STEP_BIND] = "/etc/hosts",
	};

	for (int step = 0; step <= STEP_BIND; step++) {
		if (!strcmp(mount->destination, destinations[step]))
			return step;
	}
	return -1;
}

static int mounts_time(const struct child *child, struct mount_context *context,
		       struct error *error)
{
	for (size_t i = 0; i < child->config->n_mounts; i++) {
		struct config one = *child->config;
		int step = step_of(&child->config->mounts[i]);
		uint64_t start_ns = trace_now();

		/* The cgroups' needs some: bench-cgroup has it. */
		if (step < 0)
			continue;
		one.mounts = &child->config->mounts[i];
		one.n_mounts = 1;
		if (mount_all(context, &one, error) < 0)
			return step_failed(child, (enum step)step, error->message);
		child->result->ns[step] = trace_now() - start_ns;
	}
	return 0;
}

#define TIMED(step, call)                                                                          \
	({                                                                                         \
		uint64_t _start_ns = trace_now();                                                  \
		int _r = (call);                                                                   \
		child->result->ns[step] = trace_now() - _start_ns;                                 \
		_r;                                                                                \
	})

static int own_steps(const struct child *child, int root_fd)
{
	struct mount_sources sources = {};
	struct mount_context context = { .root_fd = root_fd,
					 .bundle_path = child->bundle,
					 .sources = &sources,
					 .null_fd = -EBADF,
					 .dev_fd = -EBADF };
	struct error error;
	uint64_t held;

	error_init(&error);
	if (mounts_time(child, &context, &error) != 0)
		return 1;
	if (TIMED(STEP_DEVICES, device_make_all(root_fd, child->config, &error)) < 0)
		return step_failed(child, STEP_DEVICES, error.message);
	if (TIMED(STEP_MASKS, mount_masks(&context, child->config, &error)) < 0)
		return step_failed(child, STEP_MASKS, error.message);
	if (TIMED(STEP_SWITCH, root_switch(root_fd, &error)) < 0)
		return step_failed(child, STEP_SWITCH, error.message);
	if (credentials_held(&held, &error) < 0 ||
	    TIMED(STEP_CAPABILITIES,
		  credentials_become(&child->config->process, held, true, &error)) < 0)
		return step_failed(child, STEP_CAPABILITIES, error.message);
	return 0;
}

/* --- the same, bare --- */

static int bare_devices(void)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		      { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "/proc/kcore", "dev/core" },	     { "pts/ptmx", "dev/ptmx" },
	};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) <
		    0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlink(links[i][0], links[i][1]) < 0)
			return -1;
	}
	return 0;
}

/* Those of @config's that this kernel has. */
static int bare_masks(void)
{
	static const char *const files[] = { "proc/interrupts", "proc/kcore", "proc/keys",
					     "proc/timer_list" };
	static const char *const directories[] = { "proc/acpi", "proc/scsi", "sys/firmware" };
	static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
						 "proc/sysrq-trigger" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (sys_mount("/dev/null", files[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return -1;
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (sys_mount("tmpfs", directories[i], "tmpfs", MS_RDONLY, "nr_inodes=1") < 0 &&
		    errno != ENOENT)
			return -1;
	}
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		if (sys_mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0 ||
		    sys_mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) <
			    0) {
			if (errno != ENOENT)
				return -1;
		}
	}
	return 0;
}

static int bare_switch(void)
{
	return sys_pivot_root(".", ".") < 0 ? -1 : sys_umount2(".", MNT_DETACH);
}

static int bare_capabilities(void)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		/* About as many as Docker's default drops. */
		if (i % 3 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

/* A mount that needs its directory first: /dev is empty by then. */
static int bare_mount(const char *source, const char *target, const char *type, const char *data)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		return -1;
	return sys_mount(source, target, type, MS_NOSUID, data);
}

static int bare_steps(const struct child *child, int root_fd)
{
	char hosts[PATH_MAX];

	snprintf(hosts, sizeof(hosts), "%s/hosts", child->bundle);
	if (fchdir(root_fd) < 0 || TIMED(STEP_PROC, bare_mount("proc", "proc", "proc", NULL)) < 0 ||
	    TIMED(STEP_DEV, bare_mount("tmpfs", "dev", "tmpfs", "mode=755,size=65536k")) < 0 ||
	    TIMED(STEP_DEVPTS, bare_mount("devpts", "dev/pts", "devpts",
					  "newinstance,ptmxmode=0666,mode=0620,gid=5")) < 0 ||
	    TIMED(STEP_SHM, bare_mount("shm", "dev/shm", "tmpfs", "mode=1777,size=65536k")) < 0 ||
	    TIMED(STEP_MQUEUE, bare_mount("mqueue", "dev/mqueue", "mqueue", NULL)) < 0 ||
	    TIMED(STEP_SYS, bare_mount("sysfs", "sys", "sysfs", NULL)) < 0 ||
	    TIMED(STEP_BIND, sys_mount(hosts, "etc/hosts", NULL, MS_BIND, NULL)) < 0 ||
	    TIMED(STEP_DEVICES, bare_devices()) < 0 || TIMED(STEP_MASKS, bare_masks()) < 0 ||
	    TIMED(STEP_SWITCH, bare_switch()) < 0 ||
	    TIMED(STEP_CAPABILITIES, bare_capabilities()) < 0)
		return step_failed(child, N_STEPS, strerror(errno));
	return 0;
}

/* --- a child, and what it is run for --- */

/* A tmpfs with the directories and files that an image and the init layer have. */
static int root_make(void)
{
	static const char *const directories[] = { "proc", "dev", "sys", "etc" };
	static const char *const files[] = { "etc/hosts", "etc/hostname", "etc/resolv.conf" };
	int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC), fd;

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	close(fs_fd);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (mkdirat(fd, directories[i], 0755) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		close(openat(fd, files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	return fd;
}

static int child_run(void *argument)
{
	const struct child *child = argument;
	int root_fd = root_make();

	umask(0);
	if (root_fd < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sys_move_mount(root_fd, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return step_failed(child, N_STEPS, strerror(errno));
	return child->config ? own_steps(child, root_fd) : bare_steps(child, root_fd);
}

/* A config.json as `nslaunch spec` writes it. */
static bool config_make(struct bundle_fixture *fixture, struct config *config, struct error *error)
{
	static char *command[] = { (char *)"/bin/true", NULL };
	_cleanup_spec_request_ struct spec_request request = {};
	struct spec_options options = {};

	return bundle_fixture_make(fixture) &&
	       spec_request_parse(&options, command, &request, error) == 0 &&
	       spec_bundle(fixture->bundle, &request, 0, error) == 0 &&
	       config_parse(config, fixture->bundle_fd, error) == 0;
}

static void step_time(struct benchmark_state *state, int64_t step, bool is_bare)
{
	const uint64_t flags =
		CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
	_cleanup_bundle_fixture_ struct bundle_fixture fixture = { .bundle_fd = -EBADF };
	_cleanup_config_ struct config config = {};
	struct child child = {};
	struct error error;

	error_init(&error);
	if (!config_make(&fixture, &config, &error)) {
		benchmark_skip(state, error.message);
		return;
	}
	child.config = is_bare ? NULL : &config;
	child.bundle = fixture.bundle;
	child.result = mmap(NULL, sizeof(*child.result), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	while (benchmark_keep_running(state)) {
		int status = 1;
		pid_t pid = process_vfork(flags, -1, NULL, child_run, &child);

		if (pid < 0 || process_wait(pid, &status) < 0 || status != 0) {
			benchmark_skip(state, pid < 0 ? strerror(-pid) : child.result->failure);
			break;
		}
		benchmark_set_iteration_ns(state, child.result->ns[step]);
	}
	munmap(child.result, sizeof(*child.result));
}

static void own(struct benchmark_state *state, int64_t step)
{
	step_time(state, step, false);
}

static void bare(struct benchmark_state *state, int64_t step)
{
	step_time(state, step, true);
}

#define STEP(title, number)                                                                        \
	{ .name = "child/" title,                                                                  \
	  .function = own,                                                                         \
	  .argument = number,                                                                      \
	  .n_iterations = 50,                                                                      \
	  .has_manual_time = true },                                                               \
	{                                                                                          \
		.name = "child/" title "/floor", .function = bare, .argument = number,             \
		.n_iterations = 50, .has_manual_time = true                                        \
	}

static const struct benchmark_case cases[] = {
	STEP("mount/proc", STEP_PROC),
	STEP("mount/dev", STEP_DEV),
	STEP("mount/devpts", STEP_DEVPTS),
	STEP("mount/shm", STEP_SHM),
	STEP("mount/mqueue", STEP_MQUEUE),
	STEP("mount/sys", STEP_SYS),
	STEP("mount/bind", STEP_BIND),
	STEP("devices", STEP_DEVICES),
	STEP("masks", STEP_MASKS),
	STEP("root switch", STEP_SWITCH),
	STEP("capabilities", STEP_CAPABILITIES),
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
