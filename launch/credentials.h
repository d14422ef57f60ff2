/* SPDX-License-Identifier: MIT */
/*
 * Who the container's process is: limits, ids, capabilities. Called in the container's child, last
 * before the seccomp filter and the exec.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/** credentials_limit() - rlimits and no_new_privs; while the child still may raise them */
int credentials_limit(const struct config_process *process, struct error *error);

/**
 * credentials_become() - drop the bounding set, take on ids and groups, set the capability sets
 *
 * Where a seccomp filter must be loaded without no_new_privs, CAP_SYS_ADMIN stays effective until
 * the exec takes it: it isn't in the bounding set, and execve(2) gives nobody what isn't there.
 */
int credentials_become(const struct config_process *process, bool filter_follows,
		       struct error *error);
