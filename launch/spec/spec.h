/* SPDX-License-Identifier: MIT */
/*
 * From a bundle with an image's config to a bundle with a config.json (docs/design.md, The order of
 * a create and a start, step 6).
 */
#pragma once

#include "base/error.h"
#include "launch/spec/request.h"

enum spec_flags {
	SPEC_AGAIN = 1 << 0,	/* replace a config.json that is there */
	SPEC_ROOTLESS = 1 << 1, /* spec_plain_write() only */
};

/**
 * spec_bundle() - merge, verify, and write the bundle's files, config.json last, by rename
 * @path: of the bundle; its last component is the container's id
 *
 * Holds the bundle's lock exclusive meanwhile, and doesn't wait for it. Everything is checked
 * before the first byte is written; killed at any moment, it leaves a bundle that is incomplete, or
 * as it was, or complete.
 *
 * Return: 0 or a negative errno (-EWOULDBLOCK: in use, -EEXIST: it has a config.json).
 */
int spec_bundle(const char *path, const struct spec_request *request, unsigned int flags,
		struct error *error);
