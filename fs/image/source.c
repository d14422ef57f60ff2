/* SPDX-License-Identifier: MIT */
#include "fs/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "fs/image/name.h"

struct source_image *source_images_add(struct source_images *images)
{
	struct source_image *items =
		reallocarray(images->items, images->n_items + 1, sizeof(*items));

	if (!items)
		return NULL;
	images->items = items;
	items[images->n_items] = (struct source_image){};
	return &items[images->n_items++];
}

static void source_image_deinit(struct source_image *image)
{
	free(image->manifest);
	free(image->config);
	string_list_deinit(&image->names);
	for (size_t i = 0; i < image->n_layers; i++)
		free(image->layers[i].path);
	free(image->layers);
}

void source_images_deinit(struct source_images *images)
{
	for (size_t i = 0; i < images->n_items; i++)
		source_image_deinit(&images->items[i]);
	free(images->items);
	*images = (struct source_images){};
}

void source_images_keep(struct source_images *images, size_t index)
{
	struct source_image kept = images->items[index];

	images->items[index] = images->items[0];
	images->items[0] = kept;
	for (size_t i = 1; i < images->n_items; i++)
		source_image_deinit(&images->items[i]);
	images->n_items = 1;
}

int source_image_add_name(struct source_image *image, const char *repository, const char *name)
{
	struct image_name parsed;
	char *qualified = NULL;
	int r;

	/* A layout's bare "latest" is a tag by everybody's habit, and of the directory it is in. */
	if (!strcmp(name, "latest") && !repository)
		return 0;
	if (!strcmp(name, "latest"))
		qualified = string_format("%s:latest", repository);
	r = image_name_parse(qualified ? qualified : name, &parsed, NULL);
	free(qualified);
	if (r < 0 || string_list_contains(&image->names, parsed.name))
		return 0;
	return string_list_add(&image->names, parsed.name);
}

int source_image_check_config(struct source_image *image, struct error *error)
{
	_cleanup_image_config_ struct image_config config = {};
	_cleanup_json_ struct json_document document = {};
	int r = json_parse(&document, image->config, image->n_config, error);

	if (r == 0)
		r = image_config_parse(&document, &config, error);
	if (r < 0)
		return error_prefix(error, r, "config %s", image->config_digest);
	if (config.diff_ids.n_items != image->n_layers)
		return error_say(
			error, -EBADMSG,
			"config %s: it has %zu diff ids for the %zu layers of its manifest",
			image->config_digest, config.diff_ids.n_items, image->n_layers);
	for (size_t i = 0; i < image->n_layers; i++)
		memcpy(image->layers[i].diff_id, config.diff_ids.items[i], DIGEST_TEXT_BYTES);
	return 0;
}

int source_images_read(struct image_source *source, struct source_images *ret_images,
		       struct error *error)
{
	_cleanup_source_images_ struct source_images images = {};
	_cleanup_free_ char *text = NULL;
	size_t n;
	int r;

	r = source->document(source, "index.json", &text, &n, error);
	if (r == 0) {
		r = layout_images_read(source, text, n, &images, error);
	} else if (r == -ENOENT) {
		r = source->document(source, "manifest.json", &text, &n, error);
		if (r == -ENOENT)
			return error_say(error, -EBADMSG,
					 "it has neither an index.json (OCI layout) nor a "
					 "manifest.json (docker-archive)");
		if (r == 0)
			r = docker_archive_images_read(source, text, n, &images, error);
	}
	if (r < 0)
		return r;
	*ret_images = images;
	images = (struct source_images){};
	return 0;
}

int layout_directory_open(const struct layout_directory *layout, const char *path)
{
	/* Links are refused: a layout is somebody else's, and "index.json -> /etc/shadow" a trick.
	 */
	int fd = path_open_beneath(layout->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static int layout_directory_document(struct image_source *source, const char *name,
				     char **ret_bytes, size_t *ret_n_bytes, struct error *error)
{
	struct layout_directory *layout = (struct layout_directory *)source;
	_cleanup_close_ int fd = layout_directory_open(layout, name);
	int r = fd < 0 ? fd : fd_read_all(fd, IMAGE_DOCUMENT_MAX_BYTES, ret_bytes, ret_n_bytes);

	return r < 0 ? error_set(error, r, "cannot read '%s'", name) : 0;
}

void layout_directory_init(struct layout_directory *layout, int fd, const char *repository)
{
	*layout = (struct layout_directory){
		.source = { .document = layout_directory_document, .repository = repository },
		.fd = fd,
	};
}
