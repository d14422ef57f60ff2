/* SPDX-License-Identifier: MIT */
/*
 * A cgroup inside a container's own: `exec --cgroup`.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "launch/cgroup/internal.h"

/* Is @name one of the words of @list, which ends at @end? Both lists have commas. */
static bool list_has(const char *list, const char *end, const char *name, size_t n_name)
{
	while (list < end) {
		size_t n = strcspn(list, ",:");

		if (n == n_name && !strncmp(list, name, n))
			return true;
		list += n + 1;
	}
	return false;
}

/* A v1 hierarchy's name is its controllers': "cpu,cpuacct". */
static bool hierarchy_is_meant(const struct cgroup_hierarchy *hierarchy, const char *where,
			       const char *colon)
{
	const char *name = hierarchy->name;

	if (!colon)
		return true;
	while (*name) {
		size_t n = strcspn(name, ",");

		if (list_has(where, colon, name, n))
			return true;
		name += n + (name[n] == ',');
	}
	return false;
}

static int hierarchy_descend(struct cgroup_hierarchy *hierarchy, const char *path,
			     struct error *error)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	_cleanup_close_ int fd = sys_openat2(hierarchy->directory_fd, path, &how);
	_cleanup_close_ int tasks_fd = -EBADF;

	if (fd < 0)
		return error_set(error, -errno, "no cgroup '%s' in the container's of '%s'", path,
				 hierarchy->name);
	if (!hierarchy->is_v2) {
		tasks_fd = openat(fd, "tasks", O_WRONLY | O_CLOEXEC);
		if (tasks_fd < 0)
			return error_set(error, -errno, "cannot enter the cgroup '%s' of '%s'",
					 path, hierarchy->name);
		cleanup_close(&hierarchy->tasks_fd);
		hierarchy->tasks_fd = take_fd(&tasks_fd);
	}
	cleanup_close(&hierarchy->directory_fd);
	hierarchy->directory_fd = take_fd(&fd);
	return 0;
}

int cgroup_descend(struct cgroup *cgroup, const char *where, struct error *error)
{
	const char *colon = strchr(where, ':');
	const char *path = colon ? colon + 1 : where;
	bool has_v1 = false, found = false;
	int r = 0;

	path += strspn(path, "/");
	if (!*path)
		return 0;
	for (size_t i = 0; i < cgroup->n_hierarchies; i++)
		has_v1 |= !cgroup->hierarchies[i].is_v2;
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];

		if (hierarchy->directory_fd < 0 || !hierarchy_is_meant(hierarchy, where, colon))
			continue;
		r = hierarchy_descend(hierarchy, path, error);
		/* Who makes cgroups in v1 needn't know of a v2 beside it, as runc doesn't. */
		if (r == -ENOENT && hierarchy->is_v2 && has_v1 && !colon)
			r = 0;
		else
			found = true;
	}
	if (r == 0 && !found)
		return error_say(error, -ENOENT, "no cgroup '%s': there is no such controller",
				 where);
	return r;
}
