/* SPDX-License-Identifier: MIT */
#include "launch/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/tune.h"
#include "launch/user_namespace.h"

/* Of a new container: what its namespaces' owners and its clocks need before the clone. */
static int join_new(struct child *child, int offsets_fd, uint64_t *flags, struct error *error)
{
	const struct config *config = &child->bundle->config;
	const struct config_namespace *user = config_find_namespace(config, CLONE_NEWUSER);
	bool makes_time = config_has_own_namespace(config, CLONE_NEWTIME);
	int r = namespaces_join(child->namespaces, config, error);

	if (r == 0 && user && !user->path && makes_time) {
		/* The time namespace is to be the container's own, like all others. */
		if (unshare(CLONE_NEWUSER) < 0)
			return error_set(error, -errno,
					 "linux.namespaces: cannot make a user namespace");
		*flags &= ~(uint64_t)CLONE_NEWUSER;
		r = child_map_ids(child, error);
		child->ids_are_mapped = r == 0;
	} else if (r == 0 && user && user->path) {
		r = user_namespace_become_root(child->process, error);
	}
	return r == 0 && makes_time ? namespaces_make_time(config, offsets_fd, error) : r;
}

/* Of a container that runs: everything in one call, its user namespace first. */
static int join_running(const struct child *child, struct error *error)
{
	if (setns(child->join_pidfd, child->join_flags) < 0)
		return error_set(error, -errno, "cannot join the container's namespaces");
	return child->join_flags & CLONE_NEWUSER ? user_namespace_become_root(child->process, error)
						 : 0;
}

static int offsets_open(const struct child *child, int *ret_fd, struct error *error)
{
	int r;

	if (child->join_pidfd >= 0 || child->bundle->config.n_time_offsets == 0)
		return 0;
	r = child_be_dumpable(child, true, error);
	if (r < 0)
		return r;
	*ret_fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return error_set(error, -errno, "linux.timeOffsets: cannot be set");
	return child_be_dumpable(child, false, error);
}

static bool joins_user(const struct child *child)
{
	const struct config_namespace *user;

	if (child->join_pidfd >= 0)
		return child->join_flags & CLONE_NEWUSER;
	user = config_find_namespace(&child->bundle->config, CLONE_NEWUSER);
	return user && user->path;
}

static int steps(struct child *child, struct error *error)
{
	_cleanup_close_ int offsets_fd = -EBADF;
	uint64_t flags = 0;
	pid_t pid;
	int r = child_bind_life(child, error);

	if (r == 0) {
		TRACE_PHASE("cgroup.attach");
		r = cgroup_enter(child->cgroup, error);
	}
	if (r == 0 && joins_user(child)) {
		user_namespace_raise_limits(0, child->process);
		r = tune_score(child->process, child->procfs_fd, 0, child->strict, error);
	}
	if (r == 0)
		r = offsets_open(child, &offsets_fd, error);
	if (r == 0) {
		TRACE_PHASE("ns.setns");
		if (child->join_pidfd < 0)
			flags = namespaces_clone_flags(&child->bundle->config);
		r = child->join_pidfd >= 0 ? join_running(child, error)
					   : join_new(child, offsets_fd, &flags, error);
	}
	if (r < 0)
		return r;
	child->is_bridged = true;
	cleanup_close(&offsets_fd);
	offsets_fd = -EBADF;
	pid = process_fork_sibling(flags, &child->report->bridged_pid);
	if (pid == 0)
		_exit(child_main(child));
	return pid < 0 ? error_set(error, (int)pid, "cannot make the container's process") : 0;
}

int bridge_main(struct child *child)
{
	struct error error;
	int r;

	error_init(&error);
	r = steps(child, &error);
	if (r < 0) {
		child->report->exit_status = 125;
		child->report->error = error;
	}
	return r < 0 ? 125 : 0;
}

int bridge_cross(struct child_report *report, pid_t *pid, int *pidfd, struct error *error)
{
	pid_t bridged = __atomic_load_n(&report->bridged_pid, __ATOMIC_ACQUIRE);
	int status, fd;

	if (bridged <= 0 || bridged == *pid)
		return 0;
	/* It is this process's child, and not reaped: the pid is its own. */
	fd = sys_pidfd_open(bridged, 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot open a pidfd");
	(void)process_wait(*pid, &status);
	close(*pidfd);
	*pid = bridged;
	*pidfd = fd;
	return 0;
}
