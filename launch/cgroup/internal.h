/* SPDX-License-Identifier: MIT */
/*
 * What the files of launch/cgroup share.
 */
#pragma once

#include "launch/cgroup/cgroup.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
#define CGROUP_PARENT "lamina" /* where relative paths go, and where nothing but lamina's is */

/* How long what ends by itself (a process dying, a freeze) is waited for. */
#define CGROUP_PATIENCE_MS 5000

/** cgroup_hierarchies_find() - fill root_fd and the hierarchies; no descriptor but root_fd is
 * opened */
int cgroup_hierarchies_find(struct cgroup *cgroup, struct error *error);

/**
 * cgroup_hierarchies_guess() - the same by their directories' names alone, without a look at each
 *
 * On a v1 host every directory counts as a v1 hierarchy, v2's and anything else too.
 */
int cgroup_hierarchies_guess(struct cgroup *cgroup, struct error *error);

/** cgroup_controller_name() - its name in v1; "blkio" for CGROUP_BLKIO */
const char *cgroup_controller_name(enum cgroup_controller controller);

/** cgroup_controller_name_v2() - its name in cgroup.controllers; NULL: v2 has no such controller */
const char *cgroup_controller_name_v2(enum cgroup_controller controller);

/** cgroup_v1() - the v1 hierarchy of @controller, or NULL */
struct cgroup_hierarchy *cgroup_v1(struct cgroup *cgroup, enum cgroup_controller controller);

/** cgroup_v2() - the v2 hierarchy, or NULL */
struct cgroup_hierarchy *cgroup_v2(struct cgroup *cgroup);

/**
 * cgroup_directory() - the directory of what exists in @hierarchy; O_PATH, borrowed, or -EBADF
 *
 * A start opens only those that it sets limits in: each costs as much as a small cgroup's mkdir.
 */
int cgroup_directory(const struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy);

/**
 * cgroup_file_write() - write the whole of a control file in one write(2)
 *
 * Return: 0 or a negative errno.
 */
int cgroup_file_write(int directory_fd, const char *file, const char *text);

/**
 * cgroup_file_read() - the beginning of a control file, without the newline at its end
 * @text: @n_bytes, always NUL-terminated
 *
 * Return: the length, or a negative errno.
 */
ssize_t cgroup_file_read(int directory_fd, const char *file, char *text, size_t n_bytes);

/** cgroup_relative() - "NAME/PATH" below root_fd into @buffer; 0 or -ENAMETOOLONG */
int cgroup_relative(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
		    const char *path, char buffer[PATH_MAX]);

/** cgroup_v2_enable() - let the cgroup in v2 have @controller, by subtree_control down its path */
int cgroup_v2_enable(struct cgroup *cgroup, const char *controller);

/** cgroup_tree_remove() - rmdir of the cgroup @relative below root_fd and all below it, once */
int cgroup_tree_remove(int root_fd, const char *relative);

/** cgroup_sleep_ms() - sleep, through interruptions */
void cgroup_sleep_ms(unsigned int ms);
