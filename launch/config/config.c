/* SPDX-License-Identifier: MIT */
#include "launch/config/config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "launch/config/known.h"
#include "launch/config/mount.h"
#include "launch/config/sections.h"
#include "launch/config/value.h"
#include "launch/seccomp/default_profile.h"

static int mounts_parse(struct config *config, struct json_value array, struct error *error)
{
	int r = value_check_type(array, "mounts", JSON_ARRAY, error);

	if (r < 0)
		return r;
	config->mounts = calloc(json_count(array) + 1, sizeof(*config->mounts));
	if (!config->mounts)
		return error_set(error, -ENOMEM, "'mounts'");
	JSON_FOR_EACH (element, array) {
		r = config_mount_parse(&config->mounts[config->n_mounts++], element, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int version_check(struct json_value root, struct error *error)
{
	const char *version = json_string(json_get(root, "ociVersion"));

	if (!version)
		return error_say(error, -EINVAL, "'ociVersion' is missing");
	if (strncmp(version, "1.", 2))
		return error_say(error, -EINVAL, "'ociVersion' is '%s', not 1.x", version);
	return 0;
}

/* In the host's uts namespace, or another container's, they would rename that one. */
static int names_check(const struct config *config, struct error *error)
{
	if (config_has_own_namespace(config, CLONE_NEWUTS))
		return 0;
	if (config->hostname && *config->hostname)
		return error_say(error, -EINVAL, "'hostname' needs a uts namespace of its own");
	if (config->domainname && *config->domainname)
		return error_say(error, -EINVAL, "'domainname' needs a uts namespace of its own");
	return 0;
}

int config_fill(struct config *config, struct error *error)
{
	static const char *const objects[] = { "root", "process", "linux", "annotations" };
	struct json_value root, root_field;
	int r;

	root = json_root(&config->document);
	root_field = json_get(root, "root");
	config->root_path = json_string(json_get(root_field, "path"));
	config->annotations = json_get(root, "annotations");
	r = version_check(root, error);
	for (size_t i = 0; r == 0 && i < sizeof(objects) / sizeof(objects[0]); i++)
		r = value_check_type(json_get(root, objects[i]), objects[i], JSON_OBJECT, error);
	if (r == 0)
		r = value_bool(json_get(root_field, "readonly"), "root.readonly",
			       &config->root_read_only, error);
	if (r == 0)
		r = value_string(json_get(root, "hostname"), "hostname", &config->hostname, error);
	if (r == 0)
		r = value_string(json_get(root, "domainname"), "domainname", &config->domainname,
				 error);
	if (r == 0 && (!config->root_path || !*config->root_path))
		r = error_say(error, -EINVAL, "'root.path' is missing");
	if (r == 0)
		r = known_check(root, error);
	if (r == 0)
		r = config_process_parse(&config->process, json_get(root, "process"), error);
	if (r == 0)
		r = mounts_parse(config, json_get(root, "mounts"), error);
	if (r == 0)
		r = config_linux_parse(config, json_get(root, "linux"), error);
	if (r == 0)
		r = config_hooks_parse(&config->hooks, json_get(root, "hooks"), error);
	if (r == 0)
		r = config_ids_check(config, error);
	if (r == 0)
		r = names_check(config, error);
	return r < 0 ? error_prefix(error, r, "config.json") : 0;
}

/* Is the "{}" that stands for the default profile where a start looks for its own? */
static bool stands_for_seccomp(const struct json_document *document, size_t at)
{
	struct json_value linux_section = json_get(json_root(document), "linux");
	size_t n_bytes;

	return json_raw(json_get(linux_section, "seccomp"), &n_bytes) == document->text + at;
}

/* As json_parse_file_at(), but for the default seccomp profile, whose filter is ready. */
static int document_read(struct config *config, int bundle_fd, const char *name,
			 struct error *error)
{
	size_t n_bytes, at;
	char *text;
	int r = file_read_at(bundle_fd, name, CONFIG_MAX_BYTES, &text, &n_bytes);

	if (r < 0)
		return error_set(error, r, "cannot read '%s'", name);
	at = seccomp_prebuilt_cut(text, &n_bytes);
	r = json_parse_owned(&config->document, text, n_bytes, error);
	if (r == 0 && at)
		config->has_default_seccomp = stands_for_seccomp(&config->document, at);
	/* Also where a mistake is in it: its line and column are those of the file. */
	if (at && !config->has_default_seccomp) {
		json_document_deinit(&config->document);
		return json_parse_file_at(&config->document, bundle_fd, name, CONFIG_MAX_BYTES,
					  error);
	}
	return r < 0 ? error_prefix(error, r, "'%s'", name) : 0;
}

int config_parse_file(struct config *config, int bundle_fd, const char *name, struct error *error)
{
	int r = document_read(config, bundle_fd, name, error);

	return r < 0 ? r : config_fill(config, error);
}

int config_parse(struct config *config, int bundle_fd, struct error *error)
{
	return config_parse_file(config, bundle_fd, "config.json", error);
}

void config_deinit(struct config *config)
{
	for (size_t i = 0; i < config->n_mounts; i++)
		config_mount_deinit(&config->mounts[i]);
	free(config->mounts);
	config_process_deinit(&config->process);
	config_hooks_deinit(&config->hooks);
	id_maps_deinit(&config->id_maps);
	free(config->net_devices);
	free(config->devices);
	config_rdt_deinit(&config->rdt);
	free(config->masked_paths);
	free(config->read_only_paths);
	json_document_deinit(&config->document);
	*config = (struct config){};
}
