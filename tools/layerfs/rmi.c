/* SPDX-License-Identifier: MIT */
/* layerfs rmi: remove names of images, and with its last name an image. */
#include <errno.h>
#include <stdio.h>

#include "base/lock.h"
#include "fs/image/remove.h"
#include "tools/layerfs/verbs.h"

struct rmi_options {
	bool force;
};

static const struct command_option options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct rmi_options, force),
	  .help = "also images with several names or containers; don't mind what isn't there" },
};

static int rmi(const struct command_call *call, struct error *error)
{
	const struct rmi_options *given = call->options;
	_cleanup_image_removal_ struct image_removal removal = {};
	_cleanup_store_ struct store store = STORE_EMPTY;
	int n_failed = 0, r, finished;

	r = layerfs_store_open(call, &store, STORE_REMOVE, error);
	if (r < 0)
		return r;
	for (int i = 0; i < call->argc; i++) {
		r = image_remove(&store, call->argv[i], given->force ? IMAGE_REMOVE_FORCE : 0,
				 &removal, error);
		if (r < 0 && !(r == -ENOENT && given->force)) {
			fprintf(stderr, "%s: rmi: %s\n", call->tool->name, error->message);
			n_failed++;
		}
		error_init(error);
	}
	r = removal.deleted.n_items > 0 ? image_removal_sweep(&store, &removal, error) : 0;
	/* Others need not wait while the files are deleted. */
	lock_release(store.lock_fd);
	STRING_LIST_FOR_EACH (&removal.untagged, i)
		printf("Untagged: %s\n", removal.untagged.items[i]);
	STRING_LIST_FOR_EACH (&removal.deleted, i)
		printf("Deleted: %s\n", removal.deleted.items[i]);
	finished = image_removal_finish(&store, &removal);
	if (r < 0)
		return r;
	if (finished < 0)
		return error_set(error, finished, "cannot empty '%s/trash'", store.path);
	return n_failed > 0 ? 1 : 0;
}

const struct command rmi_command = {
	.name = "rmi",
	.arguments = "IMAGE...",
	.summary = "Remove names of images, and an image with its last one.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct rmi_options),
	.min_arguments = 1,
	.max_arguments = -1,
	.run = rmi,
};
