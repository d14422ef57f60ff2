/* SPDX-License-Identifier: MIT */
/*
 * What the files of the copy engine share. Nobody else includes this.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "fs/copy/copy.h"
#include "fs/copy/ahead.h"

/* Fits a core's second-level cache: larger pieces are slower, not faster. */
#define COPY_BUFFER_BYTES (256 * 1024)

/*
 * A directory on its way: found, entered (both descriptors open, its files copied), left. It is
 * left, and gets its metadata, when the last of the directories in it was. Each is a unit of work
 * of its own, touching nothing but itself, the table of links and the clone answers.
 */
struct copy_directory {
	struct copy_directory *parent; /* NULL: the root */
	char *source_name, *destination_name;
	int source_fd, destination_fd; /* closed in the ancestors of very deep ones */
	struct stat source;
	dev_t destination_device;
	ino_t destination_inode;
	unsigned int depth;
	bool is_entered;
	bool reads_ahead;     /* its files, by the ring */
	bool has_default_acl; /* the destination's: what is made in it inherits */
};

/* Names of files with more than one link, by the source's device and inode. */
struct copy_link {
	dev_t source_device;
	ino_t source_inode; /* 0: an empty slot */
	dev_t destination_device;
	ino_t destination_inode;
	char *path; /* below the destination's root */
};

struct copy_links {
	struct copy_link *slots;
	size_t n_slots, n_used;
};

/* Whether FICLONE works between two devices, asked once. */
enum copy_answer { COPY_UNKNOWN, COPY_YES, COPY_NO };

#define COPY_N_ANSWERS 8

struct copy_pair {
	dev_t source, destination;
	enum copy_answer clones;
	bool no_range; /* copy_file_range() refused */
};

struct copy {
	const struct copy_options *options;
	struct copy_stats *stats;
	struct error *error;
	struct copy_directory *root;
	struct copy_links links;
	struct copy_pair pairs[COPY_N_ANSWERS];
	unsigned int n_pairs;
	struct copy_ahead *ahead; /* made when a directory is worth it */
	bool no_ahead;
	char *buffer;
	/* The work that is left: directories found and not left, the newest last. */
	struct copy_directory **pending;
	size_t n_pending, n_pending_allocated;
};

/* tree.c: how an error names @name in @directory ("" itself) */
int copy_error(struct copy *copy, const struct copy_directory *directory, const char *name,
	       int code, const char *what);
char *copy_path(const struct copy_directory *directory, const char *name);

/* entry.c: everything but directories */
int copy_regular(struct copy *copy, struct copy_directory *directory, const char *name,
		 const char *destination_name, struct copy_source *source);
int copy_special(struct copy *copy, struct copy_directory *directory, const char *name,
		 const char *destination_name);
int copy_clear(struct copy *copy, struct copy_directory *directory, const char *name,
	       const char *destination_name, const struct stat *source);

/* data.c */
struct copy_pair *copy_pair(struct copy *copy, dev_t source, dev_t destination);
int copy_data(struct copy *copy, struct copy_pair *pair, const struct copy_source *source, int fd);

/* metadata.c */
int copy_metadata(struct copy *copy, int source_fd, int fd, const struct stat *source,
		  bool inherited_acl);
int copy_metadata_special(struct copy *copy, int source_fd, int fd, const struct stat *source);

/* links.c */
struct copy_link *copy_links_find(struct copy_links *links, const struct stat *source);
int copy_links_add(struct copy_links *links, const struct stat *source,
		   const struct stat *destination, char *path);
int copy_links_open(const struct copy_link *link, int root_fd);
int copy_links_make(int fd, int directory_fd, const char *name);
void copy_links_deinit(struct copy_links *links);
