/* SPDX-License-Identifier: MIT */
#include "bench/micro/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/text.h"

static const char *parent_choose(void)
{
	const char *directory = getenv("LAMINA_BENCH_DIRECTORY");

	if (directory)
		return directory;
	if (access("/dev/shm", W_OK) == 0)
		return "/dev/shm";
	directory = getenv("TMPDIR");
	return directory ? directory : "/tmp";
}

struct scratch scratch_make(void)
{
	struct scratch scratch = { .fd = -EBADF };
	int n = snprintf(scratch.path, sizeof(scratch.path), "%s/lamina-bench.XXXXXX",
			 parent_choose());

	if (n < (int)sizeof(scratch.path) && mkdtemp(scratch.path))
		scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scratch.fd < 0) {
		fprintf(stderr, "bench: cannot make '%s': %s\n", scratch.path, strerror(errno));
		exit(1);
	}
	return scratch;
}

void scratch_remove(struct scratch *scratch)
{
	char *slash = strrchr(scratch->path, '/');
	_cleanup_close_ int parent_fd = -EBADF;

	close(scratch->fd);
	*slash = '\0';
	parent_fd = open(scratch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)path_remove_tree(parent_fd, slash + 1);
}

char *scratch_path(const struct scratch *scratch, const char *name)
{
	return string_format("%s/%s", scratch->path, name);
}

char *scratch_mkdir(const struct scratch *scratch, const char *name)
{
	_cleanup_free_ char *path = scratch_path(scratch, name);

	if (!path || mkdir(path, 0755) < 0)
		return NULL;
	return take_ptr(path);
}
