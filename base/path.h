/* SPDX-License-Identifier: MIT */
/*
 * Paths inside a root: every name that an image or a container controls is resolved here.
 *
 * All of these use openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) (Linux 5.6): symbolic links,
 * absolute or with "..", stay below @root_fd, whoever swaps them meanwhile. Hold what is returned;
 * never resolve the same string a second time.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/**
 * path_open_in_root() - open @path below @root_fd
 * @flags: open(2)'s; O_CLOEXEC is added
 * @mode: for O_CREAT, else 0
 *
 * Return: an fd owned by the caller, or a negative errno.
 */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/**
 * path_open_beneath() - the same, and refuse every symbolic link in any component (-ELOOP)
 */
int path_open_beneath(int root_fd, const char *path, int flags, mode_t mode);

/**
 * path_mkdir_beneath() - make the directory @path, whose parent is there and has no link on its way
 *
 * Return: an O_PATH fd owned by the caller, or a negative errno (-EEXIST, -ENOENT, -ELOOP, ...).
 */
int path_mkdir_beneath(int root_fd, const char *path, mode_t mode);

/**
 * path_mkdir_in_root() - the directory @path below @root_fd, its missing components made 0755
 * @mode: of the last component where it is made here
 *
 * Every component is made relative to the resolved descriptor of its parent; an existing symbolic
 * link is followed inside the root.
 *
 * Return: an O_PATH fd owned by the caller, or a negative errno (-ENOTDIR: a file is in the way).
 */
int path_mkdir_in_root(int root_fd, const char *path, mode_t mode);

/**
 * path_make_file_in_root() - an O_PATH fd of the file @path; an empty one (0755 directories,
 * @mode for the file) is made where nothing is, or where a link leads to nothing
 *
 * Return: the fd, owned by the caller, or a negative errno.
 */
int path_make_file_in_root(int root_fd, const char *path, mode_t mode);

/**
 * path_open_parent_in_root() - the fd of the directory of @path, resolved in the root, and its last
 * component
 * @ret_name: points into @path, slashes at its end and all; "" where @path is the root itself
 *
 * Return: an O_PATH fd owned by the caller, or a negative errno.
 */
int path_open_parent_in_root(int root_fd, const char *path, const char **ret_name);

/**
 * path_remove_tree() - remove @name below @directory_fd and all that is in it, by descriptor
 * @name: relative; an absolute path is refused (-EXDEV)
 *
 * Never follows a symbolic link and never enters a mount, a bind mount of the same file system
 * neither (-EXDEV). Takes a bounded number of descriptors and little memory for a tree of any
 * depth. Stays correct while others remove the same tree.
 *
 * Return: 0 (also when it isn't there) or the first negative errno; what could be removed is gone.
 */
int path_remove_tree(int directory_fd, const char *name);

/**
 * path_is_mount_root() - is @path below @directory_fd the root of a mount (Linux 5.8)?
 * @path: not followed where it is a symbolic link; "": @directory_fd itself
 *
 * Return: 1, 0 or a negative errno.
 */
int path_is_mount_root(int directory_fd, const char *path);
