/* SPDX-License-Identifier: MIT */
#include "launch/exec.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/bridge.h"
#include "launch/capability.h"
#include "launch/child.h"
#include "launch/config/sections.h"
#include "launch/dialogue.h"
#include "launch/preparation.h"
#include "launch/rdt.h"
#include "launch/schedule.h"

#define PROCESS_FILE_MAX_BYTES (1u << 20)

/* What only lives while an exec is under way. */
struct exec_attempt {
	const struct exec_options *options;
	struct state state;
	struct state_record record;
	struct config config;
	struct json_document process_document;
	struct config_process process; /* what is run; of the file, or a copy of the container's */
	bool owns_process;
	char **env;
	gid_t *gids;
	struct cgroup cgroup;
	int container_pidfd;
	struct preparation preparation;
};

static void attempt_deinit(struct exec_attempt *attempt)
{
	if (attempt->owns_process)
		config_process_deinit(&attempt->process);
	json_document_deinit(&attempt->process_document);
	config_deinit(&attempt->config);
	state_record_deinit(&attempt->record);
	state_close(&attempt->state);
	cgroup_close(&attempt->cgroup);
	preparation_deinit(&attempt->preparation);
	free(attempt->env);
	free(attempt->gids);
	cleanup_close(&attempt->container_pidfd);
}

static int container_read(struct exec_attempt *attempt, struct error *error)
{
	const struct exec_options *options = attempt->options;
	enum state_status status;
	int r;

	r = state_open(&attempt->state, options->state_path, options->id, false, error);
	if (r == 0)
		r = state_read(&attempt->state, &attempt->record, error);
	if (r < 0)
		return r;
	status = state_status(&attempt->state, &attempt->record);
	if (status != STATE_RUNNING && status != STATE_CREATED)
		return error_say(error, -EINVAL, "cannot exec in container '%s': it is %s",
				 options->id, state_status_name(status));
	attempt->container_pidfd = state_process_open(&attempt->record);
	if (attempt->container_pidfd < 0)
		return error_set(error, attempt->container_pidfd, "container '%s'", options->id);
	r = config_parse(&attempt->config, attempt->state.directory_fd, error);
	if (r < 0)
		return error_prefix(error, r, "the state of '%s'", options->id);
	attempt->config.has_default_seccomp = attempt->record.has_default_seccomp;
	return 0;
}

/* "UID" or "UID:GID", numbers only: what an image's /etc/passwd says is never asked
 * (CVE-2016-3697). */
static int user_parse(const char *text, struct config_process *process, struct error *error)
{
	char number[16];
	size_t n = strcspn(text, ":");
	uint64_t id;

	if (n == 0 || n >= sizeof(number))
		return error_usage(error, "'%s' is not UID[:GID]", text);
	memcpy(number, text, n);
	number[n] = '\0';
	/* 4294967295 would leave the user as it is: root. */
	if (string_to_uint64(number, UINT32_MAX - 1, &id) < 0)
		return error_usage(error, "'%s' is not UID[:GID]", text);
	process->uid = (uid_t)id;
	process->gid = 0;
	if (!text[n])
		return 0;
	if (string_to_uint64(text + n + 1, UINT32_MAX - 1, &id) < 0)
		return error_usage(error, "'%s' is not UID[:GID]", text);
	process->gid = (gid_t)id;
	return 0;
}

static int gids_take(struct exec_attempt *attempt, struct error *error)
{
	const struct string_list *list = attempt->options->additional_gids;
	uint64_t id;

	attempt->gids = calloc(list->n_items + 1, sizeof(*attempt->gids));
	if (!attempt->gids)
		return error_set(error, -ENOMEM, "cannot exec");
	STRING_LIST_FOR_EACH (list, i) {
		if (string_to_uint64(list->items[i], UINT32_MAX - 1, &id) < 0)
			return error_usage(error, "'%s' is not a group's number", list->items[i]);
		attempt->gids[i] = (gid_t)id;
	}
	attempt->process.additional_gids = attempt->gids;
	attempt->process.n_additional_gids = list->n_items;
	return 0;
}

/* The container's variables, and behind them what was given, which wins: earlier ones are left out.
 */
static int env_take(struct exec_attempt *attempt, struct error *error)
{
	const struct string_list *given = attempt->options->env;
	size_t n = 0, n_own = 0;

	while (attempt->config.process.env[n_own])
		n_own++;
	attempt->env = calloc(n_own + given->n_items + 1, sizeof(*attempt->env));
	if (!attempt->env)
		return error_set(error, -ENOMEM, "cannot exec");
	for (size_t i = 0; i < n_own; i++) {
		char *own = attempt->config.process.env[i];
		size_t n_name = strcspn(own, "=") + 1;
		bool replaced = false;

		STRING_LIST_FOR_EACH (given, k)
			replaced |= !strncmp(given->items[k], own, n_name);
		if (!replaced)
			attempt->env[n++] = own;
	}
	STRING_LIST_FOR_EACH (given, i) {
		if (!strchr(given->items[i], '='))
			return error_usage(error, "'%s' is not NAME=VALUE", given->items[i]);
		attempt->env[n++] = given->items[i];
	}
	attempt->process.env = attempt->env;
	return 0;
}

static int capabilities_take(struct exec_attempt *attempt, struct error *error)
{
	struct config_capabilities *sets = &attempt->process.capabilities;

	STRING_LIST_FOR_EACH (attempt->options->capabilities, i) {
		const char *name = attempt->options->capabilities->items[i];
		int number = capability_from_name(name);

		if (number < 0)
			return error_usage(error, "unknown capability '%s'", name);
		/* Never inheritable or ambient (CVE-2022-29162). */
		sets->bounding |= CAPABILITY_BIT(number);
		sets->effective |= CAPABILITY_BIT(number);
		sets->permitted |= CAPABILITY_BIT(number);
	}
	return 0;
}

/* The container's own process with another program, and what the command line changes. */
static int process_from_options(struct exec_attempt *attempt, struct error *error)
{
	const struct exec_options *options = attempt->options;
	int r;

	attempt->process = attempt->config.process;
	attempt->process.args = options->args;
	attempt->process.terminal = options->terminal;
	attempt->process.console_rows = attempt->process.console_columns = 0;
	attempt->process.no_new_privileges |= options->no_new_privileges;
	if (options->apparmor_profile)
		attempt->process.apparmor_profile = options->apparmor_profile;
	if (options->selinux_label)
		attempt->process.selinux_label = options->selinux_label;
	if (options->cwd)
		attempt->process.cwd = options->cwd;
	if (*attempt->process.cwd != '/')
		return error_usage(error, "'%s' is not an absolute path", attempt->process.cwd);
	r = options->user ? user_parse(options->user, &attempt->process, error) : 0;
	if (r == 0 && (options->user || options->additional_gids->n_items))
		r = gids_take(attempt, error);
	if (r == 0)
		r = env_take(attempt, error);
	return r == 0 ? capabilities_take(attempt, error) : r;
}

static int process_from_file(struct exec_attempt *attempt, struct error *error)
{
	const char *path = attempt->options->process_file;
	int r = json_parse_file_at(&attempt->process_document, AT_FDCWD, path,
				   PROCESS_FILE_MAX_BYTES, error);

	if (r < 0)
		return r;
	attempt->owns_process = true;
	r = config_process_parse(&attempt->process, json_root(&attempt->process_document), error);
	if (r < 0)
		return error_prefix(error, r, "'%s'", path);
	config_process_report(&attempt->process, json_root(&attempt->process_document),
			      attempt->state.id);
	return 0;
}

static int trace_take(struct exec_attempt *attempt, struct error *error)
{
	int r = attempt->options->has_trace ? activation_trace_add(&attempt->process) : 0;

	if (!attempt->owns_process)
		attempt->env = attempt->process.env;
	return r < 0 ? error_set(error, r, "cannot hand the trace on") : 0;
}

static int listener_prepare(struct exec_attempt *attempt, struct error *error)
{
	const struct state_record *record = &attempt->record;
	const struct hook_state state = {
		.id = attempt->state.id,
		.status = state_status(&attempt->state, record),
		.pid = record->pid,
		.bundle = record->bundle,
		.annotations = record->annotations,
		.n_annotations = record->annotations ? strlen(record->annotations) : 0,
	};

	return preparation_listener(&attempt->preparation, &attempt->config, &state, true, error);
}

static int prepare(struct exec_attempt *attempt, struct error *error)
{
	int r = container_read(attempt, error);

	if (r == 0)
		r = attempt->options->process_file ? process_from_file(attempt, error)
						   : process_from_options(attempt, error);
	if (r == 0)
		r = trace_take(attempt, error);
	if (r == 0)
		r = config_process_ids_check(&attempt->config, &attempt->process, error);
	if (r == 0 && attempt->process.terminal)
		r = preparation_terminal(&attempt->preparation, attempt->options->console_socket,
					 !attempt->options->detach, error);
	if (r == 0 && attempt->record.cgroup_path)
		r = cgroup_open_to_enter(&attempt->cgroup, attempt->record.cgroup_path, error);
	if (r == 0 && !attempt->options->ignore_paused && cgroup_is_frozen(&attempt->cgroup))
		r = error_say(
			error, -EINVAL,
			"cannot exec in a paused container (use --ignore-paused to override)");
	STRING_LIST_FOR_EACH (attempt->options->cgroups, i) {
		if (r == 0)
			r = cgroup_descend(&attempt->cgroup, attempt->options->cgroups->items[i],
					   error);
	}
	if (r == 0)
		r = preparation_make(&attempt->preparation, &attempt->process, &attempt->config,
				     attempt->options->state_path, error);
	return r == 0 ? listener_prepare(attempt, error) : r;
}

/* What the container has of its own: of the config, since joining the host's needs no call. */
static int join_flags(const struct config *config)
{
	int flags = 0;

	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag != CLONE_NEWPID)
			flags |= config->namespaces[i].flag;
	}
	return flags;
}

/*
 * A user namespace is joined before the others, by who isn't the launcher any more; a time
 * namespace by who shares no memory with it. So a bridge does (launch/bridge.h), and the end of the
 * dialogue is the exec.
 */
static int clone_bridged(struct exec_attempt *attempt, struct child *child,
			 struct launched *launched, struct error *error)
{
	struct child_report *report = attempt->preparation.report;
	_cleanup_close_ int fd = -EBADF;
	int fds[2], r;

	r = dialogue_open(fds, error);
	if (r < 0)
		return r;
	child->dialogue_fd = fds[1];
	child->join_flags |=
		config_find_namespace(&attempt->config, CLONE_NEWPID) ? CLONE_NEWPID : 0;
	(void)trace_share();
	report->clone_slot = trace_begin("ns.clone");
	launched->pid = process_fork(0, cgroup_v2_fd(&attempt->cgroup), &launched->pidfd);
	if (launched->pid == 0) {
		close(fds[0]);
		_exit(bridge_main(child));
	}
	fd = fds[0];
	close(fds[1]);
	if (launched->pid < 0)
		return error_set(error, (int)launched->pid, "cannot make a process");
	do {
		r = dialogue_next(fd, -EBADF);
		if (r > 0)
			r = dialogue_answer(fd) < 0 ? 0 : 1;
	} while (r > 0);
	trace_event("exec.done");
	return bridge_cross(report, &launched->pid, &launched->pidfd, error);
}

static int clone_child(struct exec_attempt *attempt, struct launched *launched, struct error *error)
{
	const struct exec_options *options = attempt->options;
	struct child child = {
		.process = &attempt->process,
		.config = &attempt->config,
		.join_pidfd = attempt->container_pidfd,
		.join_flags = join_flags(&attempt->config),
		.cgroup = &attempt->cgroup,
		.id = options->id,
		.root_mount_fd = -EBADF,
		.listen_fd = -EBADF,
		.dialogue_fd = -EBADF,
		.lock_fds = { -EBADF, -EBADF },
		.stdin_fd = -EBADF,
		.n_preserved_fds = options->n_preserved_fds,
		.dies_with_parent = !options->detach,
		.strict = options->strict,
		.no_new_keyring = attempt->record.keeps_keyring,
		.signal_mask = options->signal_mask,
	};
	_cleanup_close_ int own_pid_fd = -EBADF;
	const struct config_rdt *rdt = &attempt->config.rdt;
	struct schedule_cpus own_cpus;
	struct rdt_place own_place;
	pid_t pid;
	int r;

	preparation_fill(&attempt->preparation, &child);
	if (child.join_flags & (CLONE_NEWUSER | CLONE_NEWTIME))
		return clone_bridged(attempt, &child, launched, error);
	if (config_find_namespace(&attempt->config, CLONE_NEWPID)) {
		own_pid_fd = fd_open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (own_pid_fd < 0 || setns(attempt->container_pidfd, CLONE_NEWPID) < 0)
			return error_set(error, -errno,
					 "cannot join the container's pid namespace");
	}
	r = schedule_pin_for_child(attempt->process.exec_cpus_initial,
				   "process.execCPUAffinity.initial", &own_cpus, error);
	if (r == 0 && rdt->is_asked)
		r = rdt_join(attempt->preparation.resctrl_fd, rdt, options->id, &own_place, error);
	if (r < 0)
		return r;
	attempt->preparation.report->clone_slot = trace_begin("ns.clone");
	pid = process_vfork(0, cgroup_v2_fd(&attempt->cgroup), &launched->pidfd, child_main,
			    &child);
	trace_end_elsewhere(attempt->preparation.report->exec_slot, "exec");
	trace_set_container(false);
	trace_event("exec.done");
	schedule_unpin(&own_cpus);
	if (rdt->is_asked)
		rdt_leave(attempt->preparation.resctrl_fd, &own_place);
	if (own_pid_fd >= 0)
		(void)setns(own_pid_fd, CLONE_NEWPID);
	if (pid < 0)
		return error_set(error, (int)pid, "cannot make a process");
	launched->pid = pid;
	trace_set_ids(options->id, pid);
	return 0;
}

static int finish(struct exec_attempt *attempt, struct launched *launched, int *ret_status,
		  struct error *error)
{
	const struct exec_options *options = attempt->options;
	char text[16];
	int n, r;

	if (attempt->preparation.report->error.code < 0) {
		*error = attempt->preparation.report->error;
		*ret_status = attempt->preparation.report->exit_status;
		return error->code;
	}
	r = preparation_terminal_take(&attempt->preparation, &launched->master_fd, error);
	if (r < 0)
		return r;
	if (!options->pid_file)
		return 0;
	n = snprintf(text, sizeof(text), "%d", (int)launched->pid);
	r = file_replace_at(AT_FDCWD, options->pid_file, text, (size_t)n, 0644, 0);
	return r < 0 ? error_set(error, r, "cannot write the pid file '%s'", options->pid_file) : 0;
}

int exec_start(const struct exec_options *options, struct launched *launched, int *ret_status,
	       struct error *error)
{
	_cleanup_(attempt_deinit) struct exec_attempt attempt = {
		.options = options,
		.state = STATE_EMPTY,
		.container_pidfd = -EBADF,
		.preparation = PREPARATION_EMPTY,
	};
	int status, r;

	*ret_status = 125;
	cgroup_init(&attempt.cgroup);
	r = prepare(&attempt, error);
	if (r == 0)
		r = clone_child(&attempt, launched, error);
	if (r == 0)
		r = finish(&attempt, launched, ret_status, error);
	if (r < 0 && launched->pidfd >= 0) {
		(void)sys_pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
		(void)process_wait(launched->pid, &status);
	}
	return r;
}
