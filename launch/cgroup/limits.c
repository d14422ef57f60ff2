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

bool limit_is_v1(const struct limits *limits, enum cgroup_controller controller)
{
	return cgroup_v1(limits->cgroup, controller) != NULL;
}

bool limit_has_file(struct limits *limits, enum cgroup_controller controller, const char *file)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_v1(limits->cgroup, controller);

	if (!hierarchy)
		hierarchy = cgroup_v2(limits->cgroup);
	if (!hierarchy || hierarchy->directory_fd < 0)
		return false;
	if (faccessat(hierarchy->directory_fd, file, F_OK, 0) == 0)
		return true;
	return hierarchy->is_v2 &&
	       cgroup_v2_enable(limits->cgroup, cgroup_controller_name_v2(controller)) == 0 &&
	       faccessat(hierarchy->directory_fd, file, F_OK, 0) == 0;
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
	const struct cgroup_hierarchy *hierarchy = cgroup_v1(limits->cgroup, controller);
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
	r = cgroup_file_write(hierarchy->directory_fd, file, text);
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

static int limits_pids(struct limits *limits, struct json_value pids)
{
	int64_t limit;
	int r = limit_asked(limits, pids, "pids.limit", &limit);

	if (r <= 0)
		return r;
	if (limit < 0)
		return limit_write(limits, "pids.limit", CGROUP_PIDS, "pids.max", "max");
	return limit_write_number(limits, "pids.limit", CGROUP_PIDS, "pids.max", limit);
}

static int limits_block_io(struct limits *limits, struct json_value block_io)
{
	return limit_is_v1(limits, CGROUP_BLKIO) ? limits_block_io_v1(limits, block_io)
						 : limits_block_io_v2(limits, block_io);
}

/* "2MB", "1GB", "64KB": part of the file's name, so checked to the letter. */
static bool page_size_is_valid(const char *text)
{
	size_t n = text ? strspn(text, "0123456789") : 0;

	return n > 0 && n < 8 && text[n] && strchr("KMGT", text[n]) && !strcmp(text + n + 1, "B");
}

static int hugepage_limit(struct limits *limits, struct json_value element)
{
	static const char field[] = "hugepageLimits";
	const char *size = json_string(json_get(element, "pageSize"));
	const char *suffix = limit_is_v1(limits, CGROUP_HUGETLB) ? "limit_in_bytes" : "max";
	uint64_t limit;
	char file[64];
	int r;

	if (!page_size_is_valid(size))
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s: bad pageSize '%s' (such as '2MB')", field,
				 size ? size : "");
	if (json_uint64(json_get(element, "limit"), &limit) < 0)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s: pageSize '%s' has no limit in bytes", field,
				 size);
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, suffix);
	r = limit_write(limits, field, CGROUP_HUGETLB, file, "%" PRIu64, limit);
	if (r < 0)
		return r;
	/* Reservations too (Linux 5.7): without, a process dies by SIGBUS where mmap() could fail.
	 */
	snprintf(file, sizeof(file), "hugetlb.%s.rsvd.%s", size, suffix);
	if (!limit_has_file(limits, CGROUP_HUGETLB, file))
		return 0;
	return limit_write(limits, field, CGROUP_HUGETLB, file, "%" PRIu64, limit);
}

static int limits_hugepages(struct limits *limits, struct json_value list)
{
	int r = 0;

	JSON_FOR_EACH (element, list) {
		r = hugepage_limit(limits, element);
		if (r < 0)
			break;
	}
	return r;
}

static int limits_network(struct limits *limits, struct json_value network)
{
	int64_t class_id;
	int r = limit_asked(limits, network, "network.classID", &class_id);

	if (r == 1)
		r = limit_write_number(limits, "network.classID", CGROUP_NET_CLS, "net_cls.classid",
				       class_id);
	if (r < 0)
		return r;
	JSON_FOR_EACH (element, json_get(network, "priorities")) {
		const char *name = json_string(json_get(element, "name"));
		uint64_t priority;

		if (!name || strpbrk(name, " \n") ||
		    json_uint64(json_get(element, "priority"), &priority) < 0)
			return error_say(limits->error, -EINVAL,
					 "linux.resources.network.priorities: an element needs a "
					 "name and a priority");
		r = limit_write(limits, "network.priorities", CGROUP_NET_PRIO, "net_prio.ifpriomap",
				"%s %" PRIu64, name, priority);
		if (r < 0)
			return r;
	}
	return 0;
}

static int limits_rdma(struct limits *limits, struct json_value rdma)
{
	JSON_FOR_EACH (device, rdma) {
		const char *name = json_key(device);
		uint64_t handles, objects;
		bool has_handles = json_uint64(json_get(device, "hcaHandles"), &handles) == 0;
		bool has_objects = json_uint64(json_get(device, "hcaObjects"), &objects) == 0;
		char text[128] = "";
		int n = 0, r;

		if (!name || strpbrk(name, " \n") || (!has_handles && !has_objects))
			return error_say(
				limits->error, -EINVAL,
				"linux.resources.rdma: '%s' needs hcaHandles or hcaObjects",
				name ? name : "");
		if (has_handles)
			n = snprintf(text, sizeof(text), " hca_handle=%" PRIu64, handles);
		if (has_objects)
			snprintf(text + n, sizeof(text) - (size_t)n, " hca_object=%" PRIu64,
				 objects);
		r = limit_write(limits, "rdma", CGROUP_RDMA, "rdma.max", "%s%s", name, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file of v2 by its own name. What is about processes instead of limits isn't for a config. */
static bool unified_name_is_valid(const char *name)
{
	static const char *const refused[] = { "cgroup.freeze", "cgroup.kill", "cgroup.procs",
					       "cgroup.threads", "cgroup.type" };

	if (!strchr(name, '.') || name[0] == '.' || strchr(name, '/'))
		return false;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!strcmp(name, refused[i]))
			return false;
	}
	return true;
}

static int unified_write(struct limits *limits, const char *name, const char *value)
{
	const struct cgroup_hierarchy *v2 = cgroup_v2(limits->cgroup);
	char controller[32];
	int r;

	if (!unified_name_is_valid(name) || !value)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.unified: '%s' isn't a limit's file, or has no "
				 "text",
				 name);
	if (!v2)
		return error_say(limits->error, -EOPNOTSUPP,
				 "cannot set linux.resources.unified: this host has no cgroup v2");
	snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(name, "."), name);
	if (faccessat(v2->directory_fd, name, F_OK, 0) < 0 && errno == ENOENT)
		(void)cgroup_v2_enable(limits->cgroup, controller);
	r = cgroup_file_write(v2->directory_fd, name, value);
	if (r == -ENOENT)
		return error_say(limits->error, -EOPNOTSUPP,
				 "cannot set linux.resources.unified: no cgroup v2 file '%s' on "
				 "this host",
				 name);
	if (r < 0)
		return error_set(limits->error, r,
				 "cannot set linux.resources.unified: writing '%s' to '%s'", value,
				 name);
	return 0;
}

static int limits_unified(struct limits *limits, struct json_value unified)
{
	JSON_FOR_EACH (value, unified) {
		int r = unified_write(limits, json_key(value), json_string(value));

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *key;
	enum json_type type;
	int (*apply)(struct limits *limits, struct json_value section);
} sections[] = {
	{ "memory", JSON_OBJECT, limits_memory },
	{ "cpu", JSON_OBJECT, limits_cpu },
	{ "pids", JSON_OBJECT, limits_pids },
	{ "blockIO", JSON_OBJECT, limits_block_io },
	{ "hugepageLimits", JSON_ARRAY, limits_hugepages },
	{ "network", JSON_OBJECT, limits_network },
	{ "rdma", JSON_OBJECT, limits_rdma },
	/* Behind the others: what it says by name is the last word. */
	{ "unified", JSON_OBJECT, limits_unified },
};

int cgroup_apply(struct cgroup *cgroup, struct json_value resources, struct error *error)
{
	struct limits limits = { .cgroup = cgroup, .error = error };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct json_value section = json_get(resources, sections[i].key);

		if (!json_exists(section))
			continue;
		if (json_type(section) != sections[i].type)
			return error_say(error, -EINVAL, "linux.resources.%s isn't %s",
					 sections[i].key,
					 sections[i].type == JSON_ARRAY ? "a list" : "an object");
		r = sections[i].apply(&limits, section);
	}
	if (r == 0)
		r = limits_devices(&limits, json_get(resources, "devices"));
	if (r < 0 || !limits.ignored[0])
		return r;
	error_say(error, 0, "ignored %s", limits.ignored);
	return CGROUP_IGNORED;
}
