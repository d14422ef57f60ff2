/* SPDX-License-Identifier: MIT */
/*
 * The nodes and links in the container's /dev (OCI runtime spec, config-linux.md, "Default Devices"
 * and "Dev symbolic links"). Called in the container's child.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/**
 * device_make_all() - default devices, `linux.devices` and the links; nothing where /dev is a bind
 *
 * Before the root is switched.
 */
int device_make_all(int root_fd, const struct config *config, struct error *error);

/** device_fill() - the default devices and the links below @dev_fd, where nothing is yet */
int device_fill(int dev_fd, struct error *error);

/**
 * device_null_reopen() - standard streams that are /dev/null become the container's /dev/null
 *
 * After the root is switched. What the caller opened is of a mount of the host's, and may be open
 * for reading alone: containerd gives that as standard output with `ctr run --null-io`. runc and
 * crun do the same. Where the container has no /dev/null, they stay what they are.
 */
int device_null_reopen(struct error *error);
