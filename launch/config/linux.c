/* SPDX-License-Identifier: MIT */
/*
 * `linux`: devices, and what others read from there later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/syscalls.h"
#include "launch/config/sections.h"
#include "launch/config/value.h"

static int device_parse(struct config_device *device, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	uint64_t major = 0, minor = 0, mode = 0666;
	int r = 0;

	device->path = json_string(json_get(value, "path"));
	if (!device->path || *device->path != '/')
		return error_say(error, -EINVAL,
				 "'linux.devices': a device without an absolute path");
	if (strcmp(type, "p")) {
		r = value_uint(json_get(value, "major"), "linux.devices.major", 0xfff, &major,
			       error);
		if (r == 0)
			r = value_uint(json_get(value, "minor"), "linux.devices.minor", 0xfffff,
				       &minor, error);
	}
	if (r == 0 && json_exists(json_get(value, "fileMode")))
		r = value_uint(json_get(value, "fileMode"), "linux.devices.fileMode", 0177777,
			       &mode, error);
	if (r == 0)
		r = value_id(json_get(value, "uid"), "linux.devices.uid", &device->uid, error);
	if (r == 0)
		r = value_id(json_get(value, "gid"), "linux.devices.gid", &device->gid, error);
	if (r < 0)
		return r;
	device->mode = (mode_t)mode & 07777;
	device->device = makedev((unsigned int)major, (unsigned int)minor);
	if (!strcmp(type, "c") || !strcmp(type, "u"))
		device->mode |= S_IFCHR;
	else if (!strcmp(type, "b"))
		device->mode |= S_IFBLK;
	else if (!strcmp(type, "p"))
		device->mode |= S_IFIFO;
	else
		return error_say(error, -EINVAL, "'linux.devices': '%s' has the unknown type '%s'",
				 device->path, type);
	return 0;
}

static int propagation_parse(struct config *config, struct json_value value, struct error *error)
{
	static const struct {
		const char *word;
		unsigned long flags;
	} words[] = {
		{ "private", MS_PRIVATE },	 { "rprivate", MS_PRIVATE | MS_REC },
		{ "slave", MS_SLAVE },		 { "rslave", MS_SLAVE | MS_REC },
		{ "shared", MS_SHARED },	 { "rshared", MS_SHARED | MS_REC },
		{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
	};
	const char *word;
	int r = value_string(value, "linux.rootfsPropagation", &word, error);

	if (r < 0)
		return r;
	config->root_propagation = MS_PRIVATE | MS_REC;
	if (!word || !*word)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word))
			continue;
		config->root_propagation = words[i].flags;
		return 0;
	}
	return error_say(error, -EINVAL, "'linux.rootfsPropagation' is '%s'", word);
}

int config_linux_parse(struct config *config, struct json_value value, struct error *error)
{
	static const struct {
		const char *name, *field;
		enum json_type type;
	} types[] = {
		{ "devices", "linux.devices", JSON_ARRAY },
		{ "resources", "linux.resources", JSON_OBJECT },
		{ "seccomp", "linux.seccomp", JSON_OBJECT },
		{ "sysctl", "linux.sysctl", JSON_OBJECT },
	};
	struct json_value devices = json_get(value, "devices");
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(types) / sizeof(types[0]); i++)
		r = value_check_type(json_get(value, types[i].name), types[i].field, types[i].type,
				     error);
	if (r < 0)
		return r;
	r = config_namespaces_parse(config, value, error);
	if (r < 0)
		return r;
	config->devices = calloc(json_count(devices) + 1, sizeof(*config->devices));
	if (!config->devices)
		return error_set(error, -ENOMEM, "'linux.devices'");
	JSON_FOR_EACH (element, devices) {
		r = device_parse(&config->devices[config->n_devices++], element, error);
		if (r < 0)
			return r;
	}
	r = value_string(json_get(value, "cgroupsPath"), "linux.cgroupsPath", &config->cgroups_path,
			 error);
	if (r < 0)
		return r;
	if (config->cgroups_path && !*config->cgroups_path)
		config->cgroups_path = NULL;
	config->resources = json_get(value, "resources");
	config->seccomp = json_get(value, "seccomp");
	config->sysctl = json_get(value, "sysctl");
	r = value_name(json_get(value, "mountLabel"), "linux.mountLabel", &config->mount_label,
		       error);
	if (r == 0)
		r = config_rdt_parse(&config->rdt, json_get(value, "intelRdt"), error);
	if (r == 0)
		r = config_placement_parse(config, value, error);
	if (r < 0)
		return r;
	r = propagation_parse(config, json_get(value, "rootfsPropagation"), error);
	if (r == 0)
		r = value_strings(json_get(value, "maskedPaths"), "linux.maskedPaths",
				  &config->masked_paths, error);
	if (r == 0)
		r = value_strings(json_get(value, "readonlyPaths"), "linux.readonlyPaths",
				  &config->read_only_paths, error);
	return r;
}
