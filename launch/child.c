/* SPDX-License-Identifier: MIT */
#include "launch/child.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/activation.h"
#include "launch/credentials.h"
#include "launch/device.h"
#include "launch/dialogue.h"
#include "launch/execute.h"
#include "launch/hooks.h"
#include "launch/label.h"
#include "launch/mount.h"
#include "launch/rlimit.h"
#include "launch/root.h"
#include "launch/schedule.h"
#include "launch/seccomp/load.h"
#include "launch/state.h"
#include "launch/template.h"
#include "launch/terminal.h"
#include "launch/tune.h"
#include "launch/user_namespace.h"

/*
 * A launcher that is killed in the middle must not leave a container starting by itself. Called
 * once more after a change of user, which clears this.
 */
int child_bind_life(const struct child *child, struct error *error)
{
	TRACE_PHASE("child.bind");
	struct pollfd parent = { .fd = child->parent_pidfd, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot bind the container to its launcher");
	/* It may have ended before that. Its pid is no help: it isn't in this pid namespace. */
	if (poll(&parent, 1, 0) != 0)
		return error_say(error, -ESRCH, "the launcher has ended");
	return 0;
}

/* A session of its own: the caller's terminal can't be typed into (CVE-2017-5226). */
static int session_make(const struct child *child, struct error *error)
{
	TRACE_PHASE("session");

	if (setsid() < 0)
		return error_set(error, -errno, "cannot make a session");
	if (child->no_new_keyring)
		return 0;
	TRACE_PHASE("key.session");
	if (sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) < 0 && errno != ENOSYS &&
	    errno != EPERM)
		return error_set(error, -errno, "cannot make a session keyring");
	return 0;
}

int child_be_dumpable(const struct child *child, bool dumpable, struct error *error)
{
	if (child->is_unprivileged && prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot change who may look into the process");
	return 0;
}

int child_map_ids(const struct child *child, struct error *error)
{
	int r = child_be_dumpable(child, true, error);

	if (r == 0)
		r = dialogue_ask(child->dialogue_fd, DIALOGUE_MAP_IDS, error);
	if (r == 0)
		r = child_be_dumpable(child, false, error);
	if (r == 0)
		r = user_namespace_become_root(child->process, error);
	/* The change of user has cleared it. */
	return r == 0 ? child_bind_life(child, error) : r;
}

static int isolate(const struct child *child, struct error *error)
{
	const struct config *config = &child->bundle->config;
	int r = 0;

	if (!child->is_bridged) {
		TRACE_PHASE("cgroup.attach");
		r = cgroup_enter(child->cgroup, error);
		if (r < 0)
			return r;
	}
	if (config_has_own_namespace(config, CLONE_NEWUSER) && !child->ids_are_mapped)
		r = child_map_ids(child, error);
	if (r == 0) {
		TRACE_PHASE("ns.setns");
		r = namespaces_enter(child->is_bridged ? NULL : child->namespaces, config,
				     child->network_fd, error);
	}
	return r == 0 ? session_make(child, error) : r;
}

static struct hook_state hook_state(const struct child *child, enum state_status status)
{
	struct hook_state state = {
		.id = child->id,
		.status = status,
		/* As it is in the container's pid namespace, which is the hooks' too. */
		.pid = getpid(),
		.bundle = child->bundle->path,
	};

	state.annotations = json_raw(child->bundle->config.annotations, &state.n_annotations);
	return state;
}

/*
 * Those of create: all is mounted, and can still be changed: the old root is in place, the new one
 * isn't read-only yet.
 */
static int create_hooks_run(const struct child *child, struct error *error)
{
	const struct config_hooks *hooks = &child->bundle->config.hooks;
	const struct hook_state state = hook_state(child, STATE_CREATING);
	struct hook_place place = HOOK_PLACE_EMPTY;
	int r = 0;

	place.directory = child->bundle->path;
	if (config_hooks_have(hooks, HOOK_PRESTART, HOOK_CREATE_CONTAINER) ||
	    child->bundle->config.n_net_devices)
		r = dialogue_ask(child->dialogue_fd, DIALOGUE_RUN_HOOKS, error);
	return r == 0 ? hooks_run(hooks, HOOK_CREATE_CONTAINER, &state, &place, error) : r;
}

/*
 * With the rights that the container's program is going to have: they are files of its root. (The
 * capability to load the filter isn't in the bounding set: it ends with the hook's exec.)
 */
static int start_hooks_run(const struct child *child, struct error *error)
{
	struct hook_place place = HOOK_PLACE_EMPTY;
	struct hook_state state;

	if (!child->bundle || !child->bundle->config.hooks.lists[HOOK_START_CONTAINER].n)
		return 0;
	state = hook_state(child, STATE_CREATED);
	place.filter = child->filter;
	return hooks_run(&child->bundle->config.hooks, HOOK_START_CONTAINER, &state, &place, error);
}

/*
 * The root of a user namespace may not search every directory on the way to root.path (a bundle in
 * a 0700 directory of the host's root): its root lies over "/" until the switch.
 */
static const char *root_place(const struct launch_bundle *bundle)
{
	return config_find_namespace(&bundle->config, CLONE_NEWUSER) ? "/" : bundle->root_path;
}

/*
 * Into the mount namespace that the root is built in: of a copy of the template, or of the host's
 * mounts, which the clone has made where there is no template.
 */
static int namespace_enter(const struct child *child, bool *ret_is_templated, struct error *error)
{
	int r = child->template_fd < 0 ? TEMPLATE_REFUSED : template_enter(child->template_fd);

	*ret_is_templated = r == 0;
	if (r < 0)
		return error_set(error, r, "cannot copy the template's mount namespace");
	if (r == TEMPLATE_REFUSED && child->template_fd >= 0 && unshare(CLONE_NEWNS) < 0)
		return error_set(error, -errno, "cannot make a mount namespace");
	return r == 0 ? 0 : root_part(child->bundle->config.root_propagation, error);
}

static int root_finish(const struct child *child, int root_fd, bool is_templated,
		       struct error *error)
{
	if (is_templated)
		return root_enter(root_fd, error);
	return child->no_pivot ? root_move(root_fd, error) : root_switch(root_fd, error);
}

/* The whole file system of the container; afterwards nothing of the host's can be reached by name.
 */
static int root_build(const struct child *child, int *ret_slave_fd, struct error *error)
{
	const struct config *config = &child->bundle->config;
	struct mount_context context = {
		.root_fd = child->root_mount_fd,
		.bundle_path = child->bundle->path,
		.cgroup = child->cgroup,
		.is_strict = child->strict,
		.sources = child->sources,
		.clones = child->clones,
		.null_fd = child->null_fd,
		.dev_fd = child->dev_fd,
		.private_cgroups = config_find_namespace(config, CLONE_NEWCGROUP) != NULL,
	};
	bool is_templated = false;
	int r = mount_shared_clone(&context, config, error);

	if (r == 0 && context.root_fd < 0) {
		r = context.root_fd = launch_bundle_root(child->bundle, NULL, error);
		r = r < 0 ? r : 0;
	}
	if (r == 0)
		r = namespace_enter(child, &is_templated, error);
	if (r == 0)
		r = root_attach(context.root_fd, is_templated ? "/" : root_place(child->bundle),
				error);
	if (r == 0)
		r = mount_all(&context, config, error);
	/* A pool's has them. */
	if (r == 0 && child->dev_fd < 0)
		r = device_make_all(context.root_fd, config, error);
	if (r == 0 && child->terminal_fd >= 0)
		r = terminal_make(context.root_fd, child->terminal_fd, child->process, ret_slave_fd,
				  error);
	if (r == 0 && *ret_slave_fd >= 0)
		r = terminal_bind_console(context.root_fd, *ret_slave_fd, error);
	if (r == 0 && !context.is_tuned)
		r = tune_privately(config, child->strict, error);
	/* The working directory is made as Docker and runc make it, before the root is read-only.
	 */
	if (r == 0 && strcmp(config->process.cwd, "/")) {
		int fd = path_mkdir_in_root(context.root_fd, config->process.cwd, 0755);

		if (fd < 0 && fd != -EROFS)
			r = error_set(error, fd,
				      "process.cwd: cannot make the working directory '%s'",
				      config->process.cwd);
		cleanup_close(&fd);
	}
	if (r == 0)
		r = create_hooks_run(child, error);
	if (r == 0)
		r = mount_masks(&context, config, error);
	if (r == 0)
		r = root_finish(child, context.root_fd, is_templated, error);
	return r == 0 ? root_propagate(config->root_propagation, error) : r;
}

/*
 * Into a container that runs: its cgroups, then all its namespaces in one call, which also makes
 * its root this process's. The pid namespace was joined by the parent, for its children.
 */
static int join(const struct child *child, int *ret_slave_fd, struct error *error)
{
	_cleanup_close_ int root_fd = -EBADF;
	int r = child->is_bridged
			? 0
			: tune_score(child->process, child->procfs_fd, 0, child->strict, error);

	if (r < 0)
		return r;
	{
		TRACE_PHASE("cgroup.attach");
		r = child->is_bridged ? 0 : cgroup_enter(child->cgroup, error);
		/* A cpuset that is entered changes what was set before. */
		if (r == 0)
			r = schedule_pin(child->process->exec_cpus_final,
					 "process.execCPUAffinity.final", error);
		if (r < 0)
			return r;
	}
	if (!child->is_bridged) {
		TRACE_PHASE("ns.setns");
		if (setns(child->join_pidfd, child->join_flags) < 0)
			return error_set(error, -errno, "cannot join the container's namespaces");
	}
	r = session_make(child, error);
	if (r < 0 || child->terminal_fd < 0)
		return r;
	root_fd = fd_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_set(error, -errno, "cannot open the container's root");
	return terminal_make(root_fd, child->terminal_fd, child->process, ret_slave_fd, error);
}

/* By a descriptor that was resolved inside the root: /proc/self/fd/7 leads nowhere
 * (CVE-2024-21626). */
static int working_directory_enter(const struct config_process *process, struct error *error)
{
	_cleanup_close_ int root_fd = -EBADF, fd = -EBADF;

	/* The root itself is no name that could lead elsewhere. */
	if (!strcmp(process->cwd, "/"))
		return chdir("/") < 0 ? error_set(error, -errno, "cannot enter the root") : 0;
	root_fd = fd_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root_fd < 0 ? -errno
			 : path_open_in_root(root_fd, process->cwd, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || fchdir(fd) < 0)
		return error_set(error, fd < 0 ? fd : -errno,
				 "process.cwd: cannot enter the working directory '%s'",
				 process->cwd);
	return 0;
}

/*
 * The container begins to live without the process that made it, and not before its state is
 * written: a launcher that is killed earlier must take it along, since nobody would find it.
 */
static int release(const struct child *child, struct error *error)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot release the container");
	/*
	 * It lives by itself now, and is known from here on. Of a user namespace's root the
	 * launcher has done it, before this process could have outlived it: killed in between, it
	 * leaves a container that is known to have ended.
	 */
	if (!config_find_namespace(&child->bundle->config, CLONE_NEWUSER) &&
	    renameat(child->state_fd, STATE_FILE_NEW, child->state_fd, STATE_FILE) < 0)
		return error_set(error, -errno, "cannot publish the state");
	r = dialogue_tell(child->dialogue_fd, DIALOGUE_RELEASED, error);
	close(child->dialogue_fd);
	return r;
}

/* Who says `start` brings the supervisor's socket, where there is one; or was killed before. */
static int start_accept(const struct child *child, struct error *error)
{
	for (;;) {
		int fd = accept4(child->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return error_set(error, -errno, "cannot wait for the start");
		if (fd < 0)
			continue;
		if (!child->listener)
			return fd;
		child->listener->socket_fd = fd_receive(fd);
		if (child->listener->socket_fd >= 0)
			return fd;
		close(fd);
	}
}

/* `create` ends here; the connection of who said `start` is closed by the exec, or gets the error.
 */
static int start_wait(const struct child *child, int slave_fd, int *ret_start_fd,
		      struct error *error)
{
	int fd, r;

	/* Before the wait: the standard streams of who said `create` may be pipes, and an engine
	 * waits for their end. */
	if (slave_fd >= 0) {
		r = terminal_adopt(slave_fd, error);
		if (r < 0)
			return r;
	}

	for (int i = 0; i < 2; i++) {
		if (child->lock_fds[i] >= 0)
			close(child->lock_fds[i]);
	}
	r = release(child, error);
	if (r < 0)
		return r;
	fd = start_accept(child, error);
	if (fd < 0)
		return fd;
	*ret_start_fd = fd;
	/* Here and not by who said `start`, who may be killed in between: from now on it runs. */
	if (unlinkat(child->start_fd, STATE_START_NAME, 0) < 0 && errno != ENOENT)
		return error_set(error, -errno, "cannot remove the socket for start");
	return 0;
}

/* To the launcher by shared memory, to who said `start` over its connection. */
static void failure_report(const struct child *child, int start_fd, const struct error *error)
{
	child->report->error = *error;
	if (start_fd >= 0)
		(void)fd_write_full(start_fd, child->report, sizeof(*child->report));
}

struct listener_failure {
	const struct child *child;
	int start_fd;
};

static void listener_failed(const struct error *error, void *argument)
{
	const struct listener_failure *failure = argument;

	failure_report(failure->child, failure->start_fd, error);
	_exit(failure->child->report->exit_status);
}

static int filter_load(const struct child *child, int start_fd, struct error *error)
{
	TRACE_PHASE("sec.install");
	struct listener_failure failure = { child, start_fd };
	int r;

	if (child->listener)
		return seccomp_listener_load(child->listener, child->filter, listener_failed,
					     &failure, error);
	r = seccomp_load(&child->filter->program, child->filter->flags);
	return r < 0 ? error_set(error, r, "linux.seccomp: cannot load the filter") : 0;
}

static int limits_apply(const struct child *child, struct error *error)
{
	TRACE_PHASE("id.limits");
	const struct config_process *process = child->process;
	int r;

	if (child->n_files && setrlimit(RLIMIT_NOFILE, child->n_files) < 0)
		return error_set(error, -errno, "cannot set the limit of open files");
	r = schedule_apply(process, child->config, error);
	if (r == 0)
		r = rlimit_apply(process, child->strict, error);
	if (r == 0 && label_is_asked(process))
		r = label_apply(process, child->procfs_fd, error);
	return r;
}

/* The last steps: nothing of the launcher's is left when the program runs. */
static int become(const struct child *child, int slave_fd, int start_fd, struct error *error)
{
	const struct config_process *process = child->process;
	uint64_t held;
	int r = credentials_held(&held, error);

	if (r < 0)
		return r;
	r = limits_apply(child, error);
	if (r == 0)
		r = credentials_limit(process, held, error);
	if (r == 0 && slave_fd >= 0 && child->listen_fd < 0)
		r = terminal_adopt(slave_fd, error);
	if (r == 0 && child->stdin_fd >= 0 && dup2(child->stdin_fd, STDIN_FILENO) < 0)
		r = error_set(error, -errno, "cannot set the standard input");
	/* Without no_new_privs it takes a capability, which the next step drops. */
	if (r == 0 && child->landlock)
		r = landlock_restrict(child->landlock, error);
	if (r == 0)
		r = credentials_become(process, held, child->filter, error);
	if (r < 0)
		return r;
	umask(process->umask >= 0 ? (mode_t)process->umask : 0022);
	if (child->dies_with_parent)
		r = child_bind_life(child, error);
	else if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		r = error_set(error, -errno, "cannot release the container");
	if (r < 0)
		return r;
	{
		TRACE_PHASE("fd.sweep");
		if (sys_close_range(3 + child->n_preserved_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
			return error_set(error, -errno, "cannot close descriptors");
	}
	if (child->listen_pid)
		activation_pid_set(child->listen_pid);
	r = start_hooks_run(child, error);
	if (r < 0)
		return r;
	if (sigprocmask(SIG_SETMASK, &child->signal_mask, NULL) < 0)
		return error_set(error, -errno, "cannot set the signal mask");
	return child->filter ? filter_load(child, start_fd, error) : 0;
}

static int steps(const struct child *child, char *program, int *start_fd, struct error *error)
{
	const struct config_process *process = child->process;
	_cleanup_close_ int slave_fd = -EBADF;
	int r = child_bind_life(child, error);

	if (r < 0)
		return r;
	process_signals_reset();
	umask(0);
	if (child->listener)
		r = seccomp_listener_find_pid(child->listener, error);
	if (r < 0)
		return r;
	if (child->join_pidfd >= 0) {
		r = join(child, &slave_fd, error);
	} else {
		r = isolate(child, error);
		if (r == 0)
			r = root_build(child, &slave_fd, error);
	}
	if (r == 0) {
		TRACE_PHASE("stdio");
		r = device_null_reopen(error);
	}
	if (r < 0)
		return r;
	{
		TRACE_PHASE("exec.find");
		r = working_directory_enter(process, error);
		if (r < 0)
			return r;
		r = execute_find(process, program, error);
	}
	if (r < 0) {
		child->report->exit_status = execute_status(r);
		return r;
	}
	if (child->dialogue_fd >= 0)
		r = dialogue_ask(child->dialogue_fd, DIALOGUE_PUBLISH, error);
	if (r == 0 && child->listen_fd >= 0)
		r = start_wait(child, slave_fd, start_fd, error);
	return r == 0 ? become(child, slave_fd, *start_fd, error) : r;
}

int child_main(void *argument)
{
	const struct child *child = argument;
	struct child_report *report = child->report;
	struct error error;
	char program[PATH_MAX];
	int start_fd = -EBADF, r;

	trace_end_elsewhere(report->clone_slot, "ns.clone");
	trace_set_container(true);
	error_init(&error);
	report->exit_status = 125;
	r = steps(child, program, &start_fd, &error);
	if (r == 0) {
		report->exec_slot = trace_begin("exec");
		r = execute_program(child->process, program, &error);
		report->exit_status = execute_status(r);
	}
	trace_set_container(false);
	failure_report(child, start_fd, &error);
	return report->exit_status;
}
