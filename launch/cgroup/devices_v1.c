/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/*
 * The default first, which also forgets what the cgroup inherited, then the exceptions: a list
 * without order, which is why an exception to an exception can't be said.
 */
int device_policy_write_v1(const struct device_policy *policy, int directory_fd,
			   struct error *error)
{
	const char *exceptions = policy->allow_by_default ? "devices.deny" : "devices.allow";
	const char *defaults = policy->allow_by_default ? "devices.allow" : "devices.deny";
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	for (size_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].allow == policy->allow_by_default)
			return error_say(error, -EOPNOTSUPP,
					 "linux.resources.devices: cgroup v1 can't %s a part of "
					 "what an earlier rule %s",
					 policy->allow_by_default ? "allow" : "deny",
					 policy->allow_by_default ? "denies" : "allows");
	}
	r = cgroup_file_write(directory_fd, defaults, "a");
	if (r < 0)
		return error_set(error, r, "linux.resources.devices: cannot %s all by default",
				 policy->allow_by_default ? "allow" : "deny");
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
