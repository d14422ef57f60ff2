/* SPDX-License-Identifier: MIT */
#include "launch/spec/container.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "launch/capability.h"
#include "launch/seccomp/arch.h"
#include "launch/seccomp/default_profile.h"

void spec_write_strings(struct json_writer *writer, const char *key, const struct string_list *list,
			bool null_if_empty)
{
	if (null_if_empty && list->n_items == 0) {
		json_write_string(writer, key, NULL);
		return;
	}
	json_write_array_begin(writer, key);
	STRING_LIST_FOR_EACH (list, i)
		json_write_string(writer, NULL, list->items[i]);
	json_write_array_end(writer);
}

static void capability_set_write(struct json_writer *writer, const char *key, uint64_t set)
{
	json_write_array_begin(writer, key);
	for (unsigned int i = 0; i < 64; i++) {
		if (set & CAPABILITY_BIT(i))
			json_write_string(writer, NULL, capability_name(i));
	}
	json_write_array_end(writer);
}

/*
 * Not root: only the bounding set, as an execve() by such a user would leave it (moby,
 * oci.SetCapabilities). Inheritable and ambient are never anything (CVE-2022-24769).
 */
static void capabilities_write(const struct spec_container *container, struct json_writer *writer)
{
	uint64_t set = container->request->capabilities;
	uint64_t held = container->ids.uid == 0 ? set : 0;

	json_write_object_begin(writer, "capabilities");
	capability_set_write(writer, "bounding", set);
	capability_set_write(writer, "effective", held);
	capability_set_write(writer, "permitted", held);
	json_write_object_end(writer);
}

static void user_write(const struct spec_container *container, struct json_writer *writer)
{
	json_write_object_begin(writer, "user");
	json_write_uint(writer, "uid", container->ids.uid);
	json_write_uint(writer, "gid", container->ids.gid);
	json_write_uint(writer, "umask", 0022);
	json_write_array_begin(writer, "additionalGids");
	for (size_t i = 0; i < container->ids.n_groups; i++)
		json_write_uint(writer, NULL, container->ids.groups[i]);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void rlimits_write(const struct spec_limits *limits, struct json_writer *writer)
{
	if (limits->n_ulimits == 0)
		return;
	json_write_array_begin(writer, "rlimits");
	for (size_t i = 0; i < limits->n_ulimits; i++) {
		const struct spec_ulimit *limit = &limits->ulimits[i];
		char type[32];
		int n = snprintf(type, sizeof(type), "RLIMIT_%s", limit->name);

		for (int c = 0; c < n; c++)
			type[c] = (char)toupper((unsigned char)type[c]);
		json_write_object_begin(writer, NULL);
		json_write_string(writer, "type", type);
		json_write_uint(writer, "hard", limit->hard);
		json_write_uint(writer, "soft", limit->soft);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void arguments_write(const struct spec_container *container, struct json_writer *writer)
{
	json_write_array_begin(writer, "args");
	if (container->request->init_path) {
		json_write_string(writer, NULL, "/sbin/docker-init");
		json_write_string(writer, NULL, "--");
	}
	STRING_LIST_FOR_EACH (&container->entrypoint, i)
		json_write_string(writer, NULL, container->entrypoint.items[i]);
	STRING_LIST_FOR_EACH (&container->command, i)
		json_write_string(writer, NULL, container->command.items[i]);
	json_write_array_end(writer);
}

static void process_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct spec_request *request = container->request;

	json_write_object_begin(writer, "process");
	if (request->options->tty)
		json_write_bool(writer, "terminal", true);
	user_write(container, writer);
	arguments_write(container, writer);
	json_write_array_begin(writer, "env");
	STRING_LIST_FOR_EACH (&container->process_environment, i) {
		/* A name alone: it is not to be there. */
		if (strchr(container->process_environment.items[i], '='))
			json_write_string(writer, NULL, container->process_environment.items[i]);
	}
	json_write_array_end(writer);
	json_write_string(writer, "cwd", container->working_directory);
	capabilities_write(container, writer);
	rlimits_write(&request->limits, writer);
	if (request->no_new_privileges)
		json_write_bool(writer, "noNewPrivileges", true);
	if (request->apparmor_profile && !request->options->privileged)
		json_write_string(writer, "apparmorProfile", request->apparmor_profile);
	json_write_int(writer, "oomScoreAdj", request->limits.oom_score_adj);
	json_write_object_end(writer);
}

static void device_rule_write(struct json_writer *writer, bool allow, char type, int64_t major,
			      int64_t minor, const char *access)
{
	char type_text[2] = { type, '\0' };

	json_write_object_begin(writer, NULL);
	json_write_bool(writer, "allow", allow);
	if (type)
		json_write_string(writer, "type", type_text);
	/* Absent means any, in the specification; Docker's -1 is runc's own. */
	if (major >= 0)
		json_write_int(writer, "major", major);
	if (minor >= 0)
		json_write_int(writer, "minor", minor);
	json_write_string(writer, "access", access);
	json_write_object_end(writer);
}

/* Nothing but zero, null, urandom, random, tty and console; and what was asked for. */
static void device_rules_write(const struct spec_request *request, struct json_writer *writer)
{
	static const struct {
		bool allow;
		int major, minor;
	} defaults[] = { { true, 1, 5 }, { true, 1, 3 }, { true, 1, 9 },    { true, 1, 8 },
			 { true, 5, 0 }, { true, 5, 1 }, { false, 10, 229 } /* fuse */ };
	const struct spec_devices *devices = &request->devices;

	json_write_array_begin(writer, "devices");
	device_rule_write(writer, request->options->privileged, '\0', -1, -1, "rwm");
	for (size_t i = 0;
	     !request->options->privileged && i < sizeof(defaults) / sizeof(*defaults); i++)
		device_rule_write(writer, defaults[i].allow, 'c', defaults[i].major,
				  defaults[i].minor, "rwm");
	for (size_t i = 0; !request->options->privileged && i < devices->n_items; i++) {
		const struct spec_device *device = &devices->items[i];

		device_rule_write(writer, true, device->type, device->major, device->minor,
				  device->access);
	}
	for (size_t i = 0; i < devices->n_rules; i++) {
		const struct spec_device_rule *rule = &devices->rules[i];

		device_rule_write(writer, true, rule->type, rule->major, rule->minor, rule->access);
	}
	json_write_array_end(writer);
}

static void cpu_write(const struct spec_limits *limits, struct json_writer *writer)
{
	if (!limits->cpu_shares && !limits->cpu_quota && !limits->cpu_period &&
	    !limits->cpuset_cpus && !limits->cpuset_mems)
		return;
	json_write_object_begin(writer, "cpu");
	if (limits->cpu_shares)
		json_write_uint(writer, "shares", limits->cpu_shares);
	if (limits->cpu_quota)
		json_write_int(writer, "quota", limits->cpu_quota);
	if (limits->cpu_period)
		json_write_uint(writer, "period", limits->cpu_period);
	if (limits->cpuset_cpus)
		json_write_string(writer, "cpus", limits->cpuset_cpus);
	if (limits->cpuset_mems)
		json_write_string(writer, "mems", limits->cpuset_mems);
	json_write_object_end(writer);
}

static void resources_write(const struct spec_request *request, struct json_writer *writer)
{
	const struct spec_limits *limits = &request->limits;

	json_write_object_begin(writer, "resources");
	device_rules_write(request, writer);
	if (limits->memory || limits->memory_reservation) {
		json_write_object_begin(writer, "memory");
		if (limits->memory)
			json_write_uint(writer, "limit", limits->memory);
		if (limits->memory_reservation)
			json_write_uint(writer, "reservation", limits->memory_reservation);
		/* No limit is what a new cgroup has. */
		if (limits->memory_swap > 0)
			json_write_int(writer, "swap", limits->memory_swap);
		json_write_object_end(writer);
	}
	cpu_write(limits, writer);
	if (limits->pids) {
		json_write_object_begin(writer, "pids");
		json_write_int(writer, "limit", limits->pids);
		json_write_object_end(writer);
	}
	json_write_object_end(writer);
}

static void devices_write(const struct spec_devices *devices, struct json_writer *writer)
{
	if (devices->n_items == 0)
		return;
	json_write_array_begin(writer, "devices");
	for (size_t i = 0; i < devices->n_items; i++) {
		const struct spec_device *device = &devices->items[i];
		char type[2] = { device->type, '\0' };

		json_write_object_begin(writer, NULL);
		json_write_string(writer, "path", device->path);
		json_write_string(writer, "type", type);
		json_write_uint(writer, "major", device->major);
		json_write_uint(writer, "minor", device->minor);
		json_write_uint(writer, "fileMode", device->mode);
		json_write_uint(writer, "uid", device->uid);
		json_write_uint(writer, "gid", device->gid);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

/* A sysctl that was asked for wins over Docker's own; of two with one name the last. */
static void sysctl_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct spec_request *request = container->request;
	const struct string_list *asked = &request->options->sysctls;
	const char *domainname = request->options->domainname;
	bool port = request->network.kind == SPEC_NETWORK_NONE ||
		    request->network.kind == SPEC_NETWORK_PASTA,
	     ping = port;

	for (size_t i = 0; i < asked->n_items; i++) {
		port &= !string_has_prefix(asked->items[i], "net.ipv4.ip_unprivileged_port_start=");
		ping &= !string_has_prefix(asked->items[i], "net.ipv4.ping_group_range=");
	}
	json_write_object_begin(writer, "sysctl");
	if (port)
		json_write_string(writer, "net.ipv4.ip_unprivileged_port_start", "0");
	if (ping)
		json_write_string(writer, "net.ipv4.ping_group_range", "0 2147483647");
	if (domainname && *domainname)
		json_write_string(writer, "kernel.domainname", domainname);
	STRING_LIST_FOR_EACH (asked, i) {
		const char *item = asked->items[i];
		size_t n = strcspn(item, "=");
		char key[256];
		bool is_last = true;

		for (size_t later = i + 1; later < asked->n_items; later++)
			is_last &= strncmp(asked->items[later], item, n + 1) != 0;
		if (!is_last || n >= sizeof(key))
			continue;
		memcpy(key, item, n);
		key[n] = '\0';
		json_write_string(writer, key, item + n + 1);
	}
	json_write_object_end(writer);
}

static void namespaces_write(const struct spec_request *request, struct json_writer *writer)
{
	const struct {
		const char *type;
		bool is_private;
		const char *path;
	} namespaces[] = {
		{ "mount", true },
		{ "network", request->network.kind != SPEC_NETWORK_HOST, request->network.path },
		{ "uts", !request->host_uts },
		{ "pid", !request->host_pid },
		{ "ipc", !request->host_ipc },
		{ "cgroup", !request->host_cgroup },
	};

	json_write_array_begin(writer, "namespaces");
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		if (!namespaces[i].is_private)
			continue;
		json_write_object_begin(writer, NULL);
		json_write_string(writer, "type", namespaces[i].type);
		if (namespaces[i].path)
			json_write_string(writer, "path", namespaces[i].path);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void cgroups_path_write(const struct spec_container *container, struct json_writer *writer)
{
	const char *parent = container->request->options->cgroup_parent;
	_cleanup_free_ char *path =
		string_format("%s/%s", parent && *parent ? parent : "/lamina", container->id);

	writer->buffer.failed |= !path;
	json_write_string(writer, "cgroupsPath", path);
}

/* The privileged are confined only by a profile that was asked for. */
static void seccomp_write(const struct spec_request *request, struct json_writer *writer)
{
	enum seccomp_arch_index arch = seccomp_native_arch();

	if (request->seccomp_profile)
		json_write_raw(writer, "seccomp", request->seccomp_profile,
			       strlen(request->seccomp_profile));
	else if (!request->seccomp_unconfined && !request->options->privileged &&
		 arch != SECCOMP_N_ARCHES)
		seccomp_default_write(writer, "seccomp", request->capabilities, arch);
}

static void linux_write(const struct spec_container *container, struct json_writer *writer)
{
	const struct spec_request *request = container->request;
	const char *propagation = spec_mounts_propagation(container);

	json_write_object_begin(writer, "linux");
	sysctl_write(container, writer);
	resources_write(request, writer);
	cgroups_path_write(container, writer);
	namespaces_write(request, writer);
	seccomp_write(request, writer);
	devices_write(&request->devices, writer);
	if (spec_paths_are_confined(container)) {
		spec_masked_paths_write(writer, "maskedPaths");
		json_write_array_begin(writer, "readonlyPaths");
		for (size_t i = 0; spec_readonly_paths[i]; i++)
			json_write_string(writer, NULL, spec_readonly_paths[i]);
		json_write_array_end(writer);
	}
	if (propagation)
		json_write_string(writer, "rootfsPropagation", propagation);
	json_write_object_end(writer);
}

int spec_config_write(const struct spec_container *container, struct json_writer *writer,
		      struct error *error)
{
	const struct spec_request *request = container->request;

	json_write_object_begin(writer, NULL);
	/* The version that Debian 12's crun and runc take. */
	json_write_string(writer, "ociVersion", "1.0.2");
	process_write(container, writer);
	json_write_object_begin(writer, "root");
	json_write_string(writer, "path", "rootfs");
	if (request->options->read_only)
		json_write_bool(writer, "readonly", true);
	json_write_object_end(writer);
	if (!request->host_uts)
		json_write_string(writer, "hostname", container->hostname);
	spec_mounts_write(container, writer);
	spec_network_hooks_write(&request->network, writer);
	linux_write(container, writer);
	json_write_object_end(writer);
	buffer_add_char(&writer->buffer, '\n');
	return json_writer_status(writer) < 0
		       ? error_set(error, -ENOMEM, "cannot write the specification")
		       : 0;
}
