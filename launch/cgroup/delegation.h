/* SPDX-License-Identifier: MIT */
/*
 * Cgroups of callers that aren't root of the host: what was delegated to them, and what is missing.
 */
#pragma once

#include "launch/cgroup/cgroup.h"

/** cgroup_is_v2_alone() - is /sys/fs/cgroup cgroup v2 itself? */
bool cgroup_is_v2_alone(void);

/** cgroup_caller_is_confined() - isn't the caller root, or is it one of a user namespace? */
bool cgroup_caller_is_confined(void);

/** cgroup_resources_ask() - is there a limit in linux.resources? Device rules alone are none. */
bool cgroup_resources_ask(struct json_value resources);

/**
 * cgroup_delegated_path() - where, in v2, the caller may make a cgroup for the container @id
 * @ret_path: CGROUP_MAX_PATH bytes, untouched where there is none
 *
 * Beside the caller's own cgroup where it may write there, for a cgroup with processes has no
 * controllers for those below it; else below its own.
 *
 * Return: 0, or -ENOENT.
 */
int cgroup_delegated_path(const char *id, char *ret_path);

/** cgroup_delegation_explain() - add to @error what the caller must be given; @r */
int cgroup_delegation_explain(struct error *error, int r);
