/* SPDX-License-Identifier: MIT */
/*
 * What a container is called: its id, the name that a link in STORE/names gives it, and what a
 * user types for either.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "fs/store.h"

#define CONTAINER_ID_MAX_BYTES	 128 /* as the trace and the state directory take them */
#define CONTAINER_NAME_MAX_BYTES 128

/** container_id_is_valid() - [A-Za-z0-9_][A-Za-z0-9_.-]*, at most CONTAINER_ID_MAX_BYTES */
bool container_id_is_valid(const char *id);

/** container_name_is_valid() - Docker's rule (daemon/names): [a-zA-Z0-9][a-zA-Z0-9_.-]* */
bool container_name_is_valid(const char *name);

/**
 * name_take() - make @name mean the bundle @id, whose directory is there and locked by the caller
 *
 * The link's creation is the lock: of two callers the kernel picks one. A name whose bundle is
 * missing, or incomplete and unlocked, is free. So that two pipelines that start at once don't take
 * it from one another between their steps, a bundle that changed within the last
 * NAME_GRACE_SECONDS counts as still being made.
 *
 * Return: 0 or a negative errno (-EEXIST: taken).
 */
int name_take(const struct store *store, const char *name, const char *id, struct error *error);

#define NAME_GRACE_SECONDS 2

/** name_drop() - remove the link @name where it means @id; the caller holds the bundle's lock */
void name_drop(const struct store *store, const char *name, const char *id);

/**
 * bundle_find() - the id of the bundle in @store that @word means
 * @word: a path (with a '/'), a name, a full id, or an unambiguous beginning of one, in this order
 * @ret_id: "" on a failure, else the id
 *
 * Return: 0 or a negative errno (-ENOENT: there is none, -EINVAL: ambiguous, or in another store).
 */
int bundle_find(const struct store *store, const char *word,
		char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error);
