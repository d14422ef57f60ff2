/* SPDX-License-Identifier: MIT */
/*
 * --security-opt seccomp=FILE: a profile as Docker takes it becomes one as a runtime takes it.
 *
 * Docker's format is the OCI runtime's `linux.seccomp` plus conditions that are decided here:
 * archMap, and `includes` and `excludes` by architecture, capability and kernel (moby,
 * profiles/seccomp).
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/json_write.h"

/**
 * seccomp_option_write() - convert and check a profile
 * @text: Docker's JSON
 * @capabilities: the container's bounding set
 * @writer: gets a `linux.seccomp` object, or null where the profile confines nothing
 *
 * Return: 0 or a negative errno (-EBADMSG, -EINVAL: @error says what is wrong with it).
 */
int seccomp_option_write(const char *text, size_t n_bytes, uint64_t capabilities,
			 struct json_writer *writer, struct error *error);
