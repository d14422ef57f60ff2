/* SPDX-License-Identifier: MIT */
#include "launch/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attempt.h"
#include "launch/bridge.h"
#include "launch/dialogue.h"
#include "launch/group.h"
#include "launch/hooks.h"
#include "launch/internal.h"
#include "launch/mount.h"
#include "launch/notify.h"
#include "launch/network_device.h"
#include "launch/preparation.h"
#include "launch/rdt.h"
#include "launch/sysctl.h"
#include "launch/template.h"
#include "launch/terminal.h"

static void attempt_init(struct attempt *attempt, const struct launch_options *options,
			 struct launched *launched)
{
	*attempt = (struct attempt){ .options = options,
				     .launched = launched,
				     .preparation = PREPARATION_EMPTY,
				     .root_mount_fd = -EBADF,
				     .template_fd = -EBADF,
				     .null_fd = -EBADF,
				     .pool = POOL_CLAIM_EMPTY,
				     .tmpfs_fd = -EBADF,
				     .start_fd = -EBADF,
				     .listen_fd = -EBADF,
				     .dialogue_fds = { -EBADF, -EBADF },
				     .net_devices = NETWORK_DEVICES_EMPTY,
				     .interrupt_fd = -EBADF };
	for (size_t i = 0; i < CONFIG_MAX_NAMESPACES; i++)
		attempt->namespaces.join_fds[i] = -EBADF;
	cgroup_clones_init(&attempt->clones);
}

static void attempt_deinit(struct attempt *attempt)
{
	TRACE_PHASE("launch.close");

	namespaces_close(&attempt->namespaces);
	preparation_deinit(&attempt->preparation);
	activation_deinit(&attempt->activation);
	mount_sources_close(&attempt->sources);
	cgroup_clones_close(&attempt->clones);
	pool_claim_close(&attempt->pool);
	cleanup_close(&attempt->root_mount_fd);
	cleanup_close(&attempt->template_fd);
	cleanup_close(&attempt->null_fd);
	cleanup_close(&attempt->tmpfs_fd);
	cleanup_close(&attempt->start_fd);
	cleanup_close(&attempt->listen_fd);
	cleanup_close(&attempt->dialogue_fds[0]);
	cleanup_close(&attempt->dialogue_fds[1]);
	cleanup_close(&attempt->interrupt_fd);
	network_devices_close(&attempt->net_devices);
}

/* Steps that only read: most mistakes are found before anything is made. */
static int prepare(struct attempt *attempt, struct error *error)
{
	TRACE_PHASE("launch.prepare");
	const struct config *config = &attempt->launched->bundle.config;
	int r;

	if (!config_find_namespace(config, CLONE_NEWNS))
		return error_say(error, -EINVAL, "'linux.namespaces' must have a mount namespace");
	r = sysctl_check(config, error);
	if (r == 0)
		r = namespaces_open(&attempt->namespaces, config, error);
	return r == 0 ? preparation_make(&attempt->preparation, &config->process, config,
					 attempt->options->state_path, error)
		      : r;
}

static int terminal_prepare(struct attempt *attempt, struct error *error)
{
	const struct launch_options *options = attempt->options;
	struct config_process *process = &attempt->launched->bundle.config.process;

	if (options->force_terminal)
		process->terminal = true;
	if (!process->terminal)
		return 0;
	if (!options->console_socket && !options->wait_for_start)
		terminal_size_take(process);
	return preparation_terminal(&attempt->preparation, options->console_socket,
				    !options->wait_for_start, error);
}

/* With `create`, `start` connects: a supervisor would wait for what it is told until then. */
static int listener_prepare(struct attempt *attempt, struct error *error)
{
	struct launched *launched = attempt->launched;
	struct hook_state state = attempt_hook_state(launched, STATE_CREATED);

	state.pid = 0;
	if (seccomp_filter_notifies(&attempt->preparation.filter))
		launched->listener_path = (char *)json_string(
			json_get(launched->bundle.config.seccomp, "listenerPath"));
	return preparation_listener(&attempt->preparation, &launched->bundle.config, &state,
				    !attempt->options->wait_for_start, error);
}

/* The socket is reached through the directory's descriptor: a path may be longer than its address.
 */
static int listen_prepare(struct attempt *attempt, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!attempt->options->wait_for_start)
		return 0;
	if (mkdirat(attempt->launched->state.directory_fd, STATE_START_DIRECTORY, 0700) < 0 &&
	    errno != EEXIST)
		return error_set(error, -errno, "cannot make the directory for start");
	attempt->start_fd = openat(attempt->launched->state.directory_fd, STATE_START_DIRECTORY,
				   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (attempt->start_fd < 0)
		return error_set(error, -errno, "cannot open the directory for start");
	attempt->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_START_SOCKET,
		 attempt->launched->state.directory_fd);
	if (attempt->listen_fd < 0 ||
	    bind(attempt->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(attempt->listen_fd, 8) < 0)
		return error_set(error, -errno, "cannot make the socket for start");
	return 0;
}

static void child_fill(struct attempt *attempt)
{
	const struct launch_options *options = attempt->options;

	attempt->child = (struct child){
		.process = &attempt->launched->bundle.config.process,
		.config = &attempt->launched->bundle.config,
		.join_pidfd = -EBADF,
		.bundle = &attempt->launched->bundle,
		.namespaces = &attempt->namespaces,
		.cgroup = &attempt->launched->cgroup,
		.id = attempt->launched->state.id,
		.sources = &attempt->sources,
		.root_mount_fd = attempt->root_mount_fd,
		.template_fd = attempt->template_fd,
		.null_fd = attempt->null_fd,
		.network_fd = attempt->pool.network_fd,
		.dev_fd = attempt->pool.dev_fd,
		.clones = attempt->clones.are_taken ? &attempt->clones : NULL,
		.is_unprivileged = geteuid() != 0,
		.listen_fd = attempt->listen_fd,
		.start_fd = attempt->start_fd,
		.lock_fds = { attempt->launched->bundle.lock_fd, attempt->launched->state.lock_fd },
		.state_fd = attempt->launched->state.directory_fd,
		.dialogue_fd = attempt->dialogue_fds[1],
		.stdin_fd = options->stdin_fd,
		.n_preserved_fds = options->n_preserved_fds,
		.listen_pid = attempt->activation.listen_pid,
		.dies_with_parent = !options->wait_for_start,
		.strict = options->strict,
		.no_new_keyring = options->no_new_keyring,
		.no_pivot = options->no_pivot,
		.signal_mask = options->signal_mask,
		.n_files = options->n_files,
	};
	preparation_fill(&attempt->preparation, &attempt->child);
}

/* A pid namespace that is joined is entered by children only: ours is given back right after. */
static int pid_namespace_join(const struct attempt *attempt, int *ret_own_fd, struct error *error)
{
	const struct config *config = &attempt->launched->bundle.config;

	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag != CLONE_NEWPID || attempt->is_bridged ||
		    attempt->namespaces.join_fds[i] < 0)
			continue;
		*ret_own_fd = fd_open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (*ret_own_fd < 0 || setns(attempt->namespaces.join_fds[i], CLONE_NEWPID) < 0)
			return error_set(error, -errno, "cannot join the pid namespace");
	}
	return 0;
}

static int clone_child(struct attempt *attempt, struct error *error)
{
	struct launched *launched = attempt->launched;
	uint64_t flags = namespaces_clone_flags(&launched->bundle.config);
	int cgroup_fd = cgroup_v2_fd(&launched->cgroup);
	const struct config_rdt *rdt = &launched->bundle.config.rdt;
	_cleanup_close_ int own_pid_fd = -EBADF;
	struct rdt_place own_place;
	pid_t pid;
	int r;

	if (attempt->template_fd >= 0)
		flags &= ~(uint64_t)CLONE_NEWNS;
	if (attempt->pool.network_fd >= 0)
		flags &= ~(uint64_t)CLONE_NEWNET;
	r = pid_namespace_join(attempt, &own_pid_fd, error);
	if (r < 0)
		return r;
	if (rdt->is_asked)
		r = rdt_join(attempt->preparation.resctrl_fd, rdt, launched->state.id, &own_place,
			     error);
	if (r < 0)
		return r;
	if (attempt->is_forked)
		(void)trace_share();
	attempt->preparation.report->clone_slot = trace_begin("ns.clone");
	if (attempt->is_forked) {
		pid = process_fork(attempt->is_bridged ? 0 : flags, cgroup_fd, &launched->pidfd);
		if (pid == 0) {
			/* Only its own end: the other one closed tells the launcher that it has
			 * ended. */
			close(attempt->dialogue_fds[0]);
			cleanup_close(&attempt->tmpfs_fd);
			_exit(attempt->is_bridged ? bridge_main(&attempt->child)
						  : child_main(&attempt->child));
		}
	} else {
		pid = process_vfork(flags, cgroup_fd, &launched->pidfd, child_main,
				    &attempt->child);
		trace_end_elsewhere(attempt->preparation.report->exec_slot, "exec");
		trace_set_container(false);
		trace_event("exec.done");
	}
	if (rdt->is_asked)
		rdt_leave(attempt->preparation.resctrl_fd, &own_place);
	/* The next container of a stream would be born there. */
	r = own_pid_fd >= 0 && setns(own_pid_fd, CLONE_NEWPID) < 0 ? -errno : 0;
	if (pid < 0)
		return error_set(error, (int)pid, "cannot make the container's process");
	launched->pid = pid;
	if (r < 0)
		return error_set(error, r, "cannot leave the pid namespace");
	return attempt->is_bridged ? 0 : attempt_know_process(launched, error);
}

static int report_check(const struct attempt *attempt, int *ret_status, struct error *error)
{
	const struct child_report *report = attempt->preparation.report;
	siginfo_t info = {};

	if (report->error.code < 0) {
		*error = report->error;
		*ret_status = report->exit_status;
		return error->code;
	}
	if (attempt->is_forked && !attempt->is_ready) {
		(void)waitid(P_PID, (id_t)attempt->launched->pid, &info,
			     WEXITED | WNOWAIT | WNOHANG);
		return error_say(
			error, -EIO,
			"the container's process was killed by signal %d before it started",
			info.si_status);
	}
	return 0;
}

/*
 * The state is written: the child goes on. With `create` it says when it lives without its
 * launcher; else the end of the dialogue is its exec, or its end.
 */
static int child_release(struct attempt *attempt, int *ret_status, struct error *error)
{
	int fd = attempt->dialogue_fds[0];
	int r = dialogue_answer(fd);

	if (r == 0)
		r = dialogue_next(fd, attempt->interrupt_fd);
	if (r == -EINTR)
		return error_say(error, r, "a signal asked for the end while its hooks ran");
	if (attempt->options->wait_for_start)
		return r == DIALOGUE_RELEASED
			       ? 0
			       : error_say(error, -EIO,
					   "the container's process ended before its start");
	trace_event("exec.done");
	if (report_check(attempt, ret_status, error) < 0)
		return error->code;
	return r < 0 ? error_set(error, r, "cannot talk to the container's process") : 0;
}

/* Whether the child runs by itself, or borrows the launcher's memory until its exec. */
static int fork_prepare(struct attempt *attempt, struct error *error)
{
	const struct config *config = &attempt->launched->bundle.config;
	bool has_hooks = config_hooks_have(&config->hooks, HOOK_PRESTART, HOOK_START_CONTAINER);

	attempt->is_bridged = namespaces_need_bridge(config);
	/* systemd has to be told once the process is there. */
	attempt->is_forked = attempt->options->wait_for_start || has_hooks || attempt->is_bridged ||
			     config->n_net_devices ||
			     config_find_namespace(config, CLONE_NEWUSER) ||
			     attempt->options->cgroup_manager == LAUNCH_CGROUP_SYSTEMD;
	if (has_hooks) {
		attempt->interrupt_fd = hooks_interrupt_open();
		if (attempt->interrupt_fd < 0)
			return error_set(error, attempt->interrupt_fd, "cannot wait for signals");
	}
	return attempt->is_forked ? dialogue_open(attempt->dialogue_fds, error) : 0;
}

/* With `create` it is `start` that listens, and waits. */
static int activation_take(struct attempt *attempt, struct error *error)
{
	const struct activation_request *request = &attempt->options->activation;
	struct launched *launched = attempt->launched;
	int r = activation_prepare(&attempt->activation, request, &launched->state,
				   &launched->bundle.config, error);

	if (r < 0 || !request->notify_socket || attempt->options->wait_for_start)
		return r;
	r = notify_listen(launched->state.directory_fd, error);
	if (r < 0)
		return r;
	launched->notify_fd = r;
	launched->notify_host = request->notify_socket;
	return 0;
}

/* Somebody with no right to mount leaves that to the child, who has it in its user namespace. */
static int sources_take(struct attempt *attempt, enum mount_sources_taken taken, int user_fd,
			struct error *error)
{
	TRACE_PHASE("mnt.sources");
	const struct launch_bundle *bundle = &attempt->launched->bundle;
	int r = mount_sources_open(&attempt->sources, &bundle->config, bundle->path, taken, user_fd,
				   error);

	if (r != MOUNT_SOURCES_LATE)
		return r;
	log_debug("container '%s': no template: a mount's source is in a procfs",
		  attempt->launched->state.id);
	mount_sources_close(&attempt->sources);
	cleanup_close(&attempt->template_fd);
	attempt->template_fd = -EBADF;
	return sources_take(attempt, MOUNT_SOURCES_IDMAPPED, user_fd, error);
}

/* It saves time and changes nothing else: what is in its way is no error. */
static void template_find(struct attempt *attempt)
{
	const struct launch_options *options = attempt->options;
	const char *why = NULL;
	struct error error;

	if (!options->template_path)
		return;
	error_init(&error);
	if (options->no_pivot)
		why = "its root is moved over the host's";
	else if (options->cgroup_manager == LAUNCH_CGROUP_SYSTEMD)
		why = "its cgroup is made by systemd, later";
	else
		why = template_misfit(&attempt->launched->bundle);
	if (!why) {
		attempt->template_fd = template_open(options->template_path, &error);
		why = error.message;
	}
	if (attempt->template_fd < 0)
		log_debug("container '%s': no template: %s", attempt->launched->state.id, why);
}

static int mounts_prepare(struct attempt *attempt, struct error *error)
{
	const struct launch_bundle *bundle = &attempt->launched->bundle;
	const struct config *config = &bundle->config;
	bool has_user = config_find_namespace(config, CLONE_NEWUSER);
	int user_fd = -EBADF;

	attempt->root_mount_fd = launch_bundle_root(bundle, &attempt->tmpfs_fd, error);
	if (attempt->root_mount_fd == -EPERM && has_user && geteuid() != 0)
		return 0;
	if (attempt->root_mount_fd < 0)
		return attempt->root_mount_fd;
	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag == CLONE_NEWUSER)
			user_fd = attempt->namespaces.join_fds[i];
	}
	template_find(attempt);
	return sources_take(attempt,
			    has_user			? MOUNT_SOURCES_ALL
			    : attempt->template_fd >= 0 ? MOUNT_SOURCES_BINDS
							: MOUNT_SOURCES_IDMAPPED,
			    user_fd, error);
}

static void pool_find(struct attempt *attempt)
{
	const struct launched *launched = attempt->launched;
	const struct config *config = &launched->bundle.config;
	unsigned int wanted =
		attempt->options->no_pool ? 0 : pool_wanted(config, launched->bundle.id);

	if (attempt->is_bridged)
		wanted &= ~(1u << POOL_NETWORK);
	if (attempt->options->cgroup_manager != LAUNCH_CGROUP_FS)
		wanted &= ~(1u << POOL_CGROUP);
	if (wanted)
		pool_take(&attempt->pool, launched->state.root_fd, launched->state.directory_fd,
			  wanted);
}

/* What is known once the cgroup is there, and what masks are made of. */
static int template_provide(struct attempt *attempt, struct error *error)
{
	struct launched *launched = attempt->launched;
	const struct config *config = &launched->bundle.config;
	bool has_own_cgroups = config_find_namespace(config, CLONE_NEWCGROUP);

	if (attempt->template_fd < 0)
		return 0;
	TRACE_PHASE("template.clones");
	if (config->masked_paths && *config->masked_paths) {
		attempt->null_fd = mount_null_clone();
		if (attempt->null_fd < 0)
			return error_set(error, attempt->null_fd, "cannot clone '/dev/null'");
	}
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (!mount->is_bind && !mount->is_remount &&
		    string_has_prefix(mount->type, "cgroup"))
			return cgroup_clones_take(&attempt->clones, &launched->cgroup,
						  (unsigned int)mount->attributes, has_own_cgroups,
						  error);
	}
	return 0;
}

static int make(struct attempt *attempt, int *ret_status, struct error *error)
{
	struct launched *launched = attempt->launched;
	int r = terminal_prepare(attempt, error);

	if (r == 0)
		r = activation_take(attempt, error);
	if (r == 0)
		r = listen_prepare(attempt, error);
	if (r == 0)
		r = fork_prepare(attempt, error);
	if (r == 0)
		r = mounts_prepare(attempt, error);
	if (r < 0)
		return r;
	r = listener_prepare(attempt, error);
	if (r < 0)
		return r;
	pool_find(attempt);
	r = launch_group_make(launched, attempt->options, &attempt->pool, error);
	if (r == 0 && launched->bundle.config.rdt.is_asked)
		r = rdt_make(attempt->preparation.resctrl_fd, launched->state.directory_fd,
			     &launched->bundle.config.rdt, launched->state.id, error);
	if (r == 0)
		r = template_provide(attempt, error);
	if (r < 0)
		return r;
	/* Before there is anything that could leave something. */
	if (attempt->options->adopts &&
	    !config_has_own_namespace(&launched->bundle.config, CLONE_NEWPID))
		launched->adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
	child_fill(attempt);
	r = clone_child(attempt, error);
	if (r == 0 && attempt->is_forked)
		r = attempt_serve(attempt, error);
	if (r == 0)
		r = report_check(attempt, ret_status, error);
	if (r == 0)
		r = preparation_terminal_take(&attempt->preparation, &launched->master_fd, error);
	if (r == 0)
		r = launch_publish(launched, attempt->options, error);
	if (r == 0 && attempt->is_forked)
		r = child_release(attempt, ret_status, error);
	/* From here on others may look at it, and end it. */
	if (r == 0)
		state_unlock(&launched->state);
	return r;
}

/* Everything that make() may have made, however far it came. */
static void undo(struct launched *launched)
{
	int status;

	if (launched->pidfd >= 0) {
		(void)sys_pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
		(void)process_wait(launched->pid, &status);
	}
	(void)launch_bundle_unmark(launched->bundle.path, launched->pid, launched->start_time);
	(void)launch_group_remove(launched, NULL);
	if (launched->bundle.config.rdt.is_asked)
		(void)rdt_remove(launched->state.directory_fd, NULL);
	/* Where there were too few descriptors, to remove a tree takes some that aren't needed now.
	 */
	cleanup_close(&launched->bundle.fd);
	cleanup_close(&launched->bundle.root_place_fd);
	launched->bundle.fd = launched->bundle.root_place_fd = -EBADF;
	(void)state_remove(&launched->state);
	hooks_run_poststop(&launched->bundle.config.hooks,
			   attempt_hook_state(launched, STATE_STOPPED));
}

/* All steps; what only they need is given back at their end. */
static int launch_attempt(const struct launch_options *options, struct launched *launched,
			  int *ret_status, struct error *error)
{
	_cleanup_(attempt_deinit) struct attempt attempt;
	const char *id;
	int r;

	attempt_init(&attempt, options, launched);
	r = launch_bundle_open(&launched->bundle, options->bundle_path, options->config_name,
			       error);
	if (r < 0)
		return r;
	id = options->id ? options->id : launched->bundle.id;
	trace_set_ids(id, 0);
	config_report(&launched->bundle.config, id);
	r = prepare(&attempt, error);
	if (r < 0)
		return error_prefix(error, r, "container '%s'", id);
	r = state_create(&launched->state, options->state_path, id, error);
	if (r < 0)
		return r;
	r = make(&attempt, ret_status, error);
	pool_settle(&attempt.pool, r == 0 ? launched->state.directory_fd : -EBADF);
	if (r == 0 && !options->wait_for_start) {
		trace_container_exec(id, launched->pid);
		r = attempt_run_poststart(launched, error);
	}
	if (r < 0)
		network_devices_return(&attempt.net_devices, &launched->bundle.config);
	return r < 0 ? error_prefix(error, r, "container '%s'", id) : 0;
}

int launch_start(const struct launch_options *options, struct launched *launched, int *ret_status,
		 struct error *error)
{
	int r;

	*ret_status = 125;
	cgroup_init(&launched->cgroup);
	r = launch_attempt(options, launched, ret_status, error);
	/* Behind the attempt: where it failed for want of descriptors, this needs some of its. */
	if (r < 0 && launched->state.directory_fd >= 0)
		undo(launched);
	if (r == 0)
		log_debug("container '%s': process %d, cgroup '/%s'", launched->state.id,
			  (int)launched->pid, launched->cgroup.path);
	return r;
}

int launch_finish(struct launched *launched, struct error *error)
{
	int r = state_lock(&launched->state);

	/* `delete --force` was faster, and there may be another container of this id by now. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot lock the state of '%s'", launched->state.id);
	/* With the pid namespace's first process all others have ended. */
	if (!config_has_own_namespace(&launched->bundle.config, CLONE_NEWPID))
		(void)cgroup_kill(&launched->cgroup, NULL);
	r = launch_group_remove(launched, error);
	if (r == 0 && launched->bundle.config.rdt.is_asked)
		r = rdt_remove(launched->state.directory_fd, error);
	if (r == 0) {
		r = state_remove(&launched->state);
		if (r < 0)
			return error_set(error, r, "cannot remove the state of '%s'",
					 launched->state.id);
		hooks_run_poststop(&launched->bundle.config.hooks,
				   attempt_hook_state(launched, STATE_STOPPED));
	}
	return r;
}

void launched_close(struct launched *launched)
{
	TRACE_PHASE("launch.close");

	launch_bundle_close(&launched->bundle);
	state_close(&launched->state);
	cgroup_close(&launched->cgroup);
	free(launched->systemd);
	launched->systemd = NULL;
	cleanup_close(&launched->pidfd);
	cleanup_close(&launched->notify_fd);
	cleanup_close(&launched->master_fd);
	launched->pidfd = launched->master_fd = launched->notify_fd = -EBADF;
}
