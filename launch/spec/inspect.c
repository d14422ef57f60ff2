/* SPDX-License-Identifier: MIT */
#include "launch/spec/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "launch/spec/environment.h"

/* "NAME=value" as members of an object. */
static void pairs_write(struct json_writer *writer, const struct string_list *pairs)
{
	STRING_LIST_FOR_EACH (pairs, i) {
		const char *pair = pairs->items[i];
		size_t n = strcspn(pair, "=");
		_cleanup_free_ char *key = strndup(pair, n);

		writer->buffer.failed |= !key;
		if (key)
			json_write_string(writer, key, pair[n] ? pair + n + 1 : "");
	}
}

static void labels_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct string_list *asked = &container->request->labels;

	json_write_object_begin(writer, "Labels");
	JSON_FOR_EACH (value, json_get(container->image, "Labels")) {
		const char *key = json_key(value);
		bool is_replaced = false;

		STRING_LIST_FOR_EACH (asked, i) {
			size_t n = strcspn(asked->items[i], "=");

			is_replaced |= strlen(key) == n && !strncmp(asked->items[i], key, n);
		}
		if (!is_replaced && json_string(value))
			json_write_string(writer, key, json_string(value));
	}
	pairs_write(writer, asked);
	json_write_object_end(writer);
}

/* A member as the image has it, or null: Docker shows both. */
static void image_value_write(const struct spec_container *container, struct json_writer *writer,
			      const char *key, bool always)
{
	struct json_value value = json_get(container->image, key);

	if (json_exists(value))
		json_write_value(writer, key, value);
	else if (always)
		json_write_string(writer, key, NULL);
}

/* The name that the image was asked for by: the second word of the bundle's `image`. */
static void image_name_write(const struct spec_container *container, struct json_writer *writer,
			     char **ret_digest)
{
	_cleanup_free_ char *text = NULL;
	char *digest = NULL, *name = NULL, *rest = NULL;

	if (file_read_at(container->bundle_fd, "image", 64 * 1024, &text, NULL) == 0) {
		digest = strtok_r(text, " \n", &rest);
		name = strtok_r(NULL, "\n", &rest);
	}
	json_write_string(writer, "Image", name ? name : digest ? digest : "");
	*ret_digest = digest ? strdup(digest) : NULL;
}

static void config_write(const struct spec_container *container, struct json_writer *writer,
			 char **ret_digest)
{
	const struct spec_request *request = container->request;
	const struct spec_options *options = request->options;
	const char *domainname = options->domainname, *directory = options->workdir;
	struct json_value image_stop = json_get(container->image, "StopSignal");

	json_write_object_begin(writer, "Config");
	json_write_string(writer, "Hostname", container->hostname);
	json_write_string(writer, "Domainname", domainname ? domainname : "");
	json_write_string(writer, "User", container->user);
	json_write_bool(writer, "AttachStdin", options->interactive);
	json_write_bool(writer, "AttachStdout", true);
	json_write_bool(writer, "AttachStderr", true);
	image_value_write(container, writer, "ExposedPorts", false);
	json_write_bool(writer, "Tty", options->tty);
	json_write_bool(writer, "OpenStdin", options->interactive);
	json_write_bool(writer, "StdinOnce", options->interactive);
	spec_write_strings(writer, "Env", &container->environment, false);
	spec_write_strings(writer, "Cmd", &container->command, true);
	image_value_write(container, writer, "Healthcheck", false);
	image_name_write(container, writer, ret_digest);
	image_value_write(container, writer, "Volumes", true);
	json_write_string(writer, "WorkingDir",
			  directory ? container->working_directory
				    : json_string_or(json_get(container->image, "WorkingDir"), ""));
	spec_write_strings(writer, "Entrypoint", &container->entrypoint, true);
	image_value_write(container, writer, "OnBuild", true);
	labels_write(container, writer);
	if (request->stop_signal)
		json_write_string(writer, "StopSignal", request->stop_signal);
	else if (json_string(image_stop))
		json_write_string(writer, "StopSignal", json_string(image_stop));
	if (options->stop_timeout)
		json_write_int(writer, "StopTimeout", request->stop_timeout);
	json_write_object_end(writer);
}

static void isolation_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct spec_request *request = container->request;
	const struct spec_options *options = request->options;
	_cleanup_strings_ struct string_list security = {};

	json_write_string(writer, "NetworkMode", spec_network_name(&request->network));
	spec_write_strings(writer, "CapAdd", &options->cap_add, true);
	spec_write_strings(writer, "CapDrop", &options->cap_drop, true);
	json_write_string(writer, "CgroupnsMode", request->host_cgroup ? "host" : "private");
	spec_write_strings(writer, "GroupAdd", &options->group_add, true);
	json_write_string(writer, "IpcMode",
			  request->host_ipc ? "host"
			  : request->no_shm ? "none"
					    : "private");
	json_write_string(writer, "PidMode", request->host_pid ? "host" : "");
	json_write_string(writer, "UTSMode", request->host_uts ? "host" : "");
	json_write_string(writer, "UsernsMode",
			  options->userns && *options->userns ? options->userns : "");
	json_write_bool(writer, "Privileged", options->privileged);
	json_write_bool(writer, "ReadonlyRootfs", options->read_only);
	/* Docker shows what it makes of "systempaths" as the paths below, not here. */
	STRING_LIST_FOR_EACH (&options->security_opts, i) {
		if (!string_has_prefix(options->security_opts.items[i], "systempaths") &&
		    string_list_add(&security, options->security_opts.items[i]) < 0)
			writer->buffer.failed = true;
	}
	spec_write_strings(writer, "SecurityOpt", &security, true);
	if (!spec_paths_are_confined(container)) {
		json_write_array_begin(writer, "MaskedPaths");
		json_write_array_end(writer);
		json_write_array_begin(writer, "ReadonlyPaths");
	} else {
		spec_masked_paths_write(writer, "MaskedPaths");
		json_write_array_begin(writer, "ReadonlyPaths");
		for (size_t i = 0; spec_readonly_paths[i]; i++)
			json_write_string(writer, NULL, spec_readonly_paths[i]);
	}
	json_write_array_end(writer);
	json_write_object_begin(writer, "Sysctls");
	pairs_write(writer, &options->sysctls);
	json_write_object_end(writer);
	if (options->init)
		json_write_bool(writer, "Init", true);
}

static void devices_write(const struct spec_options *options, struct json_writer *writer)
{
	json_write_array_begin(writer, "Devices");
	STRING_LIST_FOR_EACH (&options->devices, i) {
		const char *text = options->devices.items[i];
		size_t n_host = strcspn(text, ":");
		const char *second = text[n_host] ? text + n_host + 1 : NULL;
		const char *third = second ? strchr(second, ':') : NULL;
		/* HOST:ACCESS, where it is of "rwm" alone */
		bool second_is_access = second && !third && *second != '/';
		_cleanup_free_ char *host = strndup(text, n_host);
		_cleanup_free_ char *inside =
			second && !second_is_access && *second != ':'
				? strndup(second, third ? (size_t)(third - second) : strlen(second))
				: strndup(text, n_host);

		writer->buffer.failed |= !host || !inside;
		json_write_object_begin(writer, NULL);
		json_write_string(writer, "PathOnHost", host);
		json_write_string(writer, "PathInContainer", inside);
		json_write_string(writer, "CgroupPermissions",
				  third		     ? third + 1
				  : second_is_access ? second
						     : "rwm");
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	spec_write_strings(writer, "DeviceCgroupRules", &options->device_cgroup_rules, true);
}

static void ulimits_write(const struct spec_limits *limits, struct json_writer *writer)
{
	if (limits->n_ulimits == 0) {
		json_write_string(writer, "Ulimits", NULL);
		return;
	}
	json_write_array_begin(writer, "Ulimits");
	for (size_t i = 0; i < limits->n_ulimits; i++) {
		json_write_object_begin(writer, NULL);
		json_write_string(writer, "Name", limits->ulimits[i].name);
		json_write_int(writer, "Hard", (int64_t)limits->ulimits[i].hard);
		json_write_int(writer, "Soft", (int64_t)limits->ulimits[i].soft);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void resources_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct spec_limits *limits = &container->request->limits;
	const struct spec_options *options = container->request->options;
	/* --cpus is NanoCpus; what it was turned into isn't shown. */
	bool by_quota = !limits->nano_cpus;

	json_write_int(writer, "OomScoreAdj", limits->oom_score_adj);
	json_write_uint(writer, "ShmSize", limits->shm_bytes);
	json_write_uint(writer, "CpuShares", limits->cpu_shares);
	json_write_uint(writer, "Memory", limits->memory);
	json_write_uint(writer, "NanoCpus", limits->nano_cpus);
	json_write_string(writer, "CgroupParent",
			  options->cgroup_parent ? options->cgroup_parent : "");
	json_write_uint(writer, "CpuPeriod", by_quota ? limits->cpu_period : 0);
	json_write_int(writer, "CpuQuota", by_quota ? limits->cpu_quota : 0);
	json_write_string(writer, "CpusetCpus", limits->cpuset_cpus ? limits->cpuset_cpus : "");
	json_write_string(writer, "CpusetMems", limits->cpuset_mems ? limits->cpuset_mems : "");
	devices_write(options, writer);
	json_write_uint(writer, "MemoryReservation", limits->memory_reservation);
	json_write_int(writer, "MemorySwap", limits->memory_swap);
	if (limits->pids)
		json_write_int(writer, "PidsLimit", limits->pids);
	else
		json_write_string(writer, "PidsLimit", NULL);
	ulimits_write(limits, writer);
}

/* Docker's Mounts: what volctl attached. */
static void mounts_write(const struct spec_container *container, struct json_writer *writer)
{
	json_write_array_begin(writer, "Mounts");
	for (size_t i = 0; i < container->mounts.n_items; i++) {
		const struct bundle_mount *mount = &container->mounts.items[i];
		const char *propagation = "rprivate";
		static const char *const propagations[] = { "private", "shared", "rshared", "slave",
							    "rslave" };

		for (size_t p = 0; p < sizeof(propagations) / sizeof(propagations[0]); p++) {
			if (string_list_contains(&mount->options, propagations[p]))
				propagation = propagations[p];
		}
		json_write_object_begin(writer, NULL);
		json_write_string(writer, "Type", mount->volume ? "volume" : mount->type);
		if (mount->volume)
			json_write_string(writer, "Name", mount->volume);
		json_write_string(writer, "Source",
				  strcmp(mount->type, "tmpfs") ? mount->source : "");
		json_write_string(writer, "Destination", mount->destination);
		json_write_bool(writer, "RW", !string_list_contains(&mount->options, "ro"));
		json_write_string(writer, "Propagation",
				  strcmp(mount->type, "bind") || mount->volume ? "" : propagation);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void created_write(struct json_writer *writer)
{
	struct timespec now;
	struct tm broken;
	char text[64];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &broken);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &broken);
	snprintf(text + n, sizeof(text) - n, ".%09ldZ", now.tv_nsec);
	json_write_string(writer, "Created", text);
}

static void program_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct string_list *lists[] = { &container->entrypoint, &container->command };
	bool is_first = true;

	for (size_t l = 0; l < 2; l++) {
		STRING_LIST_FOR_EACH (lists[l], i) {
			if (is_first) {
				json_write_string(writer, "Path", lists[l]->items[i]);
				json_write_array_begin(writer, "Args");
			} else {
				json_write_string(writer, NULL, lists[l]->items[i]);
			}
			is_first = false;
		}
	}
	json_write_array_end(writer);
}

void spec_inspect_write(const struct spec_container *container, struct json_writer *writer)
{
	_cleanup_free_ char *digest = NULL;

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "Id", container->id);
	created_write(writer);
	program_write(container, writer);
	config_write(container, writer, &digest);
	json_write_string(writer, "Image", digest ? digest : "");
	json_write_object_begin(writer, "HostConfig");
	isolation_write(container, writer);
	resources_write(container, writer);
	json_write_object_end(writer);
	mounts_write(container, writer);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
}
