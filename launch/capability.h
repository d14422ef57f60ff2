/* SPDX-License-Identifier: MIT */
/*
 * Capabilities by name and number (include/uapi/linux/capability.h), as sets in one 64-bit mask.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))

/* What a container has when nothing is said: Docker's 14 (moby, daemon/pkg/oci/caps/defaults.go).
 */
extern const uint64_t capability_docker_defaults;

/**
 * capability_from_name() - the number of "CAP_NET_ADMIN", "net_admin", ... (either case, with or
 * without the prefix)
 *
 * Return: 0 to 63, or -EINVAL: no capability of Linux 6.1 has that name.
 */
int capability_from_name(const char *name);

/** capability_name() - "CAP_NET_ADMIN" for its number, or NULL: a static string */
const char *capability_name(unsigned int number);

/** capability_bounding_set() - what this process could give away: the kernel's own answer */
uint64_t capability_bounding_set(void);

/**
 * capability_choose() - Docker's rule for --cap-add and --cap-drop (moby, caps/utils.go)
 * @add, @drop: names, or ALL
 *
 * ALL added: everything of the bounding set but what is dropped by name. ALL dropped: only what is
 * added. Else the defaults without what is dropped and with what is added; adding wins.
 *
 * Return: 0, or -EINVAL: an unknown name.
 */
int capability_choose(const struct string_list *add, const struct string_list *drop,
		      uint64_t *ret_set, struct error *error);
