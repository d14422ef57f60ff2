/* SPDX-License-Identifier: MIT */
#include "launch/tune.h"

#include <stdio.h>

#include "base/trace.h"
#include "launch/procfs.h"
#include "launch/sysctl.h"

int tune_apply(const struct config *config, int procfs_fd, struct error *error)
{
	TRACE_PHASE("tune");
	char score[16];
	int r;

	if (config->process.has_oom_score_adj) {
		snprintf(score, sizeof(score), "%d", config->process.oom_score_adj);
		r = procfs_write(procfs_fd, "self/oom_score_adj", score);
		if (r < 0)
			return error_set(error, r, "process.oomScoreAdj: cannot be set to %s",
					 score);
	}
	return sysctl_apply(config, procfs_fd, error);
}

int tune_privately(const struct config *config, struct error *error)
{
	_cleanup_close_ int procfs_fd = -EBADF;

	if (!config->process.has_oom_score_adj && !json_count(config->sysctl))
		return 0;
	procfs_fd = procfs_open();
	if (procfs_fd < 0)
		return error_set(error, procfs_fd, "cannot make a procfs");
	return tune_apply(config, procfs_fd, error);
}
