/* SPDX-License-Identifier: MIT */
/*
 * The container's root: a detached mount, attached in the container's own mount namespace, and the
 * switch to it. Called in the container's child.
 */
#pragma once

#include "base/error.h"

/**
 * root_attach() - make @root_mount_fd (detached) a mount on the directory @place in this mount
 * namespace
 * @place: by name, since a descriptor of the launcher's is of a mount in its own namespace
 * @propagation: MS_* for everything the namespace was given by the host (linux.rootfsPropagation):
 * private, or slave; never shared back to the host
 */
int root_attach(int root_mount_fd, const char *place, unsigned long propagation,
		struct error *error);

/**
 * root_switch() - make @root_mount_fd the root and the working directory; nothing of the host's
 * mounts is left in the namespace
 *
 * Where the host itself runs from an initramfs, whose root can't be moved away (pivot_root(2),
 * EINVAL), the root is moved over it and chroot(2)ed into, as switch_root(8) does.
 */
int root_switch(int root_mount_fd, struct error *error);
