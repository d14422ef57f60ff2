/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "launch/cgroup/stats_internal.h"

static uint64_t kills_count(const struct cgroup_oom *oom)
{
	struct cgroup_key *keys = NULL;
	size_t n = 0;
	uint64_t kills;

	if (stat_keys(oom->directory_fd, oom->is_v2 ? "memory.events" : "memory.oom_control", &keys,
		      &n) < 0)
		return oom->n_kills;
	kills = stat_key(keys, n, "oom_kill");
	free(keys);
	return kills;
}

static int watch_v1(struct cgroup_oom *oom)
{
	_cleanup_close_ int control_fd =
		openat(oom->directory_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	char text[32];

	if (control_fd < 0)
		return -errno;
	oom->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (oom->event_fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%d %d", oom->event_fd, control_fd);
	return cgroup_file_write(oom->directory_fd, "cgroup.event_control", text);
}

static int watch_v2(struct cgroup_oom *oom)
{
	char path[64];

	/* inotify wants a path; the descriptor's is as good as the file's. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", oom->directory_fd);
	oom->event_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (oom->event_fd < 0 || inotify_add_watch(oom->event_fd, path, IN_MODIFY) < 0)
		return -errno;
	return 0;
}

int cgroup_oom_watch(struct cgroup *cgroup, struct cgroup_oom *oom, struct error *error)
{
	struct cgroup_hierarchy *v1 = cgroup_v1(cgroup, CGROUP_MEMORY);
	int r;

	*oom = (struct cgroup_oom){ .event_fd = -EBADF, .is_v2 = !v1 };
	oom->directory_fd = v1 ? cgroup_directory(cgroup, v1) : cgroup_v2_fd(cgroup);
	if (oom->directory_fd < 0 ||
	    (!v1 && faccessat(oom->directory_fd, "memory.events", F_OK, 0) < 0))
		return 0;
	oom->n_kills = kills_count(oom);
	r = v1 ? watch_v1(oom) : watch_v2(oom);
	return r < 0 ? error_set(error, r, "cannot watch the memory of cgroup '/%s'", cgroup->path)
		     : 0;
}

bool cgroup_oom_happened(struct cgroup_oom *oom)
{
	char events[4096];
	uint64_t kills, n_times;
	bool happened = false;

	if (oom->event_fd < 0)
		return false;
	if (oom->is_v2) {
		while (read(oom->event_fd, events, sizeof(events)) > 0)
			;
	} else if (read(oom->event_fd, &n_times, sizeof(n_times)) == sizeof(n_times)) {
		/* The removal of the cgroup is an event too. */
		happened = faccessat(oom->directory_fd, "memory.oom_control", F_OK, 0) == 0;
	}
	/* Also without an event: the last one may come behind the end of the container. */
	kills = kills_count(oom);
	happened |= kills > oom->n_kills;
	if (kills > oom->n_kills)
		oom->n_kills = kills;
	return happened;
}

void cgroup_oom_close(struct cgroup_oom *oom)
{
	cleanup_close(&oom->event_fd);
	oom->event_fd = -EBADF;
}
