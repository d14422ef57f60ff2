/* SPDX-License-Identifier: MIT */
/*
 * Profiles as Docker's users write them (--security-opt seccomp=FILE): OCI's `linux.seccomp`, with
 * rules for some capabilities, architectures and kernels only, turned into OCI's own.
 *
 * The rules are those of moby/profiles, seccomp/seccomp_linux.go. A profile that is OCI's already
 * comes out with the same meaning.
 */
#pragma once

#include <stdint.h>

#include "base/json_write.h"
#include "launch/seccomp/arch.h"

/* Positive result: the profile has neither a default action nor rules, which switches seccomp off;
 * nothing was written. */
enum {
	SECCOMP_DOCKER_OFF = 1,
};

/* What `includes` and `excludes` of a rule are compared with. */
struct seccomp_docker_host {
	uint64_t capabilities; /* the container's bounding set, bits 1 << CAP_* */
	enum seccomp_arch_index arch;
	unsigned int kernel_major, kernel_minor;
	/* The number of "CAP_SYS_ADMIN", or negative: capability_from_name() of launch/capability.h
	 */
	int (*capability_number)(const char *name);
};

/**
 * seccomp_docker_write() - write Docker's @profile as an OCI `linux.seccomp` object
 *
 * Only how the two differ is checked; seccomp_profile_parse() checks the rest.
 *
 * Return: 0, SECCOMP_DOCKER_OFF, or -EINVAL.
 */
int seccomp_docker_write(struct json_writer *writer, const char *key, struct json_value profile,
			 const struct seccomp_docker_host *host, struct error *error);
