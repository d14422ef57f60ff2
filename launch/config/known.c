/* SPDX-License-Identifier: MIT */
#include "launch/config/known.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "launch/config/value.h"

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

struct known {
	const char *path;  /* of the objects: "[]" stands for each element, "{}" for each member */
	const char *names; /* theirs, between spaces */
	bool is_harmless;  /* another member is told of and left out; else refused */
};

/* docs/spec.md has each of these: tests/lint compares. */
static const struct known process_table[] = {
	{ "process",
	  "terminal consoleSize user args commandLine env cwd capabilities rlimits noNewPrivileges "
	  "apparmorProfile oomScoreAdj scheduler selinuxLabel ioPriority execCPUAffinity",
	  true },
	{ "process.consoleSize", "height width", false },
	{ "process.user", "uid gid umask additionalGids username", false },
	{ "process.capabilities", "bounding effective inheritable permitted ambient", false },
	{ "process.rlimits[]", "type soft hard", false },
	{ "process.scheduler", "policy nice priority flags runtime deadline period", false },
	{ "process.ioPriority", "class priority", false },
	{ "process.execCPUAffinity", "initial final", false },
};

static const struct known table[] = {
	{ "",
	  "ociVersion root process hostname domainname mounts hooks annotations linux solaris "
	  "windows vm zos freebsd",
	  true },
	{ "root", "path readonly", false },
	{ "mounts[]", "destination type source options uidMappings gidMappings", false },
	{ "mounts[].uidMappings[]", "containerID hostID size", false },
	{ "mounts[].gidMappings[]", "containerID hostID size", false },
	{ "hooks", "prestart createRuntime createContainer startContainer poststart poststop",
	  false },
	{ "hooks{}[]", "path args env timeout", true },
	{ "linux",
	  "namespaces uidMappings gidMappings timeOffsets devices netDevices cgroupsPath resources "
	  "intelRdt memoryPolicy sysctl seccomp rootfsPropagation maskedPaths readonlyPaths "
	  "mountLabel personality",
	  false },
	{ "linux.namespaces[]", "type path", false },
	{ "linux.uidMappings[]", "containerID hostID size", false },
	{ "linux.gidMappings[]", "containerID hostID size", false },
	{ "linux.timeOffsets", "monotonic boottime", false },
	{ "linux.timeOffsets{}", "secs nanosecs", false },
	{ "linux.devices[]", "type path major minor fileMode uid gid", false },
	{ "linux.netDevices{}", "name", false },
	{ "linux.intelRdt",
	  "closID schemata l3CacheSchema memBwSchema enableCMT enableMBM enableMonitoring", false },
	{ "linux.memoryPolicy", "mode nodes flags", false },
	{ "linux.personality", "domain flags", false },
	{ "linux.seccomp",
	  "defaultAction defaultErrnoRet architectures flags listenerPath listenerMetadata "
	  "syscalls",
	  false },
	{ "linux.seccomp.syscalls[]", "names action errnoRet args", false },
	{ "linux.seccomp.syscalls[].args[]", "index value valueTwo op", false },
	{ "linux.resources", "devices memory cpu pids blockIO hugepageLimits network rdma unified",
	  false },
	{ "linux.resources.devices[]", "allow type major minor access", false },
	{ "linux.resources.memory",
	  "limit reservation swap kernel kernelTCP swappiness disableOOMKiller useHierarchy "
	  "checkBeforeUpdate",
	  false },
	{ "linux.resources.cpu",
	  "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle", false },
	{ "linux.resources.pids", "limit", false },
	{ "linux.resources.blockIO",
	  "weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice "
	  "throttleReadIOPSDevice throttleWriteIOPSDevice",
	  false },
	{ "linux.resources.blockIO.weightDevice[]", "major minor weight leafWeight", false },
	{ "linux.resources.blockIO.throttleReadBpsDevice[]", "major minor rate", false },
	{ "linux.resources.blockIO.throttleWriteBpsDevice[]", "major minor rate", false },
	{ "linux.resources.blockIO.throttleReadIOPSDevice[]", "major minor rate", false },
	{ "linux.resources.blockIO.throttleWriteIOPSDevice[]", "major minor rate", false },
	{ "linux.resources.hugepageLimits[]", "pageSize limit", false },
	{ "linux.resources.network", "classID priorities", false },
	{ "linux.resources.network.priorities[]", "name priority", false },
	{ "linux.resources.rdma{}", "hcaHandles hcaObjects", false },
};

/* What is known and left out all the same, the first two with a refusal. */
static const struct {
	const char *path, *why;
} left_out[] = {
	{ "vm", "containers are not virtual machines here" },
	{ "process.commandLine", "it is for Windows" },
	{ "process.user.username", "it is for Windows: 'uid' and 'gid' count" },
	{ "windows", "it is for another system" },
	{ "solaris", "it is for another system" },
	{ "zos", "it is for another system" },
	{ "freebsd", "it is for another system" },
};

struct visit {
	const struct known *known;
	struct error *error; /* of a refusal */
	void (*tell)(const char *message, void *argument);
	void *argument;
};

static bool is_among(const char *names, const char *name)
{
	size_t n_name = strlen(name);

	while (*names) {
		size_t n = strcspn(names, " ");

		if (n == n_name && !memcmp(names, name, n))
			return true;
		names += n + (names[n] == ' ');
	}
	return false;
}

static int object_visit(const struct visit *visit, struct json_value object)
{
	const struct known *known = visit->known;
	const char *dot = *known->path ? "." : "";
	char message[256];

	if (json_type(object) != JSON_OBJECT)
		return 0;
	JSON_FOR_EACH (member, object) {
		const char *name = json_key(member);

		if (is_among(known->names, name) || !value_asks(member))
			continue;
		if (!known->is_harmless)
			return error_say(visit->error, -EOPNOTSUPP, "'%s%s%s' is not known",
					 known->path, dot, name);
		if (!visit->tell)
			continue;
		snprintf(message, sizeof(message), "'%s%s%s' is not known, and left out",
			 known->path, dot, name);
		visit->tell(message, visit->argument);
	}
	return 0;
}

/* json_get() by the first @n_name letters of a name: a start looks up a hundred of them. */
static struct json_value member_get(struct json_value object, const char *name, size_t n_name)
{
	if (json_type(object) == JSON_OBJECT) {
		JSON_FOR_EACH (member, object) {
			const char *key = json_key(member);

			if (!strncmp(key, name, n_name) && !key[n_name])
				return member;
		}
	}
	return (struct json_value){};
}

/* Each object that @path leads to, from @value on. */
static int path_visit(const struct visit *visit, struct json_value value, const char *path)
{
	size_t n;
	int r;

	if (!*path)
		return object_visit(visit, value);
	if (!strncmp(path, "[]", 2) || !strncmp(path, "{}", 2)) {
		if (json_type(value) != (*path == '[' ? JSON_ARRAY : JSON_OBJECT))
			return 0;
		JSON_FOR_EACH (element, value) {
			r = path_visit(visit, element, path + 2);
			if (r < 0)
				return r;
		}
		return 0;
	}
	path += *path == '.';
	n = strcspn(path, ".[{");
	value = member_get(value, path, n);
	return json_exists(value) ? path_visit(visit, value, path + n) : 0;
}

static struct json_value value_at(struct json_value value, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, ".");

		value = member_get(value, path, n);
		path += n + (path[n] == '.');
	}
	return value;
}

/* @value is what the first @n_prefix letters of all paths lead to. */
static int rows_visit(struct visit *visit, const struct known *rows, size_t n_rows, size_t n_prefix,
		      struct json_value value)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_rows; i++) {
		/* Of the others there is nothing to tell. */
		if (visit->tell && !rows[i].is_harmless)
			continue;
		visit->known = &rows[i];
		r = path_visit(visit, value, rows[i].path + n_prefix);
	}
	return r;
}

static int left_out_check(struct json_value value, const char *path, struct error *error)
{
	for (size_t i = 0; i < N_ROWS(left_out); i++) {
		if (!strcmp(left_out[i].path, path) && value_asks(value))
			return error_say(error, -EOPNOTSUPP, "'%s' is not supported: %s", path,
					 left_out[i].why);
	}
	return 0;
}

int known_check(struct json_value root, struct error *error)
{
	struct visit visit = { .error = error };
	int r = left_out_check(json_get(root, "vm"), "vm", error);

	return r == 0 ? rows_visit(&visit, table, N_ROWS(table), 0, root) : r;
}

int known_process_check(struct json_value process, struct error *error)
{
	struct visit visit = { .error = error };
	int r = left_out_check(json_get(process, "commandLine"), "process.commandLine", error);

	return r == 0 ? rows_visit(&visit, process_table, N_ROWS(process_table), strlen("process"),
				   process)
		      : r;
}

/* @value is what the first @n_prefix letters of its paths lead to. */
static void left_out_tell(const struct visit *visit, size_t n_prefix, struct json_value value)
{
	char message[256];

	for (size_t i = 0; i < N_ROWS(left_out); i++) {
		const char *path = left_out[i].path;

		if (strncmp(path, "process.", n_prefix) ||
		    !value_asks(value_at(value, path + n_prefix)))
			continue;
		snprintf(message, sizeof(message), "'%s' is left out: %s", path, left_out[i].why);
		visit->tell(message, visit->argument);
	}
}

void known_report(struct json_value root, void (*tell)(const char *message, void *argument),
		  void *argument)
{
	struct visit visit = { .tell = tell, .argument = argument };

	(void)rows_visit(&visit, table, N_ROWS(table), 0, root);
	(void)rows_visit(&visit, process_table, N_ROWS(process_table), 0, root);
	left_out_tell(&visit, 0, root);
}

void known_process_report(struct json_value process,
			  void (*tell)(const char *message, void *argument), void *argument)
{
	struct visit visit = { .tell = tell, .argument = argument };

	(void)rows_visit(&visit, process_table, N_ROWS(process_table), strlen("process"), process);
	left_out_tell(&visit, strlen("process."), process);
}
