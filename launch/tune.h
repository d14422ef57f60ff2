/* SPDX-License-Identifier: MIT */
/*
 * What a start writes to /proc: oom_score_adj and sysctls. Only ever through a procfs that lamina
 * has made and nobody else can have touched.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/config/config.h"

/**
 * tune_apply() - write what the config asks for
 * @is_strict: see tune_score()
 * @procfs_fd: a detached mount of a new procfs of the container's pid namespace: the one that is
 * going to be the container's, before it is attached anywhere
 */
int tune_apply(const struct config *config, int procfs_fd, bool is_strict, struct error *error);

/** tune_privately() - the same through a procfs made for it, which takes 0.1 ms more */
int tune_privately(const struct config *config, bool is_strict, struct error *error);

/**
 * tune_score() - write the process's oom_score_adj, where it is said
 * @pid: 0: of this process
 * @is_strict: that it may not be lowered (without CAP_SYS_RESOURCE) is an error, not a warning
 */
int tune_score(const struct config_process *process, int procfs_fd, pid_t pid, bool is_strict,
	       struct error *error);
