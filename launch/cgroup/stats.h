/* SPDX-License-Identifier: MIT */
/*
 * What a cgroup uses, read from the control files of v1 and v2 into the same terms.
 */
#pragma once

#include "base/json_write.h"
#include "launch/cgroup/cgroup.h"

/* v1's and Go's word for no limit is a large number. */
#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup_memory_entry {
	uint64_t limit, usage, max, failures;
};

/* A line of a flat keyed file such as memory.stat. */
struct cgroup_key {
	char name[48];
	uint64_t value;
};

/* Bytes or requests of one device; the table is the name of runc's JSON. */
struct cgroup_io_entry {
	const char *table; /* "ioServiceBytesRecursive", ... */
	uint64_t major, minor;
	char operation[16]; /* "Read", "Write", "Total", ... */
	uint64_t value;
};

struct cgroup_hugepages {
	char size[16]; /* "2MB" */
	uint64_t usage, max, failures;
};

/* Pressure stall information (Linux 5.2, v2 only), as the file has it. */
struct cgroup_pressure {
	bool is_there;
	struct {
		char avg10[16], avg60[16], avg300[16]; /* percent, decimal */
		uint64_t total_us;
	} some, full;
};

#define CGROUP_N_CPUSET_FLAGS 9
extern const char *const cgroup_cpuset_flags[CGROUP_N_CPUSET_FLAGS];

struct cgroup_stats {
	bool has_v1_memory, has_v2_memory;
	struct {
		uint64_t total_ns, kernel_ns, user_ns;
		uint64_t *per_cpu_ns, *per_cpu_kernel_ns, *per_cpu_user_ns; /* v1 only */
		size_t n_per_cpu, n_per_cpu_kernel;
		uint64_t periods, throttled_periods, throttled_ns;
		struct cgroup_pressure pressure;
	} cpu;
	struct {
		bool is_there;	   /* of v1 only, as in runc */
		char *cpus, *mems; /* "0-3,7" */
		int64_t flags[CGROUP_N_CPUSET_FLAGS];
	} cpuset;
	struct {
		uint64_t cache;
		struct cgroup_memory_entry usage, swap, kernel, kernel_tcp; /* swap: both */
		struct cgroup_key *raw, *events; /* memory.stat; v2's memory.events */
		size_t n_raw, n_events;
		struct cgroup_pressure pressure;
	} memory;
	struct {
		uint64_t current, limit; /* limit 0: none */
	} pids;
	struct {
		struct cgroup_io_entry *entries;
		size_t n_entries;
		struct cgroup_pressure pressure;
	} io;
	struct cgroup_hugepages *hugepages;
	size_t n_hugepages;
};

/**
 * cgroup_stats_read() - read all that there is; a missing controller's numbers are 0
 * @stats: filled; to be given to cgroup_stats_deinit(), also after a failure
 *
 * Return: 0 or a negative errno (-ENOMEM; -ENOENT: the cgroup is gone).
 */
int cgroup_stats_read(struct cgroup *cgroup, struct cgroup_stats *stats, struct error *error);

void cgroup_stats_deinit(struct cgroup_stats *stats);
#define _cleanup_cgroup_stats_ _cleanup_(cgroup_stats_deinit)

/** cgroup_stats_write() - as the "data" of runc's `events --stats` (its types/events.go) */
void cgroup_stats_write(const struct cgroup_stats *stats, struct json_writer *writer,
			const char *key);
