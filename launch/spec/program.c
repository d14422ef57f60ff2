/* SPDX-License-Identifier: MIT */
#include "launch/spec/program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

int spec_program_find(const char *name, const char *option, char **ret_path, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	const char *slash;

	if (n < 0)
		return error_set(error, -errno, "cannot find %s", name);
	slash = n < (ssize_t)sizeof(self) ? memrchr(self, '/', (size_t)n) : NULL;
	if (!slash)
		return error_say(error, -ENAMETOOLONG, "cannot find %s", name);
	path = string_format("%.*s/%s", (int)(slash - self), self, name);
	if (!path)
		return error_set(error, -ENOMEM, "cannot find %s", name);
	if (access(path, X_OK) < 0)
		return error_set(error, -errno, "'%s' needs '%s'", option, path);
	*ret_path = take_ptr(path);
	return 0;
}
