/* SPDX-License-Identifier: MIT */
/* Documents of images, and names: what is taken must hold what its parser promises. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fs/image/manifest.h"
#include "fs/image/name.h"
#include "fs/layer/tree.h"

static void descriptor_check(const struct image_descriptor *descriptor)
{
	if (!digest_is_valid(descriptor->digest))
		abort();
}

static void manifest_check(const struct json_document *document)
{
	_cleanup_image_manifest_ struct image_manifest manifest = {};
	struct error error;

	error_init(&error);
	if (image_manifest_parse(document, &manifest, &error) < 0) {
		if (!error.message[0])
			abort();
		return;
	}
	if (manifest.n_layers > IMAGE_MAX_LAYERS || manifest.config.media != IMAGE_MEDIA_CONFIG)
		abort();
	descriptor_check(&manifest.config);
	for (size_t i = 0; i < manifest.n_layers; i++)
		descriptor_check(&manifest.layers[i]);
}

static void index_check(const struct json_document *document)
{
	_cleanup_image_index_ struct image_index index = {};

	if (image_index_parse(document, &index, NULL) < 0)
		return;
	for (size_t i = 0; i < index.n_entries; i++) {
		descriptor_check(&index.entries[i].descriptor);
		(void)image_platform_rank(&index.entries[i].platform);
	}
}

static void config_check(const struct json_document *document)
{
	_cleanup_image_config_ struct image_config config = {};

	if (image_config_parse(document, &config, NULL) < 0)
		return;
	if (config.diff_ids.n_items > IMAGE_MAX_LAYERS)
		abort();
	STRING_LIST_FOR_EACH (&config.diff_ids, i) {
		if (!digest_is_valid(config.diff_ids.items[i]))
			abort();
	}
}

/* A name that is taken is its own normal form, and comes back from its file name. */
static void name_check(const char *text)
{
	char escaped[IMAGE_NAME_ESCAPED_BYTES], again[IMAGE_NAME_BYTES];
	struct image_name name, twice;

	if (image_name_parse(text, &name, NULL) < 0)
		return;
	if (image_name_parse(name.name, &twice, NULL) < 0 || strcmp(name.name, twice.name))
		abort();
	if (image_name_escape(name.name, escaped) < 0)
		return;
	if (strchr(escaped, '/') || *escaped == '.' || !image_name_unescape(escaped, again) ||
	    strcmp(again, name.name))
		abort();
}

/* A path that is taken is clean: cleaning it again changes nothing, and nothing in it is "..". */
static void path_check(const char *text)
{
	char clean[PATH_MAX], again[PATH_MAX];

	if (layer_path_clean(text, clean) < 0)
		return;
	if (layer_path_clean(clean, again) < 0 || strcmp(clean, again) || *clean == '/' ||
	    strstr(clean, "/../") || !strncmp(clean, "../", 3) || !strcmp(clean, ".."))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_json_ struct json_document document = {};
	char *text = malloc(n_bytes + 1);

	if (!text)
		abort();
	memcpy(text, bytes, n_bytes);
	text[n_bytes] = '\0';
	name_check(text);
	path_check(text);
	if (json_parse(&document, text, n_bytes, NULL) == 0) {
		manifest_check(&document);
		index_check(&document);
		config_check(&document);
	}
	free(text);
	return 0;
}
