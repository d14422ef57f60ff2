/* SPDX-License-Identifier: MIT */
/*
 * One attempt to start a container: what its steps share, and what its launcher does for a forked
 * child (launch/dialogue.h) until the container is made.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/activation.h"
#include "launch/child.h"
#include "launch/hooks.h"
#include "launch/launch.h"
#include "launch/mount_source.h"
#include "launch/namespace.h"
#include "launch/network_device.h"
#include "launch/pool.h"
#include "launch/preparation.h"

/* What only lives while a start is under way. */
struct attempt {
	const struct launch_options *options;
	struct launched *launched;
	struct namespaces namespaces;
	struct preparation preparation;
	struct activation activation;
	struct mount_sources sources;
	int template_fd; /* -EBADF: the container's mounts begin as a copy of the host's */
	int null_fd;	 /* with it: mount_null_clone() */
	struct cgroup_clones clones;
	struct pool_claim pool;
	struct child child;
	int root_mount_fd;
	int tmpfs_fd; /* of an ephemeral root: closed once the program runs (base/overlay.h) */
	int start_fd, listen_fd;
	bool is_forked;	     /* and asks for what it needs; else vforked */
	bool is_bridged;     /* is_forked, and made by a bridge (launch/bridge.h) */
	int dialogue_fds[2]; /* ours and the child's, with is_forked */
	bool is_ready;	     /* the forked child has come to DIALOGUE_PUBLISH */
	struct network_devices net_devices;
	int interrupt_fd; /* with hooks, which may take their time: hooks_interrupt_open() */
};

/** attempt_know_process() - when launched->pid was started; it is traced from here on */
int attempt_know_process(struct launched *launched, struct error *error);

/** attempt_hook_state() - what hooks are told; its strings are @launched's */
struct hook_state attempt_hook_state(const struct launched *launched, enum state_status status);

/**
 * attempt_serve() - a forked child gets what it asks for, until all is made but the state, or it
 * has ended
 *
 * Return: 0 (attempt->is_ready tells which) or a negative errno.
 */
int attempt_serve(struct attempt *attempt, struct error *error);

/** attempt_run_poststart() - the poststart hooks of a program that runs */
int attempt_run_poststart(const struct launched *launched, struct error *error);
