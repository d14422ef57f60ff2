/* SPDX-License-Identifier: MIT */
/* A root file system becomes an image of one layer, with a config that says no more than it must.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/sha256.h"
#include "fs/layer/import_state.h"

/* Without a date: the same root is the same image, however often it is imported. */
static int config_make(struct source_image *image, const char *diff_id)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "architecture", image_machine_architecture());
	json_write_string(&writer, "os", "linux");
	json_write_object_begin(&writer, "config");
	json_write_object_end(&writer);
	json_write_object_begin(&writer, "rootfs");
	json_write_string(&writer, "type", "layers");
	json_write_array_begin(&writer, "diff_ids");
	json_write_string(&writer, NULL, diff_id);
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	json_write_object_end(&writer);
	r = json_writer_status(&writer);
	if (r < 0)
		return r;
	image->n_config = writer.buffer.n_bytes;
	image->config = take_ptr(writer.buffer.bytes);
	digest_of(image->config, image->n_config, image->config_digest);
	return 0;
}

struct root_provider {
	struct layer_provider provider;
	size_t index; /* of the layer */
};

static int root_get(struct layer_provider *provider, struct import *import,
		    const struct source_layer *wanted, struct staged_layer **ret_layer,
		    struct error *error)
{
	*ret_layer = &import->layers[((struct root_provider *)provider)->index];
	return 0;
}

int import_root(struct import *import, struct byte_stream *tar, struct error *error)
{
	_cleanup_source_images_ struct source_images images = {};
	struct root_provider provider = { .provider = { .get = root_get } };
	struct source_image *image;
	struct staged_layer *staged;
	int r = import_layer_stage(import, "root", tar, NULL, UINT64_MAX, NULL, &staged, error);

	if (r < 0)
		return r;
	provider.index = (size_t)(staged - import->layers);
	image = source_images_add(&images);
	if (!image || config_make(image, staged->unpacked.facts.diff_id) < 0)
		return error_set(error, -ENOMEM, "cannot make the image's config");
	image->layers = calloc(1, sizeof(*image->layers));
	if (!image->layers)
		return error_set(error, -ENOMEM, "cannot make the image's config");
	image->n_layers = 1;
	image->layers->n_bytes = UINT64_MAX;
	memcpy(image->layers->diff_id, staged->unpacked.facts.diff_id, DIGEST_TEXT_BYTES);
	return import_images(import, &provider.provider, &images, error);
}
