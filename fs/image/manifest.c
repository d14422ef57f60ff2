/* SPDX-License-Identifier: MIT */
#include "fs/image/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const struct {
	const char *media_type;
	enum image_media media;
} media_types[] = {
	{ "application/vnd.oci.image.index.v1+json", IMAGE_MEDIA_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", IMAGE_MEDIA_INDEX },
	{ "application/vnd.oci.image.manifest.v1+json", IMAGE_MEDIA_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", IMAGE_MEDIA_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v1+json", IMAGE_MEDIA_SCHEMA1 },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws", IMAGE_MEDIA_SCHEMA1 },
	{ "application/vnd.oci.image.config.v1+json", IMAGE_MEDIA_CONFIG },
	{ "application/vnd.docker.container.image.v1+json", IMAGE_MEDIA_CONFIG },
	{ "application/vnd.oci.image.layer.v1.tar", IMAGE_MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", IMAGE_MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", IMAGE_MEDIA_LAYER },
	/* May not be pushed elsewhere, but here they are. */
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", IMAGE_MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", IMAGE_MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", IMAGE_MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar", IMAGE_MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", IMAGE_MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", IMAGE_MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", IMAGE_MEDIA_FOREIGN_LAYER },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", IMAGE_MEDIA_FOREIGN_LAYER },
};

/* uname(2)'s words and Go's (go tool dist list); what isn't here is the same in both. */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{ "x86_64", "amd64", "" },    { "aarch64", "arm64", "v8" },
	{ "armv7l", "arm", "v7" },    { "armv6l", "arm", "v6" },
	{ "armv5tel", "arm", "v5" },  { "i686", "386", "" },
	{ "i586", "386", "" },	      { "ppc64le", "ppc64le", "" },
	{ "s390x", "s390x", "" },     { "loongarch64", "loong64", "" },
	{ "riscv64", "riscv64", "" }, { "mips64", "mips64", "" },
};

enum image_media image_media_of(const char *media_type)
{
	size_t n = strcspn(media_type, "; ");

	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		if (strlen(media_types[i].media_type) == n &&
		    !strncmp(media_types[i].media_type, media_type, n))
			return media_types[i].media;
	}
	return IMAGE_MEDIA_UNKNOWN;
}

enum image_media image_document_media(const struct json_document *document)
{
	struct json_value root = json_root(document);
	const char *media_type = json_string(json_get(root, "mediaType"));
	int64_t version;

	if (media_type)
		return image_media_of(media_type);
	if (json_int64(json_get(root, "schemaVersion"), &version) == 0 && version == 1)
		return IMAGE_MEDIA_SCHEMA1;
	if (json_type(json_get(root, "manifests")) == JSON_ARRAY)
		return IMAGE_MEDIA_INDEX;
	if (json_type(json_get(root, "config")) == JSON_OBJECT)
		return IMAGE_MEDIA_MANIFEST;
	return IMAGE_MEDIA_UNKNOWN;
}

static int descriptor_parse(struct json_value value, struct image_descriptor *ret_descriptor,
			    struct error *error)
{
	const char *media_type = json_string(json_get(value, "mediaType"));
	const char *digest = json_string(json_get(value, "digest"));

	if (json_type(value) != JSON_OBJECT)
		return error_say(error, -EBADMSG, "a descriptor is %s, not an object",
				 json_type_name(json_type(value)));
	if (!digest)
		return error_say(error, -EBADMSG, "a descriptor has no digest");
	if (!digest_is_valid(digest))
		return error_say(error, -EBADMSG, "'%.80s' is not a sha256 digest", digest);
	if (json_uint64(json_get(value, "size"), &ret_descriptor->n_bytes) < 0)
		return error_say(error, -EBADMSG, "the descriptor of '%s' has no valid size",
				 digest);
	if (!media_type)
		return error_say(error, -EBADMSG, "the descriptor of '%s' has no media type",
				 digest);
	ret_descriptor->media = image_media_of(media_type);
	memcpy(ret_descriptor->digest, digest, DIGEST_TEXT_BYTES);
	return 0;
}

static void platform_parse(struct json_value value, struct image_platform *ret_platform)
{
	*ret_platform = (struct image_platform){
		.os = json_string_or(json_get(value, "os"), ""),
		.architecture = json_string_or(json_get(value, "architecture"), ""),
		.variant = json_string_or(json_get(value, "variant"), ""),
	};
}

static int index_entry_parse(struct json_value value, struct image_index_entry *entry,
			     struct error *error)
{
	struct json_value annotations = json_get(value, "annotations");
	const char *reference_type =
		json_string_or(json_get(annotations, "vnd.docker.reference.type"), "");
	int r = descriptor_parse(value, &entry->descriptor, error);

	if (r < 0)
		return r;
	platform_parse(json_get(value, "platform"), &entry->platform);
	entry->name = json_string(json_get(annotations, "io.containerd.image.name"));
	if (!entry->name)
		entry->name =
			json_string(json_get(annotations, "org.opencontainers.image.ref.name"));
	entry->is_attestation = !strcmp(reference_type, "attestation-manifest");
	return 0;
}

int image_index_parse(const struct json_document *document, struct image_index *ret_index,
		      struct error *error)
{
	_cleanup_image_index_ struct image_index index = {};
	struct json_value manifests = json_get(json_root(document), "manifests");
	size_t n = json_count(manifests);

	if (json_type(manifests) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the index has no list of manifests");
	if (n > IMAGE_MAX_MANIFESTS)
		return error_say(error, -E2BIG, "the index has %zu manifests, more than %d", n,
				 IMAGE_MAX_MANIFESTS);
	index.entries = calloc(n + 1, sizeof(*index.entries));
	if (!index.entries)
		return error_set(error, -ENOMEM, "cannot read the index");
	JSON_FOR_EACH (value, manifests) {
		int r = index_entry_parse(value, &index.entries[index.n_entries], error);

		if (r < 0)
			return error_prefix(error, r, "the index's entry %zu", index.n_entries + 1);
		index.n_entries++;
	}
	*ret_index = index;
	index = (struct image_index){};
	return 0;
}

void image_index_deinit(struct image_index *index)
{
	free(index->entries);
	*index = (struct image_index){};
}

static int layers_parse(struct json_value layers, struct image_manifest *manifest,
			struct error *error)
{
	size_t n = json_count(layers);

	if (json_type(layers) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the manifest has no list of layers");
	if (n > IMAGE_MAX_LAYERS)
		return error_say(error, -E2BIG, "the image has %zu layers, more than %d", n,
				 IMAGE_MAX_LAYERS);
	manifest->layers = calloc(n + 1, sizeof(*manifest->layers));
	if (!manifest->layers)
		return error_set(error, -ENOMEM, "cannot read the manifest");
	JSON_FOR_EACH (value, layers) {
		struct image_descriptor *layer = &manifest->layers[manifest->n_layers];
		int r = descriptor_parse(value, layer, error);

		if (r < 0)
			return error_prefix(error, r, "layer %zu", manifest->n_layers + 1);
		if (layer->media == IMAGE_MEDIA_FOREIGN_LAYER)
			return error_say(error, -EOPNOTSUPP,
					 "layer %s is foreign: it is not part of the image, as in "
					 "Windows images",
					 layer->digest);
		if (layer->media != IMAGE_MEDIA_LAYER)
			return error_say(error, -EOPNOTSUPP,
					 "layer %s has the media type '%.100s', which is not a "
					 "layer's",
					 layer->digest,
					 json_string_or(json_get(value, "mediaType"), ""));
		manifest->n_layers++;
	}
	return 0;
}

int image_manifest_parse(const struct json_document *document, struct image_manifest *ret_manifest,
			 struct error *error)
{
	_cleanup_image_manifest_ struct image_manifest manifest = {};
	struct json_value root = json_root(document);
	enum image_media media = image_document_media(document);
	int r;

	if (media == IMAGE_MEDIA_SCHEMA1)
		return error_say(error, -EOPNOTSUPP,
				 "it is a Docker manifest of schema 1, which is not supported: "
				 "save the image anew with a Docker later than 1.10");
	if (media != IMAGE_MEDIA_MANIFEST)
		return error_say(error, -EBADMSG, "it is not an image manifest");
	r = descriptor_parse(json_get(root, "config"), &manifest.config, error);
	if (r < 0)
		return error_prefix(error, r, "the manifest's config");
	if (manifest.config.media != IMAGE_MEDIA_CONFIG)
		return error_say(error, -EOPNOTSUPP,
				 "it is an artifact ('%.100s'), not a container image",
				 json_string_or(json_get(root, "artifactType"),
						json_string_or(json_get(json_get(root, "config"),
									"mediaType"),
							       "")));
	r = layers_parse(json_get(root, "layers"), &manifest, error);
	if (r < 0)
		return r;
	*ret_manifest = manifest;
	manifest = (struct image_manifest){};
	return 0;
}

void image_manifest_deinit(struct image_manifest *manifest)
{
	free(manifest->layers);
	*manifest = (struct image_manifest){};
}

int image_config_parse(const struct json_document *document, struct image_config *ret_config,
		       struct error *error)
{
	_cleanup_image_config_ struct image_config config = {};
	struct json_value root = json_root(document);
	struct json_value diff_ids = json_get(json_get(root, "rootfs"), "diff_ids");

	if (json_type(root) != JSON_OBJECT)
		return error_say(error, -EBADMSG, "the image's config is not an object");
	if (strcmp(json_string_or(json_get(json_get(root, "rootfs"), "type"), "layers"), "layers"))
		return error_say(error, -EOPNOTSUPP, "the image's root is not made of layers");
	if (json_count(diff_ids) > IMAGE_MAX_LAYERS)
		return error_say(error, -E2BIG, "the image has %zu layers, more than %d",
				 json_count(diff_ids), IMAGE_MAX_LAYERS);
	/* Go writes null for an empty list; an image of no layers has an empty root. */
	if (json_exists(diff_ids) && json_type(diff_ids) != JSON_ARRAY)
		return error_say(error, -EBADMSG, "the config's diff ids are not a list");
	JSON_FOR_EACH (value, diff_ids) {
		const char *diff_id = json_string(value);

		if (!diff_id || !digest_is_valid(diff_id))
			return error_say(error, -EBADMSG, "'%.80s' is not a diff id",
					 diff_id ? diff_id : json_type_name(json_type(value)));
		if (string_list_add(&config.diff_ids, diff_id) < 0)
			return error_set(error, -ENOMEM, "cannot read the image's config");
	}
	platform_parse(root, &config.platform);
	*ret_config = config;
	config = (struct image_config){};
	return 0;
}

void image_config_deinit(struct image_config *config)
{
	string_list_deinit(&config->diff_ids);
}

static int machine_find(const struct utsname *names)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (!strcmp(machines[i].machine, names->machine))
			return (int)i;
	}
	return -1;
}

const char *image_machine_architecture(void)
{
	struct utsname names;
	int i = uname(&names) < 0 ? -1 : machine_find(&names);

	return i < 0 ? "unknown" : machines[i].architecture;
}

int image_platform_rank(const struct image_platform *platform)
{
	const char *architecture = platform->architecture;
	struct utsname names;
	int i;

	if (*platform->os && strcmp(platform->os, "linux"))
		return 0;
	if (!*architecture)
		return 1;
	if (uname(&names) < 0)
		return 0;
	i = machine_find(&names);
	if (strcmp(architecture, i < 0 ? names.machine : machines[i].architecture))
		return 0;
	if (!*platform->variant || i < 0)
		return 3;
	/* arm/v6 runs on v7, not the other way; amd64/v2 and up ask for more than any machine has.
	 */
	if (!strcmp(platform->variant, machines[i].variant))
		return 4;
	if (!strcmp(architecture, "arm"))
		return strcmp(platform->variant, machines[i].variant) < 0 ? 2 : 0;
	return 2;
}
