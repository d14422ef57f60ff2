/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/cgroup/stats_internal.h"

/* cpuacct.usage_all and io.stat grow with processors and devices. */
#define STAT_MAX_BYTES (4u << 20)

const char *const cgroup_cpuset_flags[CGROUP_N_CPUSET_FLAGS] = {
	"cpu_exclusive",   "mem_hardwall",	 "mem_exclusive",
	"memory_migrate",  "memory_spread_page", "memory_spread_slab",
	"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
};

char *stat_text(int directory_fd, const char *file)
{
	char *text = NULL;
	size_t n_bytes;

	if (file_read_at(directory_fd, file, STAT_MAX_BYTES, &text, &n_bytes) < 0)
		return NULL;
	if (n_bytes > 0 && text[n_bytes - 1] == '\n')
		text[n_bytes - 1] = '\0';
	return text;
}

uint64_t stat_number(int directory_fd, const char *file, uint64_t otherwise)
{
	char text[64], *end;
	uint64_t number;

	if (cgroup_file_read(directory_fd, file, text, sizeof(text)) <= 0)
		return otherwise;
	number = strtoull(text, &end, 10);
	return end == text ? otherwise : number;
}

int stat_keys(int directory_fd, const char *file, struct cgroup_key **ret_keys, size_t *ret_n)
{
	_cleanup_free_ char *text = stat_text(directory_fd, file);
	struct cgroup_key *keys;
	size_t n = 0, n_lines = 1;

	if (!text)
		return 0;
	for (const char *p = text; *p; p++)
		n_lines += *p == '\n';
	keys = calloc(n_lines, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line != 0) {
		size_t n_name = strcspn(line, " \n");

		if (line[n_name] != ' ' || n_name >= sizeof(keys[n].name))
			continue;
		memcpy(keys[n].name, line, n_name);
		keys[n++].value = strtoull(line + n_name, NULL, 10);
	}
	*ret_keys = keys;
	*ret_n = n;
	return 0;
}

uint64_t stat_key(const struct cgroup_key *keys, size_t n_keys, const char *name)
{
	for (size_t i = 0; i < n_keys; i++) {
		if (!strcmp(keys[i].name, name))
			return keys[i].value;
	}
	return 0;
}

int stat_numbers(const char *text, uint64_t **ret_numbers, size_t *ret_n)
{
	uint64_t *numbers = calloc(strlen(text) / 2 + 1, sizeof(*numbers));
	size_t n = 0;
	char *end;

	if (!numbers)
		return -ENOMEM;
	for (;;) {
		uint64_t number = strtoull(text, &end, 10);

		if (end == text)
			break;
		numbers[n++] = number;
		text = end;
	}
	*ret_numbers = numbers;
	*ret_n = n;
	return 0;
}

int stat_io_add(struct cgroup_stats *stats, const struct cgroup_io_entry *entry)
{
	size_t n = stats->io.n_entries;

	/* Grown at powers of two. */
	if ((n & (n - 1)) == 0) {
		void *larger = realloc(stats->io.entries, (n ? n * 2 : 1) * sizeof(*entry));

		if (!larger)
			return -ENOMEM;
		stats->io.entries = larger;
	}
	stats->io.entries[stats->io.n_entries++] = *entry;
	return 0;
}

static int hugepages_add(struct cgroup_stats *stats, int directory_fd, const char *size, bool is_v2)
{
	struct cgroup_hugepages *larger =
		realloc(stats->hugepages, (stats->n_hugepages + 1) * sizeof(*larger));
	struct cgroup_hugepages *pages;
	char file[64], events[256];
	const char *max;

	if (!larger)
		return -ENOMEM;
	stats->hugepages = larger;
	pages = &larger[stats->n_hugepages++];
	*pages = (struct cgroup_hugepages){};
	snprintf(pages->size, sizeof(pages->size), "%s", size);
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, is_v2 ? "current" : "usage_in_bytes");
	pages->usage = stat_number(directory_fd, file, 0);
	if (is_v2) {
		snprintf(file, sizeof(file), "hugetlb.%s.events", size);
		if (cgroup_file_read(directory_fd, file, events, sizeof(events)) > 0 &&
		    (max = strstr(events, "max ")) != NULL)
			pages->failures = strtoull(max + 4, NULL, 10);
		return 0;
	}
	snprintf(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", size);
	pages->max = stat_number(directory_fd, file, 0);
	snprintf(file, sizeof(file), "hugetlb.%s.failcnt", size);
	pages->failures = stat_number(directory_fd, file, 0);
	return 0;
}

int stat_hugepages(struct cgroup_stats *stats, int directory_fd, bool is_v2)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const char *suffix = is_v2 ? ".current" : ".usage_in_bytes";
	const struct dirent *entry;
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return 0;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && directory_entry_next(directory, &entry) > 0) {
		const char *size = entry->d_name + strlen("hugetlb.");
		char text[16];

		if (strncmp(entry->d_name, "hugetlb.", strlen("hugetlb.")) != 0)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(size, "."), size);
		/* Not the reservations' ("2MB.rsvd.current"). */
		if (!strcmp(size + strlen(text), suffix))
			r = hugepages_add(stats, directory_fd, text, is_v2);
	}
	return r;
}

int cgroup_stats_read(struct cgroup *cgroup, struct cgroup_stats *stats, struct error *error)
{
	int r;

	*stats = (struct cgroup_stats){};
	if (!cgroup_exists(cgroup) && cgroup->n_hierarchies > 0)
		return error_set(error, -ENOENT, "cgroup '/%s'", cgroup->path);
	r = stats_read_v1(cgroup, stats);
	if (r == 0)
		r = stats_read_v2(cgroup, stats);
	return r < 0 ? error_set(error, r, "cannot read the use of cgroup '/%s'", cgroup->path) : 0;
}

void cgroup_stats_deinit(struct cgroup_stats *stats)
{
	free(stats->cpu.per_cpu_ns);
	free(stats->cpu.per_cpu_kernel_ns);
	free(stats->cpu.per_cpu_user_ns);
	free(stats->cpuset.cpus);
	free(stats->cpuset.mems);
	free(stats->memory.raw);
	free(stats->memory.events);
	free(stats->io.entries);
	free(stats->hugepages);
	*stats = (struct cgroup_stats){};
}
