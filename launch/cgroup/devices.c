/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "launch/cgroup/limits.h"

/* A config with more rules than this is no config: eBPF programs and v1's list grow with them. */
#define RULES_MAX 4096

/* The kernel's dev_t has 12 bits for the major and 20 for the minor number. */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)

void device_policy_deinit(struct device_policy *policy)
{
	free(policy->rules);
	*policy = (struct device_policy){};
}

static bool number_overlaps(int64_t a, int64_t b)
{
	return a == DEVICE_ANY || b == DEVICE_ANY || a == b;
}

static bool rules_overlap(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && number_overlaps(a->major, b->major) &&
	       number_overlaps(a->minor, b->minor) && (a->access & b->access);
}

static bool rule_covers(const struct device_rule *wide, const struct device_rule *narrow)
{
	return wide->type == narrow->type &&
	       (wide->major == DEVICE_ANY || wide->major == narrow->major) &&
	       (wide->minor == DEVICE_ANY || wide->minor == narrow->minor);
}

/* The rules from @from on without those that decide nothing any more. */
static void policy_squeeze(struct device_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].access)
			policy->rules[n++] = policy->rules[i];
	}
	policy->n_rules = n;
}

static int policy_append(struct device_policy *policy, const struct device_rule *rule)
{
	if (policy->n_rules == RULES_MAX)
		return -E2BIG;
	if (policy->n_rules == policy->n_allocated) {
		size_t n = policy->n_allocated ? policy->n_allocated * 2 : 32;
		struct device_rule *larger = realloc(policy->rules, n * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		policy->rules = larger;
		policy->n_allocated = n;
	}
	policy->rules[policy->n_rules++] = *rule;
	return 0;
}

/*
 * Whatever the new rule covers it decides from now on, so that goes from the earlier ones. What is
 * then left to say of the new rule itself: nothing where the default says it and nothing earlier
 * that overlaps says otherwise.
 */
static int rule_add(struct device_policy *policy, const struct device_rule *rule)
{
	bool matters = rule->allow != policy->allow_by_default;

	for (size_t i = 0; i < policy->n_rules; i++) {
		struct device_rule *earlier = &policy->rules[i];

		if (rule_covers(rule, earlier))
			earlier->access &= ~rule->access;
		if (earlier->allow != rule->allow && rules_overlap(earlier, rule))
			matters = true;
	}
	policy_squeeze(policy);
	if (!matters)
		return 0;
	/* "m" and "rw" of one device, next to each other, are one rule. */
	if (policy->n_rules > 0) {
		struct device_rule *last = &policy->rules[policy->n_rules - 1];

		if (last->allow == rule->allow && rule_covers(last, rule) &&
		    rule_covers(rule, last)) {
			last->access |= rule->access;
			return 0;
		}
	}
	return policy_append(policy, rule);
}

int device_policy_add(struct device_policy *policy, struct device_rule rule)
{
	int r;

	if (rule.type != 'a')
		return rule_add(policy, &rule);
	if (rule.major == DEVICE_ANY && rule.minor == DEVICE_ANY && rule.access == DEVICE_ALL) {
		policy->n_rules = 0;
		policy->allow_by_default = rule.allow;
		return 0;
	}
	/* v1's own "a 10:200 r" would silently mean every access to every device. */
	rule.type = 'b';
	r = rule_add(policy, &rule);
	rule.type = 'c';
	return r < 0 ? r : rule_add(policy, &rule);
}

bool device_policy_allows(const struct device_policy *policy, char type, unsigned int access,
			  uint32_t major, uint32_t minor)
{
	for (size_t i = policy->n_rules; i-- > 0 && access;) {
		const struct device_rule *rule = &policy->rules[i];

		if (rule->type != type || !number_overlaps(rule->major, major) ||
		    !number_overlaps(rule->minor, minor) || !(rule->access & access))
			continue;
		if (!rule->allow)
			return false;
		access &= ~rule->access;
	}
	return !access || policy->allow_by_default;
}

static int number_parse(struct json_value rule, const char *key, int64_t max, int64_t *ret_number)
{
	struct json_value value = json_get(rule, key);

	*ret_number = DEVICE_ANY;
	if (!json_exists(value))
		return 0;
	if (json_int64(value, ret_number) < 0 || *ret_number < DEVICE_ANY || *ret_number > max)
		return -EINVAL;
	return 0;
}

static int access_parse(struct json_value value, unsigned int *ret_access)
{
	const char *text = json_string(value);

	*ret_access = DEVICE_ALL;
	if (!json_exists(value))
		return 0;
	if (!text)
		return -EINVAL;
	*ret_access = 0;
	for (; *text; text++) {
		if (*text != 'r' && *text != 'w' && *text != 'm')
			return -EINVAL;
		*ret_access |= *text == 'r'   ? DEVICE_READ
			       : *text == 'w' ? DEVICE_WRITE
					      : DEVICE_MKNOD;
	}
	/* Docker writes "" where nobody said anything. */
	if (*ret_access == 0)
		*ret_access = DEVICE_ALL;
	return 0;
}

static int rule_parse(struct json_value value, struct device_rule *ret_rule)
{
	const char *type = json_string_or(json_get(value, "type"), "a");

	if (json_type(json_get(value, "allow")) != JSON_BOOL || strlen(type) > 1 ||
	    (*type && !strchr("abcu", *type)))
		return -EINVAL;
	/* "u" is an unbuffered character device; "" is Docker's way to say all. */
	ret_rule->type = *type == 'u' ? 'c' : *type ? *type : 'a';
	ret_rule->allow = json_bool_or(json_get(value, "allow"), false);
	if (number_parse(value, "major", MAJOR_MAX, &ret_rule->major) < 0 ||
	    number_parse(value, "minor", MINOR_MAX, &ret_rule->minor) < 0)
		return -EINVAL;
	return access_parse(json_get(value, "access"), &ret_rule->access);
}

static int defaults_add(struct device_policy *policy)
{
	static const struct device_rule defaults[] = {
		{ 'c', true, DEVICE_MKNOD, DEVICE_ANY, DEVICE_ANY },
		{ 'b', true, DEVICE_MKNOD, DEVICE_ANY, DEVICE_ANY },
		{ 'c', true, DEVICE_ALL, 1, 3 },	    /* null */
		{ 'c', true, DEVICE_ALL, 1, 5 },	    /* zero */
		{ 'c', true, DEVICE_ALL, 1, 7 },	    /* full */
		{ 'c', true, DEVICE_ALL, 1, 8 },	    /* random */
		{ 'c', true, DEVICE_ALL, 1, 9 },	    /* urandom */
		{ 'c', true, DEVICE_ALL, 5, 0 },	    /* tty */
		{ 'c', true, DEVICE_ALL, 5, 2 },	    /* ptmx */
		{ 'c', true, DEVICE_ALL, 136, DEVICE_ANY }, /* pts, the console among them */
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		r = device_policy_add(policy, defaults[i]);
	return r;
}

int device_policy_parse(struct device_policy *policy, struct json_value devices,
			struct error *error)
{
	struct limits limits = { .error = error };
	size_t n = 0;

	if (json_exists(devices) && json_type(devices) != JSON_ARRAY)
		return error_say(error, -EINVAL, "linux.resources.devices isn't a list");
	JSON_FOR_EACH (value, devices) {
		struct device_rule rule;
		int r = limit_keys_check(&limits, value, "devices",
					 "allow type major minor access ");

		if (r < 0)
			return r;
		r = rule_parse(value, &rule);
		if (r < 0)
			return error_say(error, r,
					 "linux.resources.devices: rule %zu is not one (allow, "
					 "type a, b or c, major, minor, access of r, w and m)",
					 n);
		r = device_policy_add(policy, rule);
		if (r < 0)
			return error_set(error, r, "linux.resources.devices");
		n++;
	}
	return defaults_add(policy) < 0 ? error_set(error, -ENOMEM, "linux.resources.devices") : 0;
}

int limits_devices(struct limits *limits, struct json_value devices)
{
	struct cgroup_hierarchy *v1 = cgroup_v1(limits->cgroup, CGROUP_DEVICES);
	int v1_fd = v1 ? cgroup_directory(limits->cgroup, v1) : -EBADF;
	_cleanup_device_policy_ struct device_policy policy = {};
	int v2_fd = cgroup_v2_fd(limits->cgroup);
	int r = device_policy_parse(&policy, devices, limits->error);

	if (r < 0)
		return r;
	if (v1 && limits->is_update)
		return device_policy_update_v1(&policy, v1_fd, limits->error);
	if (v1)
		return device_policy_write_v1(&policy, v1_fd, limits->error);
	if (policy.allow_by_default && policy.n_rules == 0 && !limits->is_update)
		return 0;
	if (v2_fd >= 0)
		return device_policy_attach_v2(&policy, v2_fd, limits->is_update, limits->error);
	return limit_ignore(limits, "devices",
			    "no cgroups on this host, every device can be opened");
}
