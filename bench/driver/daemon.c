/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bench/driver/driver.h"

/* A file of a cgroup's in @text; -ENOENT where the hierarchy has no such file. */
static int cgroup_read(const char *cgroup, const char *name, char *text, size_t max_bytes)
{
	_cleanup_free_ char *path = string_format("%s/%s", cgroup, name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -ENOMEM;
	ssize_t n = fd < 0 ? -1 : read(fd, text, max_bytes - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

int daemon_cpu_us(const char *cgroup, double *ret_us, struct error *error)
{
	static const char key[] = "usage_usec ";
	char text[4096];
	const char *usage;
	int r = cgroup_read(cgroup, "cpuacct.usage", text, sizeof(text));

	if (r == 0) {
		*ret_us = strtod(text, NULL) / 1e3;
		return 0;
	}
	r = cgroup_read(cgroup, "cpu.stat", text, sizeof(text));
	usage = r == 0 ? strstr(text, key) : NULL;
	if (!usage)
		return error_set(error, r < 0 ? r : -ENOTSUP, "cannot read the CPU time of '%s'",
				 cgroup);
	*ret_us = strtod(usage + strlen(key), NULL);
	return 0;
}
