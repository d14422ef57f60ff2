/* SPDX-License-Identifier: MIT */
/*
 * nslaunch features: what this nslaunch can do, in the shape of the OCI runtime spec's features.md.
 *
 * Nothing is listed here that the parsers don't have: their tables are printed, and where a table
 * doesn't say all, the parser of config.json is asked: what it takes is a feature.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/syscalls.h"
#include "base/version.h"
#include "launch/capability.h"
#include "launch/config/config.h"
#include "launch/config/hooks.h"
#include "launch/config/mount.h"
#include "launch/landlock.h"
#include "launch/seccomp/arch.h"
#include "launch/seccomp/profile.h"
#include "tools/nslaunch/verbs.h"

/* Is a config.json taken that has these members of `linux`, and these options of a bind? */
static bool is_taken(const char *linux_members, const char *mount_option)
{
	_cleanup_config_ struct config config = {};
	_cleanup_free_ char *text = string_format(
		"{\"ociVersion\":\"" OCI_VERSION_MAX "\",\"root\":{\"path\":\"rootfs\"},"
		"\"process\":{\"args\":[\"x\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},"
		"\"mounts\":[{\"destination\":\"/x\",\"source\":\"/x\",\"type\":\"bind\","
		"\"options\":[\"bind\",\"%s\"]}],\"linux\":{%s}}",
		mount_option ? mount_option : "rw", linux_members ? linux_members : "");

	return text && json_parse(&config.document, text, strlen(text), NULL) == 0 &&
	       config_fill(&config, NULL) == 0;
}

#define MAPPINGS                                                                                   \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"                           \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"

static bool has_namespace(const char *type)
{
	char members[512];

	snprintf(members, sizeof(members), "%s\"namespaces\":[{\"type\":\"mount\"}%s%s%s]",
		 strcmp(type, "user") ? "" : MAPPINGS, strcmp(type, "mount") ? ",{\"type\":\"" : "",
		 strcmp(type, "mount") ? type : "", strcmp(type, "mount") ? "\"}" : "");
	return is_taken(members, NULL);
}

static bool has_idmap(void)
{
	return is_taken("\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]," MAPPINGS
			"\"rootfsPropagation\":\"private\"",
			"idmap");
}

static bool has_mount_option(const char *option)
{
	return strstr(option, "idmap") ? has_idmap() : is_taken(NULL, option);
}

static void hooks_write(struct json_writer *writer)
{
	json_write_array_begin(writer, "hooks");
	for (int i = 0; i < N_HOOK_KINDS; i++)
		json_write_string(writer, NULL, config_hooks_kind_name((enum hook_kind)i));
	json_write_array_end(writer);
}

static void mount_options_write(struct json_writer *writer)
{
	/* Of the spec's, what isn't in the table of words: the file systems' own, and mappings. */
	static const char *const more[] = {
		"sync", "dirsync", "lazytime", "mand", "idmap", "ridmap"
	};
	const char *word;

	json_write_array_begin(writer, "mountOptions");
	for (size_t i = 0; (word = config_mount_word(i)); i++)
		json_write_string(writer, NULL, word);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (has_mount_option(more[i]))
			json_write_string(writer, NULL, more[i]);
	}
	json_write_array_end(writer);
}

static void namespaces_write(struct json_writer *writer)
{
	/* config-linux.md, "Namespaces" */
	static const char *const types[] = { "cgroup", "ipc",  "mount", "network",
					     "pid",    "time", "user",	"uts" };

	json_write_array_begin(writer, "namespaces");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (has_namespace(types[i]))
			json_write_string(writer, NULL, types[i]);
	}
	json_write_array_end(writer);
}

static void capabilities_write(struct json_writer *writer)
{
	const char *name;

	json_write_array_begin(writer, "capabilities");
	for (unsigned int i = 0; (name = capability_name(i)); i++)
		json_write_string(writer, NULL, name);
	json_write_array_end(writer);
}

static void cgroup_write(struct json_writer *writer)
{
	json_write_object_begin(writer, "cgroup");
	json_write_bool(writer, "v1", true);
	json_write_bool(writer, "v2", true);
	json_write_bool(writer, "systemd", true);
	json_write_bool(writer, "systemdUser", true);
	json_write_bool(writer, "rdma", true);
	json_write_object_end(writer);
}

/* The kernel's answer: a filter that isn't there is EFAULT only behind the check of the flags. */
static bool kernel_has_flag(unsigned int flag)
{
	unsigned int needed = flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
				      ? SECCOMP_FILTER_FLAG_NEW_LISTENER
				      : 0;

	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flag | needed, NULL) < 0 && errno == EFAULT;
}

static void names_write(struct json_writer *writer, const char *key, const char *(*name)(size_t))
{
	json_write_array_begin(writer, key);
	for (size_t i = 0; name(i); i++)
		json_write_string(writer, NULL, name(i));
	json_write_array_end(writer);
}

static const char *arch_name(size_t i)
{
	return i < SECCOMP_N_ARCHES ? seccomp_arches[i].name : NULL;
}

static const char *flag_name(size_t i)
{
	unsigned int flag;

	return seccomp_flag_name(i, &flag);
}

static void seccomp_write(struct json_writer *writer)
{
	const char *name;
	unsigned int flag;

	json_write_object_begin(writer, "seccomp");
	json_write_bool(writer, "enabled", true);
	names_write(writer, "actions", seccomp_action_name);
	names_write(writer, "operators", seccomp_operator_name);
	names_write(writer, "archs", arch_name);
	names_write(writer, "knownFlags", flag_name);
	json_write_array_begin(writer, "supportedFlags");
	for (size_t i = 0; (name = seccomp_flag_name(i, &flag)); i++) {
		if (kernel_has_flag(flag))
			json_write_string(writer, NULL, name);
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void enabled_write(struct json_writer *writer, const char *key, bool enabled)
{
	json_write_object_begin(writer, key);
	json_write_bool(writer, "enabled", enabled);
	json_write_object_end(writer);
}

/* Those of the spec's words that the parser takes, with the members that make one whole. */
static void words_write(struct json_writer *writer, const char *key, const char *const *words,
			const char *format)
{
	json_write_array_begin(writer, key);
	for (; *words; words++) {
		_cleanup_free_ char *members = string_format(format, *words);

		if (members && is_taken(members, NULL))
			json_write_string(writer, NULL, *words);
	}
	json_write_array_end(writer);
}

static void memory_policy_write(struct json_writer *writer)
{
	static const char *const modes[] = { "MPOL_DEFAULT",	"MPOL_BIND",
					     "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
					     "MPOL_PREFERRED",	"MPOL_PREFERRED_MANY",
					     "MPOL_LOCAL",	NULL };
	static const char *const flags[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
					     "MPOL_F_STATIC_NODES", NULL };
	/* The first of two forms is of those that go without nodes. */
	static const char without_nodes[] = "\"memoryPolicy\":{\"mode\":\"%s\"}";
	static const char with_nodes[] = "\"memoryPolicy\":{\"mode\":\"%s\",\"nodes\":\"0\"}";
	static const char with_flag[] = "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\","
					"\"flags\":[\"%s\"]}";

	json_write_object_begin(writer, "memoryPolicy");
	json_write_array_begin(writer, "modes");
	for (size_t i = 0; modes[i]; i++) {
		_cleanup_free_ char *bare = string_format(without_nodes, modes[i]);
		_cleanup_free_ char *whole = string_format(with_nodes, modes[i]);

		if (bare && whole && (is_taken(whole, NULL) || is_taken(bare, NULL)))
			json_write_string(writer, NULL, modes[i]);
	}
	json_write_array_end(writer);
	words_write(writer, "flags", flags, with_flag);
	json_write_object_end(writer);
}

static void rdt_write(struct json_writer *writer)
{
	json_write_object_begin(writer, "intelRdt");
	json_write_bool(writer, "enabled", is_taken("\"intelRdt\":{\"closID\":\"x\"}", NULL));
	json_write_bool(
		writer, "schemata",
		is_taken("\"intelRdt\":{\"closID\":\"x\",\"schemata\":[\"L3:0=1\"]}", NULL));
	json_write_bool(
		writer, "monitoring",
		is_taken("\"intelRdt\":{\"closID\":\"x\",\"enableMonitoring\":true}", NULL));
	json_write_object_end(writer);
}

static void linux_write(struct json_writer *writer)
{
	json_write_object_begin(writer, "linux");
	namespaces_write(writer);
	capabilities_write(writer);
	cgroup_write(writer);
	seccomp_write(writer);
	/* Of this program, as runc has it: what the kernel has is another question. */
	enabled_write(writer, "apparmor", true);
	enabled_write(writer, "selinux", true);
	rdt_write(writer);
	memory_policy_write(writer);
	json_write_object_begin(writer, "mountExtensions");
	enabled_write(writer, "idmap", has_idmap());
	json_write_object_end(writer);
	enabled_write(writer, "netDevices",
		      is_taken("\"namespaces\":[{\"type\":\"network\"}],"
			       "\"netDevices\":{\"eth9\":{\"name\":\"x\"}}",
			       NULL));
	json_write_object_end(writer);
}

static void annotations_write(struct json_writer *writer)
{
	json_write_object_begin(writer, "annotations");
	json_write_string(writer, "lamina.version", LAMINA_VERSION);
	json_write_string(writer, "lamina.checkpoint.enabled", "true");
	json_write_object_end(writer);
	json_write_array_begin(writer, "potentiallyUnsafeConfigAnnotations");
	json_write_string(writer, NULL, LANDLOCK_ANNOTATION);
	json_write_string(writer, NULL, "org.systemd.property.");
	json_write_array_end(writer);
}

int verb_features(const struct command_call *call, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "ociVersionMin", OCI_VERSION_MIN);
	json_write_string(&writer, "ociVersionMax", OCI_VERSION_MAX);
	hooks_write(&writer);
	mount_options_write(&writer);
	linux_write(&writer);
	annotations_write(&writer);
	json_write_object_end(&writer);
	r = json_writer_status(&writer);
	if (r < 0)
		return error_set(error, r, "cannot print");
	puts(writer.buffer.bytes);
	return 0;
}
