/* SPDX-License-Identifier: MIT */
/*
 * What AppArmor and SELinux are told of a container: its process's profile and label, and the label
 * of the file systems made for it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/config/config.h"

/** label_is_asked() - does the process have a profile or a label? */
bool label_is_asked(const struct config_process *process);

/**
 * label_check() - is there who gives effect to what is asked for?
 *
 * As in runc, a profile or a label that nobody would enforce is refused (-EOPNOTSUPP): the
 * container would be less isolated than was said.
 */
int label_check(const struct config_process *process, const struct config *config,
		struct error *error);

/**
 * label_apply() - have the next exec of the caller take on the profile and the label
 * @procfs_fd: a procfs that the container can't have touched
 */
int label_apply(const struct config_process *process, int procfs_fd, struct error *error);

/** label_mount_option() - does a new file system of this type take "context=LABEL"? */
bool label_mount_option(const char *type);
