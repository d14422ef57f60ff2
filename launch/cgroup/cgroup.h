/* SPDX-License-Identifier: MIT */
/*
 * A container's cgroup: the same path in every hierarchy of the host, made, limited, entered and
 * removed without ever waiting for an RCU grace period.
 *
 * Three layouts of /sys/fs/cgroup are known, told apart by statfs(2) alone:
 *  - pure v2: a cgroup2 file system itself;
 *  - v1: a tmpfs with a directory for each v1 hierarchy ("memory", "cpu,cpuacct", "systemd"; the
 *    symbolic links beside them are skipped);
 *  - hybrid: v1 with a cgroup2 mount as one of the directories ("unified").
 * Where there is none of these (an initramfs, a chroot) the cgroup is empty: it can be made,
 * entered and removed, and only asking it for a limit fails.
 *
 * A pid is never written into cgroup.procs: on an idle host that write waits 5 to 18 ms for a grace
 * period, more than all the rest of a start. A process gets into v2 by clone3(CLONE_INTO_CGROUP)
 * (Linux 5.7) and into v1 by writing "0" into `tasks` itself, which takes no lock of all threads.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

#define CGROUP_MAX_HIERARCHIES 16
#define CGROUP_MAX_PATH	       1024 /* bytes of a cgroup's path, with its NUL */

/* A v1 hierarchy carries one or more of these; v2 all that no v1 hierarchy has. */
enum cgroup_controller {
	CGROUP_BLKIO, /* "io" in v2 */
	CGROUP_CPU,
	CGROUP_CPUACCT, /* part of "cpu" in v2 */
	CGROUP_CPUSET,
	CGROUP_DEVICES, /* an eBPF program in v2 */
	CGROUP_FREEZER, /* part of the core in v2 */
	CGROUP_HUGETLB,
	CGROUP_MEMORY,
	CGROUP_MISC,
	CGROUP_NET_CLS,
	CGROUP_NET_PRIO,
	CGROUP_PERF_EVENT,
	CGROUP_PIDS,
	CGROUP_RDMA,
	CGROUP_N_CONTROLLERS,
};

/* Positive results: conditions the direct caller must handle and never passes on. */
enum {
	CGROUP_IGNORED = 1,
};

struct cgroup_hierarchy {
	char name[NAME_MAX + 1]; /* its directory in /sys/fs/cgroup; "." where that is v2 itself */
	uint32_t controllers;	 /* of v1: bits by enum cgroup_controller; 0: a named hierarchy */
	bool is_v2;
	bool exists;	  /* the cgroup is there in this hierarchy */
	bool was_made;	  /* and is cgroup_create()'s work */
	int directory_fd; /* O_PATH: the cgroup; or -EBADF: not opened, see cgroup_directory() */
	int tasks_fd;	  /* v1 after cgroup_create(): `tasks`, for writing; else -EBADF */
};

/* Plain memory, no allocation behind it. Start with CGROUP_INIT. */
struct cgroup {
	int root_fd;		    /* /sys/fs/cgroup; -EBADF where there is none */
	bool is_adopted;	    /* it was made for this container: cgroup_adopt() */
	char path[CGROUP_MAX_PATH]; /* without the leading slash: "lamina/ID" */
	size_t n_hierarchies;
	struct cgroup_hierarchy hierarchies[CGROUP_MAX_HIERARCHIES];
};

/* Only what tells that it is empty: the rest is 5 kB that needn't be cleared. */
#define CGROUP_INIT_FIELDS(cgroup)                                                                 \
	((cgroup)->root_fd = -EBADF, (cgroup)->is_adopted = false, (cgroup)->path[0] = '\0',       \
	 (cgroup)->n_hierarchies = 0)

/**
 * cgroup_init() - make @cgroup empty, so that cgroup_close() and cgroup_remove() may be called
 */
void cgroup_init(struct cgroup *cgroup);

/** cgroup_close() - close its descriptors; the cgroup itself stays. Accepts an empty one. */
void cgroup_close(struct cgroup *cgroup);
#define _cleanup_cgroup_ _cleanup_(cgroup_close)

/**
 * cgroup_path_clean() - linux.cgroupsPath (OCI runtime spec, config-linux.md) as it is used here
 * @path: absolute, or relative to /lamina; empty and "." components are dropped
 * @ret_clean: CGROUP_MAX_PATH bytes, without the leading slash
 *
 * Return: 0, -EINVAL (a ".." component, a newline, or nothing left: the root cgroup isn't a
 * container's), -ENAMETOOLONG.
 */
int cgroup_path_clean(const char *path, char *ret_clean, struct error *error);

/**
 * cgroup_create() - make the cgroup @path in every hierarchy, its missing parents too
 * @cgroup: filled; owned by the caller, who ends with cgroup_close()
 * @path: as cgroup_path_clean() takes it: "/lamina/ID" in general
 *
 * One that is there already: below /lamina an empty one is what a killed start has left, and is
 * made anew; elsewhere its limits may be somebody's intention, so it is used as it is. Two callers
 * at once for one path are the callers' mistake: hold the container's lock. New parents of a v1
 * cpuset get their parent's processors and clone_children, so that children need no writes; new
 * parents in v2 hand cpu, io, memory and pids down, so that a container's use can be read.
 *
 * Return: 0 or a negative errno, nothing left behind (-EBUSY: it has processes in it, or is frozen;
 * -EROFS, -EACCES: the caller may not make cgroups here, @error names the directory).
 */
int cgroup_create(struct cgroup *cgroup, const char *path, struct error *error);

/**
 * cgroup_adopt() - cgroup_create() of one that somebody has made for this container: systemd
 *
 * What is there is used as it is, whatever processes are in it; what is missing (systemd doesn't
 * make every v1 hierarchy) is made.
 */
int cgroup_adopt(struct cgroup *cgroup, const char *path, struct error *error);

/**
 * cgroup_use() - cgroup_adopt() of one that a pool has had made in every hierarchy
 *
 * Looks for nothing that is as it was made, which takes a fifth of cgroup_create()'s time.
 */
int cgroup_use(struct cgroup *cgroup, const char *path, struct error *error);

/**
 * cgroup_open() - the cgroup @path as far as it exists
 * @cgroup: filled as cgroup_create() does, but for what only entering needs
 *
 * Return: 0 (also when it is in no hierarchy: cgroup_exists() tells) or a negative errno.
 */
int cgroup_open(struct cgroup *cgroup, const char *path, struct error *error);

/** cgroup_open_to_enter() - cgroup_open(), and what cgroup_enter() needs: for an exec */
int cgroup_open_to_enter(struct cgroup *cgroup, const char *path, struct error *error);

/**
 * cgroup_descend() - from the container's cgroup into one that is in it already
 * @cgroup: as cgroup_open_to_enter() left it
 * @where: PATH, in every hierarchy, or CONTROLLER[,CONTROLLER...]:PATH, in those of v1 (runc's
 * `exec --cgroup`); it can't lead out of the container's
 *
 * Return: 0 or a negative errno (-ENOENT: there is none).
 */
int cgroup_descend(struct cgroup *cgroup, const char *where, struct error *error);

/** cgroup_exists() - is it there in any hierarchy? */
bool cgroup_exists(const struct cgroup *cgroup);

/**
 * cgroup_apply() - set limits and device rules, before anything runs in it
 * @resources: linux.resources of a config.json; missing counts as {}
 *
 * What is asked is set, or the call fails and names the field and why; what only tunes and has no
 * counterpart here is left out and told (CGROUP_IGNORED). As runc does: 0 means "not said" except
 * where it is a value (swappiness), -1 is unlimited; devices are denied unless allowed by a rule or
 * by the runtime specification's default devices, also when there are no rules.
 *
 * Return: 0, CGROUP_IGNORED (@error's message says what was left out; go on) or a negative errno
 * (-EOPNOTSUPP: no such controller or file on this host).
 */
int cgroup_apply(struct cgroup *cgroup, struct json_value resources, struct error *error);

/**
 * cgroup_update() - set limits of what runs in it: only what @resources says changes
 *
 * As cgroup_apply(), but: device rules stay as they are unless there is a list of them, and what
 * depends on an earlier limit (memory.swap in v2, a period without a quota) goes by what is set.
 * Fields are written one after the other: on a failure those before the one that @error names are
 * changed.
 *
 * Return: as cgroup_apply()'s.
 */
int cgroup_update(struct cgroup *cgroup, struct json_value resources, struct error *error);

/**
 * cgroup_enter() - move the calling process into the v1 hierarchies
 *
 * For the single-threaded child, before it unshares its cgroup namespace (else /proc/self/cgroup
 * shows "/../../lamina/ID"). Makes no allocation and is safe in a vforked child. v2 isn't entered
 * here: make the child with cgroup_v2_fd().
 *
 * Return: 0 or a negative errno.
 */
int cgroup_enter(const struct cgroup *cgroup, struct error *error);

/**
 * cgroup_v2_fd() - for clone3(CLONE_INTO_CGROUP): borrowed, or -EBADF where there is no v2
 */
int cgroup_v2_fd(const struct cgroup *cgroup);

/**
 * cgroup_remove() - remove it from every hierarchy, cgroups that were made inside it first
 * @cgroup: as cgroup_create() or cgroup_open() left it; its parents stay
 *
 * One whose processes are just ending is waited for, 2 seconds at most.
 *
 * Return: 0 (also when it isn't there) or a negative errno (-EBUSY: it still has processes).
 */
int cgroup_remove(struct cgroup *cgroup, struct error *error);

/**
 * cgroup_kill() - SIGKILL to every process in it and below, in all hierarchies, and wait until
 * none is left, 2 seconds at most; a frozen one is thawed
 *
 * Uses cgroup.kill (Linux 5.14) where there is v2, else pidfds of what cgroup.procs lists, checked
 * against a second reading so that a reused pid is never hit.
 *
 * Return: 0 or a negative errno (-EBUSY: something survived, such as a process in the D state).
 */
int cgroup_kill(struct cgroup *cgroup, struct error *error);

/**
 * cgroup_freeze() - stop (or let go on) every process in it
 *
 * Return: 0 once all are stopped, or a negative errno (-EOPNOTSUPP: no freezer; -ETIMEDOUT: not
 * all stopped within 2 seconds: let go on again).
 */
int cgroup_freeze(struct cgroup *cgroup, bool frozen, struct error *error);

/**
 * cgroup_thaw_to_kill() - let a frozen v1 cgroup go on, so that its processes can end
 *
 * In v1 SIGKILL waits until the thaw; in v2 it works on what is frozen. Failures are not told: the
 * kill that follows says what doesn't end.
 */
void cgroup_thaw_to_kill(const char *path);

/** cgroup_is_frozen() - is it stopped, or just being stopped? */
bool cgroup_is_frozen(struct cgroup *cgroup);

/**
 * cgroup_pids() - the processes in it and below, as the caller's pid namespace numbers them
 * @ret_pids: owned by the caller, to be freed; sorted, each once
 *
 * Return: 0 or a negative errno.
 */
int cgroup_pids(struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_n_pids, struct error *error);
