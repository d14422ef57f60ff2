/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#include "launch/cgroup/internal.h"

/* The first cgroup inside the one of @directory_fd; 1, 0 (there is none) or a negative errno. */
static int child_first(int directory_fd, char ret_name[NAME_MAX + 1])
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while ((r = directory_entry_next(directory, &entry)) > 0) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
		return 1;
	}
	return r;
}

/*
 * Removes everything below @directory_fd, which it consumes. Goes down to the first child that
 * can't be removed yet and up again by "..", so that however deep a container has nested its own
 * cgroups, one descriptor is enough.
 */
static int children_remove(int directory_fd)
{
	_cleanup_close_ int current_fd = directory_fd;
	bool came_up = false;
	size_t depth = 0;

	for (;;) {
		char name[NAME_MAX + 1];
		int r = child_first(current_fd, name);
		int fd;

		if (r < 0)
			return r == -ENOENT ? 0 : r;
		if (r == 0 && depth == 0)
			return 0;
		if (r == 0) {
			fd = openat(current_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
			depth--;
			came_up = true;
		} else if (unlinkat(current_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
			came_up = false;
			continue;
		} else if (errno != EBUSY || came_up) {
			/* Nothing is below it any more: what keeps it are processes. */
			return -errno;
		} else {
			fd = openat(current_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			depth++;
		}
		if (fd < 0)
			return errno == ENOENT ? -EBUSY : -errno;
		close(current_fd);
		current_fd = fd;
	}
}

int cgroup_tree_remove(int root_fd, const char *relative)
{
	int fd, r;

	if (unlinkat(root_fd, relative, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	fd = openat(root_fd, relative, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = children_remove(fd);
	if (r < 0)
		return r;
	return unlinkat(root_fd, relative, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Until the last process is gone as cgroup.events tells, or @ms later. */
static void ending_wait(const struct cgroup *cgroup, unsigned int ms)
{
	int directory_fd = cgroup_v2_fd(cgroup);
	_cleanup_close_ int fd =
		directory_fd < 0 ? -EBADF
				 : openat(directory_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd wanted = { .fd = fd, .events = POLLPRI };
	char text[256];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (strstr(text, "populated 1"))
		(void)poll(&wanted, 1, (int)ms);
	else
		cgroup_sleep_ms(ms);
}

int cgroup_remove(struct cgroup *cgroup, struct error *error)
{
	unsigned int waited_ms = 0;

	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		unsigned int pause_ms = 1;
		char relative[PATH_MAX];
		int r;

		if (!hierarchy->exists)
			continue;
		r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);
		while (r == 0 && (r = cgroup_tree_remove(cgroup->root_fd, relative)) == -EBUSY &&
		       waited_ms < CGROUP_PATIENCE_MS) {
			ending_wait(cgroup, pause_ms);
			waited_ms += pause_ms;
			pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
			r = 0;
		}
		if (r < 0)
			return error_set(error, r, "cannot remove cgroup '%s/%s'", CGROUP_ROOT,
					 relative);
		cleanup_close(&hierarchy->directory_fd);
		cleanup_close(&hierarchy->tasks_fd);
		hierarchy->directory_fd = hierarchy->tasks_fd = -EBADF;
		hierarchy->exists = false;
	}
	return 0;
}
