/* SPDX-License-Identifier: MIT */
/*
 * nslaunch pause and resume: all processes of a container stopped, and let go on.
 */
#include <errno.h>

#include "launch/cgroup/cgroup.h"
#include "tools/nslaunch/container.h"

static int container_freeze(const struct command_call *call, bool frozen, struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	_cleanup_cgroup_ struct cgroup cgroup;
	enum state_status status;
	int r;

	cgroup_init(&cgroup);
	r = container_open(call, call->argv[0], true, &state, &record, error);
	if (r < 0)
		return r;
	status = container_status(&state, &record);
	/* runc's words, which containerd's shim looks for. */
	if (frozen && status != STATE_RUNNING && status != STATE_CREATED)
		return error_say(error, -EINVAL, "container not running: '%s' is %s", state.id,
				 state_status_name(status));
	if (!frozen && status != STATE_PAUSED)
		return error_say(error, -EINVAL, "container not paused: '%s' is %s", state.id,
				 state_status_name(status));
	if (!record.cgroup_path)
		return error_say(error, -EOPNOTSUPP, "container '%s' has no cgroup to freeze",
				 state.id);
	r = cgroup_open(&cgroup, record.cgroup_path, error);
	if (r == 0)
		r = cgroup_freeze(&cgroup, frozen, error);
	return r < 0 ? error_prefix(error, r, "container '%s'", state.id) : 0;
}

int verb_pause(const struct command_call *call, struct error *error)
{
	return container_freeze(call, true, error);
}

int verb_resume(const struct command_call *call, struct error *error)
{
	return container_freeze(call, false, error);
}
