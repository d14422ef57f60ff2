/* SPDX-License-Identifier: MIT */
/*
 * The sections of linux.resources that cgroup v1 and v2 have in the same words, or one of them
 * only (Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launch/cgroup/limits.h"

int limits_pids(struct limits *limits, struct json_value pids)
{
	int64_t limit;
	int r = limit_asked(limits, pids, "pids.limit", &limit);

	if (r <= 0)
		return r;
	if (limit < 0)
		return limit_write(limits, "pids.limit", CGROUP_PIDS, "pids.max", "max");
	return limit_write_number(limits, "pids.limit", CGROUP_PIDS, "pids.max", limit);
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

	r = limit_keys_check(limits, element, field, "pageSize limit ");
	if (r < 0)
		return r;
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

int limits_hugepages(struct limits *limits, struct json_value list)
{
	int r = 0;

	JSON_FOR_EACH (element, list) {
		r = hugepage_limit(limits, element);
		if (r < 0)
			break;
	}
	return r;
}

int limits_network(struct limits *limits, struct json_value network)
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

		r = limit_keys_check(limits, element, "network.priorities", "name priority ");
		if (r < 0)
			return r;
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

int limits_rdma(struct limits *limits, struct json_value rdma)
{
	JSON_FOR_EACH (device, rdma) {
		const char *name = json_key(device);
		uint64_t handles, objects;
		bool has_handles = json_uint64(json_get(device, "hcaHandles"), &handles) == 0;
		bool has_objects = json_uint64(json_get(device, "hcaObjects"), &objects) == 0;
		char text[128] = "";
		int n = 0;
		int r = limit_keys_check(limits, device, "rdma", "hcaHandles hcaObjects ");

		if (r < 0)
			return r;
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

int limits_unified(struct limits *limits, struct json_value unified)
{
	JSON_FOR_EACH (value, unified) {
		int r = unified_write(limits, json_key(value), json_string(value));

		if (r < 0)
			return r;
	}
	return 0;
}
