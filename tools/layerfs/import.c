/* SPDX-License-Identifier: MIT */
/* layerfs import: executes layerfs-import, which links what layerfs does without. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tools/layerfs/verbs.h"

/* Beside layerfs in a build, in libexec when installed. */
static const char *const places[] = { "layerfs-import", "../libexec/lamina/layerfs-import" };

static int import(const struct command_call *call, struct error *error)
{
	const struct layerfs_globals *globals = call->globals;
	_cleanup_free_ char **argv = calloc((size_t)call->argc + 2, sizeof(*argv));
	char directory[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	if (!argv)
		return error_set(error, -ENOMEM, "cannot start layerfs-import");
	if (n < 0)
		return error_set(error, -errno, "cannot find out where layerfs is");
	directory[n] = '\0';
	*strrchr(directory, '/') = '\0';
	if (globals->store && *globals->store && setenv("LAMINA_STORE", globals->store, 1) < 0)
		return error_set(error, -ENOMEM, "cannot start layerfs-import");
	argv[0] = (char *)"layerfs-import";
	memcpy(argv + 1, call->argv, (size_t)call->argc * sizeof(*argv));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, places[i]);
		execv(path, argv);
		if (errno != ENOENT)
			return error_set(error, -errno, "cannot execute '%s'", path);
	}
	return error_set(error, -ENOENT,
			 "cannot find layerfs-import beside '%s/layerfs', nor in "
			 "'%s/../libexec/lamina'",
			 directory, directory);
}

const struct command import_command = {
	.name = "import",
	.arguments = "SOURCE [NAME]",
	.summary = "Import images from an archive or a directory.",
	.flags = COMMAND_RAW,
	.max_arguments = -1,
	.run = import,
};
