/* SPDX-License-Identifier: MIT */
/*
 * Removing bundles: the name goes and the directory moves to STORE/trash under the bundle's lock;
 * what is in it is deleted after that.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "fs/rootfs/names.h"
#include "fs/store.h"

enum bundle_remove_flags {
	BUNDLE_REMOVE_INCOMPLETE = 1
				   << 0, /* only where it has no config.json, or was to go anyway */
	BUNDLE_REMOVE_UMOUNT = 1 << 1,	 /* unmount its rootfs/ first, where that is mounted */
};

/* Positive results of bundle_remove(). */
enum {
	BUNDLE_REMOVE_COMPLETE = 1, /* it is complete, and only incomplete ones were asked for
				     */
};

/**
 * bundle_remove() - take the bundle @id out of the store
 * @trash: gets its place there ("trash/..."), which the caller gives to bundle_delete()
 *
 * A lock that is held for a moment (an inspect, the end of a run) is waited for, up to 100 ms.
 *
 * Return: 0, BUNDLE_REMOVE_COMPLETE, or a negative errno (-EBUSY: running or mounted, -ENOENT).
 */
int bundle_remove(const struct store *store, const char *id, unsigned int flags,
		  struct string_list *trash, struct error *error);

/**
 * bundle_wait() - until nothing holds the lock of the bundle @id
 *
 * Return: 0, or a negative errno (-ENOENT: there is none, or it was removed meanwhile).
 */
int bundle_wait(const struct store *store, const char *id, struct error *error);

/** bundle_check_free() - would bundle_remove() find it in use now? 0 or its errors */
int bundle_check_free(const struct store *store, const char *id, unsigned int flags,
		      struct error *error);

/**
 * bundle_delete() - delete what bundle_remove() moved to @trash, and its volumes' references to it
 *
 * Return: 0 (also when another has deleted it) or a negative errno.
 */
int bundle_delete(const struct store *store, const char *trash);

/** bundle_is_small() - is there so little in @trash that deleting it costs less than a fork? */
bool bundle_is_small(const struct store *store, const char *trash);

/**
 * bundle_sweep() - remove every bundle that nobody holds and that is incomplete, or was to be
 * removed at its end, and add its id to @ids; add what killed tools left in the trash, in staging
 * and among the names to @trash
 */
int bundle_sweep(const struct store *store, struct string_list *ids, struct string_list *trash,
		 struct error *error);
