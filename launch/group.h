/* SPDX-License-Identifier: MIT */
/*
 * A container's cgroup, whoever makes it: nslaunch itself, systemd, or nobody.
 */
#pragma once

#include "launch/cgroup/systemd.h"
#include "launch/launch.h"
#include "launch/pool.h"

/* What the systemd driver keeps while a container is being made, and until its end. */
struct group_systemd {
	struct systemd_unit unit;
	struct systemd_scope scope;
	const char *program;
};

/**
 * launch_group_make() - make the cgroup, and set its limits
 * @claim: has one of a pool's, or none; its path is emptied where that isn't used; may be NULL
 *
 * Where the caller isn't root of the host and may not make it, the container goes on without one as
 * long as it asks for no limit (--rootless); what may be made is found from /proc/self/cgroup.
 * systemd's has only what it starts with: the rest comes with launch_group_settle().
 */
int launch_group_make(struct launched *launched, const struct launch_options *options,
		      struct pool_claim *claim, struct error *error);

/**
 * launch_group_settle() - systemd's part is done, and the limits are set; a second call does
 * nothing
 *
 * For when the process has come so far that it is in every hierarchy (it enters v1's itself), and
 * waits.
 */
int launch_group_settle(struct launched *launched, struct error *error);

/** launch_group_remove() - remove it, with systemd's unit; its processes have ended */
int launch_group_remove(struct launched *launched, struct error *error);

/**
 * group_record_end() - end all processes of a container's cgroup and remove it, by its state
 * @program: argv[0] of nslaunch
 */
int group_record_end(const char *program, const struct state *state,
		     const struct state_record *record, struct error *error);

/**
 * group_record_update() - change limits of a container that runs, by its state
 *
 * Return: 0, CGROUP_IGNORED (@error's message says what was left out) or a negative errno.
 */
int group_record_update(const char *program, const struct state_record *record,
			struct json_value resources, struct error *error);
