/* SPDX-License-Identifier: MIT */
/*
 * The config.json that a plain OCI bundle begins with, as `runc spec` writes it.
 */
#pragma once

#include "base/error.h"
#include "launch/spec/spec.h"

/**
 * spec_plain_write() - write it into the bundle at @bundle_path
 * @name: "config.json", or another one in the bundle, or an absolute path
 * @flags: SPEC_AGAIN, SPEC_ROOTLESS: for a container of a user without privileges
 *
 * Return: 0 or a negative errno (-EEXIST: it is there, and SPEC_AGAIN isn't said).
 */
int spec_plain_write(const char *bundle_path, const char *name, unsigned int flags,
		     struct error *error);
