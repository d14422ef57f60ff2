/* SPDX-License-Identifier: MIT */
/*
 * System calls that the C library lacks, one thin wrapper each: -1 and errno, as the kernel says.
 *
 * Include this instead of <sys/mount.h>, which glibc 2.36 and <linux/mount.h> both define.
 */
#pragma once

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Newer than Debian 12's headers (Linux 6.1), or only in <sys/mount.h>. */
#ifndef MNT_FORCE
#define MNT_FORCE	1
#define MNT_DETACH	2
#define UMOUNT_NOFOLLOW 8
#endif
/* In glibc's <stdio.h>, not in musl's: the same words as there. */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE	 (1 << 1)
#define RENAME_WHITEOUT	 (1 << 2)
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static inline int sys_openat2(int directory_fd, const char *path, const struct open_how *how)
{
	return (int)syscall(SYS_openat2, directory_fd, path, how, sizeof(*how));
}

static inline int sys_mount(const char *source, const char *target, const char *type,
			    unsigned long flags, const void *data)
{
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static inline int sys_umount2(const char *target, int flags)
{
	return (int)syscall(SYS_umount2, target, flags);
}

static inline int sys_fsopen(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int sys_fsconfig(int fd, unsigned int command, const char *key, const void *value,
			       int auxiliary)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, auxiliary);
}

static inline int sys_fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

static inline int sys_open_tree(int directory_fd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, directory_fd, path, flags);
}

/* Linux 6.15: open_tree() and mount_setattr() in one. */
static inline int sys_open_tree_attr(int directory_fd, const char *path, unsigned int flags,
				     const struct mount_attr *attributes)
{
	return (int)syscall(SYS_open_tree_attr, directory_fd, path, flags, attributes,
			    sizeof(*attributes));
}

static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to,
				 unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int sys_mount_setattr(int directory_fd, const char *path, unsigned int flags,
				    const struct mount_attr *attributes)
{
	return (int)syscall(SYS_mount_setattr, directory_fd, path, flags, attributes,
			    sizeof(*attributes));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, info, flags);
}

static inline int sys_renameat2(int from_fd, const char *from, int to_fd, const char *to,
				unsigned int flags)
{
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static inline int sys_seccomp(unsigned int operation, unsigned int flags, void *arguments)
{
	return (int)syscall(SYS_seccomp, operation, flags, arguments);
}

static inline long sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c,
			      unsigned long d)
{
	return syscall(SYS_keyctl, operation, a, b, c, d);
}
