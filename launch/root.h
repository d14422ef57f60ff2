/* SPDX-License-Identifier: MIT */
/*
 * The container's root: a detached mount, attached in the container's own mount namespace, and the
 * switch to it. Called in the container's child.
 */
#pragma once

#include "base/error.h"

/**
 * root_host_propagation() - MS_PRIVATE or MS_SLAVE: what becomes of the mounts that the container's
 * namespace gets from the host
 * @propagation: MS_* of linux.rootfsPropagation
 *
 * Never shared: what is mounted in the container would come to be mounted on the host. A shared
 * root is a slave of the host's and shared among the container's own copies.
 */
unsigned long root_host_propagation(unsigned long propagation);

/**
 * root_part() - the mounts of this namespace, copies of the host's, are the host's peers no more
 * @propagation: MS_* of linux.rootfsPropagation
 */
int root_part(unsigned long propagation, struct error *error);

/**
 * root_attach() - make @root_mount_fd (detached) a mount on the directory @place in this mount
 * namespace
 * @place: by name, since a descriptor of the launcher's is of a mount in its own namespace
 */
int root_attach(int root_mount_fd, const char *place, struct error *error);

/**
 * root_switch() - make @root_mount_fd the root and the working directory; nothing of the host's
 * mounts is left in the namespace
 *
 * Where the host itself runs from an initramfs, whose root can't be moved away (pivot_root(2),
 * EINVAL), the root is moved over it and chroot(2)ed into, as switch_root(8) does.
 */
int root_switch(int root_mount_fd, struct error *error);

/**
 * root_enter() - make @root_mount_fd the root and the working directory where it lies on the "/" of
 * a template's copy (launch/template.h): there is nothing else that could be reached
 */
int root_enter(int root_mount_fd, struct error *error);

/**
 * root_propagate() - make the container's root what linux.rootfsPropagation says, after the switch:
 * pivot_root(2) takes no shared mount
 */
int root_propagate(unsigned long propagation, struct error *error);

/**
 * root_move() - the same by a move of the mount onto "/" and chroot(2), for hosts whose own root
 * can't be pivoted away (a rootfs of the kernel's, an initramfs): `--no-pivot`
 *
 * The host's mounts are detached first, but its bare root file system stays below: a container that
 * may chroot(2) can get there, as with runc's --no-pivot.
 */
int root_move(int root_mount_fd, struct error *error);
