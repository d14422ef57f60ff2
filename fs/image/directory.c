/* SPDX-License-Identifier: MIT */
#include "fs/image/directory.h"

#include <errno.h>
#include <fcntl.h>

int store_directory_visit(const struct store *store, const char *path,
			  int (*visit)(const struct store *, const char *name, void *argument),
			  void *argument)
{
	int fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!directory) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(directory))) {
		if (entry->d_name[0] != '.')
			r = visit(store, entry->d_name, argument);
	}
	return r ? r : -errno;
}
