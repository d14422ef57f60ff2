/* SPDX-License-Identifier: MIT */
#include "launch/spec/seccomp_option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "launch/capability.h"
#include "launch/seccomp/arch.h"
#include "launch/seccomp/profile.h"

/* Go's names of architectures, which Docker's conditions use. */
static const struct {
	enum seccomp_arch_index arch;
	const char *name;
} go_names[] = {
	{ SECCOMP_ARCH_X86_64, "amd64" },      { SECCOMP_ARCH_X86, "x86" },
	{ SECCOMP_ARCH_AARCH64, "arm64" },     { SECCOMP_ARCH_ARM, "arm" },
	{ SECCOMP_ARCH_RISCV64, "riscv64" },   { SECCOMP_ARCH_PPC64LE, "ppc64le" },
	{ SECCOMP_ARCH_PPC64, "ppc64" },       { SECCOMP_ARCH_PPC, "ppc" },
	{ SECCOMP_ARCH_S390X, "s390x" },       { SECCOMP_ARCH_S390, "s390" },
	{ SECCOMP_ARCH_MIPS64, "mips64" },     { SECCOMP_ARCH_MIPS, "mips" },
	{ SECCOMP_ARCH_MIPSEL64, "mipsel64" }, { SECCOMP_ARCH_MIPSEL, "mipsel" },
};

/* What conditions are decided by. */
struct machine {
	const char *arch; /* SCMP_ARCH_... */
	const char *go_arch;
	unsigned int major, minor; /* of the kernel */
	uint64_t capabilities;
};

static int machine_find(struct machine *machine, uint64_t capabilities, struct error *error)
{
	enum seccomp_arch_index arch = seccomp_native_arch();
	struct utsname host;

	if (arch == SECCOMP_N_ARCHES)
		return error_say(error, -ENOTSUP, "no seccomp on this architecture");
	*machine = (struct machine){ .arch = seccomp_arches[arch].name,
				     .go_arch = "",
				     .capabilities = capabilities };
	for (size_t i = 0; i < sizeof(go_names) / sizeof(go_names[0]); i++) {
		if (go_names[i].arch == arch)
			machine->go_arch = go_names[i].name;
	}
	if (uname(&host) < 0)
		return error_set(error, -errno, "cannot ask for the kernel's version");
	if (sscanf(host.release, "%u.%u", &machine->major, &machine->minor) != 2)
		return error_say(error, -EINVAL, "don't understand the kernel's version '%s'",
				 host.release);
	return 0;
}

static bool array_contains(struct json_value array, const char *string)
{
	JSON_FOR_EACH (element, array) {
		if (!strcmp(json_string_or(element, ""), string))
			return true;
	}
	return false;
}

/* Is the kernel at least the "4.8" of the profile? */
static bool kernel_is_at_least(const struct machine *machine, const char *version)
{
	unsigned int major, minor;

	if (sscanf(version, "%u.%u", &major, &minor) != 2)
		return false;
	return machine->major > major || (machine->major == major && machine->minor >= minor);
}

static bool has_capability(const struct machine *machine, struct json_value name)
{
	int number = capability_from_name(json_string_or(name, ""));

	return number >= 0 && (machine->capabilities & CAPABILITY_BIT(number));
}

/* Is the minKernel of a condition, where there is one, a version? */
static bool minimum_is_version(struct json_value condition)
{
	struct json_value value = json_get_ignoring_case(condition, "minKernel");
	const char *version = json_string(value);
	unsigned int major, minor;
	char rest;

	if (!json_exists(value) || (version && !*version))
		return true;
	return version && sscanf(version, "%u.%u%c", &major, &minor, &rest) == 2;
}

static bool rule_is_excluded(const struct machine *machine, struct json_value excludes)
{
	const char *kernel = json_string(json_get_ignoring_case(excludes, "minKernel"));

	if (array_contains(json_get_ignoring_case(excludes, "arches"), machine->go_arch))
		return true;
	JSON_FOR_EACH (name, json_get_ignoring_case(excludes, "caps")) {
		if (has_capability(machine, name))
			return true;
	}
	return kernel && *kernel && kernel_is_at_least(machine, kernel);
}

static bool rule_is_included(const struct machine *machine, struct json_value includes)
{
	struct json_value arches = json_get_ignoring_case(includes, "arches");
	const char *kernel = json_string(json_get_ignoring_case(includes, "minKernel"));

	if (json_count(arches) > 0 && !array_contains(arches, machine->go_arch))
		return false;
	JSON_FOR_EACH (name, json_get_ignoring_case(includes, "caps")) {
		if (!has_capability(machine, name))
			return false;
	}
	return !kernel || !*kernel || kernel_is_at_least(machine, kernel);
}

static void member_copy(struct json_writer *writer, struct json_value object, const char *key)
{
	struct json_value value = json_get_ignoring_case(object, key);

	if (json_exists(value))
		json_write_value(writer, key, value);
}

static int rule_write(const struct machine *machine, struct json_value rule,
		      struct json_writer *writer, struct error *error)
{
	struct json_value names = json_get_ignoring_case(rule, "names");
	struct json_value name = json_get_ignoring_case(rule, "name");
	struct json_value arguments = json_get_ignoring_case(rule, "args");
	const char *single = json_string_or(name, "");

	if (*single && json_count(names) > 0)
		return error_say(error, -EINVAL, "a rule with both 'name' and 'names'");
	if (!minimum_is_version(json_get_ignoring_case(rule, "includes")) ||
	    !minimum_is_version(json_get_ignoring_case(rule, "excludes")))
		return error_say(error, -EINVAL,
				 "a 'minKernel' that is no version such as \"4.8\"");
	if (rule_is_excluded(machine, json_get_ignoring_case(rule, "excludes")) ||
	    !rule_is_included(machine, json_get_ignoring_case(rule, "includes")))
		return 0;
	json_write_object_begin(writer, NULL);
	if (*single) {
		json_write_array_begin(writer, "names");
		json_write_string(writer, NULL, single);
		json_write_array_end(writer);
	} else {
		json_write_value(writer, "names", names);
	}
	member_copy(writer, rule, "action");
	member_copy(writer, rule, "errnoRet");
	if (json_count(arguments) > 0)
		json_write_value(writer, "args", arguments);
	json_write_object_end(writer);
	return 0;
}

static int arches_write(const struct machine *machine, struct json_value profile,
			struct json_writer *writer, struct error *error)
{
	struct json_value arches = json_get_ignoring_case(profile, "architectures");
	struct json_value map = json_get_ignoring_case(profile, "archMap");

	if (json_count(arches) > 0 && json_count(map) > 0)
		return error_say(error, -EINVAL, "both 'architectures' and 'archMap'");
	if (json_count(arches) > 0) {
		json_write_value(writer, "architectures", arches);
		return 0;
	}
	JSON_FOR_EACH (entry, map) {
		const char *arch =
			json_string_or(json_get_ignoring_case(entry, "architecture"), "");

		if (strcmp(arch, machine->arch))
			continue;
		json_write_array_begin(writer, "architectures");
		json_write_string(writer, NULL, arch);
		JSON_FOR_EACH (sub, json_get_ignoring_case(entry, "subArchitectures"))
			json_write_string(writer, NULL, json_string_or(sub, ""));
		json_write_array_end(writer);
		break;
	}
	return 0;
}

static int profile_write(struct json_value profile, const struct machine *machine,
			 struct json_writer *writer, struct error *error)
{
	static const char *const copied[] = { "defaultAction", "defaultErrnoRet", "flags",
					      "listenerPath", "listenerMetadata" };
	struct json_value rules = json_get_ignoring_case(profile, "syscalls");
	int r;

	json_write_object_begin(writer, NULL);
	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		member_copy(writer, profile, copied[i]);
	r = arches_write(machine, profile, writer, error);
	json_write_array_begin(writer, "syscalls");
	JSON_FOR_EACH (rule, rules) {
		if (r == 0)
			r = rule_write(machine, rule, writer, error);
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
	return r;
}

/* What was made must be a profile that a start will take: better said now. */
static int written_check(const struct json_writer *writer, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	int r = json_writer_status(writer);

	if (r < 0)
		return error_set(error, r, "cannot convert it");
	r = json_parse(&document, writer->buffer.bytes, writer->buffer.n_bytes, error);
	return r < 0 ? r : seccomp_profile_parse(json_root(&document), &profile, error);
}

int seccomp_option_write(const char *text, size_t n_bytes, uint64_t capabilities,
			 struct json_writer *writer, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	struct json_value profile;
	struct machine machine;
	int r = json_parse(&document, text, n_bytes, error);

	if (r < 0)
		return r;
	profile = json_root(&document);
	if (json_type(profile) != JSON_OBJECT)
		return error_say(error, -EBADMSG, "it is %s, not an object",
				 json_type_name(json_type(profile)));
	if (!*json_string_or(json_get_ignoring_case(profile, "defaultAction"), "") &&
	    json_count(json_get_ignoring_case(profile, "syscalls")) == 0) {
		json_write_string(writer, NULL, NULL);
		return 0;
	}
	r = machine_find(&machine, capabilities, error);
	if (r == 0)
		r = profile_write(profile, &machine, writer, error);
	return r < 0 ? r : written_check(writer, error);
}
