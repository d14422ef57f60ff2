/* SPDX-License-Identifier: MIT */
/*
 * Who the container's process is: ids and capabilities. Called in the container's child, last
 * before the seccomp filter and the exec.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/** credentials_held() - the capabilities that the caller has (permitted); 0 or a negative errno */
int credentials_held(uint64_t *ret_held, struct error *error);

/**
 * credentials_limit() - no_new_privs
 * @held: credentials_held(); what isn't among them can't be given, and a warning tells
 */
int credentials_limit(const struct config_process *process, uint64_t held, struct error *error);

/**
 * credentials_become() - drop the bounding set, take on ids and groups, set the capability sets
 *
 * Where a seccomp filter must be loaded without no_new_privs, CAP_SYS_ADMIN stays effective until
 * the exec takes it: it isn't in the bounding set, and execve(2) gives nobody what isn't there.
 */
int credentials_become(const struct config_process *process, uint64_t held, bool filter_follows,
		       struct error *error);
