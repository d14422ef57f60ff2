/* SPDX-License-Identifier: MIT */
/*
 * cgroup v2's own mechanics: which controllers a cgroup has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launch/cgroup/internal.h"

static bool list_has(const char *list, const char *word)
{
	size_t n_word = strlen(word);

	while (*list) {
		size_t n = strcspn(list, " ");

		if (n == n_word && !memcmp(list, word, n))
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

/* In @directory_fd, for what is below it; reading first spares the lock that a write takes. */
static int subtree_enable(int directory_fd, const char *controller)
{
	char text[512];
	ssize_t n = cgroup_file_read(directory_fd, "cgroup.subtree_control", text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (list_has(text, controller))
		return 0;
	snprintf(text, sizeof(text), "+%s", controller);
	return cgroup_file_write(directory_fd, "cgroup.subtree_control", text);
}

int cgroup_v2_enable(struct cgroup *cgroup, const char *controller)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_v2(cgroup);
	_cleanup_close_ int directory_fd = -EBADF;
	const char *rest = cgroup->path;
	char text[512];
	int r;

	if (!hierarchy)
		return -EOPNOTSUPP;
	directory_fd = openat(cgroup->root_fd, hierarchy->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return -errno;
	r = (int)cgroup_file_read(directory_fd, "cgroup.controllers", text, sizeof(text));
	if (r < 0)
		return r;
	if (!list_has(text, controller))
		return -EOPNOTSUPP;
	/* From the root to the parent of the last component. */
	for (;;) {
		size_t n = strcspn(rest, "/");
		char component[NAME_MAX + 1];
		int fd;

		r = subtree_enable(directory_fd, controller);
		if (r < 0 || rest[n] == '\0')
			return r;
		snprintf(component, sizeof(component), "%.*s", (int)n, rest);
		fd = openat(directory_fd, component, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		close(directory_fd);
		directory_fd = fd;
		rest += n + 1;
	}
}
