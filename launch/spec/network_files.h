/* SPDX-License-Identifier: MIT */
/*
 * The files of a bundle that name things: hostname, hosts, resolv.conf, with Docker's content.
 */
#pragma once

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

struct spec_container;

/** network_files_write() - write the three into the bundle, world-readable; 0 or -errno */
int network_files_write(const struct spec_container *container, struct error *error);

/**
 * resolv_conf_filter() - what a container without the host's network gets of the host's resolv.conf
 * (moby, libnetwork/resolvconf, FilterResolvDNS, as of 20.10)
 *
 * Name servers on the host's loopback, and IPv6 ones, are left out; where none remains, Docker's
 * own default (8.8.8.8 and 8.8.4.4) takes their place.
 */
void resolv_conf_filter(const char *text, struct buffer *ret_text);
