/* SPDX-License-Identifier: MIT */
/*
 * Being told when a cgroup is out of memory.
 */
#pragma once

#include "launch/cgroup/cgroup.h"

struct cgroup_oom {
	int event_fd;	  /* to be polled for POLLIN: v1's eventfd, or v2's inotify; -EBADF: none */
	int directory_fd; /* the cgroup where its memory is; borrowed from the struct cgroup */
	bool is_v2;
	uint64_t n_kills; /* so far */
};

/**
 * cgroup_oom_watch() - begin to watch
 * @oom: filled; to be given to cgroup_oom_close(), also after a failure
 *
 * v1: an eventfd in cgroup.event_control for memory.oom_control; v2: inotify on memory.events,
 * which changes with each kill (Documentation/admin-guide/cgroup-v2.rst).
 *
 * Return: 0 (also where there is no memory controller: nothing will come) or a negative errno.
 */
int cgroup_oom_watch(struct cgroup *cgroup, struct cgroup_oom *oom, struct error *error);

/**
 * cgroup_oom_happened() - was it out of memory since the last call? Never waits.
 */
bool cgroup_oom_happened(struct cgroup_oom *oom);

void cgroup_oom_close(struct cgroup_oom *oom);
#define _cleanup_cgroup_oom_ _cleanup_(cgroup_oom_close)
