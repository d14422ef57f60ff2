/* SPDX-License-Identifier: MIT */
/*
 * linux.sysctl: only what belongs to a namespace of the container's own.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/**
 * sysctl_check() - refuse what would reach beyond the container
 *
 * kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* need an ipc namespace, net.* a network
 * namespace, kernel.domainname a uts namespace; kernel.hostname is `hostname`; nothing else (runc's
 * list, libcontainer/configs/validate). A name has only letters, digits and ._/- (CVE-2022-0811).
 */
int sysctl_check(const struct config *config, struct error *error);

/** sysctl_apply() - write them through @procfs_fd (procfs_open()), in the child */
int sysctl_apply(const struct config *config, int procfs_fd, struct error *error);
