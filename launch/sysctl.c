/* SPDX-License-Identifier: MIT */
#include "launch/sysctl.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "launch/procfs.h"

static const struct {
	const char *prefix; /* of the name with dots */
	bool whole;
	int namespace_flag;
} allowed[] = {
	{ "kernel.msgmax", true, CLONE_NEWIPC },
	{ "kernel.msgmnb", true, CLONE_NEWIPC },
	{ "kernel.msgmni", true, CLONE_NEWIPC },
	{ "kernel.sem", true, CLONE_NEWIPC },
	{ "kernel.shmall", true, CLONE_NEWIPC },
	{ "kernel.shmmax", true, CLONE_NEWIPC },
	{ "kernel.shmmni", true, CLONE_NEWIPC },
	{ "kernel.shm_rmid_forced", true, CLONE_NEWIPC },
	{ "fs.mqueue.", false, CLONE_NEWIPC },
	{ "net.", false, CLONE_NEWNET },
	{ "kernel.domainname", true, CLONE_NEWUTS },
};

/*
 * "net.ipv4.ip_forward" or "net/ipv4/ip_forward": what separates first, separates; the other one is
 * part of a name (an interface "eth0.1").
 */
static int name_to_path(const char *name, char path[PATH_MAX])
{
	bool slashes = name[strcspn(name, "./")] == '/';
	size_t n = strlen(name);

	if (n == 0 || n + sizeof("sys/") > PATH_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") !=
		    n ||
	    strstr(name, "..") || strstr(name, "//") || strchr("./", name[0]))
		return -EINVAL;
	memcpy(path, "sys/", 4);
	for (size_t i = 0; i <= n; i++) {
		char c = name[i];

		if (!slashes)
			c = c == '.' ? '/' : c == '/' ? '.' : c;
		path[4 + i] = c;
	}
	return 0;
}

/* Is there such a namespace, new or joined, and is it not the launcher's own, the host's? */
static bool is_apart(const struct config *config, int flag)
{
	const struct config_namespace *wanted = config_find_namespace(config, flag);
	struct stat own, joined;
	char path[64];

	if (!wanted || !wanted->path)
		return wanted;
	snprintf(path, sizeof(path), "/proc/self/ns/%s",
		 flag == CLONE_NEWNET ? "net" : wanted->type);
	return stat(path, &own) == 0 && stat(wanted->path, &joined) == 0 &&
	       (own.st_ino != joined.st_ino || own.st_dev != joined.st_dev);
}

static int one_check(const struct config *config, const char *name, struct error *error)
{
	char path[PATH_MAX], dotted[PATH_MAX];

	if (name_to_path(name, path) < 0)
		return error_say(error, -EINVAL, "linux.sysctl: bad name '%s'", name);
	snprintf(dotted, sizeof(dotted), "%s", path + 4);
	for (char *p = dotted; *p; p++)
		*p = *p == '/' ? '.' : *p;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (allowed[i].whole ? strcmp(dotted, allowed[i].prefix) != 0
				     : !string_has_prefix(dotted, allowed[i].prefix))
			continue;
		if (!is_apart(config, allowed[i].namespace_flag))
			return error_say(error, -EPERM,
					 "linux.sysctl: '%s' would change the host's: the "
					 "container has no "
					 "such namespace of its own",
					 name);
		return 0;
	}
	return error_say(error, -EPERM, "linux.sysctl: '%s' isn't in a namespace of its own", name);
}

int sysctl_check(const struct config *config, struct error *error)
{
	JSON_FOR_EACH (value, config->sysctl) {
		int r;

		if (!json_string(value))
			return error_say(error, -EINVAL, "linux.sysctl: '%s' must be a string",
					 json_key(value));
		r = one_check(config, json_key(value), error);
		if (r < 0)
			return r;
	}
	return 0;
}

int sysctl_apply(const struct config *config, int procfs_fd, struct error *error)
{
	JSON_FOR_EACH (value, config->sysctl) {
		char path[PATH_MAX];
		int r = name_to_path(json_key(value), path);

		if (r == 0)
			r = procfs_write(procfs_fd, path, json_string(value));
		if (r < 0)
			return error_set(error, r, "linux.sysctl: '%s' cannot be set to '%s'",
					 json_key(value), json_string(value));
	}
	return 0;
}
