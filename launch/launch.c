/* SPDX-License-Identifier: MIT */
#include "launch/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/child.h"
#include "launch/seccomp/default_profile.h"
#include "launch/seccomp/load.h"
#include "launch/sysctl.h"
#include "launch/terminal.h"

/* What only lives while a start is under way. */
struct attempt {
	const struct launch_options *options;
	struct launched *launched;
	struct namespaces namespaces;
	struct seccomp_filter filter;
	bool has_filter;
	struct child child;
	struct child_report *report; /* shared with the child */
	int root_mount_fd;
	int listen_fd;
	int terminal_fds[2]; /* ours and the child's */
	int parent_pidfd;
	int ready_fds[2]; /* `create`: ours and the child's, struct child's ready_fd */
	bool is_ready;
};

static void attempt_init(struct attempt *attempt, const struct launch_options *options,
			 struct launched *launched)
{
	*attempt = (struct attempt){ .options = options,
				     .launched = launched,
				     .root_mount_fd = -EBADF,
				     .listen_fd = -EBADF,
				     .terminal_fds = { -EBADF, -EBADF },
				     .parent_pidfd = -EBADF,
				     .ready_fds = { -EBADF, -EBADF } };
	for (size_t i = 0; i < CONFIG_MAX_NAMESPACES; i++)
		attempt->namespaces.join_fds[i] = -EBADF;
}

static void attempt_deinit(struct attempt *attempt)
{
	namespaces_close(&attempt->namespaces);
	if (attempt->has_filter)
		seccomp_filter_deinit(&attempt->filter);
	if (attempt->report)
		munmap(attempt->report, sizeof(*attempt->report));
	cleanup_close(&attempt->root_mount_fd);
	cleanup_close(&attempt->listen_fd);
	cleanup_close(&attempt->terminal_fds[0]);
	cleanup_close(&attempt->terminal_fds[1]);
	cleanup_close(&attempt->parent_pidfd);
	cleanup_close(&attempt->ready_fds[0]);
	cleanup_close(&attempt->ready_fds[1]);
}

/* Steps that only read: most mistakes are found before anything is made. */
static int prepare(struct attempt *attempt, struct error *error)
{
	const struct config *config = &attempt->launched->bundle.config;
	int r;

	if (!config_find_namespace(config, CLONE_NEWNS))
		return error_say(error, -EINVAL, "'linux.namespaces' must have a mount namespace");
	r = sysctl_check(config, error);
	if (r == 0)
		r = namespaces_open(&attempt->namespaces, config, error);
	if (r < 0)
		return r;
	if (config->has_default_seccomp) {
		attempt->filter = (struct seccomp_filter){ .program = seccomp_prebuilt_program,
							   .flags = SECCOMP_PREBUILT_FLAGS };
		attempt->has_filter = true;
	} else if (json_exists(config->seccomp)) {
		TRACE_PHASE("sec.load");
		r = seccomp_compile(config->seccomp, &attempt->filter, error);
		if (r < 0)
			return error_prefix(error, r, "linux.seccomp");
		attempt->has_filter = true;
	}
	attempt->report = mmap(NULL, sizeof(*attempt->report), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (attempt->report == MAP_FAILED) {
		attempt->report = NULL;
		return error_set(error, -ENOMEM, "cannot share memory");
	}
	/* Nobody looks into this process while it is half the container's (CVE-2016-9962). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot make the launcher undumpable");
	attempt->parent_pidfd = sys_pidfd_open(getpid(), 0);
	return attempt->parent_pidfd < 0 ? error_set(error, -errno, "cannot open a pidfd") : 0;
}

static int terminal_prepare(struct attempt *attempt, struct error *error)
{
	const struct launch_options *options = attempt->options;

	if (options->force_terminal)
		attempt->launched->bundle.config.process.terminal = true;
	if (!attempt->launched->bundle.config.process.terminal)
		return 0;
	if (options->console_socket) {
		attempt->terminal_fds[1] = terminal_connect(options->console_socket, error);
		return attempt->terminal_fds[1] < 0 ? attempt->terminal_fds[1] : 0;
	}
	if (options->wait_for_start)
		return error_say(
			error, -EINVAL,
			"the container wants a terminal: say where to with --console-socket");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, attempt->terminal_fds) < 0)
		return error_set(error, -errno, "cannot make a socket for the terminal");
	terminal_size_take(&attempt->launched->bundle.config.process);
	return 0;
}

/* The socket is reached through the directory's descriptor: a path may be longer than its address.
 */
static int listen_prepare(struct attempt *attempt, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!attempt->options->wait_for_start)
		return 0;
	attempt->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_START_SOCKET,
		 attempt->launched->state.directory_fd);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, attempt->ready_fds) < 0 ||
	    attempt->listen_fd < 0 ||
	    bind(attempt->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(attempt->listen_fd, 8) < 0)
		return error_set(error, -errno, "cannot make the socket for start");
	return 0;
}

static int cgroup_prepare(struct launched *launched, struct error *error)
{
	const struct config *config = &launched->bundle.config;
	char path[STATE_ID_MAX_BYTES + 16];
	int r;

	snprintf(path, sizeof(path), "/lamina/%s", launched->state.id);
	{
		TRACE_PHASE("cgroup.create");
		r = cgroup_create(&launched->cgroup,
				  config->cgroups_path ? config->cgroups_path : path, error);
		if (r < 0)
			return r;
	}
	TRACE_PHASE("cgroup.apply");
	r = cgroup_apply(&launched->cgroup, config->resources, error);
	if (r == CGROUP_IGNORED) {
		fprintf(stderr, "nslaunch: warning: %s\n", error->message);
		error_init(error);
		return 0;
	}
	return r;
}

static void child_fill(struct attempt *attempt)
{
	const struct launch_options *options = attempt->options;

	attempt->child = (struct child){
		.process = &attempt->launched->bundle.config.process,
		.join_pidfd = -EBADF,
		.bundle = &attempt->launched->bundle,
		.namespaces = &attempt->namespaces,
		.cgroup = &attempt->launched->cgroup,
		.filter = attempt->has_filter ? &attempt->filter : NULL,
		.id = attempt->launched->state.id,
		.root_mount_fd = attempt->root_mount_fd,
		.parent_pidfd = attempt->parent_pidfd,
		.terminal_fd = attempt->terminal_fds[1],
		.listen_fd = attempt->listen_fd,
		.lock_fds = { attempt->launched->bundle.lock_fd, attempt->launched->state.lock_fd },
		.state_fd = attempt->launched->state.directory_fd,
		.ready_fd = attempt->ready_fds[1],
		.stdin_fd = options->stdin_fd,
		.n_preserved_fds = options->n_preserved_fds,
		.dies_with_parent = !options->wait_for_start,
		.signal_mask = options->signal_mask,
		.n_files = options->n_files,
		.report = attempt->report,
	};
}

/* A pid namespace that is joined is entered by children only: ours is given back right after. */
static int pid_namespace_join(const struct attempt *attempt, int *ret_own_fd, struct error *error)
{
	const struct config *config = &attempt->launched->bundle.config;

	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag != CLONE_NEWPID ||
		    attempt->namespaces.join_fds[i] < 0)
			continue;
		*ret_own_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
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
	_cleanup_close_ int own_pid_fd = -EBADF;
	pid_t pid;
	int r;

	r = pid_namespace_join(attempt, &own_pid_fd, error);
	if (r < 0)
		return r;
	attempt->report->clone_slot = trace_begin("ns.clone");
	if (attempt->options->wait_for_start) {
		pid = process_fork(flags, cgroup_fd, &launched->pidfd);
		if (pid == 0) {
			/* Only its own end: the other one closed tells the launcher that it has
			 * ended. */
			close(attempt->ready_fds[0]);
			_exit(child_main(&attempt->child));
		}
	} else {
		pid = process_vfork(flags, cgroup_fd, &launched->pidfd, child_main,
				    &attempt->child);
		trace_end_elsewhere(attempt->report->exec_slot);
		trace_set_container(false);
		trace_event("exec.done");
	}
	/* The next container of a stream would be born there. */
	r = own_pid_fd >= 0 && setns(own_pid_fd, CLONE_NEWPID) < 0 ? -errno : 0;
	if (pid < 0)
		return error_set(error, (int)pid, "cannot make the container's process");
	launched->pid = pid;
	launched->start_time = process_start_time(pid);
	trace_set_ids(launched->state.id, pid);
	return r < 0 ? error_set(error, r, "cannot leave the pid namespace") : 0;
}

/* A forked child is waited for until it says that it is ready, or has ended. */
static int ready_wait(struct attempt *attempt)
{
	char ready;

	cleanup_close(&attempt->ready_fds[1]);
	attempt->ready_fds[1] = -EBADF;
	attempt->is_ready = fd_read_full(attempt->ready_fds[0], &ready, 1) == 1;
	return 0;
}

static int report_check(const struct attempt *attempt, int *ret_status, struct error *error)
{
	const struct child_report *report = attempt->report;
	siginfo_t info = {};

	if (report->error.code < 0) {
		*error = report->error;
		*ret_status = report->exit_status;
		return error->code;
	}
	if (attempt->options->wait_for_start && !attempt->is_ready) {
		(void)waitid(P_PID, (id_t)attempt->launched->pid, &info,
			     WEXITED | WNOWAIT | WNOHANG);
		return error_say(
			error, -EIO,
			"the container's process was killed by signal %d before it started",
			info.si_status);
	}
	return 0;
}

static void time_format(char text[48])
{
	struct timespec now;
	struct tm utc;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	n = strftime(text, 48, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, 48 - n, ".%09ldZ", now.tv_nsec);
}

static int state_publish(const struct attempt *attempt, struct error *error)
{
	TRACE_PHASE("state.write");
	const struct launched *launched = attempt->launched;
	const struct config *config = &launched->bundle.config;
	_cleanup_free_ char *annotations = NULL, *cgroup_path = NULL;
	char created[48];
	size_t n_bytes;
	const char *raw = json_raw(config->annotations, &n_bytes);
	struct state_record record = {
		.id = (char *)launched->state.id,
		.bundle = launched->bundle.path,
		.rootfs = launched->bundle.root_path,
		.created = created,
		.pid = launched->pid,
		.start_time = launched->start_time,
		.owner = geteuid(),
		.has_default_seccomp = config->has_default_seccomp,
	};
	int r;

	time_format(created);
	if (raw && json_count(config->annotations)) {
		annotations = strndup(raw, n_bytes);
		if (!annotations)
			return error_set(error, -ENOMEM, "cannot write the state");
		record.annotations = annotations;
	}
	cgroup_path = string_format("/%s", launched->cgroup.path);
	if (!cgroup_path)
		return error_set(error, -ENOMEM, "cannot write the state");
	record.cgroup_path = cgroup_path;
	/* What an exec goes by, whatever becomes of the bundle. */
	r = file_replace_at(launched->state.directory_fd, "config.json", config->document.text,
			    config->document.n_bytes, 0600, 0);
	if (r < 0)
		return error_set(error, r, "cannot write the state of '%s'", launched->state.id);
	r = state_write(&launched->state, &record,
			attempt->options->wait_for_start ? STATE_FILE_NEW : STATE_FILE, error);
	if (r == 0 && attempt->options->wait_for_start)
		r = launch_bundle_mark(&launched->bundle, launched->pid, error);
	if (r == 0 && attempt->options->pid_file) {
		char text[16];
		int n = snprintf(text, sizeof(text), "%d", (int)launched->pid);

		r = file_replace_at(AT_FDCWD, attempt->options->pid_file, text, (size_t)n, 0644, 0);
		if (r < 0)
			return error_set(error, r, "cannot write the pid file '%s'",
					 attempt->options->pid_file);
	}
	return r;
}

/* The state is written: the child may live on alone, and says when it does. */
static int child_release(struct attempt *attempt, struct error *error)
{
	char released;

	if (send(attempt->ready_fds[0], "", 1, MSG_NOSIGNAL) != 1 ||
	    fd_read_full(attempt->ready_fds[0], &released, 1) != 1)
		return error_say(error, -EIO, "the container's process ended before its start");
	return 0;
}

static int terminal_take(struct attempt *attempt, struct error *error)
{
	if (attempt->terminal_fds[0] < 0)
		return 0;
	/* With no other copy of its end, a child that was killed is an end and not a wait. */
	cleanup_close(&attempt->terminal_fds[1]);
	attempt->terminal_fds[1] = -EBADF;
	attempt->launched->master_fd = terminal_receive(attempt->terminal_fds[0]);
	if (attempt->launched->master_fd < 0)
		return error_set(error, attempt->launched->master_fd, "cannot get the terminal");
	return 0;
}

static int make(struct attempt *attempt, int *ret_status, struct error *error)
{
	struct launched *launched = attempt->launched;
	int r = terminal_prepare(attempt, error);

	if (r == 0)
		r = listen_prepare(attempt, error);
	if (r < 0)
		return r;
	attempt->root_mount_fd = launch_bundle_root(&launched->bundle, error);
	if (attempt->root_mount_fd < 0)
		return attempt->root_mount_fd;
	r = cgroup_prepare(launched, error);
	if (r < 0)
		return r;
	child_fill(attempt);
	r = clone_child(attempt, error);
	if (r == 0 && attempt->options->wait_for_start)
		r = ready_wait(attempt);
	if (r == 0)
		r = report_check(attempt, ret_status, error);
	if (r == 0)
		r = terminal_take(attempt, error);
	if (r == 0)
		r = state_publish(attempt, error);
	if (r == 0 && attempt->options->wait_for_start)
		r = child_release(attempt, error);
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
	launch_bundle_unmark(launched->bundle.path, launched->pid, launched->start_time);
	(void)cgroup_remove(&launched->cgroup, NULL);
	(void)state_remove(&launched->state);
}

int launch_start(const struct launch_options *options, struct launched *launched, int *ret_status,
		 struct error *error)
{
	_cleanup_(attempt_deinit) struct attempt attempt;
	const char *id;
	int r;

	*ret_status = 125;
	attempt_init(&attempt, options, launched);
	cgroup_init(&launched->cgroup);
	r = launch_bundle_open(&launched->bundle, options->bundle_path, error);
	if (r < 0)
		return r;
	id = options->id ? options->id : launched->bundle.id;
	trace_set_ids(id, 0);
	r = prepare(&attempt, error);
	if (r < 0)
		return error_prefix(error, r, "container '%s'", id);
	r = state_create(&launched->state, options->state_path, id, error);
	if (r < 0)
		return r;
	r = make(&attempt, ret_status, error);
	if (r < 0) {
		undo(launched);
		return error_prefix(error, r, "container '%s'", id);
	}
	return 0;
}

int launch_finish(struct launched *launched, struct error *error)
{
	int r = state_lock(&launched->state);

	/* `delete --force` was faster, and there may be another container of this id by now. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot lock the state of '%s'", launched->state.id);
	{
		TRACE_PHASE("cgroup.remove");
		/* With the pid namespace's first process all others have ended. */
		if (!config_has_own_namespace(&launched->bundle.config, CLONE_NEWPID))
			(void)cgroup_kill(&launched->cgroup, NULL);
		r = cgroup_remove(&launched->cgroup, error);
	}
	if (r == 0) {
		r = state_remove(&launched->state);
		if (r < 0)
			return error_set(error, r, "cannot remove the state of '%s'",
					 launched->state.id);
	}
	return r;
}

void launched_close(struct launched *launched)
{
	launch_bundle_close(&launched->bundle);
	state_close(&launched->state);
	cgroup_close(&launched->cgroup);
	cleanup_close(&launched->pidfd);
	cleanup_close(&launched->master_fd);
	launched->pidfd = launched->master_fd = -EBADF;
}
