/* SPDX-License-Identifier: MIT */
/*
 * The nodes and links in the container's /dev (OCI runtime spec, config-linux.md, "Default Devices"
 * and "Dev symbolic links"). Called in the container's child, before the root is switched.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/** device_make_all() - default devices, `linux.devices` and the links; nothing where /dev is a bind
 */
int device_make_all(int root_fd, const struct config *config, struct error *error);
