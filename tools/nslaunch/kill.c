/* SPDX-License-Identifier: MIT */
/*
 * nslaunch kill: a signal for a container's first process, or for all of them.
 */
#include <errno.h>
#include <string.h>

#include "base/syscalls.h"
#include "launch/cgroup/cgroup.h"
#include "launch/signal_name.h"
#include "tools/nslaunch/container.h"

#define FIELD(field) offsetof(struct lifecycle_options, field)

const struct command_option kill_options[] = {
	{ .name = "all",
	  .letter = 'a',
	  .type = OPTION_FLAG,
	  .offset = FIELD(all),
	  .help = "the signal goes to every process of the container" },
	{ .name = "regex",
	  .letter = 'r',
	  .type = OPTION_FLAG,
	  .offset = FIELD(regex),
	  .help = "ID is a regular expression: every container whose id it fits" },
};

static bool pids_have(const pid_t *pids, size_t n_pids, pid_t pid)
{
	for (size_t i = 0; i < n_pids; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/*
 * A pid that was read may be another's by the time its pidfd is open; one that is still in the
 * cgroup's list with the pidfd open is the cgroup's.
 */
static int pids_signal(struct cgroup *cgroup, const pid_t *pids, const int *pidfds, size_t n_pids,
		       int signal, struct error *error)
{
	_cleanup_free_ pid_t *current = NULL;
	size_t n_current;
	int r = cgroup_pids(cgroup, &current, &n_current, error);

	for (size_t i = 0; r == 0 && i < n_pids; i++) {
		if (pidfds[i] == -ESRCH || !pids_have(current, n_current, pids[i]))
			continue;
		if (pidfds[i] < 0)
			r = pidfds[i];
		else if (sys_pidfd_send_signal(pidfds[i], signal, NULL, 0) < 0 && errno != ESRCH)
			r = -errno;
		if (r < 0)
			return error_set(error, r, "cannot send signal %d to process %d", signal,
					 (int)pids[i]);
	}
	return r;
}

static int kill_all(const struct state_record *record, int signal, struct error *error)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_free_ int *pidfds = NULL;
	size_t n_pids = 0;
	int r;

	cgroup_init(&cgroup);
	if (!record->cgroup_path)
		return error_say(error, -EOPNOTSUPP,
				 "container '%s' has no cgroup that tells its processes",
				 record->id);
	r = cgroup_open(&cgroup, record->cgroup_path, error);
	if (r == 0)
		r = cgroup_pids(&cgroup, &pids, &n_pids, error);
	if (r < 0)
		return r;
	pidfds = calloc(n_pids + 1, sizeof(*pidfds));
	if (!pidfds)
		return error_set(error, -ENOMEM, "cannot signal container '%s'", record->id);
	for (size_t i = 0; i < n_pids; i++) {
		pidfds[i] = sys_pidfd_open(pids[i], 0);
		if (pidfds[i] < 0)
			pidfds[i] = -errno;
	}
	r = pids_signal(&cgroup, pids, pidfds, n_pids, signal, error);
	for (size_t i = 0; i < n_pids; i++)
		cleanup_close(&pidfds[i]);
	return r;
}

static int kill_first(const struct state *state, const struct state_record *record, int signal,
		      struct error *error)
{
	_cleanup_close_ int pidfd = state_process_open(record);

	/* containerd's shim looks for the first three words, others for the last three. */
	if (pidfd == -ESRCH || (pidfd >= 0 && state_status(state, record) == STATE_STOPPED))
		return error_say(
			error, -ESRCH,
			"container not running: '%s' has stopped, process already finished",
			state->id);
	if (pidfd < 0 || sys_pidfd_send_signal(pidfd, signal, NULL, 0) < 0)
		return error_set(error, pidfd < 0 ? pidfd : -errno,
				 "cannot send signal %d to container '%s'", signal, state->id);
	return 0;
}

static int container_kill(const struct command_call *call, const char *id, int signal,
			  struct error *error)
{
	const struct lifecycle_options *options = call->options;
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	int r = container_open(call, id, false, &state, &record, error);

	if (r < 0)
		return r;
	r = options->all ? kill_all(&record, signal, error)
			 : kill_first(&state, &record, signal, error);
	/* Of what is frozen in v1 nothing ends before it is thawed. */
	if (r == 0 && signal == SIGKILL && record.cgroup_path)
		cgroup_thaw_to_kill(record.cgroup_path);
	return r;
}

static int matching_kill(const struct command_call *call, int signal, struct error *error)
{
	_cleanup_strings_ struct string_list ids = {};
	int r = container_match(call, call->argv[0], &ids, error), first = 0;

	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&ids, i) {
		r = container_kill(call, ids.items[i], signal, error);
		/* Gone, or at its end: what was asked for. */
		if (r == 0 || r == -ESRCH || r == -ENOENT)
			continue;
		command_report(call, error);
		first = first ? first : r;
	}
	return first < 0 ? error_say(error, first, "not all containers got the signal") : 0;
}

int verb_kill(const struct command_call *call, struct error *error)
{
	const struct lifecycle_options *options = call->options;
	const char *name = call->argc > 1 ? call->argv[1] : "TERM";
	/* kill(2)'s question whether there is a process. */
	int signal = strcmp(name, "0") ? signal_from_name(name) : 0;

	if (signal < 0)
		return error_usage(error, "unknown signal '%s'", name);
	return options->regex ? matching_kill(call, signal, error)
			      : container_kill(call, call->argv[0], signal, error);
}
