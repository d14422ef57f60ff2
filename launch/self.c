/* SPDX-License-Identifier: MIT */
#include "launch/self.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "base/trace.h"

#define SELF	     "/proc/self/exe"
#define SELF_IS_SAFE INT_MIN

static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

static bool is_safe(int exe_fd)
{
	struct statvfs st;
	int there;

	if (fstatvfs(exe_fd, &st) == 0 && st.f_flag & ST_RDONLY)
		return true;
	/* Only a memfd and a tmpfs have seals: -1 elsewhere, which has all bits. */
	there = fcntl(exe_fd, F_GET_SEALS);
	return there >= 0 && (there & seals) == seals;
}

static int clone_read_only(int exe_fd)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fd =
		sys_open_tree(exe_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attributes) < 0)
		return -errno;
	return take_fd(&fd);
}

static int copy_sealed(int exe_fd)
{
	_cleanup_close_ int fd = memfd_create("nslaunch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	if (fd < 0 || fstat(exe_fd, &st) < 0)
		return -errno;
	for (off_t at = 0; at < st.st_size;) {
		ssize_t n = sendfile(fd, exe_fd, &at, (size_t)(st.st_size - at));

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return -errno;
	return take_fd(&fd);
}

/* What to execute, or SELF_IS_SAFE. */
static int protected_open(struct error *error)
{
	TRACE_PHASE("self.protect");
	_cleanup_close_ int exe_fd = fd_open(SELF, O_RDONLY | O_CLOEXEC);
	int fd;

	if (exe_fd >= 0 && is_safe(exe_fd))
		return SELF_IS_SAFE;
	fd = exe_fd < 0 ? -errno : clone_read_only(exe_fd);
	if (fd < 0 && exe_fd >= 0)
		fd = copy_sealed(exe_fd);
	return fd < 0 ? error_set(error, fd,
				  "cannot protect the launcher's executable (is /proc mounted?)")
		      : fd;
}

int self_protect(char *argv[], struct error *error)
{
	static bool is_protected;
	_cleanup_close_ int fd = -EBADF;

	if (is_protected)
		return 0;
	fd = protected_open(error);
	if (fd == SELF_IS_SAFE) {
		is_protected = true;
		/* execveat(2) has made a number of the name. */
		(void)prctl(PR_SET_NAME, "nslaunch", 0, 0, 0);
		return 0;
	}
	if (fd < 0)
		return fd;
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return error_set(error, -errno, "cannot execute the launcher's read-only clone");
}
