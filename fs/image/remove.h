/* SPDX-License-Identifier: MIT */
/*
 * Removing images, and the layers that nothing refers to any more.
 *
 * What refers to a layer is on disk: the `layers` of images and of bundles, and of what an import
 * is making (staging/X/layers). All is decided, and moved to the trash by renames, while the
 * store's lock is held exclusive; deleting comes after that.
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "fs/image/store.h"

enum image_remove_flags {
	IMAGE_REMOVE_FORCE =
		1 << 0, /* even if a container was made of it, or it has several names */
};

/* What was done, for who tells the user. */
struct image_removal {
	struct string_list untagged; /* names that are gone */
	struct string_list deleted;  /* digests of the images that are gone */
	struct string_list trash;    /* to be given to image_removal_finish() */
};

/**
 * image_remove() - Docker's rmi: forget a name; with the last one the image goes
 * @store: held with STORE_REMOVE
 * @reference: a name; or a digest, id or prefix, which means the image with all its names
 *
 * Return: 0 or a negative errno: image_open()'s, -EBUSY (a container uses the image and it would
 * go), -EEXIST (a digest of an image with several names), the last two without IMAGE_REMOVE_FORCE.
 */
int image_remove(const struct store *store, const char *reference, unsigned int flags,
		 struct image_removal *removal, struct error *error);

/**
 * image_removal_sweep() - move layers, manifests and configs that nothing refers to to the trash
 * @store: held with STORE_REMOVE
 */
int image_removal_sweep(const struct store *store, struct image_removal *removal,
			struct error *error);

/** image_removal_finish() - delete what is in the trash; needs no lock; 0 or a negative errno */
int image_removal_finish(const struct store *store, const struct image_removal *removal);

void image_removal_deinit(struct image_removal *removal);
#define _cleanup_image_removal_ _cleanup_(image_removal_deinit)
