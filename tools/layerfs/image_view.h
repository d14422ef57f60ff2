/* SPDX-License-Identifier: MIT */
/*
 * What images and inspect show of an image.
 */
#pragma once

#include "base/json_write.h"
#include "fs/image/store.h"

struct image_view {
	struct json_document config;
	char id[DIGEST_TEXT_BYTES];
	struct string_list layers; /* paths of the lowerdirs, topmost first */
	uint64_t n_bytes;	   /* of all files in them */
};

/** image_view_read() - 0 or a negative errno; to be freed in any case */
int image_view_read(const struct store *store, const struct image *image, struct image_view *view,
		    struct error *error);
void image_view_deinit(struct image_view *view);
#define _cleanup_image_view_ _cleanup_(image_view_deinit)

/** json_indent() - valid JSON with four spaces a level, as Docker prints it, and a newline */
void json_indent(const char *json, size_t n_bytes, struct buffer *buffer);
