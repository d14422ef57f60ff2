/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "fs/layer/unpack.h"

/*
 * The directory @path as the layers below show it; -ENOENT where they have none. A link, a file or
 * a whiteout in the way hides what is below it.
 */
static int lower_open(const char *path, const int *lower_fds, size_t n_lowers)
{
	for (size_t i = 0; i < n_lowers; i++) {
		int fd = path_open_beneath(lower_fds[i], path, O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0 || fd != -ENOENT)
			return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	}
	return -ENOENT;
}

static int directory_take_after(int fd, int lower_fd, struct error *error)
{
	_cleanup_metadata_xattrs_ struct metadata_xattrs xattrs = {};
	struct metadata_warnings warnings = {};
	struct tar_entry entry = {};
	struct stat st;
	int r;

	if (fstat(lower_fd, &st) < 0)
		return error_set(error, -errno, "cannot read the directory below it");
	entry = (struct tar_entry){
		.path = "",
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.atime = st.st_atim,
		.mtime = st.st_mtim,
	};
	r = metadata_xattrs_read_fd(&xattrs, lower_fd);
	if (r < 0)
		return error_set(error, r, "cannot read the directory below it");
	r = metadata_set_fd(fd, &entry, &xattrs, false, &warnings, error);
	metadata_warnings_deinit(&warnings);
	return r;
}

int layer_inherit(int diff_fd, const struct string_list *paths, const int *lower_fds,
		  size_t n_lowers, struct error *error)
{
	STRING_LIST_FOR_EACH (paths, i) {
		const char *path = paths->items[i];
		_cleanup_close_ int lower_fd = lower_open(path, lower_fds, n_lowers);
		_cleanup_close_ int fd = -EBADF;
		int r;

		if (lower_fd == -ENOENT)
			continue;
		if (lower_fd < 0)
			return error_set(error, lower_fd, "cannot open '%s' of a layer below",
					 path);
		fd = path_open_beneath(diff_fd, path, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return error_set(error, fd, "cannot open '%s'", path);
		r = directory_take_after(fd, lower_fd, error);
		if (r < 0)
			return error_prefix(error, r, "'%s'", path);
	}
	return 0;
}
