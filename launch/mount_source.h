/* SPDX-License-Identifier: MIT */
/*
 * What binds are made of, and what idmapped mounts go by: taken before the mounts of the container
 * are made.
 *
 * Most sources are cloned in the child, by name. The launcher takes those that the child couldn't:
 * all of a container that starts from the template (launch/template.h), where there are none; all
 * of one with a user namespace, whose root may not look into every directory of the host's, and for
 * whom the host's mounts are locked; and those that are idmapped, which needs rights over their
 * file system.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/config/config.h"

/* What the launcher takes; its child takes the rest. */
enum mount_sources_taken {
	MOUNT_SOURCES_IDMAPPED, /* what only it can */
	MOUNT_SOURCES_BINDS,	/* and every bind: the child won't have the host's mounts */
	MOUNT_SOURCES_ALL,	/* and what a sysfs may have to be replaced by: a user namespace */
};

/* A positive result. */
enum {
	MOUNT_SOURCES_LATE = 1,
};

/* All zero: nothing was taken. */
struct mount_sources {
	int *tree_fds;	    /* as config->mounts: a detached clone, or -EBADF */
	int *idmap_fds;	    /* likewise: the user namespace of an idmapped mount that is no bind */
	int *namespace_fds; /* likewise, owned: where a mapping is used first */
	size_t n_mounts;
};

/**
 * mount_sources_open() - in the launcher
 * @user_fd: the user namespace that is joined, whose mapping "idmap" without one means; or -EBADF
 *
 * Return: 0, MOUNT_SOURCES_LATE (with MOUNT_SOURCES_BINDS: a source lies in a procfs, by whatever
 * name, and can mean something else in the child) or a negative errno; @error names the mount.
 */
int mount_sources_open(struct mount_sources *sources, const struct config *config,
		       const char *bundle_path, enum mount_sources_taken taken, int user_fd,
		       struct error *error);

/**
 * mount_sources_tree() - in the child: the clone for mount number @i, or -EBADF
 *
 * The child's copy of the descriptor is the caller's to close, once.
 */
int mount_sources_tree(const struct mount_sources *sources, size_t i);

/**
 * mount_clone() - a detached clone of the mount at @path
 * @flags: AT_RECURSIVE, AT_EMPTY_PATH
 * @propagation: MS_* that it gets before anybody can mount on it; 0: as the original
 *
 * Return: the fd, owned by the caller, or a negative errno.
 */
int mount_clone(int directory_fd, const char *path, unsigned int flags, unsigned long propagation);

/** mount_sources_idmap() - the user namespace for mount number @i, borrowed, or -EBADF */
int mount_sources_idmap(const struct mount_sources *sources, size_t i);

void mount_sources_close(struct mount_sources *sources);

/**
 * mount_source_clone() - a detached clone of what is at a bind's source; of a sub-path resolved
 * below it, where the bundle names one
 *
 * By name: a descriptor of the launcher's is of a mount in its own namespace, which can't be cloned
 * in the child's.
 *
 * Return: an fd owned by the caller, or a negative errno.
 */
int mount_source_clone(const char *bundle_path, const struct config_mount *mount,
		       struct error *error);

/**
 * mount_idmap() - map the ids of a detached mount by a user namespace's
 *
 * Return: 0 or a negative errno; @error names the file system that can't be idmapped.
 */
int mount_idmap(int mount_fd, int namespace_fd, bool recursive, struct error *error);
