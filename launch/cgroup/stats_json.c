/* SPDX-License-Identifier: MIT */
/*
 * Statistics as runc prints them: the names, what is left out where it is 0, and the order are
 * those of its types/events.go, which engines decode.
 */
#include <stdlib.h>
#include <string.h>

#include "launch/cgroup/stats.h"

static void uint_unless_0(struct json_writer *writer, const char *key, uint64_t number)
{
	if (number)
		json_write_uint(writer, key, number);
}

static void uints_write(struct json_writer *writer, const char *key, const uint64_t *numbers,
			size_t n)
{
	if (n == 0)
		return;
	json_write_array_begin(writer, key);
	for (size_t i = 0; i < n; i++)
		json_write_uint(writer, NULL, numbers[i]);
	json_write_array_end(writer);
}

static void pressure_write(struct json_writer *writer, const struct cgroup_pressure *pressure)
{
	if (!pressure->is_there)
		return;
	json_write_object_begin(writer, "psi");
	for (int i = 0; i < 2; i++) {
		const char *key = i ? "full" : "some";
		const char *avg10 = i ? pressure->full.avg10 : pressure->some.avg10;
		const char *avg60 = i ? pressure->full.avg60 : pressure->some.avg60;
		const char *avg300 = i ? pressure->full.avg300 : pressure->some.avg300;

		json_write_object_begin(writer, key);
		json_write_raw(writer, "avg10", avg10, strlen(avg10));
		json_write_raw(writer, "avg60", avg60, strlen(avg60));
		json_write_raw(writer, "avg300", avg300, strlen(avg300));
		json_write_uint(writer, "total",
				i ? pressure->full.total_us : pressure->some.total_us);
		json_write_object_end(writer);
	}
	json_write_object_end(writer);
}

static void cpu_write(struct json_writer *writer, const struct cgroup_stats *stats)
{
	json_write_object_begin(writer, "cpu");
	json_write_object_begin(writer, "usage");
	uint_unless_0(writer, "total", stats->cpu.total_ns);
	uints_write(writer, "percpu", stats->cpu.per_cpu_ns, stats->cpu.n_per_cpu);
	uints_write(writer, "percpu_kernel", stats->cpu.per_cpu_kernel_ns,
		    stats->cpu.n_per_cpu_kernel);
	uints_write(writer, "percpu_user", stats->cpu.per_cpu_user_ns, stats->cpu.n_per_cpu_kernel);
	json_write_uint(writer, "kernel", stats->cpu.kernel_ns);
	json_write_uint(writer, "user", stats->cpu.user_ns);
	json_write_object_end(writer);
	json_write_object_begin(writer, "throttling");
	uint_unless_0(writer, "periods", stats->cpu.periods);
	uint_unless_0(writer, "throttledPeriods", stats->cpu.throttled_periods);
	uint_unless_0(writer, "throttledTime", stats->cpu.throttled_ns);
	json_write_object_end(writer);
	pressure_write(writer, &stats->cpu.pressure);
	json_write_object_end(writer);
}

/* "0-2,7" as [0,1,2,7]; nothing where it is empty. Numbers beyond Go's uint16 are not. */
static void list_write(struct json_writer *writer, const char *key, const char *list)
{
	if (!list || !*list)
		return;
	json_write_array_begin(writer, key);
	for (const char *p = list; *p >= '0' && *p <= '9';) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first <= UINT16_MAX; first++)
			json_write_uint(writer, NULL, first);
		p = end + (*end == ',');
	}
	json_write_array_end(writer);
}

static void cpuset_write(struct json_writer *writer, const struct cgroup_stats *stats)
{
	json_write_object_begin(writer, "cpuset");
	list_write(writer, "cpus", stats->cpuset.cpus);
	list_write(writer, "mems", stats->cpuset.mems);
	for (size_t i = 0; i < CGROUP_N_CPUSET_FLAGS; i++)
		json_write_int(writer, cgroup_cpuset_flags[i], stats->cpuset.flags[i]);
	json_write_object_end(writer);
}

static void memory_entry_write(struct json_writer *writer, const char *key,
			       const struct cgroup_memory_entry *entry)
{
	json_write_object_begin(writer, key);
	json_write_uint(writer, "limit", entry->limit);
	uint_unless_0(writer, "usage", entry->usage);
	uint_unless_0(writer, "max", entry->max);
	json_write_uint(writer, "failcnt", entry->failures);
	json_write_object_end(writer);
}

static void keys_write(struct json_writer *writer, const char *key, const struct cgroup_key *keys,
		       size_t n)
{
	if (n == 0)
		return;
	json_write_object_begin(writer, key);
	for (size_t i = 0; i < n; i++)
		json_write_uint(writer, keys[i].name, keys[i].value);
	json_write_object_end(writer);
}

static void memory_write(struct json_writer *writer, const struct cgroup_stats *stats)
{
	json_write_object_begin(writer, "memory");
	uint_unless_0(writer, "cache", stats->memory.cache);
	memory_entry_write(writer, "usage", &stats->memory.usage);
	memory_entry_write(writer, "swap", &stats->memory.swap);
	memory_entry_write(writer, "kernel", &stats->memory.kernel);
	memory_entry_write(writer, "kernelTCP", &stats->memory.kernel_tcp);
	keys_write(writer, "raw", stats->memory.raw, stats->memory.n_raw);
	pressure_write(writer, &stats->memory.pressure);
	keys_write(writer, "event_count", stats->memory.events, stats->memory.n_events);
	json_write_object_end(writer);
}

static void io_write(struct json_writer *writer, const struct cgroup_stats *stats)
{
	const char *table = NULL;

	json_write_object_begin(writer, "blkio");
	/* v1 has them table by table, v2 device by device: each table is written once. */
	for (size_t i = 0; i < stats->io.n_entries; i++) {
		bool written = false;

		table = stats->io.entries[i].table;
		for (size_t k = 0; k < i; k++)
			written |= stats->io.entries[k].table == table;
		if (written)
			continue;
		json_write_array_begin(writer, table);
		for (size_t k = i; k < stats->io.n_entries; k++) {
			const struct cgroup_io_entry *entry = &stats->io.entries[k];

			if (entry->table != table)
				continue;
			json_write_object_begin(writer, NULL);
			uint_unless_0(writer, "major", entry->major);
			uint_unless_0(writer, "minor", entry->minor);
			if (*entry->operation)
				json_write_string(writer, "op", entry->operation);
			uint_unless_0(writer, "value", entry->value);
			json_write_object_end(writer);
		}
		json_write_array_end(writer);
	}
	pressure_write(writer, &stats->io.pressure);
	json_write_object_end(writer);
}

static void hugepages_write(struct json_writer *writer, const struct cgroup_stats *stats)
{
	json_write_object_begin(writer, "hugetlb");
	for (size_t i = 0; i < stats->n_hugepages; i++) {
		json_write_object_begin(writer, stats->hugepages[i].size);
		uint_unless_0(writer, "usage", stats->hugepages[i].usage);
		uint_unless_0(writer, "max", stats->hugepages[i].max);
		json_write_uint(writer, "failcnt", stats->hugepages[i].failures);
		json_write_object_end(writer);
	}
	json_write_object_end(writer);
}

void cgroup_stats_write(const struct cgroup_stats *stats, struct json_writer *writer,
			const char *key)
{
	json_write_object_begin(writer, key);
	cpu_write(writer, stats);
	cpuset_write(writer, stats);
	memory_write(writer, stats);
	json_write_object_begin(writer, "pids");
	uint_unless_0(writer, "current", stats->pids.current);
	uint_unless_0(writer, "limit", stats->pids.limit);
	json_write_object_end(writer);
	io_write(writer, stats);
	hugepages_write(writer, stats);
	json_write_object_begin(writer, "intel_rdt");
	json_write_object_end(writer);
	/* Only of interfaces that the runtime itself has made, which are none. */
	json_write_raw(writer, "network_interfaces", "null", 4);
	json_write_object_end(writer);
}
