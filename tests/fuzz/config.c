/* SPDX-License-Identifier: MIT */
/* Whatever stands in config.json: what is taken has what the launcher counts on. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/config/config.h"
#include "launch/sysctl.h"

static void mounts_check(const struct config *config)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (mount->destination[0] != '/' || !mount->destination[1] ||
		    strstr(mount->destination, "//") || strstr(mount->destination, "/../") ||
		    strstr(mount->destination, "/./") || !mount->data ||
		    ((mount->is_bind || mount->is_remount) && mount->data[0]))
			abort();
		if (!mount->is_remount && !*(mount->is_bind ? mount->source : mount->type))
			abort();
		if (mount->copies_up && (mount->is_bind || strcmp(mount->type, "tmpfs")))
			abort();
	}
}

static void config_check(const struct config *config)
{
	const struct config_process *process = &config->process;

	if (!process->args[0] || !*process->args[0] || process->cwd[0] != '/' ||
	    process->uid == (uid_t)-1 || process->gid == (gid_t)-1 || process->umask > 0777)
		abort();
	for (size_t i = 0; i < process->n_additional_gids; i++) {
		if (process->additional_gids[i] == (gid_t)-1)
			abort();
	}
	for (size_t i = 0; i < config->n_devices; i++) {
		if (config->devices[i].path[0] != '/' || config->devices[i].uid == (uid_t)-1 ||
		    !(config->devices[i].mode & S_IFMT))
			abort();
	}
	if (config->n_namespaces > CONFIG_MAX_NAMESPACES || !*config->root_path)
		abort();
	mounts_check(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_config_ struct config config = {};
	struct error error;

	error_init(&error);
	if (json_parse(&config.document, (const char *)bytes, n_bytes, &error) < 0 ||
	    config_fill(&config, &error) < 0) {
		if (!error.message[0])
			abort();
		return 0;
	}
	config_check(&config);
	if (sysctl_check(&config, &error) < 0 && !error.message[0])
		abort();
	return 0;
}
