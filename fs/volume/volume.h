/* SPDX-License-Identifier: MIT */
/*
 * Volumes: named directories that outlive the containers they are mounted into.
 *
 * STORE/volumes/NAME/ has `_data` (what is mounted), `lock`, `refs/` (an empty file for each
 * container that uses it, called by its id), `volume.json` (when it was created, its labels), and
 * while it is being filled from an image, `populating`. A volume is made aside, synced and renamed
 * into place, with the first reference already in it. Its lock is held shared while a reference is
 * made, exclusive while it is filled or removed; containers that run hold references, not locks.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "fs/store.h"

#define VOLUME_NAME_MAX_BYTES 255

/* Docker's mark of volumes that nobody named; prune and `run --rm` remove those. */
#define VOLUME_ANONYMOUS_LABEL "com.docker.volume.anonymous"

/* Start with VOLUME_EMPTY. */
struct volume {
	char *name;
	int fd; /* of STORE/volumes/NAME */
	int lock_fd;
	bool is_new;	/* volume_create() made it just now */
	bool was_noted; /* ... or found the reference there already */
};

#define VOLUME_EMPTY ((struct volume){ .fd = -EBADF, .lock_fd = -EBADF })

void volume_close(struct volume *volume);
#define _cleanup_volume_ _cleanup_(volume_close)

/** volume_name_is_valid() - Docker's rule: [a-zA-Z0-9][a-zA-Z0-9_.-]+, at most 255 bytes */
bool volume_name_is_valid(const char *name);

/**
 * volume_open() - open the volume @name and lock it, waiting for the lock
 * @exclusive: to fill or remove it; else shared: it stays
 *
 * Return: 0 or a negative errno (-EINVAL: no name for a volume, -ENOENT).
 */
int volume_open(const struct store *store, const char *name, bool exclusive,
		struct volume *ret_volume, struct error *error);

/**
 * volume_create() - open the volume @name, or make it where it isn't there
 * @name: NULL: a new one, called by 64 random hex digits and labelled as anonymous
 * @labels: "KEY=VALUE" or "KEY", for a new one; may be NULL
 * @reference: the id of a container that is to use it, or NULL; refs/ has it when this returns
 *
 * A new one is locked exclusive, one that was there shared.
 */
int volume_create(const struct store *store, const char *name, const struct string_list *labels,
		  const char *reference, struct volume *ret_volume, struct error *error);

/** volume_reference_drop() - 0, also where there was none, or a negative errno */
int volume_reference_drop(const struct volume *volume, const char *id);

/**
 * volume_users() - the containers that use the volume, appended to @ids
 *
 * A reference whose container is no longer in the store is dropped: its remover was killed.
 */
int volume_users(const struct store *store, const struct volume *volume, struct string_list *ids,
		 struct error *error);

/**
 * volume_remove() - take the volume @name out of the store and delete what is in it
 *
 * Return: 0 or a negative errno (-EBUSY: in use, @error says by whom; -ENOENT).
 */
int volume_remove(const struct store *store, const char *name, struct error *error);

/** volumes_list() - the names of all volumes, sorted */
int volumes_list(const struct store *store, struct string_list *names, struct error *error);

/** volume_is_anonymous() - has it Docker's label? false where that can't be told */
bool volume_is_anonymous(const struct volume *volume);
