/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/cgroup/devices.h"

static void number_format(int64_t number, char text[24])
{
	if (number == DEVICE_ANY)
		snprintf(text, 24, "*");
	else
		snprintf(text, 24, "%" PRId64, number);
}

static int rule_write(int fd, const struct device_rule *rule, struct error *error)
{
	char major[24], minor[24], text[64];
	ssize_t n;

	number_format(rule->major, major);
	number_format(rule->minor, minor);
	snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type, major, minor,
		 rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
		 rule->access & DEVICE_MKNOD ? "m" : "");
	/* One rule for a write(2): of more lines the kernel takes the first. */
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, "linux.resources.devices: cannot %s '%s'",
				 rule->allow ? "allow" : "deny", text);
	return 0;
}

/* A list without order, which is why an exception to an exception can't be said. */
static int exceptions_check(const struct device_policy *policy, struct error *error)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].allow == policy->allow_by_default)
			return error_say(error, -EOPNOTSUPP,
					 "linux.resources.devices: cgroup v1 can't %s a part of "
					 "what an earlier rule %s",
					 policy->allow_by_default ? "allow" : "deny",
					 policy->allow_by_default ? "denies" : "allows");
	}
	return 0;
}

static int exceptions_write(const struct device_policy *policy, int directory_fd,
			    struct error *error)
{
	const char *exceptions = policy->allow_by_default ? "devices.deny" : "devices.allow";
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	if (policy->n_rules == 0)
		return 0;
	fd = openat(directory_fd, exceptions, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "linux.resources.devices: cannot open '%s'",
				 exceptions);
	for (size_t i = 0; r == 0 && i < policy->n_rules; i++)
		r = rule_write(fd, &policy->rules[i], error);
	return r;
}

/* The default first, which also forgets what the cgroup inherited, then the exceptions. */
int device_policy_write_v1(const struct device_policy *policy, int directory_fd,
			   struct error *error)
{
	const char *defaults = policy->allow_by_default ? "devices.allow" : "devices.deny";
	int r = exceptions_check(policy, error);

	if (r < 0)
		return r;
	r = cgroup_file_write(directory_fd, defaults, "a");
	if (r < 0)
		return error_set(error, r, "linux.resources.devices: cannot %s all by default",
				 policy->allow_by_default ? "allow" : "deny");
	return exceptions_write(policy, directory_fd, error);
}

static int64_t number_parse(const char *text)
{
	return *text == '*' ? DEVICE_ANY : strtoll(text, NULL, 10);
}

/* A line of devices.list: "c 1:3 rwm". */
static bool line_parse(const char *line, struct device_rule *ret_rule)
{
	const char *colon = strchr(line, ':');
	const char *access = colon ? strchr(colon, ' ') : NULL;

	if ((*line != 'b' && *line != 'c') || !access)
		return false;
	*ret_rule = (struct device_rule){ .type = *line,
					  .major = number_parse(line + 2),
					  .minor = number_parse(colon + 1) };
	for (; *access && *access != '\n'; access++)
		ret_rule->access |= *access == 'r'   ? DEVICE_READ
				    : *access == 'w' ? DEVICE_WRITE
				    : *access == 'm' ? DEVICE_MKNOD
						     : 0;
	return true;
}

/* Takes away what is listed and not among the rules. */
static int listed_deny(const struct device_policy *policy, int directory_fd, const char *list,
		       struct error *error)
{
	_cleanup_close_ int fd = openat(directory_fd, "devices.deny", O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return error_set(error, -errno, "cannot open 'devices.deny'");
	for (const char *line = list; r == 0 && *line;
	     line += strcspn(line, "\n"), line += *line != 0) {
		struct device_rule listed;

		if (!line_parse(line, &listed))
			continue;
		for (size_t i = 0; i < policy->n_rules; i++) {
			const struct device_rule *rule = &policy->rules[i];

			if (rule->type == listed.type && rule->major == listed.major &&
			    rule->minor == listed.minor)
				listed.access &= ~rule->access;
		}
		if (listed.access)
			r = rule_write(fd, &listed, error);
	}
	return r;
}

int device_policy_update_v1(const struct device_policy *policy, int directory_fd,
			    struct error *error)
{
	_cleanup_free_ char *list = NULL;
	int r = exceptions_check(policy, error);

	if (r < 0)
		return r;
	r = file_read_at(directory_fd, "devices.list", 1u << 20, &list, NULL);
	if (r < 0)
		return error_set(error, r, "cannot read 'devices.list'");
	/* "a *:* rwm": everything but what the list doesn't show. */
	if (policy->allow_by_default || *list == 'a')
		return device_policy_write_v1(policy, directory_fd, error);
	r = exceptions_write(policy, directory_fd, error);
	return r == 0 ? listed_deny(policy, directory_fd, list, error) : r;
}
