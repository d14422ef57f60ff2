/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Linux: include/linux/err.h MAX_ERRNO; SECCOMP_RET_TRACE carries 16 bits to the tracer. */
#define MAX_ERRNO 4095
#define MAX_TRACE 65535

static const struct {
	const char *name;
	uint32_t verdict;
	uint32_t max_errno; /* 0: the action takes none */
} actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, 0 },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, MAX_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, 0 },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, 0 },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, 0 },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, 0 },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, 0 },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, MAX_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, 0 },
};

static const struct {
	const char *name;
	enum seccomp_operator operator;
} operators[] = {
	{ "SCMP_CMP_EQ", SECCOMP_EQUAL },
	{ "SCMP_CMP_NE", SECCOMP_NOT_EQUAL },
	{ "SCMP_CMP_LT", SECCOMP_LESS },
	{ "SCMP_CMP_LE", SECCOMP_LESS_OR_EQUAL },
	{ "SCMP_CMP_GT", SECCOMP_GREATER },
	{ "SCMP_CMP_GE", SECCOMP_GREATER_OR_EQUAL },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQUAL },
};

static const struct {
	const char *name;
	unsigned int flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

/* In the spec; new enough to be missing in libseccomp's tables, so there are no numbers. */
static const char *const arches_without_numbers[] = {
	"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",   "SCMP_ARCH_SH",
	"SCMP_ARCH_SHEB",	 "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

const char *seccomp_action_name(size_t i)
{
	return i < N_ELEMENTS(actions) ? actions[i].name : NULL;
}

const char *seccomp_operator_name(size_t i)
{
	return i < N_ELEMENTS(operators) ? operators[i].name : NULL;
}

const char *seccomp_flag_name(size_t i, unsigned int *ret_flag)
{
	if (i >= N_ELEMENTS(flags))
		return NULL;
	*ret_flag = flags[i].flag;
	return flags[i].name;
}

static int parse_action(struct json_value value, struct json_value errno_value,
			uint32_t *ret_verdict, struct error *error)
{
	const char *name = json_string(value);
	uint64_t number = EPERM;
	size_t i = 0;

	if (!name)
		return error_say(error, -EINVAL, "an action is missing, or not a string");
	while (i < N_ELEMENTS(actions) && strcmp(actions[i].name, name) != 0)
		i++;
	if (i == N_ELEMENTS(actions))
		return error_say(error, -EINVAL, "unknown action '%s'", name);

	if (json_exists(errno_value)) {
		if (actions[i].max_errno == 0)
			return error_say(error, -EINVAL, "action '%s' takes no errno", name);
		if (json_uint64(errno_value, &number) < 0 || number > actions[i].max_errno)
			return error_say(error, -EINVAL,
					 "the errno of '%s' is not a number from 0 to %u", name,
					 actions[i].max_errno);
	}
	*ret_verdict = actions[i].verdict | (actions[i].max_errno ? (uint32_t)number : 0);
	return 0;
}

static int parse_arches(struct json_value list, struct seccomp_profile *profile,
			struct error *error)
{
	if (json_exists(list) && json_type(list) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'architectures' is not an array");
	JSON_FOR_EACH (element, list) {
		const char *name = json_string_or(element, "");
		enum seccomp_arch_index arch = seccomp_arch_find(name);
		size_t i = 0;

		if (arch < SECCOMP_N_ARCHES) {
			profile->arches |= UINT32_C(1) << arch;
			continue;
		}
		while (i < N_ELEMENTS(arches_without_numbers) &&
		       strcmp(arches_without_numbers[i], name) != 0)
			i++;
		if (i == N_ELEMENTS(arches_without_numbers))
			return error_say(error, -EINVAL, "unknown architecture '%s'", name);
	}
	return 0;
}

static int parse_flags(struct json_value list, struct seccomp_profile *profile, struct error *error)
{
	if (json_exists(list) && json_type(list) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'flags' is not an array");
	if (!json_exists(list))
		profile->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	JSON_FOR_EACH (element, list) {
		const char *name = json_string_or(element, "");
		size_t i = 0;

		while (i < N_ELEMENTS(flags) && strcmp(flags[i].name, name) != 0)
			i++;
		if (i == N_ELEMENTS(flags))
			return error_say(error, -EINVAL, "unknown flag '%s'", name);
		profile->flags |= flags[i].flag;
	}
	return 0;
}

static int parse_condition(struct json_value value, struct seccomp_condition *ret,
			   struct error *error)
{
	const char *name = json_string_or(json_get(value, "op"), "");
	struct json_value value_two = json_get(value, "valueTwo");
	uint64_t index, two = 0;
	size_t i = 0;

	if (json_uint64(json_get(value, "index"), &index) < 0 || index >= SECCOMP_N_ARGUMENTS)
		return error_say(error, -EINVAL, "the index of an argument is not 0 to %d",
				 SECCOMP_N_ARGUMENTS - 1);
	while (i < N_ELEMENTS(operators) && strcmp(operators[i].name, name) != 0)
		i++;
	if (i == N_ELEMENTS(operators))
		return error_say(error, -EINVAL, "unknown operator '%s'", name);
	if (json_uint64(json_get(value, "value"), &ret->value) < 0)
		return error_say(error, -EINVAL,
				 "the value of argument %d is not a number below"
				 " 2^64",
				 (int)index);
	if (json_exists(value_two) && json_uint64(value_two, &two) < 0)
		return error_say(error, -EINVAL,
				 "the valueTwo of argument %d is not a number below"
				 " 2^64",
				 (int)index);
	ret->argument = (uint8_t)index;
	ret->operator=(uint8_t) operators[i].operator;
	if (operators[i].operator== SECCOMP_MASKED_EQUAL) {
		/* As in seccomp_rule_add(3): first the mask, then what is left of it. */
		ret->mask = ret->value;
		ret->value = two & ret->mask;
	}
	return 0;
}

static struct seccomp_rule *add_rule(struct seccomp_profile *profile, uint32_t verdict,
				     size_t first_name, size_t n_names, size_t n_conditions)
{
	struct seccomp_rule *rule = &profile->rules[profile->n_rules++];

	*rule = (struct seccomp_rule){
		.verdict = verdict,
		.first_name = first_name,
		.n_names = n_names,
		.first_condition = profile->n_conditions,
		.n_conditions = n_conditions,
	};
	return rule;
}

/* The arrays have room already: count_all() has counted. */
static int parse_conditions(struct json_value list, struct seccomp_profile *profile,
			    size_t first_name, uint32_t verdict, struct error *error)
{
	size_t n_names = profile->n_names - first_name;
	size_t n = json_count(list);
	struct seccomp_condition *conditions = profile->conditions + profile->n_conditions;
	unsigned int seen = 0;
	bool repeated = false;
	size_t i = 0;

	if (json_exists(list) && json_type(list) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'args' is not an array");
	JSON_FOR_EACH (element, list) {
		int r = parse_condition(element, &conditions[i], error);

		if (r < 0)
			return r;
		repeated |= seen & (1U << conditions[i].argument);
		seen |= 1U << conditions[i].argument;
		i++;
	}
	if (!repeated) {
		/* Lowest argument first: an insertion sort of at most six. */
		for (i = 1; i < n; i++) {
			struct seccomp_condition condition = conditions[i];
			size_t at = i;

			for (; at > 0 && conditions[at - 1].argument > condition.argument; at--)
				conditions[at] = conditions[at - 1];
			conditions[at] = condition;
		}
		add_rule(profile, verdict, first_name, n_names, n);
		profile->n_conditions += n;
		return 0;
	}
	for (i = 0; i < n; i++) {
		add_rule(profile, verdict, first_name, n_names, 1);
		profile->n_conditions++;
	}
	return 0;
}

static int parse_rule(struct json_value value, struct seccomp_profile *profile, struct error *error)
{
	struct json_value names = json_get(value, "names");
	size_t first_name = profile->n_names;
	uint32_t verdict;
	int r;

	if (json_type(names) != JSON_ARRAY || json_count(names) == 0)
		return error_say(error, -EINVAL, "a rule has no 'names'");
	JSON_FOR_EACH (element, names) {
		const char *name = json_string(element);

		if (!name)
			return error_say(error, -EINVAL, "a name is not a string");
		profile->names[profile->n_names++] = name;
	}
	r = parse_action(json_get(value, "action"), json_get(value, "errnoRet"), &verdict, error);
	if (r >= 0)
		r = parse_conditions(json_get(value, "args"), profile, first_name, verdict, error);
	if (r < 0)
		return error_prefix(error, r, "rule for '%s'", profile->names[first_name]);
	return 0;
}

/* Room for all there can be: a rule for each condition, where they are taken apart. */
static int allocate(struct json_value rules, struct seccomp_profile *profile)
{
	size_t n_rules = 1, n_names = 1, n_conditions = 1;

	JSON_FOR_EACH (rule, rules) {
		size_t n = json_count(json_get(rule, "args"));

		n_names += json_count(json_get(rule, "names"));
		n_conditions += n;
		n_rules += n > 0 ? n : 1;
	}
	profile->rules = calloc(n_rules, sizeof(*profile->rules));
	profile->names = calloc(n_names, sizeof(*profile->names));
	profile->conditions = calloc(n_conditions, sizeof(*profile->conditions));
	return profile->rules && profile->names && profile->conditions ? 0 : -ENOMEM;
}

static bool has_notify(const struct seccomp_profile *profile)
{
	bool notifies = profile->default_verdict == SECCOMP_RET_USER_NOTIF;

	for (size_t i = 0; i < profile->n_rules; i++)
		notifies |= profile->rules[i].verdict == SECCOMP_RET_USER_NOTIF;
	return notifies;
}

static int parse_listener(struct json_value section, struct seccomp_profile *profile,
			  struct error *error)
{
	struct json_value path = json_get(section, "listenerPath");
	struct json_value metadata = json_get(section, "listenerMetadata");
	const char *text = json_string_or(path, "");

	if (json_exists(path) && json_type(path) != JSON_STRING)
		return error_say(error, -EINVAL, "'listenerPath' is not a string");
	if (json_exists(metadata) && json_type(metadata) != JSON_STRING)
		return error_say(error, -EINVAL, "'listenerMetadata' is not a string");
	if (*text && *text != '/')
		return error_say(error, -EINVAL,
				 "'listenerPath' must be an absolute path, not '%s'", text);
	if (!*text && *json_string_or(metadata, ""))
		return error_say(error, -EINVAL, "'listenerMetadata' needs a 'listenerPath'");
	if (!has_notify(profile)) {
		/* It says how a supervisor waits; without one the kernel refuses it. */
		profile->flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		return 0;
	}
	if (!*text)
		return error_say(error, -EINVAL,
				 "SCMP_ACT_NOTIFY needs a supervisor that answers system calls: "
				 "'listenerPath' must name its socket");
	/* The process has no other thread but one that must be without it. */
	profile->flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_TSYNC;
	profile->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return 0;
}

static int parse_profile(struct json_value section, struct seccomp_profile *profile,
			 struct error *error)
{
	struct json_value rules = json_get(section, "syscalls");
	int r;

	if (json_type(section) != JSON_OBJECT)
		return error_say(error, -EINVAL, "not an object");
	if (json_exists(rules) && json_type(rules) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'syscalls' is not an array");
	r = parse_action(json_get(section, "defaultAction"), json_get(section, "defaultErrnoRet"),
			 &profile->default_verdict, error);
	if (r < 0)
		return error_prefix(error, r, "defaultAction");
	r = parse_arches(json_get(section, "architectures"), profile, error);
	if (r >= 0)
		r = parse_flags(json_get(section, "flags"), profile, error);
	if (r < 0)
		return r;
	if (allocate(rules, profile) < 0)
		return error_set(error, -ENOMEM, "cannot read the rules");
	JSON_FOR_EACH (rule, rules) {
		r = parse_rule(rule, profile, error);
		if (r < 0)
			return r;
	}
	return parse_listener(section, profile, error);
}

int seccomp_profile_parse(struct json_value section, struct seccomp_profile *ret_profile,
			  struct error *error)
{
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	int r = parse_profile(section, &profile, error);

	if (r < 0)
		return error_prefix(error, r, "seccomp profile");
	*ret_profile = profile;
	profile = (struct seccomp_profile){};
	return 0;
}

void seccomp_profile_deinit(struct seccomp_profile *profile)
{
	free(profile->rules);
	free(profile->names);
	free(profile->conditions);
	*profile = (struct seccomp_profile){};
}
