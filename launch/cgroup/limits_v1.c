/* SPDX-License-Identifier: MIT */
/*
 * The sections of linux.resources as cgroup v1 has them
 * (Documentation/admin-guide/cgroup-v1/, Documentation/scheduler/sched-bwc.rst).
 */
#include <errno.h>
#include <inttypes.h>

#include "launch/cgroup/limits.h"

/*
 * The kernel holds limit <= memory+swap at every moment, so which of the two goes first depends on
 * what they were.
 */
static int memory_and_swap(struct limits *limits, int64_t limit, bool has_swap, int64_t swap)
{
	static const char limit_file[] = "memory.limit_in_bytes";
	static const char swap_file[] = "memory.memsw.limit_in_bytes";
	struct error *error = limits->error;
	struct error ignored;
	int r;

	error_init(&ignored);
	if (!has_swap)
		return limit_write_number(limits, "memory.limit", CGROUP_MEMORY, limit_file, limit);
	limits->error = &ignored;
	r = limit_write_number(limits, "memory.limit", CGROUP_MEMORY, limit_file, limit);
	limits->error = error;
	if (r == 0)
		return limit_write_number(limits, "memory.swap", CGROUP_MEMORY, swap_file, swap);
	r = limit_write_number(limits, "memory.swap", CGROUP_MEMORY, swap_file, swap);
	if (r == 0)
		r = limit_write_number(limits, "memory.limit", CGROUP_MEMORY, limit_file, limit);
	return r;
}

static int memory_limits(struct limits *limits, struct json_value memory)
{
	int64_t limit = 0, swap = 0;
	int has_limit = limit_asked(limits, memory, "memory.limit", &limit);
	int has_swap =
		has_limit < 0 ? has_limit : limit_asked(limits, memory, "memory.swap", &swap);

	if (has_limit < 0 || has_swap < 0)
		return has_limit < 0 ? has_limit : has_swap;
	/* As runc does: no limit of memory means none of memory and swap. */
	if (has_limit && limit < 0 && !has_swap) {
		swap = -1;
		has_swap = limit_has_file(limits, CGROUP_MEMORY, "memory.memsw.limit_in_bytes");
	}
	/* Booted with swapaccount=0. */
	if (has_swap && !limit_has_file(limits, CGROUP_MEMORY, "memory.memsw.limit_in_bytes") &&
	    !limits_swap_is_on())
		has_swap = 0;
	if (has_limit)
		return memory_and_swap(limits, limit, has_swap, swap);
	if (has_swap)
		return limit_write_number(limits, "memory.swap", CGROUP_MEMORY,
					  "memory.memsw.limit_in_bytes", swap);
	return 0;
}

int limits_memory_v1(struct limits *limits, struct json_value memory)
{
	int64_t number;
	int r = memory_limits(limits, memory);

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
	/* -1 is Docker's word for the default. */
	r = limit_number(limits, memory, "memory.swappiness", &number);
	if (r == 1 && number >= 0)
		r = limit_write_number(limits, "memory.swappiness", CGROUP_MEMORY,
				       "memory.swappiness", number);
	if (r < 0)
		return r;
	if (json_bool_or(json_get(memory, "disableOOMKiller"), false))
		return limit_write(limits, "memory.disableOOMKiller", CGROUP_MEMORY,
				   "memory.oom_control", "1");
	return 0;
}

static int cpu_bandwidth(struct limits *limits, struct json_value cpu)
{
	int64_t period = 0, quota = 0, burst = 0;
	int has_period = limit_asked(limits, cpu, "cpu.period", &period);
	int has_quota = limit_asked(limits, cpu, "cpu.quota", &quota);
	int has_burst = limit_asked(limits, cpu, "cpu.burst", &burst);
	int r = 0;

	if (has_period < 0 || has_quota < 0 || has_burst < 0)
		return -EINVAL;
	if (has_period)
		r = limit_write_number(limits, "cpu.period", CGROUP_CPU, "cpu.cfs_period_us",
				       period);
	if (r == 0 && has_quota)
		r = limit_write_number(limits, "cpu.quota", CGROUP_CPU, "cpu.cfs_quota_us", quota);
	/* Linux 5.14. At most the quota, which is why it comes last. */
	if (r == 0 && has_burst)
		r = limit_write_number(limits, "cpu.burst", CGROUP_CPU, "cpu.cfs_burst_us", burst);
	return r;
}

int limits_cpu_v1(struct limits *limits, struct json_value cpu)
{
	static const struct {
		const char *field, *file;
	} numbers[] = {
		{ "cpu.shares", "cpu.shares" },
		{ "cpu.realtimePeriod", "cpu.rt_period_us" },
		{ "cpu.realtimeRuntime", "cpu.rt_runtime_us" },
		{ "cpu.idle", "cpu.idle" },
	};
	int r = cpu_bandwidth(limits, cpu);

	for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t number;

		r = limit_asked(limits, cpu, numbers[i].field, &number);
		if (r == 1)
			r = limit_write_number(limits, numbers[i].field, CGROUP_CPU,
					       numbers[i].file, number);
	}
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
	int r = limit_device(limits, element, field, device);

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
	static const struct {
		const char *key, *field, *file;
	} throttles[] = {
		{ "throttleReadBpsDevice", "blockIO.throttleReadBpsDevice",
		  "blkio.throttle.read_bps_device" },
		{ "throttleWriteBpsDevice", "blockIO.throttleWriteBpsDevice",
		  "blkio.throttle.write_bps_device" },
		{ "throttleReadIOPSDevice", "blockIO.throttleReadIOPSDevice",
		  "blkio.throttle.read_iops_device" },
		{ "throttleWriteIOPSDevice", "blockIO.throttleWriteIOPSDevice",
		  "blkio.throttle.write_iops_device" },
	};
	int r = weights(limits, block_io);

	JSON_FOR_EACH (element, json_get(block_io, "weightDevice")) {
		if (r == 0)
			r = device_weight(limits, element);
	}
	for (size_t i = 0; i < sizeof(throttles) / sizeof(throttles[0]); i++) {
		JSON_FOR_EACH (element, json_get(block_io, throttles[i].key)) {
			char device[32];
			uint64_t rate;

			if (r == 0)
				r = limit_device(limits, element, throttles[i].field, device);
			if (r < 0)
				return r;
			if (json_uint64(json_get(element, "rate"), &rate) < 0)
				return error_say(limits->error, -EINVAL,
						 "linux.resources.%s: device %s has no rate",
						 throttles[i].field, device);
			r = limit_write(limits, throttles[i].field, CGROUP_BLKIO, throttles[i].file,
					"%s %" PRIu64, device, rate);
		}
	}
	return r;
}
