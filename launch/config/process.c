/* SPDX-License-Identifier: MIT */
/*
 * `process`: the program and what it is given.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launch/capability.h"
#include "launch/config/config.h"
#include "launch/config/known.h"
#include "launch/config/sections.h"
#include "launch/config/value.h"

static int user_parse(struct config_process *process, struct json_value user, struct error *error)
{
	struct json_value groups = json_get(user, "additionalGids");
	uint64_t mask = 0;
	int r;

	r = value_id(json_get(user, "uid"), "process.user.uid", &process->uid, error);
	if (r == 0)
		r = value_id(json_get(user, "gid"), "process.user.gid", &process->gid, error);
	if (r < 0)
		return r;
	process->umask = -1;
	if (json_exists(json_get(user, "umask"))) {
		r = value_uint(json_get(user, "umask"), "process.user.umask", 0777, &mask, error);
		if (r < 0)
			return r;
		process->umask = (int)mask;
	}
	r = value_check_type(groups, "process.user.additionalGids", JSON_ARRAY, error);
	if (r < 0)
		return r;
	process->additional_gids = calloc(json_count(groups) + 1, sizeof(gid_t));
	if (!process->additional_gids)
		return error_set(error, -ENOMEM, "'process.user.additionalGids'");
	JSON_FOR_EACH (group, groups) {
		r = value_id(group, "process.user.additionalGids",
			     &process->additional_gids[process->n_additional_gids], error);
		if (r < 0)
			return r;
		process->n_additional_gids++;
	}
	return 0;
}

/*
 * "Any value which cannot be mapped to a relevant kernel interface ... MUST be logged as a warning"
 * (config.md, capabilities): a newer kernel's capability is one that this container doesn't have.
 */
static int capability_set_parse(struct json_value array, uint64_t *ret_set, bool *ret_has_unknown,
				struct error *error)
{
	int r = value_check_type(array, "process.capabilities", JSON_ARRAY, error);

	if (r < 0)
		return r;
	JSON_FOR_EACH (element, array) {
		const char *name = json_string(element);
		int number = name ? capability_from_name(name) : -EINVAL;

		if (!name)
			return error_say(error, -EINVAL,
					 "'process.capabilities': a capability must be a string");
		if (number < 0)
			*ret_has_unknown = true;
		else
			*ret_set |= UINT64_C(1) << number;
	}
	return 0;
}

static int capabilities_parse(struct config_process *process, struct json_value value,
			      struct error *error)
{
	struct config_capabilities *sets = &process->capabilities;
	struct {
		const char *name;
		uint64_t *set;
	} fields[] = {
		{ "bounding", &sets->bounding },   { "effective", &sets->effective },
		{ "permitted", &sets->permitted }, { "inheritable", &sets->inheritable },
		{ "ambient", &sets->ambient },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		int r = capability_set_parse(json_get(value, fields[i].name), fields[i].set,
					     &process->has_unknown_capabilities, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *name;
	int resource;
} rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

/*
 * jq reads numbers as doubles, so that a config.json that went through it has this for "unlimited"
 * (RLIM_INFINITY, 2^64 - 1).
 */
static bool is_infinity_of_jq(struct json_value value)
{
	static const char *const forms[] = { "18446744073709552000", "1.8446744073709552e+19",
					     "1.8446744073709552e19" };
	size_t n_bytes;
	const char *raw = json_raw(value, &n_bytes);

	for (size_t i = 0; raw && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strlen(forms[i]) == n_bytes && !strncmp(raw, forms[i], n_bytes))
			return true;
	}
	return false;
}

static int rlimit_value_parse(struct json_value value, const char *field, uint64_t *ret_limit,
			      struct error *error)
{
	if (!is_infinity_of_jq(value))
		return value_uint(value, field, UINT64_MAX, ret_limit, error);
	*ret_limit = RLIM_INFINITY;
	return 0;
}

static int rlimit_parse(struct config_rlimit *rlimit, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	uint64_t soft = 0, hard = 0;
	int r;

	r = rlimit_value_parse(json_get(value, "soft"), "process.rlimits.soft", &soft, error);
	if (r == 0)
		r = rlimit_value_parse(json_get(value, "hard"), "process.rlimits.hard", &hard,
				       error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(rlimit_names) / sizeof(rlimit_names[0]); i++) {
		if (strcmp(rlimit_names[i].name, type))
			continue;
		*rlimit = (struct config_rlimit){ .resource = rlimit_names[i].resource,
						  .name = rlimit_names[i].name,
						  .limit = { .rlim_cur = soft, .rlim_max = hard } };
		return 0;
	}
	return error_say(error, -EINVAL, "'process.rlimits': unknown limit '%s'", type);
}

static int rlimits_parse(struct config_process *process, struct json_value array,
			 struct error *error)
{
	int r = value_check_type(array, "process.rlimits", JSON_ARRAY, error);

	if (r < 0)
		return r;
	process->rlimits = calloc(json_count(array) + 1, sizeof(*process->rlimits));
	if (!process->rlimits)
		return error_set(error, -ENOMEM, "'process.rlimits'");
	JSON_FOR_EACH (element, array) {
		struct config_rlimit rlimit;

		r = rlimit_parse(&rlimit, element, error);
		if (r < 0)
			return r;
		for (size_t i = 0; i < process->n_rlimits; i++) {
			if (process->rlimits[i].resource == rlimit.resource)
				return error_say(error, -EINVAL, "'process.rlimits': '%s' twice",
						 rlimit.name);
		}
		process->rlimits[process->n_rlimits++] = rlimit;
	}
	return 0;
}

static int labels_parse(struct config_process *process, struct json_value value,
			struct error *error)
{
	int r = value_name(json_get(value, "apparmorProfile"), "process.apparmorProfile",
			   &process->apparmor_profile, error);

	return r == 0 ? value_name(json_get(value, "selinuxLabel"), "process.selinuxLabel",
				   &process->selinux_label, error)
		      : r;
}

int config_process_parse(struct config_process *process, struct json_value value,
			 struct error *error)
{
	struct json_value console = json_get(value, "consoleSize");
	struct json_value score = json_get(value, "oomScoreAdj");
	uint64_t rows = 0, columns = 0;
	int64_t number;
	int r;

	if (!json_exists(value))
		return error_say(error, -EINVAL, "'process' is missing");
	r = known_process_check(value, error);
	if (r == 0)
		r = value_strings(json_get(value, "args"), "process.args", &process->args, error);
	if (r == 0)
		r = value_strings(json_get(value, "env"), "process.env", &process->env, error);
	if (r == 0)
		r = user_parse(process, json_get(value, "user"), error);
	if (r == 0)
		r = capabilities_parse(process, json_get(value, "capabilities"), error);
	if (r == 0)
		r = rlimits_parse(process, json_get(value, "rlimits"), error);
	if (r < 0)
		return r;
	if (!process->args[0] || !*process->args[0])
		return error_say(error, -EINVAL,
				 "'process.args' is empty: there is no command to run");
	process->cwd = json_string_or(json_get(value, "cwd"), "");
	if (*process->cwd != '/')
		return error_say(error, -EINVAL, "'process.cwd' must be an absolute path, not '%s'",
				 process->cwd);
	r = config_schedule_parse(process, value, error);
	if (r == 0)
		r = labels_parse(process, value, error);
	if (r < 0)
		return r;
	r = value_bool(json_get(value, "noNewPrivileges"), "process.noNewPrivileges",
		       &process->no_new_privileges, error);
	if (r == 0)
		r = value_bool(json_get(value, "terminal"), "process.terminal", &process->terminal,
			       error);
	if (r < 0)
		return r;
	if (json_exists(console)) {
		if (json_uint64(json_get(console, "height"), &rows) < 0 || rows > UINT16_MAX ||
		    json_uint64(json_get(console, "width"), &columns) < 0 || columns > UINT16_MAX)
			return error_say(error, -EINVAL, "'process.consoleSize' is not a size");
		process->console_rows = (unsigned short)rows;
		process->console_columns = (unsigned short)columns;
	}
	if (json_exists(score)) {
		if (json_int64(score, &number) < 0 || number < -1000 || number > 1000)
			return error_say(error, -EINVAL,
					 "'process.oomScoreAdj' must be from -1000 to 1000");
		process->has_oom_score_adj = true;
		process->oom_score_adj = (int)number;
	}
	return 0;
}

void config_process_deinit(struct config_process *process)
{
	free(process->args);
	free(process->env);
	free(process->additional_gids);
	free(process->rlimits);
	*process = (struct config_process){};
}
