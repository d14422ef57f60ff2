/* SPDX-License-Identifier: MIT */
#include "fs/layer/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fd.h"

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* One layer's word: 0 (found), 1 (nothing here, look below), or -ENOENT (hidden, look no further).
 */
static int layer_look(int diff_fd, const char *name, char **ret_bytes, size_t *ret_n_bytes)
{
	_cleanup_close_ int etc_fd =
		openat(diff_fd, "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	/* A whiteout, a file, a link: whatever is below is hidden. */
	if (etc_fd < 0)
		return errno == ENOENT ? 1 : -ENOENT;
	if (fstatat(etc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -errno;
		return is_opaque(etc_fd) ? -ENOENT : 1;
	}
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	fd = openat(etc_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_all(fd, USERS_FILE_MAX_BYTES, ret_bytes, ret_n_bytes);
	return r == -EFBIG ? -ENOENT : r;
}

int users_file_find(const int *diff_fds, size_t n_diffs, const char *name, char **ret_bytes,
		    size_t *ret_n_bytes)
{
	for (size_t i = 0; i < n_diffs; i++) {
		int r = layer_look(diff_fds[i], name, ret_bytes, ret_n_bytes);

		if (r <= 0)
			return r;
	}
	return -ENOENT;
}
