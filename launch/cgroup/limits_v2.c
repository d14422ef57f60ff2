/* SPDX-License-Identifier: MIT */
/*
 * The sections of linux.resources, which are cgroup v1's terms, as cgroup v2 has them
 * (Documentation/admin-guide/cgroup-v2.rst), converted as runc and crun do.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "launch/cgroup/limits.h"

/* What is set now; 0: no limit. */
static int64_t memory_max(const struct limits *limits)
{
	char text[32];

	if (cgroup_file_read(cgroup_v2_fd(limits->cgroup), "memory.max", text, sizeof(text)) <= 0)
		return 0;
	return strtoll(text, NULL, 10);
}

/* v1 limits memory and swap together, v2 swap alone. */
static int swap_max(struct limits *limits, struct json_value memory, int64_t limit)
{
	static const char field[] = "memory.swap";
	int64_t swap;
	int r = limit_asked(limits, memory, field, &swap);

	if (r < 0)
		return r;
	if (r == 0) {
		/* As runc does: no limit of memory means none of memory and swap. */
		if (limit >= 0)
			return 0;
		swap = -1;
	}
	/* Booted with swapaccount=0, or built without swap. */
	if (!limit_has_file(limits, CGROUP_MEMORY, "memory.swap.max") &&
	    (swap < 0 || !limits_swap_is_on()))
		return 0;
	if (swap < 0)
		return limit_write_number(limits, field, CGROUP_MEMORY, "memory.swap.max", -1);
	if (limit <= 0 && limits->is_update)
		limit = memory_max(limits);
	if (limit <= 0)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.memory.swap needs memory.limit beside it: it is "
				 "the sum of memory and swap");
	if (swap < limit)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.memory.swap is less than memory.limit: it is the "
				 "sum of memory and swap");
	return limit_write_number(limits, field, CGROUP_MEMORY, "memory.swap.max", swap - limit);
}

/* memory.checkBeforeUpdate: a limit below what is in use would have the OOM killer end it. */
static int usage_check(struct limits *limits, struct json_value memory, int64_t limit)
{
	char text[32];

	if (limit < 0 || !json_bool_or(json_get(memory, "checkBeforeUpdate"), false) ||
	    cgroup_file_read(cgroup_v2_fd(limits->cgroup), "memory.current", text, sizeof(text)) <=
		    0)
		return 0;
	if (strtoll(text, NULL, 10) > limit)
		return error_say(limits->error, -EBUSY,
				 "linux.resources.memory.limit is less than the %s bytes in use",
				 text);
	return 0;
}

static int memory_ignored(struct limits *limits, struct json_value memory)
{
	uint64_t unsigned_number;
	int64_t number;

	if (json_uint64(json_get(memory, "swappiness"), &unsigned_number) == 0 &&
	    unsigned_number != UINT64_MAX)
		limit_ignore(limits, "memory.swappiness", "cgroup v2 has none");
	if (limit_asked(limits, memory, "memory.kernelTCP", &number) == 1)
		limit_ignore(limits, "memory.kernelTCP", "cgroup v2 has none");
	if (json_bool_or(json_get(memory, "disableOOMKiller"), false))
		limit_ignore(limits, "memory.disableOOMKiller", "cgroup v2 always has it");
	return 0;
}

int limits_memory_v2(struct limits *limits, struct json_value memory)
{
	int64_t limit = 0, reservation;
	int r = limit_asked(limits, memory, "memory.limit", &limit);

	if (r == 1)
		r = usage_check(limits, memory, limit);
	/* Swap first: the memory limit may push pages out, which it must not do without bound. */
	if (r >= 0)
		r = swap_max(limits, memory, limit);
	if (r == 0 && limit != 0)
		r = limit_write_number(limits, "memory.limit", CGROUP_MEMORY, "memory.max", limit);
	if (r < 0)
		return r;
	r = limit_asked(limits, memory, "memory.reservation", &reservation);
	if (r == 1)
		r = limit_write_number(limits, "memory.reservation", CGROUP_MEMORY, "memory.low",
				       reservation);
	return r < 0 ? r : memory_ignored(limits, memory);
}

/*
 * runc's and crun's curve since 2025: through 2 -> 1, 1024 -> 100 (the defaults of the two) and
 * 262144 -> 10000. The straight line that was before made 39 of the default 1024.
 */
uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* "QUOTA PERIOD" in one file: a period by itself goes with the quota that is set. */
static int bandwidth(struct limits *limits, struct json_value cpu, struct limit_value *ret_value)
{
	int64_t period = 0, quota = 0;
	int has_period = limit_asked(limits, cpu, "cpu.period", &period);
	int has_quota = limit_asked(limits, cpu, "cpu.quota", &quota);
	char text[48] = "max";

	if (has_period < 0 || has_quota < 0)
		return -EINVAL;
	if (!has_period && !has_quota)
		return 0;
	ret_value->field = has_quota ? "cpu.quota" : "cpu.period";
	ret_value->is_said = true;
	if (has_quota && quota > 0)
		snprintf(text, sizeof(text), "%" PRId64, quota);
	else if (!has_quota && limit_has_file(limits, CGROUP_CPU, "cpu.max"))
		(void)cgroup_file_read(cgroup_v2_fd(limits->cgroup), "cpu.max", text, sizeof(text));
	text[strcspn(text, " ")] = '\0';
	if (has_period)
		snprintf(ret_value->text, sizeof(ret_value->text), "%.20s %" PRId64, text, period);
	else
		snprintf(ret_value->text, sizeof(ret_value->text), "%s", text);
	return 0;
}

int limits_cpu_v2(struct limits *limits, struct json_value cpu)
{
	/* The burst is at most the quota (Linux 5.14), and what is idle takes no weight (5.15). */
	struct limit_value values[] = {
		{ .field = "cpu.quota", .file = "cpu.max" },
		{ .field = "cpu.shares", .file = "cpu.weight" },
		{ .field = "cpu.burst", .file = "cpu.max.burst" },
		{ .field = "cpu.idle", .file = "cpu.idle" },
	};
	int64_t number;
	int r = limit_asked(limits, cpu, "cpu.realtimeRuntime", &number);

	if (r == 0)
		r = limit_asked(limits, cpu, "cpu.realtimePeriod", &number);
	if (r != 0)
		return r < 0 ? r
			     : limit_unsupported(limits, "cpu.realtimeRuntime",
						 "cgroup v2 has no limits of real-time processes");
	r = bandwidth(limits, cpu, &values[0]);
	if (r == 0)
		r = limits_cpu_values(limits, cpu, &values[1], 3);
	if (r < 0)
		return r;
	if (values[1].is_said)
		snprintf(values[1].text, sizeof(values[1].text), "%" PRIu64,
			 cgroup_shares_to_weight(strtoull(values[1].text, NULL, 10)));
	return limit_write_all(limits, CGROUP_CPU, values, sizeof(values) / sizeof(values[0]));
}

/* io.weight is 1 to 10000 where blkio.weight was 10 to 1000; BFQ's stays as it was. */
static int weight_write(struct limits *limits, const char *field, const char *device,
			int64_t weight)
{
	if (weight < 10 || weight > 1000)
		return error_say(limits->error, -EINVAL,
				 "linux.resources.%s is %" PRId64 ", it must be from 10 to 1000",
				 field, weight);
	if (limit_has_file(limits, CGROUP_BLKIO, "io.bfq.weight"))
		return limit_write(limits, field, CGROUP_BLKIO, "io.bfq.weight", "%s%" PRId64,
				   device, weight);
	return limit_write(limits, field, CGROUP_BLKIO, "io.weight", "%s%" PRId64,
			   *device ? device : "default ", 1 + (weight - 10) * 9999 / 990);
}

static int weights(struct limits *limits, struct json_value block_io)
{
	int64_t weight;
	int r = limit_asked(limits, block_io, "blockIO.weight", &weight);

	if (r == 1)
		r = weight_write(limits, "blockIO.weight", "", weight);
	if (r == 0 && limit_asked(limits, block_io, "blockIO.leafWeight", &weight) == 1)
		r = limit_ignore(limits, "blockIO.leafWeight", "cgroup v2 has none");
	JSON_FOR_EACH (element, json_get(block_io, "weightDevice")) {
		char device[32], with_space[33];

		if (r < 0)
			return r;
		r = limit_keys_check(limits, element, "blockIO.weightDevice",
				     "major minor weight leafWeight ");
		if (r == 0)
			r = limit_device(limits, element, "blockIO.weightDevice", device);
		if (r == 0)
			r = limit_asked(limits, element, "weight", &weight);
		snprintf(with_space, sizeof(with_space), "%s ", device);
		if (r == 1)
			r = weight_write(limits, "blockIO.weightDevice", with_space, weight);
	}
	return r;
}

int limits_block_io_v2(struct limits *limits, struct json_value block_io)
{
	static const char *const words[] = { "rbps", "wbps", "riops", "wiops" };
	int r = weights(limits, block_io);

	for (size_t i = 0; r == 0 && i < LIMIT_N_THROTTLES; i++) {
		JSON_FOR_EACH (element, json_get(block_io, limit_throttle_key(i))) {
			struct limit_throttle throttle;
			char rate[32] = "max";

			r = limit_throttle_parse(limits, i, element, &throttle);
			/* v1's word for no limit is 0. */
			if (r == 0 && throttle.rate > 0)
				snprintf(rate, sizeof(rate), "%" PRIu64, throttle.rate);
			if (r == 0)
				r = limit_write(limits, throttle.field, CGROUP_BLKIO, "io.max",
						"%s %s=%s", throttle.device, words[i], rate);
			if (r < 0)
				return r;
		}
	}
	return r;
}
