/* SPDX-License-Identifier: MIT */
/*
 * linux.intelRdt: a container's share of cache and memory bandwidth, and its monitoring, through
 * the resctrl file system (Documentation/filesystems/resctrl.rst).
 *
 * What is made is noted in the container's state first, so that whoever deletes it finds it.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/** rdt_open() - /sys/fs/resctrl; an fd owned by the caller, or -EOPNOTSUPP where it isn't there */
int rdt_open(struct error *error);

/**
 * rdt_make() - make or check the class, write its schemata, make the monitoring group
 * @resctrl_fd: the root of resctrl
 * @state_fd: the container's state directory
 *
 * A class that is there already must have the schemata that are asked for; one that is asked for by
 * name alone must be there.
 *
 * Return: 0 or a negative errno; rdt_remove() removes what was made.
 */
int rdt_make(int resctrl_fd, int state_fd, const struct config_rdt *rdt, const char *id,
	     struct error *error);

/* Where a process was before rdt_join(). */
struct rdt_place {
	char path[512]; /* of its tasks file, below the root; empty: nothing to go back to */
};

/**
 * rdt_join() - the caller becomes one of the container's, for a child that inherits it
 * @ret_earlier: for rdt_leave()
 */
int rdt_join(int resctrl_fd, const struct config_rdt *rdt, const char *id,
	     struct rdt_place *ret_earlier, struct error *error);

void rdt_leave(int resctrl_fd, const struct rdt_place *earlier);

/** rdt_remove() - remove what rdt_make() made, by the note in the state; no note is fine */
int rdt_remove(int state_fd, struct error *error);

/** rdt_remove_below() - the same below another root than /sys/fs/resctrl */
int rdt_remove_below(int resctrl_fd, int state_fd, struct error *error);
