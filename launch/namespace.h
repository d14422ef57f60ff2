/* SPDX-License-Identifier: MIT */
/*
 * Namespaces: which are made, which are joined, and what a new one needs.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "launch/config/config.h"

/* Descriptors of the namespaces to join, opened before anything is made. Start with -EBADF's. */
struct namespaces {
	int join_fds[CONFIG_MAX_NAMESPACES]; /* as config->namespaces; -EBADF: a new one */
};

/** namespaces_open() - open what is joined, and check its kind; 0 or a negative errno */
int namespaces_open(struct namespaces *namespaces, const struct config *config,
		    struct error *error);

void namespaces_close(struct namespaces *namespaces);
#define _cleanup_namespaces_ _cleanup_(namespaces_close)

/**
 * namespaces_clone_flags() - CLONE_NEW* of what clone3() makes
 *
 * Not CLONE_NEWCGROUP: its root is the cgroup that the process is in at that moment, and on v1 the
 * child enters its cgroups later (namespaces_enter()). Not CLONE_NEWTIME: its clocks can only be
 * set while nobody is in it (time_namespaces(7)).
 */
uint64_t namespaces_clone_flags(const struct config *config);

/**
 * namespaces_need_bridge() - must a process in between join and make some of them first (see
 * launch/bridge.h)?
 */
bool namespaces_need_bridge(const struct config *config);

/**
 * namespaces_join() - in the bridge: everything that is joined by path
 *
 * The host's root may join any namespace, and does so before it gives up its rights by joining a
 * user namespace; others have rights only behind that, so what the kernel refuses is tried again
 * there. Mounts come last of each: names are the host's until then.
 */
int namespaces_join(const struct namespaces *namespaces, const struct config *config,
		    struct error *error);

/**
 * namespaces_make_time() - a time namespace for the children of this process, with its offsets
 * @offsets_fd: its /proc/self/timens_offsets, opened before it left the host's user namespace: the
 * file of an undumpable process is the host's root's
 */
int namespaces_make_time(const struct config *config, int offsets_fd, struct error *error);

/** namespaces_loopback_up() - bring up the interface "lo" of the caller's network namespace */
int namespaces_loopback_up(struct error *error);

/**
 * namespaces_enter() - in the child: make the cgroup namespace; names and loopback
 * @namespaces: to be joined too; NULL: that is done
 * @network_fd: the new network namespace, made before (launch/pool.h); -EBADF: the clone's
 */
int namespaces_enter(const struct namespaces *namespaces, const struct config *config,
		     int network_fd, struct error *error);
