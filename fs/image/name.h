/* SPDX-License-Identifier: MIT */
/*
 * Names of images: what a user may write, the one spelling that the store keeps, and the file name
 * that stands for it.
 *
 * The grammar is distribution's (github.com/distribution/reference, reference.go), and the short
 * forms are Docker's: `busybox` is `busybox:latest`, and `docker.io/library/busybox:latest` is too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"

#define IMAGE_REPOSITORY_MAX_BYTES 255 /* distribution: NameTotalLengthMax */
#define IMAGE_TAG_MAX_BYTES	   128
#define IMAGE_NAME_BYTES	   (IMAGE_REPOSITORY_MAX_BYTES + 1 + IMAGE_TAG_MAX_BYTES + 1)
/* Every byte escaped; a longer one than NAME_MAX is refused by image_name_escape(). */
#define IMAGE_NAME_ESCAPED_BYTES 256

struct image_name {
	char name[IMAGE_NAME_BYTES];	/* "repository:tag", "" where only a digest was given */
	char digest[DIGEST_TEXT_BYTES]; /* of `name@sha256:...`, else "" */
};

/**
 * image_name_parse() - one spelling for a name as a user wrote it
 *
 * `name`, `name:tag`, `name@sha256:...` and `name:tag@sha256:...`; the tag is `latest` where none
 * is said. A bare digest is not a name.
 *
 * Return: 0 or -EINVAL, with the rule that was broken in @error.
 */
int image_name_parse(const char *text, struct image_name *ret_name, struct error *error);

/**
 * image_name_escape() - the file name of a name: '/' as "%2F", '%' as "%25"
 *
 * Return: 0 or -ENAMETOOLONG (over 255 bytes).
 */
int image_name_escape(const char *name, char ret_file_name[IMAGE_NAME_ESCAPED_BYTES]);

/** image_name_unescape() - the name of a file name; false where it is not an escaped name */
bool image_name_unescape(const char *file_name, char ret_name[IMAGE_NAME_BYTES]);
