/* SPDX-License-Identifier: MIT */
/*
 * linux.netDevices: interfaces of the host's that move into a container's network namespace (OCI
 * runtime spec 1.3, config-linux.md, "Network Devices").
 *
 * An interface keeps what it is but its place: its name is another where one is given, its
 * permanent addresses of global scope, which the kernel drops on the way, are given again, and it
 * is up.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "launch/config/config.h"

/* More are refused: each is a bit of what must be known to give it back. */
#define NETWORK_DEVICES_MAX 64

/* What was moved, so that it can come back. Start with NETWORK_DEVICES_EMPTY. */
struct network_devices {
	int container_fd; /* rtnetlink socket in the container's namespace, which it keeps alive */
	int host_fd;	  /* the same in the launcher's */
	size_t n_moved;	  /* of config->net_devices, from the first */
	uint64_t were_down; /* bits of those that weren't up before */
};

#define NETWORK_DEVICES_EMPTY                                                                      \
	((struct network_devices){ .container_fd = -EBADF, .host_fd = -EBADF })

/**
 * network_devices_move() - into the network namespace of @pid, a process that waits for the caller
 *
 * The caller must have one thread: it is in the other namespace for a moment.
 *
 * Return: 0 or a negative errno; what was moved until then is told in @devices.
 */
int network_devices_move(struct network_devices *devices, const struct config *config, pid_t pid,
			 struct error *error);

/** network_devices_return() - what was moved gets its place and name back, after a failed start */
void network_devices_return(struct network_devices *devices, const struct config *config);

void network_devices_close(struct network_devices *devices);
