/* SPDX-License-Identifier: MIT */
/*
 * The sections of linux.resources as cgroup v1 has them
 * (Documentation/admin-guide/cgroup-v1/, Documentation/scheduler/sched-bwc.rst).
 */
#include <errno.h>
#include <inttypes.h>

#include "launch/cgroup/limits.h"

static int memory_limits(struct limits *limits, struct json_value memory)
{
	struct limit_value values[] = {
		{ .field = "memory.limit", .file = "memory.limit_in_bytes" },
		{ .field = "memory.swap", .file = "memory.memsw.limit_in_bytes" },
	};
	int64_t limit = 0, swap = 0;
	int has_limit = limit_asked(limits, memory, "memory.limit", &limit);
	int has_swap =
		has_limit < 0 ? has_limit : limit_asked(limits, memory, "memory.swap", &swap);
	int r;

	if (has_limit < 0 || has_swap < 0)
		return has_limit < 0 ? has_limit : has_swap;
	/* As runc does: no limit of memory means none of memory and swap. */
	if (has_limit && limit < 0 && !has_swap) {
		swap = -1;
		has_swap = limit_has_file(limits, CGROUP_MEMORY, values[1].file);
	}
	/* Booted with swapaccount=0. */
	if (has_swap && !limit_has_file(limits, CGROUP_MEMORY, values[1].file) &&
	    !limits_swap_is_on())
		has_swap = 0;
	if (has_limit)
		limit_value_set(limits, CGROUP_MEMORY, &values[0], limit);
	if (has_swap)
		limit_value_set(limits, CGROUP_MEMORY, &values[1], swap);
	r = limit_write_all(limits, CGROUP_MEMORY, values, 2);
	if (r == -EINVAL && has_limit && !has_swap)
		return error_say(limits->error, r,
				 "cannot set linux.resources.memory.limit to %" PRId64
				 ": memory.swap, the sum of memory and swap, is set to less; say "
				 "both",
				 limit);
	return r;
}

/* -1 is Docker's word for the default; as the unsigned number that it is in Go, too. */
static int swappiness(struct limits *limits, struct json_value memory)
{
	uint64_t unsigned_number;
	int64_t number;
	int r;

	if (json_uint64(json_get(memory, "swappiness"), &unsigned_number) == 0 &&
	    unsigned_number == UINT64_MAX)
		return 0;
	r = limit_number(limits, memory, "memory.swappiness", &number);
	if (r == 1 && number >= 0)
		r = limit_write_number(limits, "memory.swappiness", CGROUP_MEMORY,
				       "memory.swappiness", number);
	return r < 0 ? r : 0;
}

int limits_memory_v1(struct limits *limits, struct json_value memory)
{
	struct json_value disable;
	int64_t number;
	int r;

	/* Before Linux 5.11 a choice, for a cgroup that has none below yet. */
	if (json_bool_or(json_get(memory, "useHierarchy"), false) && !limits->is_update &&
	    limit_has_file(limits, CGROUP_MEMORY, "memory.use_hierarchy"))
		(void)limit_write(limits, "memory.useHierarchy", CGROUP_MEMORY,
				  "memory.use_hierarchy", "1");
	r = memory_limits(limits, memory);

	if (r < 0)
		return r;
	r = limit_asked(limits, memory, "memory.reservation", &number);
	if (r == 1)
		r = limit_write_number(limits, "memory.reservation", CGROUP_MEMORY,
				       "memory.soft_limit_in_bytes", number);
	if (r < 0)
		return r;
	r = limit_asked(limits, memory, "memory.kernelTCP", &number);
	if (r == 1)
		r = limit_write_number(limits, "memory.kernelTCP", CGROUP_MEMORY,
				       "memory.kmem.tcp.limit_in_bytes", number);
	if (r < 0)
		return r;
	r = swappiness(limits, memory);
	if (r < 0)
		return r;
	disable = json_get(memory, "disableOOMKiller");
	if (json_bool_or(disable, false) || (limits->is_update && json_exists(disable)))
		return limit_write(limits, "memory.disableOOMKiller", CGROUP_MEMORY,
				   "memory.oom_control", "%d", json_bool_or(disable, false));
	return 0;
}

/* A real-time budget is a part of the parent's, which is 0 unless somebody has given it one. */
static int realtime_explain(struct limits *limits, int r)
{
	if (r == -EINVAL)
		return error_prefix(limits->error, r,
				    "linux.resources.cpu.realtimeRuntime must fit into "
				    "cpu.rt_runtime_us of the cgroup above '/%s'",
				    limits->cgroup->path);
	return r;
}

int limits_cpu_v1(struct limits *limits, struct json_value cpu)
{
	/* The burst is at most the quota (Linux 5.14), and what is idle takes no shares (5.15). */
	struct limit_value fair[] = {
		{ .field = "cpu.period", .file = "cpu.cfs_period_us" },
		{ .field = "cpu.quota", .file = "cpu.cfs_quota_us" },
		{ .field = "cpu.burst", .file = "cpu.cfs_burst_us" },
		{ .field = "cpu.shares", .file = "cpu.shares" },
		{ .field = "cpu.idle", .file = "cpu.idle" },
	};
	struct limit_value realtime[] = {
		{ .field = "cpu.realtimePeriod", .file = "cpu.rt_period_us" },
		{ .field = "cpu.realtimeRuntime", .file = "cpu.rt_runtime_us" },
	};
	int r = limits_cpu_values(limits, cpu, fair, sizeof(fair) / sizeof(fair[0]));

	if (r == 0)
		r = limit_write_all(limits, CGROUP_CPU, fair, sizeof(fair) / sizeof(fair[0]));
	if (r == 0)
		r = limits_cpu_values(limits, cpu, realtime, 2);
	if (r == 0)
		r = realtime_explain(limits, limit_write_all(limits, CGROUP_CPU, realtime, 2));
	return r;
}

/* blkio.weight went with the CFQ scheduler (Linux 5.0); BFQ has one of its own. */
static const char *weight_file(struct limits *limits, const char *file, const char *bfq_file)
{
	return limit_has_file(limits, CGROUP_BLKIO, file) ? file : bfq_file;
}

static int weights(struct limits *limits, struct json_value block_io)
{
	int64_t number;
	int r = limit_asked(limits, block_io, "blockIO.weight", &number);

	if (r == 1)
		r = limit_write_number(limits, "blockIO.weight", CGROUP_BLKIO,
				       weight_file(limits, "blkio.weight", "blkio.bfq.weight"),
				       number);
	if (r < 0)
		return r;
	r = limit_asked(limits, block_io, "blockIO.leafWeight", &number);
	if (r == 1)
		r = limit_write_number(limits, "blockIO.leafWeight", CGROUP_BLKIO,
				       "blkio.leaf_weight", number);
	return r;
}

static int device_weight(struct limits *limits, struct json_value element)
{
	static const char field[] = "blockIO.weightDevice";
	char device[32];
	int64_t number;
	int r = limit_keys_check(limits, element, field, "major minor weight leafWeight ");

	if (r == 0)
		r = limit_device(limits, element, field, device);
	if (r < 0)
		return r;
	r = limit_asked(limits, element, "weight", &number);
	if (r == 1)
		r = limit_write(
			limits, field, CGROUP_BLKIO,
			weight_file(limits, "blkio.weight_device", "blkio.bfq.weight_device"),
			"%s %" PRId64, device, number);
	if (r < 0)
		return r;
	r = limit_asked(limits, element, "leafWeight", &number);
	if (r == 1)
		r = limit_write(limits, field, CGROUP_BLKIO, "blkio.leaf_weight_device",
				"%s %" PRId64, device, number);
	return r;
}

int limits_block_io_v1(struct limits *limits, struct json_value block_io)
{
	static const char *const files[] = {
		"blkio.throttle.read_bps_device",
		"blkio.throttle.write_bps_device",
		"blkio.throttle.read_iops_device",
		"blkio.throttle.write_iops_device",
	};
	int r = weights(limits, block_io);

	JSON_FOR_EACH (element, json_get(block_io, "weightDevice")) {
		if (r == 0)
			r = device_weight(limits, element);
	}
	for (size_t i = 0; r == 0 && i < LIMIT_N_THROTTLES; i++) {
		JSON_FOR_EACH (element, json_get(block_io, limit_throttle_key(i))) {
			struct limit_throttle throttle;

			r = limit_throttle_parse(limits, i, element, &throttle);
			if (r == 0)
				r = limit_write(limits, throttle.field, CGROUP_BLKIO, files[i],
						"%s %" PRIu64, throttle.device, throttle.rate);
			if (r < 0)
				return r;
		}
	}
	return r;
}
