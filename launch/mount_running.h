/* SPDX-License-Identifier: MIT */
/*
 * Mounts of a container that runs: `mounts add` and `mounts remove`.
 *
 * What is bound is cloned in the launcher's mount namespace, where its source is, and attached by a
 * child that has joined the container's; a file system of its own is made in the child. Names of
 * the container's are resolved in its root, by descriptor, as at its start.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "launch/config/config.h"

/**
 * mount_running_add() - attach all of @mounts, or none
 * @container_pidfd: of the container's first process
 * @directory: what relative sources are relative to
 * @label: linux.mountLabel, or NULL
 *
 * Binds, and file systems that are the same in every namespace, are taken: what shows a namespace
 * (proc, sysfs, mqueue, devpts, cgroup) would show the host's.
 *
 * Return: 0 or a negative errno; @error names the mount.
 */
int mount_running_add(int container_pidfd, const struct config_mount *mounts, size_t n_mounts,
		      const char *directory, const char *label, struct error *error);

/**
 * mount_running_remove() - unmount what lies at each of @destinations, with what lies below it; one
 * after the other, until one fails
 * @destinations: absolute in the container; not its root
 */
int mount_running_remove(int container_pidfd, char *const *destinations, size_t n_destinations,
			 struct error *error);
