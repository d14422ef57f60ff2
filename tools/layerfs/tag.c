/* SPDX-License-Identifier: MIT */
/* layerfs tag: give an image one more name. */
#include <errno.h>

#include "fs/image/store.h"
#include "tools/layerfs/verbs.h"

static int tag(const struct command_call *call, struct error *error)
{
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	struct image_name name;
	int r = image_name_parse(call->argv[1], &name, error);

	if (r < 0)
		return r;
	if (name.digest[0])
		return error_say(error, -EINVAL, "'%s': an image can't be given a digest",
				 call->argv[1]);
	r = layerfs_store_open(call, &store, STORE_USE, error);
	if (r == 0)
		r = image_open(&store, call->argv[0], &image, error);
	return r < 0 ? r : image_tag(&store, name.name, image.digest, error);
}

const struct command tag_command = {
	.name = "tag",
	.arguments = "IMAGE NAME",
	.summary = "Give an image one more name; what had the name before loses it.",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = tag,
};
