/* SPDX-License-Identifier: MIT */
/*
 * The processes of a cgroup: listed, killed, frozen.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "launch/cgroup/internal.h"

/* cgroup.procs is some bytes a process: far more than a host can have. */
#define PROCS_MAX_BYTES (64u << 20)
/* Cgroups inside cgroups; each level holds a descriptor open while it is read. */
#define DEPTH_MAX 128

struct pid_list {
	pid_t *pids;
	size_t n_pids, n_allocated;
};

static int pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->n_pids == list->n_allocated) {
		size_t n = list->n_allocated ? list->n_allocated * 2 : 64;
		pid_t *larger = realloc(list->pids, n * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		list->pids = larger;
		list->n_allocated = n;
	}
	list->pids[list->n_pids++] = pid;
	return 0;
}

static int procs_read(struct pid_list *list, int directory_fd)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_at(directory_fd, "cgroup.procs", PROCS_MAX_BYTES, &text, NULL);

	/* Gone meanwhile; or a threaded cgroup, whose processes are listed further up. */
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 0;
	for (char *line = text; r == 0 && *line; line += strcspn(line, "\n"), line += *line != 0) {
		long pid = strtol(line, NULL, 10);

		/* 0 is a process that this pid namespace can't see. */
		if (pid > 0)
			r = pid_list_add(list, (pid_t)pid);
	}
	return r;
}

static int tree_read(struct pid_list *list, int directory_fd, unsigned int depth)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int r = procs_read(list, directory_fd);
	int fd, more = 0;

	if (r < 0)
		return r;
	if (depth == DEPTH_MAX)
		return -ELOOP;
	fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (more = directory_entry_next(directory, &entry)) > 0) {
		_cleanup_close_ int child_fd = -EBADF;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		child_fd =
			openat(dirfd(directory), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (child_fd >= 0)
			r = tree_read(list, child_fd, depth + 1);
	}
	return more < 0 ? more : r;
}

static int pid_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

int cgroup_pids(struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_n_pids, struct error *error)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct pid_list list = {};
	size_t n_pids = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		int fd = cgroup_directory(cgroup, &cgroup->hierarchies[i]);

		if (fd >= 0)
			r = tree_read(&list, fd, 0);
	}
	pids = list.pids;
	if (r < 0)
		return error_set(error, r, "cannot list the processes of cgroup '/%s'",
				 cgroup->path);
	if (list.n_pids > 0)
		qsort(pids, list.n_pids, sizeof(*pids), pid_compare);
	for (size_t i = 0; i < list.n_pids; i++) {
		if (n_pids == 0 || pids[n_pids - 1] != pids[i])
			pids[n_pids++] = pids[i];
	}
	*ret_pids = take_ptr(pids);
	*ret_n_pids = n_pids;
	return 0;
}

/*
 * A pid that was listed may have ended and be somebody else's by now. So: take a pidfd, then see
 * whether the pid is still (or again) in the cgroup; what the pidfd holds then belongs to it.
 */
static int pids_signal(struct cgroup *cgroup, const pid_t *pids, size_t n_pids, struct error *error)
{
	for (size_t done = 0; done < n_pids;) {
		size_t n = n_pids - done < 64 ? n_pids - done : 64;
		_cleanup_free_ pid_t *again = NULL;
		size_t n_again = 0;
		int pidfds[64];
		int r;

		for (size_t i = 0; i < n; i++)
			pidfds[i] = sys_pidfd_open(pids[done + i], 0);
		r = cgroup_pids(cgroup, &again, &n_again, error);
		for (size_t i = 0; i < n; i++) {
			if (pidfds[i] < 0)
				continue;
			if (r == 0 && n_again > 0 &&
			    bsearch(&pids[done + i], again, n_again, sizeof(*again), pid_compare))
				(void)sys_pidfd_send_signal(pidfds[i], SIGKILL, NULL, 0);
			close(pidfds[i]);
		}
		if (r < 0)
			return r;
		done += n;
	}
	return 0;
}

int cgroup_kill(struct cgroup *cgroup, struct error *error)
{
	struct cgroup_hierarchy *freezer = cgroup_v1(cgroup, CGROUP_FREEZER);
	int v2_fd = cgroup_v2_fd(cgroup);
	unsigned int pause_ms = 1;

	/* One system call, and nothing that forks meanwhile gets away. */
	if (v2_fd >= 0)
		(void)cgroup_file_write(v2_fd, "cgroup.kill", "1");
	for (unsigned int waited_ms = 0;; waited_ms += pause_ms) {
		_cleanup_free_ pid_t *pids = NULL;
		size_t n_pids = 0;
		int r = cgroup_pids(cgroup, &pids, &n_pids, error);

		if (r < 0 || n_pids == 0)
			return r;
		if (waited_ms >= CGROUP_PATIENCE_MS)
			return error_say(
				error, -EBUSY,
				"%zu processes in cgroup '/%s' don't end (the first is %d)", n_pids,
				cgroup->path, (int)pids[0]);
		r = pids_signal(cgroup, pids, n_pids, error);
		if (r < 0)
			return r;
		/* A v1-frozen process dies once it is thawed; one frozen by v2 dies as it is. */
		if (freezer && freezer->exists)
			(void)cgroup_file_write(cgroup_directory(cgroup, freezer), "freezer.state",
						"THAWED");
		cgroup_sleep_ms(pause_ms);
		pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
	}
}

/* "key N" in a flat keyed file such as cgroup.events. */
static bool events_say(int directory_fd, const char *line)
{
	char text[512];

	return cgroup_file_read(directory_fd, "cgroup.events", text, sizeof(text)) > 0 &&
	       strstr(text, line);
}

static int freeze_v2(int directory_fd, bool frozen)
{
	int r = cgroup_file_write(directory_fd, "cgroup.freeze", frozen ? "1" : "0");
	unsigned int pause_ms = 1;

	for (unsigned int waited_ms = 0; r == 0; waited_ms += pause_ms) {
		if (events_say(directory_fd, frozen ? "frozen 1" : "frozen 0"))
			return 0;
		if (waited_ms >= CGROUP_PATIENCE_MS)
			return -ETIMEDOUT;
		cgroup_sleep_ms(pause_ms);
		pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
	}
	return r;
}

static int freeze_v1(int directory_fd, bool frozen)
{
	const char *wanted = frozen ? "FROZEN" : "THAWED";
	unsigned int pause_ms = 1;
	char text[32];

	for (unsigned int waited_ms = 0;; waited_ms += pause_ms) {
		/* Written each time: a process forked meanwhile may have slipped through. */
		int r = cgroup_file_write(directory_fd, "freezer.state", wanted);

		if (r < 0)
			return r;
		if (cgroup_file_read(directory_fd, "freezer.state", text, sizeof(text)) > 0 &&
		    !strcmp(text, wanted))
			return 0;
		if (waited_ms >= CGROUP_PATIENCE_MS)
			return -ETIMEDOUT;
		cgroup_sleep_ms(pause_ms);
		pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
	}
}

/* v1's freezer where there is one: every process is in it, and it is what other tools look at. */
int cgroup_freeze(struct cgroup *cgroup, bool frozen, struct error *error)
{
	struct cgroup_hierarchy *v1 = cgroup_v1(cgroup, CGROUP_FREEZER);
	int v1_fd = v1 ? cgroup_directory(cgroup, v1) : -EBADF;
	int v2_fd = cgroup_v2_fd(cgroup);
	int r;

	if (v1_fd < 0 && v2_fd < 0)
		return error_say(error, -EOPNOTSUPP, "cgroup '/%s' has no freezer", cgroup->path);
	r = v1_fd >= 0 ? freeze_v1(v1_fd, frozen) : freeze_v2(v2_fd, frozen);
	if (r < 0 && frozen)
		(void)(v1_fd >= 0 ? freeze_v1(v1_fd, false) : freeze_v2(v2_fd, false));
	if (r < 0)
		return error_set(error, r, "cannot %s cgroup '/%s'", frozen ? "freeze" : "thaw",
				 cgroup->path);
	return 0;
}

bool cgroup_is_frozen(struct cgroup *cgroup)
{
	struct cgroup_hierarchy *v1 = cgroup_v1(cgroup, CGROUP_FREEZER);
	int v1_fd = v1 ? cgroup_directory(cgroup, v1) : -EBADF;
	int v2_fd = cgroup_v2_fd(cgroup);
	char text[32];

	if (v1_fd >= 0)
		return cgroup_file_read(v1_fd, "freezer.state", text, sizeof(text)) > 0 &&
		       strcmp(text, "THAWED") != 0;
	return v2_fd >= 0 && events_say(v2_fd, "frozen 1");
}

void cgroup_thaw_to_kill(const char *path)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	const struct cgroup_hierarchy *v1;

	cgroup_init(&cgroup);
	if (cgroup_open(&cgroup, path, NULL) < 0)
		return;
	v1 = cgroup_v1(&cgroup, CGROUP_FREEZER);
	if (v1 && v1->exists && cgroup_is_frozen(&cgroup))
		(void)cgroup_freeze(&cgroup, false, NULL);
}
