/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/docker_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names in `arches` of a rule (libseccomp's own; moby's goToNative says which one a build is). */
static const char *const arch_names[SECCOMP_N_ARCHES] = {
	[SECCOMP_ARCH_X86_64] = "amd64",
	[SECCOMP_ARCH_X86] = "x86",
	[SECCOMP_ARCH_X32] = "x32",
	[SECCOMP_ARCH_AARCH64] = "arm64",
	[SECCOMP_ARCH_ARM] = "arm",
	[SECCOMP_ARCH_RISCV64] = "riscv64",
	[SECCOMP_ARCH_PPC64LE] = "ppc64le",
	[SECCOMP_ARCH_PPC64] = "ppc64",
	[SECCOMP_ARCH_PPC] = "ppc",
	[SECCOMP_ARCH_S390X] = "s390x",
	[SECCOMP_ARCH_S390] = "s390",
	[SECCOMP_ARCH_MIPS64] = "mips64",
	[SECCOMP_ARCH_MIPS64N32] = "mips64n32",
	[SECCOMP_ARCH_MIPS] = "mips",
	[SECCOMP_ARCH_MIPSEL64] = "mipsel64",
	[SECCOMP_ARCH_MIPSEL64N32] = "mipsel64n32",
	[SECCOMP_ARCH_MIPSEL] = "mipsel",
};

static bool has_capability(const struct seccomp_docker_host *host, const char *name)
{
	int number = name ? host->capability_number(name) : -EINVAL;

	return number >= 0 && number < 64 && host->capabilities & UINT64_C(1) << number;
}

static bool has_arch(const struct seccomp_docker_host *host, struct json_value arches)
{
	const char *name = host->arch < SECCOMP_N_ARCHES ? arch_names[host->arch] : "";

	JSON_FOR_EACH (element, arches) {
		if (strcmp(json_string_or(element, ""), name) == 0)
			return true;
	}
	return false;
}

/* "4.8": is the kernel that or newer? 1, 0 or -EINVAL. */
static int has_kernel(const struct seccomp_docker_host *host, struct json_value value)
{
	const char *text = json_string(value);
	unsigned long major, minor;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	major = strtoul(text, &end, 10);
	if (*end != '.' || end[1] < '0' || end[1] > '9')
		return -EINVAL;
	minor = strtoul(end + 1, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	return host->kernel_major > major ||
	       (host->kernel_major == major && host->kernel_minor >= minor);
}

/* Does the rule hold here? 1, 0 or -EINVAL. */
static int rule_holds(struct json_value rule, const struct seccomp_docker_host *host,
		      struct error *error)
{
	struct json_value includes = json_get(rule, "includes");
	struct json_value excludes = json_get(rule, "excludes");
	struct json_value from = json_get(includes, "minKernel");
	struct json_value until = json_get(excludes, "minKernel");
	int is_new = json_exists(from) ? has_kernel(host, from) : 1;
	int is_too_new = json_exists(until) ? has_kernel(host, until) : 0;

	if (is_new < 0 || is_too_new < 0)
		return error_say(error, -EINVAL,
				 "seccomp profile: minKernel is not a version such as \"4.8\"");
	if (!is_new || is_too_new)
		return 0;
	if (has_arch(host, json_get(excludes, "arches")))
		return 0;
	if (json_count(json_get(includes, "arches")) > 0 &&
	    !has_arch(host, json_get(includes, "arches")))
		return 0;
	JSON_FOR_EACH (name, json_get(excludes, "caps")) {
		if (has_capability(host, json_string(name)))
			return 0;
	}
	JSON_FOR_EACH (name, json_get(includes, "caps")) {
		if (!has_capability(host, json_string(name)))
			return 0;
	}
	return 1;
}

static int write_rule(struct json_writer *writer, struct json_value rule, struct error *error)
{
	struct json_value name = json_get(rule, "name");
	struct json_value names = json_get(rule, "names");
	bool has_name = *json_string_or(name, "") != '\0';

	if (has_name && json_count(names) > 0)
		return error_say(error, -EINVAL,
				 "seccomp profile: a rule has both 'name' ('%s') and"
				 " 'names': use 'names'",
				 json_string(name));
	json_write_object_begin(writer, NULL);
	if (has_name) {
		json_write_array_begin(writer, "names");
		json_write_value(writer, NULL, name);
		json_write_array_end(writer);
	} else {
		json_write_value(writer, "names", names);
	}
	json_write_value(writer, "action", json_get(rule, "action"));
	json_write_value(writer, "errnoRet", json_get(rule, "errnoRet"));
	if (json_count(json_get(rule, "args")) > 0)
		json_write_value(writer, "args", json_get(rule, "args"));
	json_write_object_end(writer);
	return 0;
}

static void write_arches(struct json_writer *writer, struct json_value profile,
			 const struct seccomp_docker_host *host)
{
	if (json_count(json_get(profile, "architectures")) > 0) {
		json_write_value(writer, "architectures", json_get(profile, "architectures"));
		return;
	}
	JSON_FOR_EACH (family, json_get(profile, "archMap")) {
		const char *name = json_string_or(json_get(family, "architecture"), "");

		if (host->arch == SECCOMP_N_ARCHES ||
		    strcmp(name, seccomp_arches[host->arch].name) != 0)
			continue;
		json_write_array_begin(writer, "architectures");
		json_write_string(writer, NULL, name);
		JSON_FOR_EACH (other, json_get(family, "subArchitectures"))
			json_write_value(writer, NULL, other);
		json_write_array_end(writer);
		break;
	}
}

int seccomp_docker_write(struct json_writer *writer, const char *key, struct json_value profile,
			 const struct seccomp_docker_host *host, struct error *error)
{
	struct json_value rules = json_get(profile, "syscalls");

	if (json_type(profile) != JSON_OBJECT)
		return error_say(error, -EINVAL, "seccomp profile: not an object");
	if (json_count(json_get(profile, "architectures")) > 0 &&
	    json_count(json_get(profile, "archMap")) > 0)
		return error_say(error, -EINVAL,
				 "seccomp profile: both 'architectures' and 'archMap'"
				 " are there: use one of them");
	if (*json_string_or(json_get(profile, "defaultAction"), "") == '\0' &&
	    json_count(rules) == 0)
		return SECCOMP_DOCKER_OFF;

	json_write_object_begin(writer, key);
	json_write_value(writer, "defaultAction", json_get(profile, "defaultAction"));
	json_write_value(writer, "defaultErrnoRet", json_get(profile, "defaultErrnoRet"));
	write_arches(writer, profile, host);
	json_write_value(writer, "flags", json_get(profile, "flags"));
	json_write_value(writer, "listenerPath", json_get(profile, "listenerPath"));
	json_write_value(writer, "listenerMetadata", json_get(profile, "listenerMetadata"));
	json_write_array_begin(writer, "syscalls");
	JSON_FOR_EACH (rule, rules) {
		int r = rule_holds(rule, host, error);

		if (r > 0)
			r = write_rule(writer, rule, error);
		if (r < 0)
			return r;
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
	return 0;
}
