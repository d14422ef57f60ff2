/* SPDX-License-Identifier: MIT */
/*
 * Statistics of v1's controllers (Documentation/admin-guide/cgroup-v1/), what runc makes of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch/cgroup/stats_internal.h"

/* The cgroup in the hierarchy of @controller, or -EBADF. */
static int directory_of(struct cgroup *cgroup, enum cgroup_controller controller)
{
	struct cgroup_hierarchy *hierarchy = cgroup_v1(cgroup, controller);

	return hierarchy ? cgroup_directory(cgroup, hierarchy) : -EBADF;
}

/* "cpu user system" and a line for each processor (Linux 4.7). */
static int cpu_split_read(int fd, struct cgroup_stats *stats)
{
	_cleanup_free_ char *text = stat_text(fd, "cpuacct.usage_all");
	uint64_t *kernel, *user;
	const char *line = text;
	size_t n = 0;

	if (!text)
		return 0;
	kernel = stats->cpu.per_cpu_kernel_ns = calloc(strlen(text) / 5 + 1, sizeof(*kernel));
	user = stats->cpu.per_cpu_user_ns = calloc(strlen(text) / 5 + 1, sizeof(*user));
	if (!kernel || !user)
		return -ENOMEM;
	while ((line = strchr(line, '\n')) != NULL) {
		char *end;

		line++;
		(void)strtoull(line, &end, 10);
		user[n] = strtoull(end, &end, 10);
		kernel[n++] = strtoull(end, NULL, 10);
	}
	stats->cpu.n_per_cpu_kernel = n;
	return 0;
}

static int cpu_read(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	int fd = directory_of(cgroup, CGROUP_CPU);
	struct cgroup_key *keys = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n_keys = 0;
	int r = 0;

	if (fd >= 0)
		r = stat_keys(fd, "cpu.stat", &keys, &n_keys);
	stats->cpu.periods = stat_key(keys, n_keys, "nr_periods");
	stats->cpu.throttled_periods = stat_key(keys, n_keys, "nr_throttled");
	stats->cpu.throttled_ns = stat_key(keys, n_keys, "throttled_time");
	free(keys);
	keys = NULL;
	n_keys = 0;
	fd = directory_of(cgroup, CGROUP_CPUACCT);
	if (r < 0 || fd < 0)
		return r;
	stats->cpu.total_ns = stat_number(fd, "cpuacct.usage", 0);
	r = stat_keys(fd, "cpuacct.stat", &keys, &n_keys);
	/* In clock ticks, of which the kernel's interface has 100 a second. */
	stats->cpu.user_ns = stat_key(keys, n_keys, "user") * 10000000;
	stats->cpu.kernel_ns = stat_key(keys, n_keys, "system") * 10000000;
	free(keys);
	text = stat_text(fd, "cpuacct.usage_percpu");
	if (r == 0 && text)
		r = stat_numbers(text, &stats->cpu.per_cpu_ns, &stats->cpu.n_per_cpu);
	return r == 0 ? cpu_split_read(fd, stats) : r;
}

static void cpuset_read(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	int fd = directory_of(cgroup, CGROUP_CPUSET);

	if (fd < 0)
		return;
	stats->cpuset.cpus = stat_text(fd, "cpuset.cpus");
	stats->cpuset.mems = stat_text(fd, "cpuset.mems");
	for (size_t i = 0; i < CGROUP_N_CPUSET_FLAGS; i++) {
		char file[64];

		snprintf(file, sizeof(file), "cpuset.%s", cgroup_cpuset_flags[i]);
		/* The last one's default is -1. */
		stats->cpuset.flags[i] = (int64_t)stat_number(fd, file, 0);
	}
}

static void memory_entry_read(int fd, const char *name, struct cgroup_memory_entry *entry)
{
	char file[64];

	snprintf(file, sizeof(file), "memory.%slimit_in_bytes", name);
	entry->limit = stat_number(fd, file, 0);
	snprintf(file, sizeof(file), "memory.%susage_in_bytes", name);
	entry->usage = stat_number(fd, file, 0);
	snprintf(file, sizeof(file), "memory.%smax_usage_in_bytes", name);
	entry->max = stat_number(fd, file, 0);
	snprintf(file, sizeof(file), "memory.%sfailcnt", name);
	entry->failures = stat_number(fd, file, 0);
}

static int memory_read(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	int fd = directory_of(cgroup, CGROUP_MEMORY);
	int r;

	if (fd < 0)
		return 0;
	stats->has_v1_memory = true;
	memory_entry_read(fd, "", &stats->memory.usage);
	memory_entry_read(fd, "memsw.", &stats->memory.swap);
	memory_entry_read(fd, "kmem.", &stats->memory.kernel);
	memory_entry_read(fd, "kmem.tcp.", &stats->memory.kernel_tcp);
	r = stat_keys(fd, "memory.stat", &stats->memory.raw, &stats->memory.n_raw);
	stats->memory.cache = stat_key(stats->memory.raw, stats->memory.n_raw, "cache");
	return r;
}

/* "8:0 Read 4096" lines; the last is a total of all devices. */
static int io_file_read(int fd, const char *file, const char *table, struct cgroup_stats *stats)
{
	_cleanup_free_ char *text = stat_text(fd, file);
	int r = 0;

	for (const char *line = text; line && *line && r == 0;
	     line += strcspn(line, "\n"), line += *line != 0) {
		struct cgroup_io_entry entry = { .table = table };
		char *end;

		entry.major = strtoull(line, &end, 10);
		if (*end != ':')
			continue;
		entry.minor = strtoull(end + 1, &end, 10);
		end += *end == ' ';
		/* Without an operation: blkio.time_recursive, blkio.sectors_recursive. */
		if (*end < '0' || *end > '9') {
			size_t n = strcspn(end, " \n");

			snprintf(entry.operation, sizeof(entry.operation), "%.*s", (int)n, end);
			end += n;
		}
		entry.value = strtoull(end, NULL, 10);
		r = stat_io_add(stats, &entry);
	}
	return r;
}

static int io_read(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	static const struct {
		const char *file, *table;
	} all[] = {
		{ "io_service_bytes_recursive", "ioServiceBytesRecursive" },
		{ "io_serviced_recursive", "ioServicedRecursive" },
		{ "io_queued_recursive", "ioQueueRecursive" },
		{ "io_service_time_recursive", "ioServiceTimeRecursive" },
		{ "io_wait_time_recursive", "ioWaitTimeRecursive" },
		{ "io_merged_recursive", "ioMergedRecursive" },
		{ "time_recursive", "ioTimeRecursive" },
		{ "sectors_recursive", "sectorsRecursive" },
	};
	/* By what scheduled the requests: BFQ, CFQ before Linux 5.0, or nothing but the limits. */
	static const char *const prefixes[] = { "blkio.bfq.", "blkio.", "blkio.throttle." };
	int fd = directory_of(cgroup, CGROUP_BLKIO);
	int r = 0;

	if (fd < 0)
		return 0;
	for (size_t p = 0; r == 0 && stats->io.n_entries == 0 && p < 3; p++) {
		for (size_t i = 0; r == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
			char file[64];

			snprintf(file, sizeof(file), "%s%s", prefixes[p], all[i].file);
			r = io_file_read(fd, file, all[i].table, stats);
		}
	}
	return r;
}

int stats_read_v1(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	int pids_fd = directory_of(cgroup, CGROUP_PIDS);
	int hugetlb_fd = directory_of(cgroup, CGROUP_HUGETLB);
	int r = cpu_read(cgroup, stats);

	cpuset_read(cgroup, stats);
	if (r == 0)
		r = memory_read(cgroup, stats);
	if (r == 0)
		r = io_read(cgroup, stats);
	if (r == 0 && hugetlb_fd >= 0)
		r = stat_hugepages(stats, hugetlb_fd, false);
	if (pids_fd >= 0) {
		stats->pids.current = stat_number(pids_fd, "pids.current", 0);
		stats->pids.limit = stat_number(pids_fd, "pids.max", 0);
	}
	return r;
}
