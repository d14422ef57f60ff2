/* SPDX-License-Identifier: MIT */
/*
 * `linux.namespaces`, and what belongs to one of them: id mappings, time offsets, interfaces.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/syscalls.h"
#include "base/text.h"
#include "launch/config/sections.h"
#include "launch/config/value.h"

static const struct {
	const char *type;
	int flag;
} namespace_types[] = {
	{ "pid", CLONE_NEWPID },   { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },   { "uts", CLONE_NEWUTS },	{ "cgroup", CLONE_NEWCGROUP },
	{ "user", CLONE_NEWUSER }, { "time", CLONE_NEWTIME },
};

static int namespace_parse(struct config *config, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	const char *path;
	int r = value_string(json_get(value, "path"), "linux.namespaces.path", &path, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(namespace_types) / sizeof(namespace_types[0]); i++) {
		if (strcmp(namespace_types[i].type, type))
			continue;
		if (config_find_namespace(config, namespace_types[i].flag))
			return error_say(error, -EINVAL, "'linux.namespaces': '%s' twice", type);
		config->namespaces[config->n_namespaces++] = (struct config_namespace){
			.flag = namespace_types[i].flag,
			.type = namespace_types[i].type,
			.path = path && *path ? path : NULL,
		};
		return 0;
	}
	return error_say(error, -EOPNOTSUPP, "'linux.namespaces': type '%s' is not supported",
			 type);
}

int config_process_ids_check(const struct config *config, const struct config_process *process,
			     struct error *error)
{
	const struct id_maps *maps = &config->id_maps;

	/* Those of a namespace that is joined are known to the kernel alone. */
	if (maps->uids.n_ranges == 0)
		return 0;
	if (!id_map_contains(&maps->uids, process->uid))
		return error_say(error, -EINVAL,
				 "'process.user.uid': %u isn't mapped by 'linux.uidMappings'",
				 process->uid);
	if (!id_map_contains(&maps->gids, process->gid))
		return error_say(error, -EINVAL,
				 "'process.user.gid': %u isn't mapped by 'linux.gidMappings'",
				 process->gid);
	for (size_t i = 0; i < process->n_additional_gids; i++) {
		if (!id_map_contains(&maps->gids, process->additional_gids[i]))
			return error_say(error, -EINVAL,
					 "'process.user.additionalGids': %u isn't mapped by "
					 "'linux.gidMappings'",
					 process->additional_gids[i]);
	}
	return 0;
}

/* The kernel says EINVAL, and not why. */
static int mount_ids_check(const struct config *config, size_t i, struct error *error)
{
	const struct config_mount *mount = &config->mounts[i];
	const struct id_maps *maps = &config->id_maps;

	for (char **option = mount->data; !mount->is_bind && *option; option++) {
		const char *uid = string_has_prefix(*option, "uid=");
		const char *gid = string_has_prefix(*option, "gid=");
		uint64_t id;

		if ((!uid && !gid) || string_to_uint64(uid ? uid : gid, UINT32_MAX, &id) < 0)
			continue;
		if (!id_map_contains(uid ? &maps->uids : &maps->gids, (uint32_t)id))
			return error_say(error, -EINVAL,
					 "'mounts[%zu]' '%s': option '%s': %llu isn't mapped by "
					 "'linux.%s'",
					 i, mount->destination, *option, (unsigned long long)id,
					 uid ? "uidMappings" : "gidMappings");
	}
	return 0;
}

static int device_ids_check(const struct config *config, size_t i, struct error *error)
{
	const struct config_device *device = &config->devices[i];

	/* Others are the host's own nodes, which keep their owners. */
	if (!S_ISFIFO(device->mode) || (id_map_contains(&config->id_maps.uids, device->uid) &&
					id_map_contains(&config->id_maps.gids, device->gid)))
		return 0;
	return error_say(error, -EINVAL,
			 "'linux.devices[%zu]' '%s': its owner %u:%u isn't mapped by "
			 "'linux.uidMappings' and 'linux.gidMappings'",
			 i, device->path, device->uid, device->gid);
}

int config_ids_check(const struct config *config, struct error *error)
{
	const struct id_maps *maps = &config->id_maps;
	int r = config_process_ids_check(config, &config->process, error);

	for (size_t i = 0; r == 0 && i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (mount->is_idmapped && mount->id_maps.uids.n_ranges == 0 &&
		    !config_find_namespace(config, CLONE_NEWUSER))
			r = error_say(
				error, -EINVAL,
				"'mounts[%zu]' '%s': to be idmapped it needs 'uidMappings' and "
				"'gidMappings', or a user namespace",
				i, mount->destination);
	}
	if (r < 0 || maps->uids.n_ranges == 0)
		return r;
	for (size_t i = 0; r == 0 && i < config->n_mounts; i++)
		r = mount_ids_check(config, i, error);
	for (size_t i = 0; r == 0 && i < config->n_devices; i++)
		r = device_ids_check(config, i, error);
	return r;
}

static int id_maps_check(const struct config *config, struct error *error)
{
	const struct config_namespace *user = config_find_namespace(config, CLONE_NEWUSER);
	const struct id_maps *maps = &config->id_maps;

	if (!user && (maps->uids.n_ranges || maps->gids.n_ranges))
		return error_say(
			error, -EINVAL,
			"'linux.uidMappings' and 'linux.gidMappings' need a user namespace");
	if (!maps->uids.n_ranges != !maps->gids.n_ranges)
		return error_say(error, -EINVAL, "'linux.%s' is missing",
				 maps->uids.n_ranges ? "gidMappings" : "uidMappings");
	if (user && !user->path && !maps->uids.n_ranges)
		return error_say(error, -EINVAL,
				 "'linux.uidMappings' and 'linux.gidMappings' are missing: a new "
				 "user namespace needs them");
	return 0;
}

static int time_offset_parse(struct config *config, struct json_value value, struct error *error)
{
	static const char *const clocks[] = { "monotonic", "boottime" };
	static const char *const members[] = { "secs", "nanosecs", NULL };
	struct config_time_offset *offset = &config->time_offsets[config->n_time_offsets];
	uint64_t nanoseconds = 0;
	char field[64];
	int r;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (!strcmp(clocks[i], json_key(value)))
			offset->clock = clocks[i];
	}
	if (!offset->clock)
		return error_say(error, -EINVAL,
				 "'linux.timeOffsets': '%s' is no clock that can be set off",
				 json_key(value));
	snprintf(field, sizeof(field), "linux.timeOffsets.%s", offset->clock);
	r = value_check_type(value, field, JSON_OBJECT, error);
	if (r == 0)
		r = value_refuse_unknown(value, field, members, error);
	if (r == 0 && json_exists(json_get(value, "secs")))
		r = value_int(json_get(value, "secs"), field, INT64_MIN, INT64_MAX,
			      &offset->seconds, error);
	if (r == 0 && json_exists(json_get(value, "nanosecs")))
		r = value_uint(json_get(value, "nanosecs"), field, 999999999, &nanoseconds, error);
	offset->nanoseconds = (uint32_t)nanoseconds;
	config->n_time_offsets++;
	return r;
}

static int time_offsets_parse(struct config *config, struct json_value value, struct error *error)
{
	int r = value_check_type(value, "linux.timeOffsets", JSON_OBJECT, error);

	if (r < 0 || json_count(value) == 0)
		return r;
	if (!config_has_own_namespace(config, CLONE_NEWTIME))
		return error_say(error, -EINVAL,
				 "'linux.timeOffsets' needs a time namespace of its own");
	JSON_FOR_EACH (member, value) {
		r = time_offset_parse(config, member, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* net/core/dev.c, dev_valid_name() */
static bool net_name_is_valid(const char *name)
{
	return name && *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/: \t\n\v\f\r");
}

static int net_device_parse(struct config *config, struct json_value value, struct error *error)
{
	static const char *const members[] = { "name", NULL };
	struct config_net_device *device = &config->net_devices[config->n_net_devices++];
	int r;

	device->host_name = json_key(value);
	if (!net_name_is_valid(device->host_name))
		return error_say(error, -EINVAL, "'linux.netDevices': '%s' is no interface's name",
				 device->host_name);
	r = value_check_type(value, "linux.netDevices", JSON_OBJECT, error);
	if (r == 0)
		r = value_refuse_unknown(value, "linux.netDevices", members, error);
	if (r == 0)
		r = value_string(json_get(value, "name"), "linux.netDevices.name", &device->name,
				 error);
	if (r < 0)
		return r;
	if (!device->name || !*device->name)
		device->name = device->host_name;
	if (!net_name_is_valid(device->name))
		return error_say(error, -EINVAL, "'linux.netDevices': '%s' is no interface's name",
				 device->name);
	for (size_t i = 0; i + 1 < config->n_net_devices; i++) {
		if (!strcmp(config->net_devices[i].name, device->name))
			return error_say(error, -EINVAL, "'linux.netDevices': two are named '%s'",
					 device->name);
	}
	return 0;
}

static int net_devices_parse(struct config *config, struct json_value value, struct error *error)
{
	int r = value_check_type(value, "linux.netDevices", JSON_OBJECT, error);

	if (r < 0 || json_count(value) == 0)
		return r;
	/* Without one they would stay the host's, and get other names. */
	if (!config_find_namespace(config, CLONE_NEWNET))
		return error_say(error, -EINVAL, "'linux.netDevices' needs a network namespace");
	config->net_devices = calloc(json_count(value), sizeof(*config->net_devices));
	if (!config->net_devices)
		return error_set(error, -ENOMEM, "'linux.netDevices'");
	JSON_FOR_EACH (member, value) {
		r = net_device_parse(config, member, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_namespaces_parse(struct config *config, struct json_value value, struct error *error)
{
	struct json_value namespaces = json_get(value, "namespaces");
	int r = value_check_type(namespaces, "linux.namespaces", JSON_ARRAY, error);

	if (r < 0)
		return r;
	JSON_FOR_EACH (element, namespaces) {
		r = namespace_parse(config, element, error);
		if (r < 0)
			return r;
	}
	r = id_map_parse(&config->id_maps.uids, json_get(value, "uidMappings"), "linux.uidMappings",
			 error);
	if (r == 0)
		r = id_map_parse(&config->id_maps.gids, json_get(value, "gidMappings"),
				 "linux.gidMappings", error);
	if (r == 0)
		r = id_maps_check(config, error);
	if (r == 0)
		r = time_offsets_parse(config, json_get(value, "timeOffsets"), error);
	return r == 0 ? net_devices_parse(config, json_get(value, "netDevices"), error) : r;
}

const struct config_namespace *config_find_namespace(const struct config *config, int flag)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag == flag)
			return &config->namespaces[i];
	}
	return NULL;
}

bool config_has_own_namespace(const struct config *config, int flag)
{
	const struct config_namespace *wanted = config_find_namespace(config, flag);

	return wanted && (!wanted->path || !*wanted->path);
}
