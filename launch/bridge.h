/* SPDX-License-Identifier: MIT */
/*
 * The process between the launcher and a container whose namespaces can't be had in one clone.
 *
 * Joining a user namespace can't be undone, so the launcher doesn't; what is to belong to that
 * namespace must be made behind it; and a time namespace, like a pid namespace, is entered by
 * children only. So a bridge joins, makes what must come first, and then makes the container's
 * process as the launcher's own child (CLONE_PARENT), and ends.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "launch/child.h"

/**
 * bridge_main() - runs in a forked child of the launcher, and returns its exit status; in the
 * process that it makes, it doesn't return
 *
 * The pid of that is in @child's report before it runs.
 */
int bridge_main(struct child *child);

/**
 * bridge_cross() - in the launcher: if @report has the container's process, take that for the
 * bridge, which has done its work and is reaped
 * @pid: the bridge's; changed with @pidfd
 *
 * Return: 0 (also when it isn't there yet, or no more) or a negative errno.
 */
int bridge_cross(struct child_report *report, pid_t *pid, int *pidfd, struct error *error);
