/* SPDX-License-Identifier: MIT */
/*
 * What the files of the statistics share.
 */
#pragma once

#include "launch/cgroup/internal.h"
#include "launch/cgroup/stats.h"

/** stat_number() - the number in a control file; @otherwise where there is no file, or "max" */
uint64_t stat_number(int directory_fd, const char *file, uint64_t otherwise);

/** stat_keys() - every "KEY NUMBER" line of a file; no such file: none. 0 or -ENOMEM */
int stat_keys(int directory_fd, const char *file, struct cgroup_key **ret_keys, size_t *ret_n);

/** stat_key() - the value of the key @name, or 0 */
uint64_t stat_key(const struct cgroup_key *keys, size_t n_keys, const char *name);

/** stat_text() - a file's text without the line break, to be freed; NULL: no file or no memory */
char *stat_text(int directory_fd, const char *file);

/** stat_numbers() - numbers between spaces, a line's; the rest of @text begins behind them */
int stat_numbers(const char *text, uint64_t **ret_numbers, size_t *ret_n);

/** stat_io_add() - one more entry; 0 or -ENOMEM */
int stat_io_add(struct cgroup_stats *stats, const struct cgroup_io_entry *entry);

/** stat_hugepages() - each page size that "hugetlb.SIZE.@usage" is a file of; 0 or -ENOMEM */
int stat_hugepages(struct cgroup_stats *stats, int directory_fd, bool is_v2);

/* Of one controller each; nothing where it isn't in a hierarchy of that kind. 0 or -ENOMEM. */
int stats_read_v1(struct cgroup *cgroup, struct cgroup_stats *stats);
int stats_read_v2(struct cgroup *cgroup, struct cgroup_stats *stats);
