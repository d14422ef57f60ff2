/* SPDX-License-Identifier: MIT */
#include "launch/tune.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "base/log.h"
#include "base/trace.h"
#include "launch/procfs.h"
#include "launch/sysctl.h"

int tune_score(const struct config_process *process, int procfs_fd, pid_t pid, bool is_strict,
	       struct error *error)
{
	char path[32], score[16];
	int r;

	if (!process->has_oom_score_adj)
		return 0;
	snprintf(score, sizeof(score), "%d", process->oom_score_adj);
	snprintf(path, sizeof(path), pid ? "%d/oom_score_adj" : "self/oom_score_adj", (int)pid);
	r = procfs_write(procfs_fd, path, score);
	if (r == -EACCES && !is_strict) {
		log_warning("process.oomScoreAdj: only CAP_SYS_RESOURCE may lower it to %s: it "
			    "stays as it is",
			    score);
		return 0;
	}
	return r < 0 ? error_set(error, r, "process.oomScoreAdj: cannot be set to %s", score) : 0;
}

int tune_apply(const struct config *config, int procfs_fd, bool is_strict, struct error *error)
{
	TRACE_PHASE("tune");
	int r = 0;

	/* In a user namespace there is no right to it any more: it was done before. */
	if (!config_find_namespace(config, CLONE_NEWUSER))
		r = tune_score(&config->process, procfs_fd, 0, is_strict, error);

	return r == 0 ? sysctl_apply(config, procfs_fd, error) : r;
}

int tune_privately(const struct config *config, bool is_strict, struct error *error)
{
	_cleanup_close_ int procfs_fd = -EBADF;

	if (!config->process.has_oom_score_adj && !json_count(config->sysctl))
		return 0;
	procfs_fd = procfs_open();
	if (procfs_fd < 0)
		return error_set(error, procfs_fd, "cannot make a procfs");
	return tune_apply(config, procfs_fd, is_strict, error);
}
