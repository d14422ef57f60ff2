/* SPDX-License-Identifier: MIT */
/*
 * The init layer: the files and directories that a runtime must find under every root, as Docker's
 * initlayer.Setup (daemon/initlayer/setup_unix.go) makes them, in a layer of their own between the
 * image and the read-write layer.
 *
 * For each path of the table every component of it is unlinked first, which deletes files and
 * symbolic links but no directories; what is missing then is made: directories and files 0755 and
 * owned by the root identity, the link unowned. What is a directory in the image stays as it is.
 *
 * What comes out depends on the image's stack and the root identity only, so it is made once for
 * each such pair, in STORE/init/<XXH3-128 of both and of the table's version>/diff: layers and
 * table are looked at through a detached overlay mount, whose upper directory then is the layer.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "fs/bundle.h"
#include "fs/store.h"

enum init_layer_type {
	INIT_LAYER_DIRECTORY,
	INIT_LAYER_FILE,
	INIT_LAYER_LINK,
};

struct init_layer_entry {
	const char *path; /* absolute */
	enum init_layer_type type;
	const char *target; /* of a link */
};

extern const struct init_layer_entry init_layer_table[];
extern const size_t init_layer_table_entries;

/* The host's ids of the container's root. */
struct root_identity {
	uid_t uid;
	gid_t gid;
};

/**
 * init_layer_apply() - make the table's entries below @root_fd, a directory; borrowed
 *
 * Never leaves the directory, whatever is in it: no symbolic link is followed.
 *
 * Return: 0 or a negative errno.
 */
int init_layer_apply(int root_fd, struct root_identity identity, struct error *error);

/* The last layer that was asked for: a stream's bundles are mostly of one image. All zero is empty.
 */
struct init_layer_cache {
	char *layers;
	char *path;
};

void init_layer_cache_deinit(struct init_layer_cache *cache);

/**
 * init_layer_add() - give the bundle its init layer: the layer's path goes to the file `init-layer`
 * @store: where the layer is looked for and made; its lock is held
 * @bundle: locked exclusive
 * @cache: may be NULL
 *
 * Where the bundle has one already, nothing changes.
 *
 * Return: 0 or a negative errno (-EEXIST: it has a config.json, too late).
 */
int init_layer_add(const struct store *store, const struct bundle *bundle,
		   struct root_identity identity, struct init_layer_cache *cache,
		   struct error *error);
