/* SPDX-License-Identifier: MIT */
/*
 * What a container sees at /sys/fs/cgroup (a mount of type "cgroup" in a config.json): its own
 * cgroup, laid out as the host lays out its own.
 */
#pragma once

#include <stdbool.h>

#include "launch/cgroup/cgroup.h"

/**
 * cgroup_mount() - mount the container's own cgroup onto @target_fd
 * @target_fd: a directory in the container's root, attached in this mount namespace
 * @attributes: MOUNT_ATTR_*; Docker's are RDONLY, NOSUID, NODEV and NOEXEC
 * @private_namespace: the container has a cgroup namespace of its own
 *
 * Pure v2: the cgroup's directory itself; with the host's cgroup namespace the host's whole tree,
 * since /proc/self/cgroup then has the path from there, as runc does. v1 and hybrid: a tmpfs with
 * the cgroup of each v1 hierarchy in it, and links for the controllers of one that has several
 * ("cpu" -> "cpu,cpuacct"); as with runc the v2 hierarchy of a hybrid host isn't shown. On a host
 * without cgroups nothing is mounted.
 *
 * All are clones of the host's mounts, cut at the container's cgroup. In the container's cgroup
 * namespace they can't be told from new mounts of type cgroup: the kernel prints the root of a
 * cgroup mount in mountinfo relative to the reader's namespace, "/" in both cases. Nine of them
 * take 70 to 140 us, and 10 less than new ones when they end: those need a superblock each.
 *
 * Called in the child, whose mount namespace still has the host's /sys/fs/cgroup, and whose umask
 * is 0. Makes no allocation and is safe in a vforked child.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 bool private_namespace, struct error *error);
