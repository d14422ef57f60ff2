/* SPDX-License-Identifier: MIT */
#include "tools/layerfs/bundles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stream.h"
#include "fs/rootfs/names.h"
#include "tools/layerfs/verbs.h"

struct visit {
	const struct command_call *call;
	int (*function)(const char *path, const void *argument, struct error *error);
	const void *argument;
	char separator;
	bool failed;
};

static int path_visit(struct visit *visit, const char *path, struct error *error)
{
	int r = visit->function(path, visit->argument, error);

	if (r < 0) {
		fprintf(stderr, "%s: %s: %s\n", visit->call->tool->name, visit->call->command->name,
			error->message);
		error_init(error);
		visit->failed = true;
		return 0;
	}
	r = path_stream_write(STDOUT_FILENO, path, visit->separator);
	return r < 0 ? error_set(error, r, "cannot write the output") : 0;
}

static int word_visit(struct visit *visit, const char *word, struct error *error)
{
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_free_ char *path = NULL;
	char id[CONTAINER_ID_MAX_BYTES + 1];
	int r;

	if (strchr(word, '/'))
		return path_visit(visit, word, error);
	r = layerfs_store_open(visit->call, &store, STORE_USE, error);
	if (r < 0)
		return r;
	r = bundle_find(&store, word, id, error);
	/* A mount point in the working directory. */
	if (r == -ENOENT && faccessat(AT_FDCWD, word, F_OK, 0) == 0)
		return path_visit(visit, word, error);
	if (r < 0) {
		fprintf(stderr, "%s: %s: %s\n", visit->call->tool->name, visit->call->command->name,
			error->message);
		error_init(error);
		visit->failed = true;
		return 0;
	}
	path = string_format("%s/containers/%s", store.path, id);
	return path ? path_visit(visit, path, error) : error_set(error, -ENOMEM, "cannot start");
}

int layerfs_bundles_each(const struct command_call *call, char separator,
			 int (*function)(const char *path, const void *argument,
					 struct error *error),
			 const void *argument, struct error *error)
{
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator = separator };
	struct visit visit = { call, function, argument, separator, false };
	const char *path;
	int r = 0;

	for (int i = 0; i < call->argc && r == 0; i++)
		r = word_visit(&visit, call->argv[i], error);
	while (call->argc == 0 && r == 0 && (r = path_stream_next(&stream, &path, error)) > 0)
		r = path_visit(&visit, path, error);
	return r < 0 ? r : visit.failed;
}
