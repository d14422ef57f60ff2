/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/delegation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/cgroup/internal.h"

bool cgroup_is_v2_alone(void)
{
	struct statfs fs;

	return statfs(CGROUP_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

bool cgroup_caller_is_confined(void)
{
	char text[64];
	unsigned long long first = 1, host = 1, n = 0;

	if (geteuid() != 0)
		return true;
	/* The whole range onto itself: the host's own user namespace. */
	return cgroup_file_read(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text)) <= 0 ||
	       sscanf(text, "%llu %llu %llu", &first, &host, &n) != 3 || first || host ||
	       n != 4294967295ULL;
}

static bool section_asks(struct json_value value)
{
	int64_t number;

	switch (json_type(value)) {
	case JSON_NUMBER:
		/* 0 isn't said, and -1 is no limit. */
		return json_int64(value, &number) < 0 || number > 0;
	case JSON_STRING:
		return *json_string(value);
	case JSON_BOOL:
		return json_bool_or(value, false);
	case JSON_ARRAY:
		return json_count(value) > 0;
	case JSON_OBJECT:
		JSON_FOR_EACH (member, value) {
			if (section_asks(member))
				return true;
		}
		return false;
	default:
		return false;
	}
}

bool cgroup_resources_ask(struct json_value resources)
{
	JSON_FOR_EACH (section, resources) {
		if (strcmp(json_key(section), "devices") != 0 && section_asks(section))
			return true;
	}
	return false;
}

/* "0::PATH" of /proc/self/cgroup. */
static int own_path(char path[CGROUP_MAX_PATH])
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	size_t n;

	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", 1u << 16, &text, NULL) < 0)
		return -ENOENT;
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line)
		return -ENOENT;
	line = strstr(line, "0::") + 3;
	n = strcspn(line, "\n");
	/* "/.." is outside of this cgroup namespace. */
	if (n >= CGROUP_MAX_PATH || !strncmp(line, "/..", 3))
		return -ENOENT;
	snprintf(path, CGROUP_MAX_PATH, "%.*s", (int)n, line);
	return 0;
}

/* What who makes a cgroup below @path, and puts a process into it, must be allowed to write. */
static const char *forbidden_file(const char *path, char file[PATH_MAX])
{
	static const char *const files[] = { "", "/cgroup.procs", "/cgroup.subtree_control" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (snprintf(file, PATH_MAX, CGROUP_ROOT "%s%s", strcmp(path, "/") ? path : "",
			     files[i]) >= PATH_MAX ||
		    faccessat(AT_FDCWD, file, W_OK, AT_EACCESS) < 0)
			return file;
	}
	return NULL;
}

int cgroup_delegated_path(const char *id, char *ret_path)
{
	char own[CGROUP_MAX_PATH], parent[CGROUP_MAX_PATH], file[PATH_MAX];
	const char *base = NULL;
	char *slash;

	if (!cgroup_is_v2_alone() || own_path(own) < 0)
		return -ENOENT;
	strcpy(parent, own);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		if (!forbidden_file(parent, file))
			base = parent;
	}
	if (!base && !forbidden_file(own, file))
		base = own;
	if (!base || snprintf(file, sizeof(file), "%s/" CGROUP_PARENT "/%s",
			      strcmp(base, "/") ? base : "", id) >= CGROUP_MAX_PATH)
		return -ENOENT;
	strcpy(ret_path, file);
	return 0;
}

int cgroup_delegation_explain(struct error *error, int r)
{
	char own[CGROUP_MAX_PATH], file[PATH_MAX], earlier[sizeof(error->message)];

	if (!error || !cgroup_is_v2_alone() || own_path(own) < 0 || !forbidden_file(own, file))
		return r;
	snprintf(earlier, sizeof(earlier), "%s", error->message);
	return error_say(error, r,
			 "%s; limits need a cgroup of your own: chown %u '%s', or start it with "
			 "systemd-run --user --scope -p Delegate=yes",
			 earlier, (unsigned int)geteuid(), file);
}
