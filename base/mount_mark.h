/* SPDX-License-Identifier: MIT */
/*
 * Marks beside mount points: a file that says in which mount namespace, and since which boot, a
 * directory is mounted, for those who look from another namespace and can't see the mount.
 */
#pragma once

enum mount_mark {
	MOUNT_MARK_NONE = 0,
	MOUNT_MARK_HERE =
		1, /* the directory is the root of a mount in the caller's mount namespace */
	MOUNT_MARK_OTHER = 2, /* in another mount namespace, which still has a process */
};

/**
 * mount_mark_state() - is @mount_point mounted?
 * @directory_fd: the directory that has both in it; borrowed
 * @mark_name: the file that mount_mark_write() made, or none
 * @ret_pid: of a process in the other namespace, with MOUNT_MARK_OTHER; may be NULL
 *
 * A mark of an earlier boot, of a namespace that no process is in any more, or of this namespace
 * where nothing is mounted (umount(8) was used), is stale and means nothing.
 *
 * Return: an enum mount_mark, or a negative errno.
 */
int mount_mark_state(int directory_fd, const char *mount_point, const char *mark_name,
		     int *ret_pid);

/** mount_mark_write() - make or replace the mark, for the caller's mount namespace; 0 or -errno */
int mount_mark_write(int directory_fd, const char *mark_name);
