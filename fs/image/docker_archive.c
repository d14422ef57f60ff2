/* SPDX-License-Identifier: MIT */
/*
 * docker-archives (docker save, podman save, skopeo, and many builders): manifest.json names a
 * config and layers by their paths (moby, image/tarexport; the "docker image spec 1.2").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "fs/image/source.h"

#define MAX_IMAGES 1024

/* Old builders called the config by its digest; then it is verified like any other. */
static int config_digest_check(const char *path, const char *digest, struct error *error)
{
	const char *name = strrchr(path, '/');
	char hex[DIGEST_HEX_BYTES];

	name = name ? name + 1 : path;
	if (!strncmp(name, "sha256:", 7))
		name += 7;
	if (strlen(name) < DIGEST_HEX_BYTES - 1)
		return 0;
	memcpy(hex, name, DIGEST_HEX_BYTES - 1);
	hex[DIGEST_HEX_BYTES - 1] = '\0';
	if (!digest_hex_is_valid(hex) || !strcmp(hex, digest + 7))
		return 0;
	return error_say(error, -EBADMSG, "config '%s': its content has the digest %s", path,
			 digest);
}

static int layers_take(struct source_image *image, struct json_value layers, struct error *error)
{
	size_t n = json_count(layers);

	if (json_exists(layers) && json_type(layers) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the list of layers is not a list");
	if (n > IMAGE_MAX_LAYERS)
		return error_say(error, -E2BIG, "the image has %zu layers, more than %d", n,
				 IMAGE_MAX_LAYERS);
	image->layers = calloc(n + 1, sizeof(*image->layers));
	if (!image->layers)
		return error_set(error, -ENOMEM, "cannot read the manifest");
	JSON_FOR_EACH (value, layers) {
		struct source_layer *layer = &image->layers[image->n_layers];
		const char *path = json_string(value);

		if (!path || !*path)
			return error_say(error, -EBADMSG, "a layer's path is not a string");
		layer->path = strdup(path);
		if (!layer->path)
			return error_set(error, -ENOMEM, "cannot read the manifest");
		layer->n_bytes = UINT64_MAX;
		image->n_layers++;
	}
	return 0;
}

static int image_read(struct image_source *source, struct json_value value,
		      struct source_image *image, struct error *error)
{
	const char *path = json_string(json_get(value, "Config"));
	int r;

	if (!path || !*path)
		return error_say(error, -EBADMSG, "an image has no config");
	r = source->document(source, path, &image->config, &image->n_config, error);
	if (r < 0)
		return error_prefix(error, r, "config");
	digest_of(image->config, image->n_config, image->config_digest);
	r = config_digest_check(path, image->config_digest, error);
	if (r == 0)
		r = layers_take(image, json_get(value, "Layers"), error);
	if (r == 0)
		r = source_image_check_config(image, error);
	if (r < 0)
		return r;
	JSON_FOR_EACH (tag, json_get(value, "RepoTags")) {
		if (json_string(tag) &&
		    source_image_add_name(image, source->repository, json_string(tag)) < 0)
			return error_set(error, -ENOMEM, "cannot read the images");
	}
	return 0;
}

int docker_archive_images_read(struct image_source *source, const char *manifest, size_t n_manifest,
			       struct source_images *images, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	int r = json_parse(&document, manifest, n_manifest, error);

	if (r < 0)
		return error_prefix(error, r, "manifest.json");
	if (json_type(json_root(&document)) != JSON_ARRAY || !json_count(json_root(&document)))
		return error_say(error, -EBADMSG, "manifest.json has no list of images");
	if (json_count(json_root(&document)) > MAX_IMAGES)
		return error_say(error, -E2BIG, "manifest.json has more than %d images",
				 MAX_IMAGES);
	JSON_FOR_EACH (value, json_root(&document)) {
		struct source_image *image = source_images_add(images);

		if (!image)
			return error_set(error, -ENOMEM, "cannot read the images");
		r = image_read(source, value, image, error);
		if (r < 0)
			return error_prefix(error, r, "manifest.json");
	}
	return 0;
}
