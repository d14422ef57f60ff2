/* SPDX-License-Identifier: MIT */
/*
 * What a container sees at /sys/fs/cgroup (a mount of type "cgroup" in a config.json): its own
 * cgroup, laid out as the host lays out its own.
 *
 * v2: the container's cgroup, or with the host's cgroup namespace the host's whole tree, as runc
 * does. v1 and hybrid: a tmpfs with the container's cgroup of each v1 hierarchy in it, and links
 * for the single controllers of one that has several ("cpu" -> "cpu,cpuacct"); as in runc the v2
 * hierarchy of a hybrid host isn't shown.
 *
 * All are clones of the host's mounts, re-rooted. Inside the container's cgroup namespace they
 * can't be told from new mounts of type cgroup: the kernel prints the root of a cgroup mount in
 * mountinfo relative to the reader's namespace, "/" in both cases. Measured for nine hierarchies:
 * 20 us in the child and 140 before it, where new mounts take 160 in the child and 30 more when it
 * ends, since each gets a superblock of its own.
 */
#pragma once

#include <stdbool.h>

#include "launch/cgroup/cgroup.h"

struct cgroup_mounts {
	size_t n_mounts;
	/* The first is the whole, the others go into its directories. Detached, owned. */
	struct {
		int mount_fd;
		char name[NAME_MAX + 1];
	} mounts[1 + CGROUP_MAX_HIERARCHIES];
};

enum cgroup_mounts_flags {
	/* The container has a cgroup namespace of its own. */
	CGROUP_MOUNTS_PRIVATE_NAMESPACE = 1 << 0,
};

/**
 * cgroup_mounts_prepare() - make the mounts, detached, in the caller's mount namespace
 * @cgroup: made or opened; borrowed, and not needed any more for cgroup_mounts_attach()
 * @attributes: MOUNT_ATTR_*; Docker's are RDONLY, NOSUID, NODEV and NOEXEC
 * @flags: enum cgroup_mounts_flags
 * @mounts: filled; owned by the caller, who ends with cgroup_mounts_close()
 *
 * In the parent: a mount can only be cloned in the namespace it is attached in. On a host without
 * cgroups there are none.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_mounts_prepare(const struct cgroup *cgroup, unsigned int attributes, unsigned int flags,
			  struct cgroup_mounts *mounts, struct error *error);

/**
 * cgroup_mounts_attach() - attach them at @target_fd, in the container's mount namespace
 * @target_fd: O_PATH, a directory
 *
 * Makes no allocation and is safe in a vforked child. What is attached stays so if a later one
 * fails. With no mounts nothing happens.
 *
 * Return: 0 or a negative errno.
 */
int cgroup_mounts_attach(const struct cgroup_mounts *mounts, int target_fd, struct error *error);

/** cgroup_mounts_close() - close the descriptors; what isn't attached is gone with them */
void cgroup_mounts_close(struct cgroup_mounts *mounts);
#define _cleanup_cgroup_mounts_ _cleanup_(cgroup_mounts_close)
