/* SPDX-License-Identifier: MIT */
#include "base/fd.h"
#include "base/overlay.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/syscalls.h"

/* fsconfig() copies strings of at most 255 bytes; ':' ',' and '\' have a meaning in some of them.
 */
static bool path_fits_string(const char *path)
{
	return strlen(path) <= 255 && !strpbrk(path, ":,\\");
}

/* A layer by its path, or by descriptor (taken since about 6.13) where the path doesn't fit. */
static int layer_set(int fs_fd, const char *key, const char *path)
{
	_cleanup_close_ int fd = -EBADF;

	if (path_fits_string(path))
		return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, path, 0) < 0 ? -errno : 0;
	fd = fd_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return sys_fsconfig(fs_fd, FSCONFIG_SET_FD, key, NULL, fd) < 0 ? -errno : 0;
}

/* A directory of the new tmpfs, as upper or work. */
static int ephemeral_set(int fs_fd, int tmpfs_fd, const char *key, const char *name)
{
	_cleanup_close_ int fd = -EBADF;

	if (mkdirat(tmpfs_fd, name, 0755) < 0)
		return -errno;
	fd = openat(tmpfs_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return sys_fsconfig(fs_fd, FSCONFIG_SET_FD, key, NULL, fd) < 0 ? -errno : 0;
}

static int tmpfs_make(uint64_t n_bytes)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	char size[32];
	int fd;

	if (fs_fd < 0)
		return -errno;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)n_bytes);
	if ((n_bytes && sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "size", size, 0) < 0) ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/*
 * The tmpfs must stay open until the overlay is made: closing the last descriptor of a detached
 * mount dissolves it, and overlayfs then refuses its directories (EINVAL).
 */
static int ephemeral_add(const struct overlay *overlay, int fs_fd, int *ret_tmpfs_fd)
{
	_cleanup_close_ int tmpfs_fd = tmpfs_make(overlay->ephemeral_bytes);
	mode_t earlier;
	int r;

	if (tmpfs_fd < 0)
		return tmpfs_fd;
	/* The umask must not decide the root's mode. */
	earlier = umask(0);
	r = ephemeral_set(fs_fd, tmpfs_fd, "upperdir", "upper");
	if (r == 0)
		r = ephemeral_set(fs_fd, tmpfs_fd, "workdir", "work");
	umask(earlier);
	if (r == 0)
		*ret_tmpfs_fd = take_fd(&tmpfs_fd);
	return r;
}

static int options_set(const struct overlay *overlay, int fs_fd)
{
	/*
	 * Docker's index=off; without redirect_dir an upper directory holds all there is to know of
	 * a container's changes, whatever the kernel's defaults.
	 */
	static const char *const pairs[][2] = { { "index", "off" }, { "redirect_dir", "off" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, pairs[i][0], pairs[i][1], 0) < 0)
			return -errno;
	}
	if (overlay->flags & OVERLAY_VOLATILE &&
	    sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return -errno;
	if (overlay->flags & OVERLAY_USERXATTR &&
	    sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return -errno;
	return 0;
}

/* What the kernel says of a failed fsconfig() is read from the descriptor, a message a read(2). */
static int kernel_words(int fs_fd, int code, struct error *error)
{
	char words[256];
	ssize_t n = read(fs_fd, words, sizeof(words) - 1);

	if (n <= 2 && code == -ELOOP)
		return error_say(error, code,
				 "cannot mount the overlay: a directory is there twice, or lies in "
				 "another");
	if (n <= 2)
		return error_set(error, code, "cannot mount the overlay");
	words[n] = '\0';
	words[strcspn(words, "\n")] = '\0';
	return error_set(error, code, "cannot mount the overlay (%s)", words + 2);
}

static int overlay_configure(const struct overlay *overlay, int fs_fd)
{
	int r = 0;

	for (size_t i = 0; i < overlay->n_lowers && r == 0; i++)
		r = layer_set(fs_fd, "lowerdir+", overlay->lowers[i]);
	if (r == 0 && overlay->upper)
		r = layer_set(fs_fd, "upperdir", overlay->upper);
	if (r == 0 && overlay->upper)
		r = layer_set(fs_fd, "workdir", overlay->work);
	return r == 0 ? options_set(overlay, fs_fd) : r;
}

static int overlay_mount_new_api(const struct overlay *overlay, int *ret_mount_fd,
				 struct error *error)
{
	_cleanup_close_ int fs_fd = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	_cleanup_close_ int tmpfs_fd = -EBADF;
	int r, fd;

	if (fs_fd < 0)
		return error_set(error, -errno, "cannot use overlayfs");
	r = overlay_configure(overlay, fs_fd);
	if (r == 0 && overlay->flags & OVERLAY_EPHEMERAL)
		r = ephemeral_add(overlay, fs_fd, &tmpfs_fd);
	if (r == 0 && sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r < 0)
		return kernel_words(fs_fd, r, error);
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			 overlay->flags & OVERLAY_READ_ONLY ? MOUNT_ATTR_RDONLY : 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot mount the overlay");
	if (overlay->ret_tmpfs_fd)
		*overlay->ret_tmpfs_fd = take_fd(&tmpfs_fd);
	*ret_mount_fd = fd;
	return 0;
}

/* A missing layer is told by its name: overlayfs itself only says ENOENT. */
static int layers_check(const struct overlay *overlay, struct error *error)
{
	struct stat st;

	for (size_t i = 0; i < overlay->n_lowers; i++) {
		if (stat(overlay->lowers[i], &st) < 0)
			return error_set(error, -errno, "lowerdir '%s'", overlay->lowers[i]);
		if (!S_ISDIR(st.st_mode))
			return error_set(error, -ENOTDIR, "lowerdir '%s'", overlay->lowers[i]);
	}
	if (overlay->upper && stat(overlay->upper, &st) < 0)
		return error_set(error, -errno, "upperdir '%s'", overlay->upper);
	if (overlay->work && stat(overlay->work, &st) < 0)
		return error_set(error, -errno, "workdir '%s'", overlay->work);
	return 0;
}

/* Shared with the child of the fallback: memory and descriptors are the parent's. */
struct fallback {
	const struct overlay *overlay;
	const char *data;
	int tmpfs_fd;
	int mount_fd;
	const char *step;
	int code;
};

static int fallback_fail(struct fallback *fallback, const char *step)
{
	fallback->code = -errno;
	fallback->step = step;
	return 1;
}

static int fallback_links(const struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->n_lowers; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%zu", i);
		if (symlink(overlay->lowers[i], name) < 0)
			return -errno;
	}
	if (overlay->upper && (symlink(overlay->upper, "u") < 0 || symlink(overlay->work, "w") < 0))
		return -errno;
	if (overlay->flags & OVERLAY_EPHEMERAL &&
	    (mkdir("u", 0755) < 0 || chmod("u", 0755) < 0 || mkdir("w", 0755) < 0))
		return -errno;
	return mkdir("merged", 0700) < 0 ? -errno : 0;
}

static int fallback_child(void *argument)
{
	struct fallback *fallback = argument;
	/* Somewhere to attach the tmpfs that covers no layer. Only this namespace sees it. */
	static const char *const places[] = { "/proc", "/sys", "/dev" };
	const char *place = NULL;
	bool read_only = fallback->overlay->flags & OVERLAY_READ_ONLY;

	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fallback_fail(fallback, "make the mounts private");
	for (size_t i = 0; i < 3 && !place; i++) {
		if (sys_move_mount(fallback->tmpfs_fd, "", AT_FDCWD, places[i],
				   MOVE_MOUNT_F_EMPTY_PATH) == 0)
			place = places[i];
	}
	if (!place || chdir(place) < 0)
		return fallback_fail(fallback, "attach a tmpfs");
	if (fallback_links(fallback->overlay) < 0)
		return fallback_fail(fallback, "link the layers");
	if (sys_mount("overlay", "merged", "overlay", read_only ? MS_RDONLY : 0, fallback->data) <
	    0)
		return fallback_fail(fallback, "mount the overlay");
	fallback->mount_fd = sys_open_tree(AT_FDCWD, "merged", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fallback->mount_fd < 0)
		return fallback_fail(fallback, "take the overlay");
	return 0;
}

static int fallback_data(const struct overlay *overlay, struct buffer *data)
{
	buffer_add_string(data, "lowerdir=0");
	for (size_t i = 1; i < overlay->n_lowers; i++)
		buffer_add_format(data, ":%zu", i);
	if (overlay->upper || overlay->flags & OVERLAY_EPHEMERAL)
		buffer_add_string(data, ",upperdir=u,workdir=w");
	buffer_add_string(data, ",index=off,redirect_dir=off");
	if (overlay->flags & OVERLAY_VOLATILE)
		buffer_add_string(data, ",volatile");
	if (overlay->flags & OVERLAY_USERXATTR)
		buffer_add_string(data, ",userxattr");
	return buffer_status(data);
}

static int overlay_mount_fallback(const struct overlay *overlay, int *ret_mount_fd,
				  struct error *error)
{
	_cleanup_buffer_ struct buffer data = {};
	/* The links' own tmpfs is also the upper's, where that is to be one. */
	_cleanup_close_ int tmpfs_fd = tmpfs_make(overlay->ephemeral_bytes);
	struct fallback fallback = { .overlay = overlay, .tmpfs_fd = tmpfs_fd, .mount_fd = -EBADF };
	sigset_t all, earlier;
	int status;
	pid_t pid;

	if (tmpfs_fd < 0)
		return error_set(error, tmpfs_fd, "cannot make a tmpfs");
	if (fallback_data(overlay, &data) < 0)
		return error_set(error, -ENOMEM, "cannot mount the overlay");
	fallback.data = data.bytes;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &earlier);
	pid = process_vfork(CLONE_NEWNS | CLONE_FILES, -1, NULL, fallback_child, &fallback);
	if (pid > 0)
		(void)process_wait(pid, &status);
	sigprocmask(SIG_SETMASK, &earlier, NULL);
	if (pid < 0)
		return error_set(error, (int)pid, "cannot make a mount namespace");
	if (fallback.code < 0)
		return error_set(error, fallback.code, "cannot %s", fallback.step);
	if (fallback.mount_fd < 0)
		return error_say(error, -EINTR, "the process that mounts the overlay was killed");
	*ret_mount_fd = fallback.mount_fd;
	return 0;
}

static int single_bind(const struct overlay *overlay, int *ret_mount_fd, struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fd =
		sys_open_tree(AT_FDCWD, overlay->lowers[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attributes) < 0)
		return error_set(error, -errno, "cannot bind '%s'", overlay->lowers[0]);
	*ret_mount_fd = take_fd(&fd);
	return 0;
}

static int overlay_mount_any(const struct overlay *overlay, bool writable, int *ret_mount_fd,
			     struct error *error)
{
	struct error older;
	int r, r_older;

	if (overlay->n_lowers == 0)
		return error_say(error, -EINVAL, "an overlay needs at least one lowerdir");
	if (overlay->n_lowers > OVERLAY_MAX_LOWERS)
		return error_say(error, -E2BIG, "%zu lowerdirs, overlayfs takes at most %d",
				 overlay->n_lowers, OVERLAY_MAX_LOWERS);
	if (overlay->n_lowers == 1 && !writable)
		return single_bind(overlay, ret_mount_fd, error);
	if (overlay->flags & OVERLAY_FORCE_FALLBACK) {
		r = layers_check(overlay, error);
		return r < 0 ? r : overlay_mount_fallback(overlay, ret_mount_fd, error);
	}
	r = overlay_mount_new_api(overlay, ret_mount_fd, error);
	if (r == 0)
		return 0;
	r_older = layers_check(overlay, error);
	if (r_older < 0)
		return r_older;
	/* What an older kernel says to lowerdir+, or to an upper by descriptor. */
	if (r != -EINVAL && r != -ENOSYS && r != -EOPNOTSUPP && r != -ENAMETOOLONG)
		return r;
	error_init(&older);
	r_older = overlay_mount_fallback(overlay, ret_mount_fd, &older);
	/* The same reason twice: the first has the kernel's own words. */
	if (r_older < 0 && r_older != r)
		return error_say(error, r_older, "%s", older.message);
	return r_older;
}

int overlay_mount(const struct overlay *overlay, int *ret_mount_fd, struct error *error)
{
	bool writable = overlay->upper || overlay->flags & OVERLAY_EPHEMERAL;
	_cleanup_close_ int mount_fd = -EBADF;
	struct statfs st;
	int r;

	if (overlay->ret_tmpfs_fd)
		*overlay->ret_tmpfs_fd = -EBADF;
	r = overlay_mount_any(overlay, writable, &mount_fd, error);
	if (r < 0)
		return r;
	/*
	 * Where overlayfs can't make its directory in the work directory, it says so in the
	 * kernel's log and mounts read-only (fs/overlayfs/super.c, ovl_make_workdir()).
	 */
	if (writable && !(overlay->flags & OVERLAY_READ_ONLY) && fstatfs(mount_fd, &st) == 0 &&
	    st.f_flags & ST_RDONLY)
		return error_say(
			error, -EROFS,
			"the overlay can't be written: nothing can be made in '%s' (is its "
			"file system full?)",
			overlay->work ? overlay->work : "the tmpfs");
	*ret_mount_fd = take_fd(&mount_fd);
	return 0;
}
