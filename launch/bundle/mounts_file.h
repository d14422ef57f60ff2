/* SPDX-License-Identifier: MIT */
/*
 * The file `mounts` in a bundle: what `volctl attach` adds to the container's mounts, as fstab(5)
 * lines: SOURCE DESTINATION TYPE OPTIONS [FREQ [PASSNO]], separated by blanks; '#' begins a
 *comment.
 *
 * In every field, and in every one of the comma-separated options, "\040" (three octal digits) is
 * the byte of that number, so that blanks, line breaks, backslashes and commas can be part of one.
 *
 *	/host/dir	/data	none	rbind,rprivate,ro	0 0	a bind (type "none" or
 *"bind") /store/.../_data/PATH /data none rbind,x-lamina.volume=NAME,x-lamina.subpath=PATH
 *	tmpfs		/run	tmpfs	noexec,nosuid,nodev,size=64k
 *
 * x-lamina.volume and x-lamina.subpath are what a start resolves: PATH below what is in front of it
 * in the source, which as a whole only serves other runtimes. Any other x-... option is for others
 * and left out.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

#define MOUNTS_FILE_NAME      "mounts"
#define MOUNTS_FILE_MAX_BYTES (4 * 1024 * 1024)

struct bundle_mount {
	char *source;
	char *destination;	    /* absolute and clean: no "//", ".", "..", or '/' at its end */
	char *type;		    /* "bind" for a bind, whatever the line says */
	struct string_list options; /* without "defaults" and x-... */
	char *volume;		    /* x-lamina.volume, or NULL */
	char *subpath;		    /* x-lamina.subpath: relative, without ".."; or NULL */
};

/* All zero is a valid empty one. */
struct bundle_mounts {
	struct bundle_mount *items;
	size_t n_items;
};

/**
 * bundle_mounts_parse() - parse the text of a `mounts` file, appending to @mounts
 *
 * Return: 0 or a negative errno (-EBADMSG: @error says which line and why; -ENOMEM).
 */
int bundle_mounts_parse(struct bundle_mounts *mounts, const char *text, struct error *error);

/** bundle_mounts_read() - the same from the bundle's file; a bundle without one has no mounts */
int bundle_mounts_read(int bundle_fd, struct bundle_mounts *mounts, struct error *error);

/** bundle_mounts_find() - the mount on @destination, or NULL; borrowed */
const struct bundle_mount *bundle_mounts_find(const struct bundle_mounts *mounts,
					      const char *destination);

void bundle_mounts_deinit(struct bundle_mounts *mounts);
#define _cleanup_bundle_mounts_ _cleanup_(bundle_mounts_deinit)
