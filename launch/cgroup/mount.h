/* SPDX-License-Identifier: MIT */
/*
 * What a container sees at /sys/fs/cgroup.
 */
#pragma once

#include <stdbool.h>

#include "launch/cgroup/cgroup.h"

/**
 * cgroup_mount() - mount the container's own cgroup onto @target_fd
 * @target_fd: a directory in the container's root, attached in this mount namespace
 * @attributes: MOUNT_ATTR_*
 *
 * Pure v2: the cgroup's directory itself. v1 and hybrid: a tmpfs with a directory for each
 * hierarchy, as Docker has it. Called in the child, whose mount namespace still has the host's
 * /sys/fs/cgroup.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 struct error *error);
