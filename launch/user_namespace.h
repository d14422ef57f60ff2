/* SPDX-License-Identifier: MIT */
/*
 * User namespaces: who the ids of a container are outside of it.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "launch/config/config.h"

/**
 * user_namespace_map() - write the id maps of the user namespace that @pid was made in
 * @maps: of both kinds at least a range
 *
 * Called by who made it, outside of it. Written directly where the kernel lets this user; one's own
 * id alone then with setgroups(2) denied, as user_namespaces(7) demands; else by newuidmap(1) and
 * newgidmap(1), which know /etc/subuid and /etc/subgid.
 *
 * Return: 0 or a negative errno; @error names the field, and what the user can do.
 */
int user_namespace_map(pid_t pid, const struct id_maps *maps, struct error *error);

/**
 * user_namespace_raise_limits() - before @pid is in its namespace, or by who made it: hard limits
 * that are to be higher need a right in the host's namespace
 *
 * They are only made possible: the process sets them, and says what it couldn't.
 */
void user_namespace_raise_limits(pid_t pid, const struct config_process *process);

/**
 * user_namespace_become_root() - in a process that is in the namespace: its root, or, where that
 * isn't mapped, the user that @process will be; capabilities are kept
 */
int user_namespace_become_root(const struct config_process *process, struct error *error);

/**
 * user_namespace_make() - a user namespace with nobody in it: what an idmapped mount goes by
 * @ret_fd: owned by the caller
 */
int user_namespace_make(const struct id_maps *maps, int *ret_fd, struct error *error);
