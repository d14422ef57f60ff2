/* SPDX-License-Identifier: MIT */
#include "launch/procfs.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

int procfs_open(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("proc", FSOPEN_CLOEXEC);
	int fd;

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

int procfs_open_own(void)
{
	_cleanup_close_ int fd = fd_open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs file_system;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &file_system) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (file_system.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return -ENODEV;
	return take_fd(&fd);
}

int procfs_write(int procfs_fd, const char *path, const char *value)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_close_ int fd = sys_openat2(procfs_fd, path, &how);

	if (fd < 0)
		return -errno;
	return fd_write_full(fd, value, strlen(value));
}
