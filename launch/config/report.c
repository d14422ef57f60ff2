/* SPDX-License-Identifier: MIT */
/*
 * What is left out of a config.json, told once a start: an exec reads the same document again.
 */
#include "base/log.h"
#include "launch/capability.h"
#include "launch/config/config.h"
#include "launch/config/known.h"

static void tell(const char *message, void *argument)
{
	log_warning("container '%s': %s", (const char *)argument, message);
}

static void capabilities_report(struct json_value sets, const char *id)
{
	JSON_FOR_EACH (set, sets) {
		JSON_FOR_EACH (element, set) {
			const char *name = json_string(element);

			if (name && capability_from_name(name) < 0)
				log_warning("container '%s': 'process.capabilities.%s': '%s' is "
					    "not known, and left out",
					    id, json_key(set), name);
		}
	}
}

void config_process_report(const struct config_process *process, struct json_value value,
			   const char *id)
{
	known_process_report(value, tell, (void *)id);
	if (process->has_unknown_capabilities)
		capabilities_report(json_get(value, "capabilities"), id);
}

void config_report(const struct config *config, const char *id)
{
	struct json_value root = json_root(&config->document);

	known_report(root, tell, (void *)id);
	if (config->process.has_unknown_capabilities)
		capabilities_report(json_get(json_get(root, "process"), "capabilities"), id);
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (mount->is_relative)
			log_warning("container '%s': mounts[%zu]: the destination should be "
				    "absolute: '%s' is taken",
				    id, i, mount->destination);
		if (mount->idle_option)
			log_warning("container '%s': mounts[%zu] '%s': option '%s' has no effect "
				    "here",
				    id, i, mount->destination, mount->idle_option);
	}
}
