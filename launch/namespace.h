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
 * child enters its cgroups later (namespaces_enter()).
 */
uint64_t namespaces_clone_flags(const struct config *config);

/** namespaces_enter() - in the child: join, and make the cgroup namespace; names and loopback */
int namespaces_enter(const struct namespaces *namespaces, const struct config *config,
		     struct error *error);
