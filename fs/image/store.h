/* SPDX-License-Identifier: MIT */
/*
 * The images of a store: found by name, digest, id or prefix; named and unnamed.
 *
 * An image is a record, images/sha256/<hex of its manifest's digest>/:
 *	layers		chain ids as 64 hex digits, topmost first, one a line
 *	config.json	the image's config as it came
 *	id		the config's digest ("sha256:<hex>\n"), which Docker calls the image's id
 *	passwd, group	the merged root's, where it has them
 * and its names are links, images/names/<escaped name> -> ../sha256/<hex>. A lookup by name is one
 * readlink and one open, however many images there are.
 */
#pragma once

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/text.h"
#include "fs/image/name.h"
#include "fs/store.h"

/* Start with IMAGE_EMPTY. */
struct image {
	char digest[DIGEST_TEXT_BYTES]; /* of the manifest: what the record is named by */
	int fd;				/* of the record's directory */
};

#define IMAGE_EMPTY ((struct image){ .digest = "", .fd = -EBADF })

/**
 * image_open() - find an image and open its record
 * @reference: a name (the tag is `latest` where none is said), `name@digest`, a digest of a
 * manifest or of a config with or without "sha256:", or an unambiguous beginning of one; a name
 * comes before a digest, and a whole digest before a beginning
 *
 * Return: 0 or a negative errno: -ENOENT (not found, with what it may have meant), -EEXIST (an
 * ambiguous prefix), -EINVAL (nothing that can be a name or a digest).
 */
int image_open(const struct store *store, const char *reference, struct image *ret_image,
	       struct error *error);

void image_close(struct image *image);
#define _cleanup_image_ _cleanup_(image_close)

/** image_id() - the digest of the image's config, in @ret_id; 0 or a negative errno */
int image_id(const struct image *image, char ret_id[DIGEST_TEXT_BYTES]);

/** image_open_digest() - the record of exactly this manifest digest; 0 or -ENOENT, ... */
int image_open_digest(const struct store *store, const char *digest, struct image *ret_image);

struct image_list_entry {
	char digest[DIGEST_TEXT_BYTES];
	struct string_list names; /* sorted */
};

struct image_list {
	struct image_list_entry *entries; /* by digest */
	size_t n_entries;
};

/** image_list_read() - every image with its names; to be freed with image_list_deinit() */
int image_list_read(const struct store *store, struct image_list *ret_list, struct error *error);
void image_list_deinit(struct image_list *list);
#define _cleanup_image_list_ _cleanup_(image_list_deinit)

/** image_names() - the names of one image, sorted, appended to @names */
int image_names(const struct store *store, const char *digest, struct string_list *names);

/**
 * image_tag() - let @name mean the image @digest; an older meaning is replaced, at once
 * @name: as image_name_parse() gives it
 */
int image_tag(const struct store *store, const char *name, const char *digest, struct error *error);

/** image_untag() - forget @name; 0 or a negative errno (-ENOENT) */
int image_untag(const struct store *store, const char *name);
