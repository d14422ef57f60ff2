/* SPDX-License-Identifier: MIT */
#include "launch/config/hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/config/value.h"

static const char *const kind_names[N_HOOK_KINDS] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

static int hook_parse(struct config_hook *hook, struct json_value value, const char *field,
		      struct error *error)
{
	struct json_value args = json_get(value, "args");
	struct json_value timeout = json_get(value, "timeout");
	char name[64];
	uint64_t timeout_s = 0;
	int r = 0;

	hook->path = json_string_or(json_get(value, "path"), "");
	if (*hook->path != '/')
		return error_say(error, -EINVAL, "'%s.path' must be an absolute path, not '%s'",
				 field, hook->path);
	snprintf(name, sizeof(name), "%s.args", field);
	if (value_asks(args))
		r = value_strings(args, name, &hook->args, error);
	snprintf(name, sizeof(name), "%s.env", field);
	if (r == 0)
		r = value_strings(json_get(value, "env"), name, &hook->env, error);
	snprintf(name, sizeof(name), "%s.timeout", field);
	if (r == 0 && json_exists(timeout))
		r = value_uint(timeout, name, INT_MAX, &timeout_s, error);
	/* The spec's "greater than zero": what it would mean else is a guess. */
	if (r == 0 && json_exists(timeout) && timeout_s == 0)
		return error_say(error, -EINVAL, "'%s' must be greater than 0", name);
	hook->timeout_s = (unsigned int)timeout_s;
	return r;
}

static int kind_parse(struct config_hooks *hooks, enum hook_kind kind, struct json_value array,
		      struct error *error)
{
	char field[48];
	int r;

	snprintf(field, sizeof(field), "hooks.%s", kind_names[kind]);
	r = value_check_type(array, field, JSON_ARRAY, error);
	if (r < 0 || json_count(array) == 0)
		return r;
	hooks->lists[kind].hooks = calloc(json_count(array), sizeof(struct config_hook));
	if (!hooks->lists[kind].hooks)
		return error_set(error, -ENOMEM, "'%s'", field);
	JSON_FOR_EACH (element, array) {
		size_t i = hooks->lists[kind].n++;

		snprintf(field, sizeof(field), "hooks.%s[%zu]", kind_names[kind], i);
		r = hook_parse(&hooks->lists[kind].hooks[i], element, field, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_hooks_parse(struct config_hooks *hooks, struct json_value value, struct error *error)
{
	int r = value_check_type(value, "hooks", JSON_OBJECT, error);

	if (r < 0)
		return r;
	JSON_FOR_EACH (member, value) {
		const char *name = json_key(member);
		int kind = 0;

		while (kind < N_HOOK_KINDS && strcmp(kind_names[kind], name))
			kind++;
		if (kind < N_HOOK_KINDS)
			r = kind_parse(hooks, (enum hook_kind)kind, member, error);
		if (r < 0)
			return r;
	}
	return 0;
}

void config_hooks_deinit(struct config_hooks *hooks)
{
	for (size_t kind = 0; kind < N_HOOK_KINDS; kind++) {
		for (size_t i = 0; i < hooks->lists[kind].n; i++) {
			free(hooks->lists[kind].hooks[i].args);
			free(hooks->lists[kind].hooks[i].env);
		}
		free(hooks->lists[kind].hooks);
	}
	*hooks = (struct config_hooks){};
}

const char *config_hooks_kind_name(enum hook_kind kind)
{
	return kind_names[kind];
}

bool config_hooks_have(const struct config_hooks *hooks, enum hook_kind first, enum hook_kind last)
{
	for (enum hook_kind kind = first; kind <= last; kind++) {
		if (hooks->lists[kind].n)
			return true;
	}
	return false;
}
