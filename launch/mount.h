/* SPDX-License-Identifier: MIT */
/*
 * The mounts inside the container's root (config.json's `mounts`, maskedPaths, readonlyPaths).
 *
 * Called in the container's child before the root is switched, so that sources are the host's; in a
 * copy of the template, which has none of the host's, the launcher has taken all of them.
 * Every destination is resolved once, below the root's descriptor, and the mount goes onto what was
 * found, not onto its name.
 */
#pragma once

#include "base/error.h"
#include "launch/cgroup/mount.h"
#include "launch/config/config.h"
#include "launch/mount_source.h"

struct mount_context {
	int root_fd;		 /* the root, attached */
	const char *bundle_path; /* relative sources are relative to the bundle */
	const struct cgroup *cgroup;
	const struct mount_sources *sources; /* what the launcher took */
	const struct cgroup_clones *clones;  /* likewise, or NULL */
	int null_fd;			     /* likewise, mount_null_clone(), or -EBADF */
	int dev_fd;			     /* a pool's mount for /dev, or -EBADF */
	bool is_tuned;	/* set when tune_apply() was done through the container's own procfs */
	bool is_strict; /* what may not be set is an error, not a warning */
	bool private_cgroups; /* the container has a cgroup namespace of its own */
	int *shared_fds;      /* clones that mount_shared_clone() made, or -EBADF; NULL: none */
};

/**
 * mount_shared_clone() - take the binds that propagate to the host ("shared", "rshared", where
 * linux.rootfsPropagation is shared too) while they still are the host's peers
 *
 * To be called before the mounts of the namespace become private or slaves. The array is freed by
 * mount_all().
 */
int mount_shared_clone(struct mount_context *context, const struct config *config,
		       struct error *error);

/** mount_all() - every mount of @config, in its order */
int mount_all(struct mount_context *context, const struct config *config, struct error *error);

/**
 * mount_bind_make() - a detached clone of a bind's source, with its options that aren't recursive
 *
 * Return: the fd, owned by the caller, or a negative errno.
 */
int mount_bind_make(const struct mount_context *context, const struct config_mount *mount,
		    struct error *error);

/** mount_place() - attach @mount_fd at the destination of @mount, which is made where missing */
int mount_place(const struct mount_context *context, const struct config_mount *mount, int mount_fd,
		struct error *error);

/** mount_null_clone() - a detached, private clone of the host's /dev/null, for mount_masks() */
int mount_null_clone(void);

/** mount_masks() - hide maskedPaths, and make readonlyPaths and, where asked, the root read-only */
int mount_masks(const struct mount_context *context, const struct config *config,
		struct error *error);
