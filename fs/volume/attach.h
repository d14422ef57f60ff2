/* SPDX-License-Identifier: MIT */
/*
 * A bundle's volumes: what the user asked for and what the image declares, made, populated, and
 * written to the bundle's `mounts`.
 */
#pragma once

#include "base/error.h"
#include "fs/volume/request.h"

/**
 * bundle_attach() - attach @requests and the image's Volumes to the bundle at @bundle_path
 * @store_path: the store of a bundle whose path doesn't say it (STORE/containers/ID does)
 * @requests: settled; borrowed
 *
 * Adds to what earlier calls attached. References are made before `mounts` is written; on failure
 * both are as before, and volumes that this call made are gone again.
 *
 * Return: 0 or a negative errno (-EBUSY: the bundle has its config.json, or is in use).
 */
int bundle_attach(const char *store_path, const char *bundle_path,
		  const struct mount_requests *requests, struct error *error);

enum bundle_detach_flags {
	BUNDLE_DETACH_RM_ANONYMOUS = 1 << 0, /* remove its anonymous volumes, if unused by others */
};

/**
 * bundle_detach() - the reverse: drop the bundle's references, and its `mounts`
 * @removed: gets the names of the volumes that were removed; may be NULL
 *
 * For a bundle that is to be removed, or was never finished.
 */
int bundle_detach(const char *store_path, const char *bundle_path, unsigned int flags,
		  struct string_list *removed, struct error *error);
