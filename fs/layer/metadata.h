/* SPDX-License-Identifier: MIT */
/*
 * What an entry of a layer has beside its content: owner, mode, times, extended attributes.
 *
 * Set through descriptors, or on the object itself without following it. The order matters:
 * chown(2) clears setuid bits and file capabilities, so mode and attributes come behind it.
 */
#pragma once

#include "base/text.h"
#include "fs/archive/tar.h"

/* Warnings beyond this many are counted only. */
#define METADATA_MAX_WARNINGS 16

struct metadata_warnings {
	struct string_list messages;
	size_t n_warnings;
};

/** metadata_warn() - remember one warning; "what could not be preserved is reported" */
void metadata_warn(struct metadata_warnings *warnings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void metadata_warnings_deinit(struct metadata_warnings *warnings);

struct metadata_xattr {
	char *name;
	void *value;
	size_t n_bytes;
};

struct metadata_xattrs {
	struct metadata_xattr *items;
	size_t n_items;
};

/**
 * metadata_xattrs_read() - the extended attributes of the reader's current entry, copied
 *
 * overlayfs's own (trusted.overlay.*, user.overlay.*) are left out with a warning: an image that
 * could set them would say to the kernel what is merged with what.
 */
int metadata_xattrs_read(struct metadata_xattrs *xattrs, struct tar_reader *reader,
			 const char *path, struct metadata_warnings *warnings);

/** metadata_xattrs_read_fd() - those of an open file or directory, without overlayfs's own */
int metadata_xattrs_read_fd(struct metadata_xattrs *xattrs, int fd);

void metadata_xattrs_deinit(struct metadata_xattrs *xattrs);
#define _cleanup_metadata_xattrs_ _cleanup_(metadata_xattrs_deinit)

/**
 * metadata_set_fd() - give the file or directory @fd (not O_PATH) what @entry says
 * @is_fresh: it was just made, by us, with the entry's mode: what is right already isn't set again
 */
int metadata_set_fd(int fd, const struct tar_entry *entry, const struct metadata_xattrs *xattrs,
		    bool is_fresh, struct metadata_warnings *warnings, struct error *error);

/** metadata_set_at() - the same for a link, a device node or a fifo, just made with its mode */
int metadata_set_at(int directory_fd, const char *name, const struct tar_entry *entry,
		    const struct metadata_xattrs *xattrs, struct metadata_warnings *warnings,
		    struct error *error);
