/* SPDX-License-Identifier: MIT */
/*
 * The descriptors that the caller hands to a container: `--preserve-fds`, and a service manager's
 * LISTEN_FDS.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/**
 * descriptors_check() - are descriptors 3 to 2+@n open, and the caller's?
 *
 * What isn't there would be one of the launcher's own by the time of the exec.
 */
int descriptors_check(uint64_t n, struct error *error);

/**
 * descriptors_listen() - how many of them are sockets that a service manager hands over
 * (sd_listen_fds(3)): LISTEN_FDS, where LISTEN_PID says that it is meant for this process
 */
int descriptors_listen(unsigned int *ret_n, struct error *error);
