/* SPDX-License-Identifier: MIT */
/*
 * The store: the directory that holds images, layers, bundles and volumes (docs/design.md, On
 * disk).
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

#define STORE_FORMAT "1\n"

enum store_mode {
	STORE_USE,    /* the store's lock is held shared: what is in it stays */
	STORE_REMOVE, /* held exclusive, for the moments in which a removal is published */
};

/* Start with STORE_EMPTY. */
struct store {
	char *path;  /* absolute */
	int fd;	     /* of the directory, for *at() */
	int lock_fd; /* holds the lock; gone with store_close() */
};

#define STORE_EMPTY ((struct store){ .fd = -EBADF, .lock_fd = -EBADF })

/**
 * store_open() - open the store at @path, and make it where it isn't there
 * @path: absolute or relative to the working directory; its parents are made too (0755)
 *
 * The directory itself is 0700: no other user reaches a setuid file in a layer
 * (CVE-2021-21284, CVE-2021-41091). Waits for the lock.
 *
 * Return: 0 or a negative errno (-EPROTO: a format that this lamina doesn't know).
 */
int store_open(struct store *store, const char *path, enum store_mode mode, struct error *error);

void store_close(struct store *store);
#define _cleanup_store_ _cleanup_(store_close)

/** store_default_path() - $XDG_DATA_HOME/lamina or its default for others than root, else
 * /var/lib/lamina; owned by the caller, NULL when memory is gone or there is no home */
char *store_default_path(void);

/**
 * store_stage() - a new directory below STORE/staging for something that is being made
 * @ret_name: "staging/XXXX", relative to the store; to be renamed into place, or given to
 * store_discard(); owned by the caller
 * @ret_fd: of the directory, with its flock held exclusive: a leftover of a killed tool can be told
 * by its free lock; owned by the caller
 */
int store_stage(const struct store *store, char **ret_name, int *ret_fd, struct error *error);

/** store_discard() - move @name (relative to the store) to the trash and delete it; 0 or -errno */
int store_discard(const struct store *store, const char *name);
