/* SPDX-License-Identifier: MIT */
/*
 * Making bundles of an image (docs/design.md, The bundle): whatever all bundles of a run have in
 * common is read once, and each then costs only the system calls that make its files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "fs/image/store.h"
#include "fs/rootfs/names.h"
#include "fs/store.h"

/* Docker's MaxImageDepth, which overlay2 shares between all of its uses. */
#define CREATE_MAX_DEPTH 127

/* In a bundle that was made to be removed at its end. */
#define BUNDLE_AUTO_REMOVE_FILE "auto-remove"

struct bundle_request {
	const char *reference;	  /* of the image, as the user wrote it */
	uint64_t max_depth;	  /* 0: CREATE_MAX_DEPTH; at most OVERLAY_MAX_LOWERS */
	bool ephemeral;		  /* the read-write layer is a tmpfs that nslaunch makes */
	uint64_t ephemeral_bytes; /* its size; 0: the kernel's default, half of the memory */
	bool auto_remove; /* it is to go at its end: a sweep takes it when nobody holds it */
};

struct bundle_file {
	const char *name;
	char *bytes; /* NULL: this bundle has no such file */
	size_t n_bytes;
};

#define BUNDLE_MAKER_FILES 8

/* Start with BUNDLE_MAKER_EMPTY. */
struct bundle_maker {
	const struct store *store; /* borrowed; its lock is held by the caller in bundle_make() */
	struct bundle_file files[BUNDLE_MAKER_FILES];
	char image_digest[DIGEST_TEXT_BYTES];
	uint8_t random[32 * 32];
	size_t n_random; /* bytes of @random that are still unused */
};

#define BUNDLE_MAKER_EMPTY ((struct bundle_maker){ .store = NULL })

/**
 * bundle_maker_init() - find the image and read what its bundles are made of
 * @store: borrowed until bundle_maker_deinit()
 *
 * Return: 0 or a negative errno (-ENOENT: no such image, -E2BIG: too many layers).
 */
int bundle_maker_init(struct bundle_maker *maker, const struct store *store,
		      const struct bundle_request *request, struct error *error);

/** bundle_maker_image_is_there() - has nobody removed the image meanwhile? */
bool bundle_maker_image_is_there(const struct bundle_maker *maker);

void bundle_maker_deinit(struct bundle_maker *maker);
#define _cleanup_bundle_maker_ _cleanup_(bundle_maker_deinit)

/**
 * bundle_make() - make one bundle
 * @id: valid, or NULL: 64 random hex digits
 * @name: valid, or NULL: none
 * @ret_id: the id
 *
 * The process's umask must be 0: modes are part of what is made, and asking for each costs a
 * system call. A killed caller leaves an unlocked bundle without a config.json, which
 * bundle_sweep() drops; on a failure nothing is left.
 *
 * Return: 0 or a negative errno (-EEXIST: @id or @name is taken).
 */
int bundle_make(struct bundle_maker *maker, const char *id, const char *name,
		char ret_id[CONTAINER_ID_MAX_BYTES + 1], struct error *error);
