/* SPDX-License-Identifier: MIT */
/*
 * File systems that are made for a container: tmpfs, proc, overlay and whatever else its mounts
 * name.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/**
 * mount_filesystem_make() - a new file system, as a detached mount that the caller owns
 * @root_fd: the container's root: a tmpfs may take the mode, and with tmpcopyup the files, of what
 * is at its destination
 * @label: linux.mountLabel, or NULL
 *
 * Return: the fd, or a negative errno.
 */
int mount_filesystem_make(int root_fd, const struct config_mount *mount, const char *label,
			  struct error *error);
