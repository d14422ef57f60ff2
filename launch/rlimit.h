/* SPDX-License-Identifier: MIT */
/*
 * Resource limits of a container's process (setrlimit(2)).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "launch/config/config.h"

/**
 * rlimit_apply() - set the process's limits on the caller
 * @is_strict: one that may not be set is an error
 *
 * Else a hard limit over the caller's own, which only CAP_SYS_RESOURCE may raise, becomes the
 * caller's own, and a warning tells: engines ask for limits of their own by default.
 */
int rlimit_apply(const struct config_process *process, bool is_strict, struct error *error);
