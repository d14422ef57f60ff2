/* SPDX-License-Identifier: MIT */
/*
 * Pools: what a start needs and takes long to make, made beforehand (`nslaunch pool fill`) and used
 * once each. No process keeps them; all is in files below STATE/@pool:
 *
 *	ready/NAME	one for each that is there to be taken; who makes it go has it
 *	pins/NAME	what holds it: the bind mount of a network namespace's file, a tmpfs for
 *			/dev, or a file that names a cgroup
 *
 * A pin is made before its ready/NAME and goes after it. So whatever is killed when, none is used
 * twice; a pin that nobody has use for is what the next fill and drain remove.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "launch/cgroup/cgroup.h"
#include "launch/config/config.h"

#define POOL_DIRECTORY "@pool" /* in the state directory; no container can have this name */
#define POOL_READY     "ready"
#define POOL_PINS      "pins"
#define POOL_NAME_MAX  32

enum pool_kind {
	POOL_NETWORK, /* a network namespace, its loopback interface up */
	POOL_CGROUP,  /* a cgroup in every hierarchy, used under its own name */
	POOL_DEV,     /* a tmpfs as the default config has it, with the default devices and links */
	POOL_N_KINDS,
};

/** pool_kind_name() - "net", "cgroup", "dev": what names of the kind begin with, before a "-" */
const char *pool_kind_name(enum pool_kind kind);

/** pool_kind_of() - the kind of what is called @name, or POOL_N_KINDS */
enum pool_kind pool_kind_of(const char *name);

/** pool_cgroup_path() - the cgroup of @name; the "@" tells it from a container's */
void pool_cgroup_path(const char *name, char ret_path[CGROUP_MAX_PATH]);

/* What one start has taken. Start with POOL_CLAIM_EMPTY. */
struct pool_claim {
	int ready_fd; /* STATE/@pool/ready; or -EBADF: there is no pool */
	char names[POOL_N_KINDS][POOL_NAME_MAX]; /* "": none of this kind */
	int network_fd;				 /* or -EBADF */
	int dev_fd;				 /* a detached mount, or -EBADF */
	char cgroup_path[CGROUP_MAX_PATH];	 /* or "" */
};

#define POOL_CLAIM_EMPTY                                                                           \
	((struct pool_claim){ .ready_fd = -EBADF, .network_fd = -EBADF, .dev_fd = -EBADF })

/**
 * pool_wanted() - the kinds that fit the container, a bit each
 *
 * @bundle_id: the bundle's name, which `nslaunch spec` calls the cgroup by where nobody said one
 *
 * Without a user namespace, whose root would have no rights over them; a network namespace where it
 * has a new one of its own; a cgroup where none is named but by default, as /lamina/BUNDLE; a /dev
 * where mounts and devices are the default ones.
 */
unsigned int pool_wanted(const struct config *config, const char *bundle_id);

/**
 * pool_dev_is() - is the mount number @i of @config what POOL_DEV stands for?
 */
bool pool_dev_is(const struct config *config, size_t i);

/**
 * pool_take() - take one of each kind that is wanted, as far as there are
 * @state_fd: STATE
 * @container_fd: STATE/ID, where a cgroup is noted in the same moment (STATE_CGROUP_FILE)
 *
 * Best effort: what can't be had isn't in @claim.
 */
void pool_take(struct pool_claim *claim, int state_fd, int container_fd, unsigned int wanted);

/**
 * pool_settle() - the container has what was taken: the pins go
 *
 * @container_fd: STATE/ID, where the cgroup's note goes too, since state.json has it; -EBADF: the
 * start has failed, and whoever comes to remove what it made needs the note
 *
 * A cgroup that the container doesn't have in the end (cgroup_path was emptied) keeps its pin, for
 * the next fill or drain to remove.
 */
void pool_settle(struct pool_claim *claim, int container_fd);

/** pool_claim_close() - close the descriptors */
void pool_claim_close(struct pool_claim *claim);

/** pool_unpin() - remove the pin @name, mounted or not, by a descriptor of ready/ or pins/ */
int pool_unpin(int sibling_fd, const char *name);
