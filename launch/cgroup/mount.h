/* SPDX-License-Identifier: MIT */
/*
 * What a container sees at /sys/fs/cgroup (a mount of type "cgroup" in a config.json): its own
 * cgroup, laid out as the host lays out its own.
 */
#pragma once

#include <stdbool.h>

#include "launch/cgroup/cgroup.h"

/* Clones of the host's mounts that the launcher took, in the order of the cgroup's hierarchies. */
struct cgroup_clones {
	int fds[CGROUP_MAX_HIERARCHIES]; /* -EBADF: none */
	bool are_taken;
};

/** cgroup_clones_init() - none are taken */
void cgroup_clones_init(struct cgroup_clones *clones);

/**
 * cgroup_clones_take() - in the launcher, for a child that won't have the host's /sys/fs/cgroup
 *
 * The other arguments are cgroup_mount()'s.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_clones_take(struct cgroup_clones *clones, const struct cgroup *cgroup,
		       unsigned int attributes, bool private_namespace, struct error *error);

void cgroup_clones_close(struct cgroup_clones *clones);

/**
 * cgroup_mount() - mount the container's own cgroup onto @target_fd
 * @target_fd: a directory in the container's root, attached in this mount namespace
 * @attributes: MOUNT_ATTR_*; Docker's are RDONLY, NOSUID, NODEV and NOEXEC
 * @private_namespace: the container has a cgroup namespace of its own
 * @clones: what the launcher took, or NULL; the child's copies of the descriptors are closed
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
 * Called in the child, whose mount namespace still has the host's /sys/fs/cgroup where nothing was
 * taken, and whose umask is 0. Makes no allocation and is safe in a vforked child.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_mount(const struct cgroup *cgroup, int target_fd, unsigned int attributes,
		 bool private_namespace, const struct cgroup_clones *clones, struct error *error);
