/* SPDX-License-Identifier: MIT */
/*
 * A layer's directory while it is filled: names out of an archive become a parent's descriptor and
 * a last component.
 *
 * Whatever the names and the links in the layer are, nothing outside the directory is reached:
 * names are cleaned by their text (".." that leaves is refused) and parents are resolved by the
 * kernel with the directory as their root. The last component is never followed by anybody.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

struct layer_tree {
	int root_fd; /* borrowed */
	int parent_fd;
	char parent[PATH_MAX];	 /* what @parent_fd is; the last one is kept */
	struct string_list made; /* parents that were missing, in the order they were made */
};

void layer_tree_init(struct layer_tree *tree, int root_fd);
void layer_tree_deinit(struct layer_tree *tree);
#define _cleanup_layer_tree_ _cleanup_(layer_tree_deinit)

/**
 * layer_path_clean() - the shortest spelling of @path: no "", "." or ".." components, no slash at
 * either end; "" is the layer itself. An absolute name is below the layer, as tar(1) and Docker
 * have it.
 *
 * Return: 0, -EBADMSG (it leaves the layer by ".."), -ENAMETOOLONG.
 */
int layer_path_clean(const char *path, char ret_path[PATH_MAX]);

/**
 * layer_tree_parent() - the directory that @path is in; missing ones are made, 0755
 * @path: clean and not ""
 * @make: false: a missing directory is -ENOENT
 * @ret_name: the last component, within @path
 *
 * Return: an O_PATH fd, borrowed until the next call, or a negative errno.
 */
int layer_tree_parent(struct layer_tree *tree, const char *path, bool make, const char **ret_name);

/**
 * layer_tree_directory() - open the directory @path itself; O_RDONLY, owned by the caller
 * @path: clean; not followed where its last component is a link
 */
int layer_tree_directory(struct layer_tree *tree, const char *path);

/**
 * layer_tree_remove() - remove @name in the last parent, with all that is in it; 0 or -errno
 *
 * The one parent that is remembered holds @name, so it stays what it was.
 */
int layer_tree_remove(struct layer_tree *tree, const char *name);
