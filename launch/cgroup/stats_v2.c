/* SPDX-License-Identifier: MIT */
/*
 * Statistics of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst) in v1's terms, as runc has
 * them: swap is the sum of memory and swap, times are nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/cgroup/stats_internal.h"

static bool is_v2_only(struct cgroup *cgroup, enum cgroup_controller controller)
{
	return !cgroup_v1(cgroup, controller);
}

static void pressure_word(const char *line, const char *word, char text[16])
{
	const char *value = strstr(line, word);

	snprintf(text, 16, "%.*s", value ? (int)strspn(value + strlen(word), "0123456789.") : 1,
		 value ? value + strlen(word) : "0");
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same of "full". */
static void pressure_read(int fd, const char *file, struct cgroup_pressure *pressure)
{
	char text[512], *full;
	char number[16];

	if (cgroup_file_read(fd, file, text, sizeof(text)) <= 0 || strncmp(text, "some ", 5) != 0)
		return;
	pressure->is_there = true;
	full = strchr(text, '\n');
	if (full)
		*full++ = '\0';
	pressure_word(text, "avg10=", pressure->some.avg10);
	pressure_word(text, "avg60=", pressure->some.avg60);
	pressure_word(text, "avg300=", pressure->some.avg300);
	pressure_word(text, "total=", number);
	pressure->some.total_us = strtoull(number, NULL, 10);
	pressure_word(full ? full : "", "avg10=", pressure->full.avg10);
	pressure_word(full ? full : "", "avg60=", pressure->full.avg60);
	pressure_word(full ? full : "", "avg300=", pressure->full.avg300);
	pressure_word(full ? full : "", "total=", number);
	pressure->full.total_us = strtoull(number, NULL, 10);
}

static int cpu_read(int fd, struct cgroup_stats *stats)
{
	struct cgroup_key *keys = NULL;
	size_t n = 0;
	int r = stat_keys(fd, "cpu.stat", &keys, &n);

	stats->cpu.total_ns = stat_key(keys, n, "usage_usec") * 1000;
	stats->cpu.user_ns = stat_key(keys, n, "user_usec") * 1000;
	stats->cpu.kernel_ns = stat_key(keys, n, "system_usec") * 1000;
	stats->cpu.periods = stat_key(keys, n, "nr_periods");
	stats->cpu.throttled_periods = stat_key(keys, n, "nr_throttled");
	stats->cpu.throttled_ns = stat_key(keys, n, "throttled_usec") * 1000;
	free(keys);
	pressure_read(fd, "cpu.pressure", &stats->cpu.pressure);
	return r;
}

static int memory_read(int fd, struct cgroup_stats *stats)
{
	struct cgroup_memory_entry *usage = &stats->memory.usage, *swap = &stats->memory.swap;
	int r;

	if (stat_number(fd, "memory.current", CGROUP_NO_LIMIT) == CGROUP_NO_LIMIT)
		return 0;
	stats->has_v2_memory = true;
	usage->usage = stat_number(fd, "memory.current", 0);
	usage->limit = stat_number(fd, "memory.max", CGROUP_NO_LIMIT);
	usage->max = stat_number(fd, "memory.peak", 0); /* Linux 5.19 */
	swap->usage = usage->usage + stat_number(fd, "memory.swap.current", 0);
	swap->limit = stat_number(fd, "memory.swap.max", CGROUP_NO_LIMIT);
	if (swap->limit != CGROUP_NO_LIMIT && usage->limit != CGROUP_NO_LIMIT)
		swap->limit += usage->limit;
	else
		swap->limit = CGROUP_NO_LIMIT;
	r = stat_keys(fd, "memory.stat", &stats->memory.raw, &stats->memory.n_raw);
	if (r == 0)
		r = stat_keys(fd, "memory.events", &stats->memory.events, &stats->memory.n_events);
	stats->memory.cache = stat_key(stats->memory.raw, stats->memory.n_raw, "file");
	usage->failures = stat_key(stats->memory.events, stats->memory.n_events, "max");
	pressure_read(fd, "memory.pressure", &stats->memory.pressure);
	return r;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6", a line for each device. */
static int io_line_read(const char *line, struct cgroup_stats *stats)
{
	static const struct {
		const char *word, *table, *operation;
	} words[] = {
		{ " rbytes=", "ioServiceBytesRecursive", "Read" },
		{ " wbytes=", "ioServiceBytesRecursive", "Write" },
		{ " rios=", "ioServicedRecursive", "Read" },
		{ " wios=", "ioServicedRecursive", "Write" },
	};
	struct cgroup_io_entry entry = {};
	char *end;
	int r = 0;

	entry.major = strtoull(line, &end, 10);
	if (*end != ':')
		return 0;
	entry.minor = strtoull(end + 1, &end, 10);
	for (size_t i = 0; r == 0 && i < sizeof(words) / sizeof(words[0]); i++) {
		const char *value = strstr(end, words[i].word);

		if (!value)
			continue;
		entry.table = words[i].table;
		snprintf(entry.operation, sizeof(entry.operation), "%s", words[i].operation);
		entry.value = strtoull(value + strlen(words[i].word), NULL, 10);
		r = stat_io_add(stats, &entry);
	}
	return r;
}

static int io_read(int fd, struct cgroup_stats *stats)
{
	_cleanup_free_ char *text = stat_text(fd, "io.stat");
	char *rest = text, *line;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n")) != NULL)
		r = io_line_read(line, stats);
	pressure_read(fd, "io.pressure", &stats->io.pressure);
	return r;
}

/* On a hybrid host what a v1 hierarchy has is read there. */
int stats_read_v2(struct cgroup *cgroup, struct cgroup_stats *stats)
{
	int fd = cgroup_v2_fd(cgroup);
	int r = 0;

	if (fd < 0)
		return 0;
	if (is_v2_only(cgroup, CGROUP_CPU) && is_v2_only(cgroup, CGROUP_CPUACCT))
		r = cpu_read(fd, stats);
	if (r == 0 && is_v2_only(cgroup, CGROUP_MEMORY))
		r = memory_read(fd, stats);
	if (r == 0 && is_v2_only(cgroup, CGROUP_BLKIO))
		r = io_read(fd, stats);
	if (r == 0 && is_v2_only(cgroup, CGROUP_HUGETLB))
		r = stat_hugepages(stats, fd, true);
	if (is_v2_only(cgroup, CGROUP_PIDS)) {
		stats->pids.current = stat_number(fd, "pids.current", 0);
		stats->pids.limit = stat_number(fd, "pids.max", 0);
	}
	return r;
}
