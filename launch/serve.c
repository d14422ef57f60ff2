/* SPDX-License-Identifier: MIT */
/*
 * The launcher's side of a forked child's way into its container.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/attempt.h"
#include "launch/bridge.h"
#include "launch/dialogue.h"
#include "launch/group.h"
#include "launch/internal.h"
#include "launch/tune.h"
#include "launch/user_namespace.h"

/* Without its start time the process could not be told from a later one of its number. */
int attempt_know_process(struct launched *launched, struct error *error)
{
	TRACE_PHASE("child.know");

	trace_set_ids(launched->state.id, launched->pid);
	launched->start_time = process_start_time(launched->pid);
	if (!launched->start_time)
		return error_say(error, -EIO, "cannot tell when process %d was started",
				 (int)launched->pid);
	return 0;
}

struct hook_state attempt_hook_state(const struct launched *launched, enum state_status status)
{
	struct hook_state state = {
		.id = launched->state.id,
		.status = status,
		.pid = launched->pid,
		.bundle = launched->bundle.path,
	};

	state.annotations = json_raw(launched->bundle.config.annotations, &state.n_annotations);
	return state;
}

static int hooks_run_here(const struct launched *launched, enum hook_kind kind,
			  enum state_status status, int interrupt_fd, struct error *error)
{
	const struct hook_state state = attempt_hook_state(launched, status);
	const struct hook_place place = { .directory = launched->bundle.path,
					  .interrupt_fd = interrupt_fd };

	return hooks_run(&launched->bundle.config.hooks, kind, &state, &place, error);
}

static int create_hooks_run(const struct attempt *attempt, struct error *error)
{
	const struct launched *launched = attempt->launched;
	int r = 0;

	if (launched->bundle.config.hooks.lists[HOOK_POSTSTOP].n)
		r = launch_note(launched, attempt->options, error);
	if (r == 0)
		r = hooks_run_here(launched, HOOK_PRESTART, STATE_CREATING, attempt->interrupt_fd,
				   error);
	return r == 0 ? hooks_run_here(attempt->launched, HOOK_CREATE_RUNTIME, STATE_CREATING,
				       attempt->interrupt_fd, error)
		      : r;
}

int attempt_run_poststart(const struct launched *launched, struct error *error)
{
	_cleanup_close_ int interrupt_fd = -EBADF;

	if (launched->bundle.config.hooks.lists[HOOK_POSTSTART].n == 0)
		return 0;
	interrupt_fd = hooks_interrupt_open();
	return hooks_run_here(launched, HOOK_POSTSTART, STATE_RUNNING, interrupt_fd, error);
}

/* From when a bridge has made the container's process, that is what was launched. */
static int child_cross(struct attempt *attempt, struct error *error)
{
	struct launched *launched = attempt->launched;
	pid_t bridge = launched->pid;
	int r;

	if (!attempt->is_bridged)
		return 0;
	r = bridge_cross(attempt->preparation.report, &launched->pid, &launched->pidfd, error);
	if (r < 0 || launched->pid == bridge)
		return r;
	return attempt_know_process(launched, error);
}

/*
 * The process that waits for the start takes the socket away itself, whoever it is in its user
 * namespace. One that was joined is known by what the process has become in it.
 */
static int start_hand_over(const struct attempt *attempt, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	char path[64];
	unsigned int uid;
	int r;

	if (attempt->start_fd < 0 ||
	    !config_find_namespace(&attempt->launched->bundle.config, CLONE_NEWUSER))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)attempt->launched->pid);
	r = file_read_at(AT_FDCWD, path, 65536, &text, NULL);
	line = r == 0 ? strstr(text, "\nUid:") : NULL;
	if (!line || sscanf(line, "\nUid: %*u %u", &uid) != 1)
		return error_set(error, r < 0 ? r : -EPROTO, "cannot read whose the process is");
	if (uid != geteuid() && fchownat(attempt->start_fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return error_set(error, -errno, "cannot give away the directory for start");
	return 0;
}

static int ids_map(const struct attempt *attempt, struct error *error)
{
	const struct launched *launched = attempt->launched;
	const struct config *config = &launched->bundle.config;
	int r = tune_score(&config->process, attempt->preparation.procfs_fd, launched->pid,
			   attempt->options->strict, error);

	user_namespace_raise_limits(launched->pid, &config->process);
	return r == 0 ? user_namespace_map(launched->pid, &config->id_maps, error) : r;
}

static int net_devices_take(struct attempt *attempt, struct error *error)
{
	const struct launched *launched = attempt->launched;
	const struct config *config = &launched->bundle.config;

	return config->n_net_devices
		       ? network_devices_move(&attempt->net_devices, config, launched->pid, error)
		       : 0;
}

/* A forked child gets what it asks for, until all is made but the state, or it has ended. */
int attempt_serve(struct attempt *attempt, struct error *error)
{
	int fd = attempt->dialogue_fds[0], r;

	cleanup_close(&attempt->dialogue_fds[1]);
	attempt->dialogue_fds[1] = -EBADF;
	while ((r = dialogue_next(fd, attempt->interrupt_fd)) > 0) {
		int request = r;

		r = child_cross(attempt, error);
		if (r < 0)
			return r;
		switch (request) {
		case DIALOGUE_MAP_IDS:
			r = ids_map(attempt, error);
			if (r < 0)
				return r;
			break;
		case DIALOGUE_RUN_HOOKS:
			r = launch_group_settle(attempt->launched, error);
			if (r == 0)
				r = net_devices_take(attempt, error);
			if (r == 0)
				r = create_hooks_run(attempt, error);
			if (r < 0)
				return r;
			break;
		case DIALOGUE_PUBLISH:
			attempt->is_ready = true;
			r = start_hand_over(attempt, error);
			return r == 0 ? launch_group_settle(attempt->launched, error) : r;
		default:
			return error_say(error, -EPROTO, "the container's process asks for %d",
					 request);
		}
		r = dialogue_answer(fd);
		if (r < 0)
			break;
	}
	if (r == -EINTR)
		return error_say(error, r, "a signal asked for the end while its hooks ran");
	/* It has ended, and said why, or was killed: report_check() tells. */
	return child_cross(attempt, error);
}
