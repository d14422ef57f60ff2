/* SPDX-License-Identifier: MIT */
/*
 * The systemd cgroup driver: a container's cgroup is a transient scope of systemd's, delegated.
 *
 * A scope can't be made without a process. A keeper of nslaunch-systemd's (tools/systemd) is in it
 * until the container's own is, which gets there as everywhere: born into it by
 * clone3(CLONE_INTO_CGROUP), or by its own write to `tasks`. systemd moves nobody but the keeper.
 */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "launch/cgroup/cgroup.h"

struct systemd_unit {
	char slice[NAME_MAX + 1]; /* "system.slice" */
	char name[NAME_MAX + 1];  /* "lamina-ID.scope" */
	bool is_user;		  /* of the caller's own systemd */
};

/**
 * systemd_unit_parse() - linux.cgroupsPath as the systemd driver has it: "SLICE:PREFIX:NAME"
 * @cgroups_path: NULL or "": the default slice, "lamina" and @id; an empty SLICE: the default one
 *
 * As runc: system.slice, or user.slice with the user's systemd.
 *
 * Return: 0 or -EINVAL.
 */
int systemd_unit_parse(const char *cgroups_path, const char *id, bool is_user,
		       struct systemd_unit *ret_unit, struct error *error);

/**
 * systemd_properties() - linux.resources as properties of a unit, NAME=TYPE:VALUE each
 * @is_v2: cgroup v2 alone; else the names of v1's
 *
 * What systemd has no property for is only in the control files, which cgroup_apply() writes.
 *
 * Return: 0 or a negative errno.
 */
int systemd_properties(struct json_value resources, bool is_v2, struct string_list *properties,
		       struct error *error);

/**
 * systemd_annotations() - the annotations org.systemd.property.NAME as properties
 * @ignored: those that aren't allowed, or have no value of the right type
 *
 * Annotations come from images, and a property may be a command to run (CVE-2024-3154): only After,
 * Before, CollectMode, DefaultDependencies and TimeoutStopUSec are taken. Values are as runc's, in
 * GVariant's text format: 'text', true, uint64 5, ['a', 'b'].
 */
int systemd_annotations(struct json_value annotations, struct string_list *properties,
			struct string_list *ignored);

/* A scope that is being made. Start with SYSTEMD_SCOPE_EMPTY. */
struct systemd_scope {
	pid_t helper_pid; /* 0: none */
	int helper_fd;
	char path[CGROUP_MAX_PATH]; /* of its cgroup, from the root of the hierarchies */
};

#define SYSTEMD_SCOPE_EMPTY ((struct systemd_scope){ .helper_fd = -EBADF })

/**
 * systemd_scope_start() - have the scope made
 * @program: argv[0] of nslaunch, for the helper is beside it
 * @properties: of the unit from the start
 * @limits: those that are set by systemd_scope_settle(): before that, they would be the keeper's
 * too
 * @scope: filled; to be given to systemd_scope_settle() or systemd_scope_abandon()
 *
 * Return: 0 or a negative errno (-ENOENT: no helper).
 */
int systemd_scope_start(const char *program, const struct systemd_unit *unit,
			const struct string_list *properties, const struct string_list *limits,
			struct systemd_scope *scope, struct error *error);

/** systemd_scope_settle() - the container's process is in it: the keeper goes, the limits come */
int systemd_scope_settle(struct systemd_scope *scope, struct error *error);

/** systemd_scope_abandon() - after a failure: the scope is stopped. Accepts an empty one. */
void systemd_scope_abandon(struct systemd_scope *scope);
#define _cleanup_systemd_scope_ _cleanup_(systemd_scope_abandon)

/** systemd_unit_set() - change properties of a unit that runs; none: nothing is done */
int systemd_unit_set(const char *program, const struct systemd_unit *unit,
		     const struct string_list *properties, struct error *error);

/** systemd_unit_stop() - stop the unit and forget its failure; one that isn't there is fine */
int systemd_unit_stop(const char *program, const struct systemd_unit *unit, struct error *error);
