/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int limit_number(struct limits *limits, struct json_value section, const char *field,
		 int64_t *ret_number)
{
	const char *dot = strrchr(field, '.');
	struct json_value value = json_get(section, dot ? dot + 1 : field);

	if (!json_exists(value))
		return 0;
	if (json_int64(value, ret_number) < 0)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s isn't a whole number in range", field);
	return 1;
}

int limit_asked(struct limits *limits, struct json_value section, const char *field,
		int64_t *ret_number)
{
	int64_t number;
	int r = limit_number(limits, section, field, &number);

	if (r <= 0 || number == 0)
		return r < 0 ? r : 0;
	*ret_number = number;
	return 1;
}

static bool asks_nothing(struct json_value value)
{
	int64_t number;

	switch (json_type(value)) {
	case JSON_BOOL:
		return !json_bool_or(value, false);
	case JSON_NUMBER:
		return json_int64(value, &number) == 0 && number == 0;
	case JSON_STRING:
		return !*json_string(value);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return json_count(value) == 0;
	default:
		return true;
	}
}

static bool is_listed(const char *key, const char *known)
{
	size_t n_key = strlen(key);

	for (const char *word = known; *word; word += strcspn(word, " ") + 1) {
		if (strcspn(word, " ") == n_key && !memcmp(word, key, n_key))
			return true;
	}
	return false;
}

int limit_keys_check(struct limits *limits, struct json_value object, const char *field,
		     const char *known)
{
	if (json_type(object) != JSON_OBJECT)
		return 0;
	JSON_FOR_EACH (value, object) {
		const char *key = json_key(value);

		if (!is_listed(key, known) && !asks_nothing(value))
			return error_say(limits->error, -EOPNOTSUPP,
					 "linux.resources.%s%s%s: no such limit is known here, and "
					 "it would not be kept",
					 field, *field ? "." : "", key);
	}
	return 0;
}

bool limit_is_v1(const struct limits *limits, enum cgroup_controller controller)
{
	return cgroup_v1(limits->cgroup, controller) != NULL;
}

bool limit_has_file(struct limits *limits, enum cgroup_controller controller, const char *file)
{
	struct cgroup_hierarchy *hierarchy = cgroup_v1(limits->cgroup, controller);
	int fd;

	if (!hierarchy)
		hierarchy = cgroup_v2(limits->cgroup);
	fd = hierarchy ? cgroup_directory(limits->cgroup, hierarchy) : -EBADF;
	if (fd < 0)
		return false;
	if (faccessat(fd, file, F_OK, 0) == 0)
		return true;
	return hierarchy->is_v2 &&
	       cgroup_v2_enable(limits->cgroup, cgroup_controller_name_v2(controller)) == 0 &&
	       faccessat(fd, file, F_OK, 0) == 0;
}

int limit_unsupported(struct limits *limits, const char *field, const char *reason)
{
	return error_say(limits->error, -EOPNOTSUPP, "cannot set linux.resources.%s: %s", field,
			 reason);
}

int limit_ignore(struct limits *limits, const char *field, const char *reason)
{
	size_t n = strlen(limits->ignored);

	snprintf(limits->ignored + n, sizeof(limits->ignored) - n, "%slinux.resources.%s: %s",
		 n ? "; " : "", field, reason);
	return 0;
}

static int no_controller(struct limits *limits, const char *field,
			 enum cgroup_controller controller)
{
	return error_say(limits->error, -EOPNOTSUPP,
			 "cannot set linux.resources.%s: no cgroup controller '%s' on this host",
			 field, cgroup_controller_name(controller));
}

/* In v2: the cgroup gets @controller where it hasn't got it yet, which the missing @file tells. */
static int controller_need(struct limits *limits, const char *field,
			   enum cgroup_controller controller, const char *file)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_v2(limits->cgroup);
	const char *name = cgroup_controller_name_v2(controller);
	int r;

	if (!hierarchy || !name)
		return no_controller(limits, field, controller);
	if (faccessat(hierarchy->directory_fd, file, F_OK, 0) == 0)
		return 0;
	r = cgroup_v2_enable(limits->cgroup, name);
	if (r == -EOPNOTSUPP)
		return no_controller(limits, field, controller);
	if (r == -EBUSY)
		return error_say(limits->error, r,
				 "cannot set linux.resources.%s: controller '%s' can't be handed "
				 "down to cgroup '/%s', since one above it has processes itself",
				 field, name, limits->cgroup->path);
	if (r < 0)
		return error_set(limits->error, r,
				 "cannot set linux.resources.%s: handing controller '%s' down to "
				 "cgroup '/%s'",
				 field, name, limits->cgroup->path);
	return 0;
}

int limit_write(struct limits *limits, const char *field, enum cgroup_controller controller,
		const char *file, const char *format, ...)
{
	struct cgroup_hierarchy *hierarchy = cgroup_v1(limits->cgroup, controller);
	char text[1024];
	va_list arguments;
	int n, r;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text))
		return error_say(limits->error, -EINVAL, "linux.resources.%s is too long", field);
	if (!hierarchy) {
		r = controller_need(limits, field, controller, file);
		if (r < 0)
			return r;
		hierarchy = cgroup_v2(limits->cgroup);
	}
	r = cgroup_file_write(cgroup_directory(limits->cgroup, hierarchy), file, text);
	if (r == -ENOENT)
		return error_say(limits->error, -EOPNOTSUPP,
				 "cannot set linux.resources.%s: this kernel has no '%s'", field,
				 file);
	if (r < 0)
		return error_set(limits->error, r,
				 "cannot set linux.resources.%s: writing '%s' to '%s'", field, text,
				 file);
	return 0;
}

int limit_write_number(struct limits *limits, const char *field, enum cgroup_controller controller,
		       const char *file, int64_t value)
{
	if (value >= 0)
		return limit_write(limits, field, controller, file, "%" PRId64, value);
	return limit_write(limits, field, controller, file, "%s",
			   limit_is_v1(limits, controller) ? "-1" : "max");
}

void limit_value_set(struct limits *limits, enum cgroup_controller controller,
		     struct limit_value *value, int64_t number)
{
	value->is_said = true;
	if (number >= 0)
		snprintf(value->text, sizeof(value->text), "%" PRId64, number);
	else
		snprintf(value->text, sizeof(value->text), "%s",
			 limit_is_v1(limits, controller) ? "-1" : "max");
}

int limit_write_all(struct limits *limits, enum cgroup_controller controller,
		    struct limit_value *values, size_t n_values)
{
	bool progress;
	int r;

	do {
		progress = false;
		r = 0;
		for (size_t i = 0; i < n_values; i++) {
			struct error error;
			struct limits quiet = *limits;
			int written;

			if (!values[i].is_said)
				continue;
			error_init(&error);
			quiet.error = &error;
			written = limit_write(&quiet, values[i].field, controller, values[i].file,
					      "%s", values[i].text);
			if (written < 0 && r == 0) {
				r = written;
				if (limits->error)
					*limits->error = error;
			}
			if (written < 0 && written != -EINVAL)
				return r;
			if (written == 0)
				progress = true;
			values[i].is_said = written < 0;
		}
	} while (r < 0 && progress);
	return r;
}

int limit_device(struct limits *limits, struct json_value element, const char *field,
		 char ret_device[32])
{
	uint64_t major, minor;

	if (json_uint64(json_get(element, "major"), &major) < 0 ||
	    json_uint64(json_get(element, "minor"), &minor) < 0 || major > UINT32_MAX ||
	    minor > UINT32_MAX)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s has an element without major and minor",
				 field);
	snprintf(ret_device, 32, "%" PRIu64 ":%" PRIu64, major, minor);
	return 0;
}

static const char *const throttle_fields[LIMIT_N_THROTTLES] = {
	"blockIO.throttleReadBpsDevice",
	"blockIO.throttleWriteBpsDevice",
	"blockIO.throttleReadIOPSDevice",
	"blockIO.throttleWriteIOPSDevice",
};

const char *limit_throttle_key(size_t i)
{
	return strchr(throttle_fields[i], '.') + 1;
}

int limit_throttle_parse(struct limits *limits, size_t i, struct json_value element,
			 struct limit_throttle *ret_throttle)
{
	const char *field = throttle_fields[i];
	int r = limit_keys_check(limits, element, field, "major minor rate ");

	if (r == 0)
		r = limit_device(limits, element, field, ret_throttle->device);
	if (r < 0)
		return r;
	ret_throttle->field = field;
	if (json_uint64(json_get(element, "rate"), &ret_throttle->rate) < 0)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s: device %s has no rate", field,
				 ret_throttle->device);
	return 0;
}

int limits_cpu_values(struct limits *limits, struct json_value cpu, struct limit_value *values,
		      size_t n_values)
{
	for (size_t i = 0; i < n_values; i++) {
		const char *field = values[i].field;
		int64_t number;
		int r = limit_number(limits, cpu, field, &number);

		if (r < 0)
			return r;
		/* 0 is a value where it ends what was before. */
		if (r == 1 && number == 0 &&
		    !(limits->is_update &&
		      (!strcmp(field, "cpu.idle") || !strcmp(field, "cpu.burst"))))
			continue;
		if (r == 1 && number < 0 && strcmp(field, "cpu.quota") != 0 &&
		    strcmp(field, "cpu.realtimeRuntime") != 0)
			return error_say(limits->error, -EINVAL, "linux.resources.%s is negative",
					 field);
		if (r == 1)
			limit_value_set(limits, CGROUP_CPU, &values[i], number);
	}
	return 0;
}

bool limits_swap_is_on(void)
{
	char text[512];

	/* A heading, then a line for each. Where the file is missing the kernel has no swap. */
	return cgroup_file_read(AT_FDCWD, "/proc/swaps", text, sizeof(text)) > 0 &&
	       strchr(text, '\n') != NULL;
}

static int limits_memory(struct limits *limits, struct json_value memory)
{
	int64_t ignored;
	int r = limit_asked(limits, memory, "memory.kernel", &ignored);

	if (r == 1)
		r = limit_ignore(limits, "memory.kernel", "kernels no longer limit it by itself");
	if (r < 0)
		return r;
	/* Linux 5.11 and later always count what is below, and so does v2. */
	if (json_type(json_get(memory, "useHierarchy")) == JSON_BOOL &&
	    !json_bool_or(json_get(memory, "useHierarchy"), true))
		limit_ignore(limits, "memory.useHierarchy", "what is below is always counted");
	return limit_is_v1(limits, CGROUP_MEMORY) ? limits_memory_v1(limits, memory)
						  : limits_memory_v2(limits, memory);
}

static int cpuset_write(struct limits *limits, struct json_value cpu, const char *field,
			const char *file)
{
	struct json_value value = json_get(cpu, strrchr(field, '.') + 1);
	const char *text = json_string(value);

	if (!json_exists(value))
		return 0;
	if (!text)
		return error_say(limits->error, -EINVAL, "linux.resources.%s isn't a string",
				 field);
	return *text ? limit_write(limits, field, CGROUP_CPUSET, file, "%s", text) : 0;
}

static int limits_cpu(struct limits *limits, struct json_value cpu)
{
	int r = limit_is_v1(limits, CGROUP_CPU) ? limits_cpu_v1(limits, cpu)
						: limits_cpu_v2(limits, cpu);

	if (r == 0)
		r = cpuset_write(limits, cpu, "cpu.cpus", "cpuset.cpus");
	if (r == 0)
		r = cpuset_write(limits, cpu, "cpu.mems", "cpuset.mems");
	return r;
}

static int limits_block_io(struct limits *limits, struct json_value block_io)
{
	return limit_is_v1(limits, CGROUP_BLKIO) ? limits_block_io_v1(limits, block_io)
						 : limits_block_io_v2(limits, block_io);
}

static const struct {
	const char *key;
	enum json_type type;
	int (*apply)(struct limits *limits, struct json_value section);
	const char *known; /* the members of an object; NULL: names of the host's own things */
} sections[] = {
	{ "memory", JSON_OBJECT, limits_memory,
	  "limit reservation swap kernel kernelTCP swappiness disableOOMKiller useHierarchy "
	  "checkBeforeUpdate " },
	{ "cpu", JSON_OBJECT, limits_cpu,
	  "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle " },
	{ "pids", JSON_OBJECT, limits_pids, "limit " },
	{ "blockIO", JSON_OBJECT, limits_block_io,
	  "weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice "
	  "throttleReadIOPSDevice throttleWriteIOPSDevice " },
	{ "hugepageLimits", JSON_ARRAY, limits_hugepages, NULL },
	{ "network", JSON_OBJECT, limits_network, "classID priorities " },
	{ "rdma", JSON_OBJECT, limits_rdma, NULL },
	/* Behind the others: what it says by name is the last word. */
	{ "unified", JSON_OBJECT, limits_unified, NULL },
};

#define KNOWN_SECTIONS "memory cpu pids blockIO hugepageLimits network rdma unified devices "

static int resources_apply(struct limits *limits, struct json_value resources)
{
	int r = limit_keys_check(limits, resources, "", KNOWN_SECTIONS);

	for (size_t i = 0; r == 0 && i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct json_value section = json_get(resources, sections[i].key);

		if (!json_exists(section))
			continue;
		if (json_type(section) != sections[i].type)
			return error_say(limits->error, -EINVAL, "linux.resources.%s isn't %s",
					 sections[i].key,
					 sections[i].type == JSON_ARRAY ? "a list" : "an object");
		if (sections[i].known)
			r = limit_keys_check(limits, section, sections[i].key, sections[i].known);
		if (r == 0)
			r = sections[i].apply(limits, section);
	}
	/* A container that runs keeps its rules unless it is given others. */
	if (r == 0 && (!limits->is_update || json_exists(json_get(resources, "devices"))))
		r = limits_devices(limits, json_get(resources, "devices"));
	if (r < 0 || !limits->ignored[0])
		return r;
	error_say(limits->error, 0, "ignored %s", limits->ignored);
	return CGROUP_IGNORED;
}

int cgroup_apply(struct cgroup *cgroup, struct json_value resources, struct error *error)
{
	struct limits limits = { .cgroup = cgroup, .error = error };

	return resources_apply(&limits, resources);
}

int cgroup_update(struct cgroup *cgroup, struct json_value resources, struct error *error)
{
	struct limits limits = { .cgroup = cgroup, .error = error, .is_update = true };

	return resources_apply(&limits, resources);
}
