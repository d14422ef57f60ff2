/* SPDX-License-Identifier: MIT */
#include "launch/group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trace.h"
#include "launch/cgroup/delegation.h"

static int limits_apply(struct launched *launched, struct error *error)
{
	TRACE_PHASE("cgroup.apply");
	int r = cgroup_apply(&launched->cgroup, launched->bundle.config.resources, error);

	if (r != CGROUP_IGNORED)
		return r;
	log_warning("container '%s': %s", launched->state.id, error->message);
	error_init(error);
	return 0;
}

static int annotations_take(const struct launched *launched, struct string_list *properties,
			    struct error *error)
{
	_cleanup_strings_ struct string_list ignored = {};

	if (systemd_annotations(launched->bundle.config.annotations, properties, &ignored) < 0)
		return error_set(error, -ENOMEM, "cannot ask systemd");
	STRING_LIST_FOR_EACH (&ignored, i) {
		log_warning(
			"container '%s': annotation '%.128s' is ignored: it is no property that "
			"a container may ask of systemd, or has no value of its type",
			launched->state.id, ignored.items[i]);
	}
	return 0;
}

static int systemd_make(struct launched *launched, const struct launch_options *options,
			struct error *error)
{
	const struct config *config = &launched->bundle.config;
	_cleanup_strings_ struct string_list properties = {}, limits = {};
	struct group_systemd *group = calloc(1, sizeof(*group));
	int r;

	if (!group)
		return error_set(error, -ENOMEM, "cannot ask systemd");
	launched->systemd = group;
	group->scope = SYSTEMD_SCOPE_EMPTY;
	group->program = options->program;
	/* Root of a user namespace, which rootless engines start it as, is a user. */
	r = systemd_unit_parse(config->cgroups_path, launched->state.id,
			       cgroup_caller_is_confined(), &group->unit, error);
	if (r == 0)
		r = annotations_take(launched, &properties, error);
	if (r == 0)
		r = systemd_properties(config->resources, cgroup_is_v2_alone(), &limits, error);
	if (r < 0)
		return r;
	{
		TRACE_PHASE("cgroup.systemd");
		r = systemd_scope_start(options->program, &group->unit, &properties, &limits,
					&group->scope, error);
	}
	return r == 0 ? cgroup_adopt(&launched->cgroup, group->scope.path, error) : r;
}

/* Where the caller may make one, when not at the path that the host's root has. */
static int delegated_make(struct launched *launched, struct error *error)
{
	char path[CGROUP_MAX_PATH];
	struct error why;
	int r = cgroup_delegated_path(launched->state.id, path);

	if (r < 0)
		return r;
	error_init(&why);
	r = cgroup_create(&launched->cgroup, path, &why);
	if (r < 0 && error)
		*error = why;
	return r;
}

static bool is_forbidden(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* 1: there is none, or it can't be used: one is made as without a pool. */
static int pooled_make(struct launched *launched, struct pool_claim *claim)
{
	TRACE_PHASE("cgroup.create");

	if (!claim || !*claim->cgroup_path)
		return 1;
	if (cgroup_use(&launched->cgroup, claim->cgroup_path, NULL) == 0)
		return 0;
	cgroup_close(&launched->cgroup);
	*claim->cgroup_path = '\0';
	(void)unlinkat(launched->state.directory_fd, STATE_CGROUP_FILE, 0);
	return 1;
}

static int fs_make(struct launched *launched, const struct launch_options *options,
		   struct pool_claim *claim, struct error *error)
{
	const struct config *config = &launched->bundle.config;
	char path[STATE_ID_MAX_BYTES + 16];
	int r;

	if (pooled_make(launched, claim) == 0)
		return limits_apply(launched, error);
	snprintf(path, sizeof(path), "/lamina/%s", launched->state.id);
	if (config->cgroups_path && strcmp(config->cgroups_path, path) != 0) {
		r = state_cgroup_write(&launched->state, config->cgroups_path, error);
		if (r < 0)
			return r;
	}
	{
		TRACE_PHASE("cgroup.create");
		r = cgroup_create(&launched->cgroup,
				  config->cgroups_path ? config->cgroups_path : path, error);
		if (is_forbidden(r) && !config->cgroups_path &&
		    delegated_make(launched, error) == 0)
			r = 0;
	}
	if (r == 0)
		return limits_apply(launched, error);
	if (!is_forbidden(r) || options->rootless == LAUNCH_ROOTLESS_FALSE ||
	    (options->rootless == LAUNCH_ROOTLESS_AUTO && !cgroup_caller_is_confined()))
		return r;
	if (cgroup_resources_ask(config->resources))
		return cgroup_delegation_explain(error, r);
	/* No limit is asked: as crun and runc do, it stays in its caller's. */
	error_init(error);
	cgroup_init(&launched->cgroup);
	return 0;
}

int launch_group_make(struct launched *launched, const struct launch_options *options,
		      struct pool_claim *claim, struct error *error)
{
	switch (options->cgroup_manager) {
	case LAUNCH_CGROUP_SYSTEMD:
		return systemd_make(launched, options, error);
	case LAUNCH_CGROUP_FS:
		return fs_make(launched, options, claim, error);
	default:
		/* Empty: there is nothing to enter, to limit and to remove. */
		if (cgroup_resources_ask(launched->bundle.config.resources))
			log_warning("container '%s': linux.resources is left out: there are no "
				    "cgroups with --cgroup-manager disabled",
				    launched->state.id);
		return 0;
	}
}

int launch_group_settle(struct launched *launched, struct error *error)
{
	int r;

	if (!launched->systemd || launched->systemd->scope.helper_pid == 0)
		return 0;
	r = systemd_scope_settle(&launched->systemd->scope, error);
	return r == 0 ? limits_apply(launched, error) : r;
}

int launch_group_remove(struct launched *launched, struct error *error)
{
	TRACE_PHASE("cgroup.remove");
	struct group_systemd *group = launched->systemd;
	int r = 0, removed;

	if (group) {
		systemd_scope_abandon(&group->scope);
		/* Without a name it hasn't come to asking. */
		if (*group->scope.path)
			r = systemd_unit_stop(group->program, &group->unit, error);
		free(group);
		launched->systemd = NULL;
	}
	removed = cgroup_remove(&launched->cgroup, r < 0 ? NULL : error);
	return r < 0 ? r : removed;
}

static int unit_of(const struct state_record *record, struct systemd_unit *ret_unit)
{
	if (!record->systemd_unit)
		return 0;
	*ret_unit = (struct systemd_unit){ .is_user = record->systemd_is_user };
	snprintf(ret_unit->name, sizeof(ret_unit->name), "%s", record->systemd_unit);
	return 1;
}

int group_record_end(const char *program, const struct state *state,
		     const struct state_record *record, struct error *error)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	_cleanup_free_ char *path = NULL;
	struct systemd_unit unit;
	bool is_own = record->cgroup_path || state_has_process(state);
	int r = 0;

	/* Killed before there was a state.json: the cgroup is where it was going to be. */
	if (!record->cgroup_path)
		r = state_cgroup_read(state, &path, error);
	if (r < 0)
		return r;
	cgroup_init(&cgroup);
	r = cgroup_open(&cgroup, path ? path : record->cgroup_path, error);
	if (r == 0 && is_own)
		r = cgroup_kill(&cgroup, error);
	if (r == 0 && unit_of(record, &unit))
		r = systemd_unit_stop(program, &unit, error);
	if (r == 0)
		r = cgroup_remove(&cgroup, error);
	if (r == -EBUSY && !is_own) {
		log_warning("cgroup '/%s' stays: its processes were not those of '%s'", cgroup.path,
			    state->id);
		error_init(error);
		r = 0;
	}
	return r;
}

int group_record_update(const char *program, const struct state_record *record,
			struct json_value resources, struct error *error)
{
	_cleanup_strings_ struct string_list properties = {};
	_cleanup_cgroup_ struct cgroup cgroup;
	struct systemd_unit unit;
	int r = 0;

	cgroup_init(&cgroup);
	if (json_count(resources) == 0)
		return 0;
	if (!record->cgroup_path)
		return error_say(error, -EOPNOTSUPP, "it has no cgroup");
	/* systemd first: what it is told it writes again whenever it likes. */
	if (unit_of(record, &unit)) {
		r = systemd_properties(resources, cgroup_is_v2_alone(), &properties, error);
		if (r == 0)
			r = systemd_unit_set(program, &unit, &properties, error);
	}
	if (r == 0)
		r = cgroup_open(&cgroup, record->cgroup_path, error);
	return r == 0 ? cgroup_update(&cgroup, resources, error) : r;
}
