/* SPDX-License-Identifier: MIT */
/* What a file has beside its contents. Each looks at what the copy got and sets what differs. */
#include "fs/copy/internal.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* By descriptor, or where that is O_PATH by its name in /proc: there is no other way before 6.13.
 */
struct handle {
	int fd;
	bool by_path;
	char path[40];
};

static struct handle handle_of(int fd, bool by_path)
{
	struct handle handle = { .fd = fd, .by_path = by_path };

	snprintf(handle.path, sizeof(handle.path), "/proc/self/fd/%d", fd);
	return handle;
}

static ssize_t handle_list(const struct handle *handle, char *names, size_t n)
{
	return handle->by_path ? listxattr(handle->path, names, n)
			       : flistxattr(handle->fd, names, n);
}

static ssize_t handle_get(const struct handle *handle, const char *name, void *value, size_t n)
{
	return handle->by_path ? getxattr(handle->path, name, value, n)
			       : fgetxattr(handle->fd, name, value, n);
}

static int handle_set(const struct handle *handle, const char *name, const void *value, size_t n)
{
	return handle->by_path ? setxattr(handle->path, name, value, n, 0)
			       : fsetxattr(handle->fd, name, value, n, 0);
}

/* Not there, or not for us to set: reported, not fatal (cp -a is silent, Docker skips ENOTSUP). */
static bool xattr_is_droppable(const char *name, int code)
{
	if (code == -EOPNOTSUPP)
		return true;
	return (code == -EPERM || code == -EACCES) &&
	       (!strncmp(name, "security.", 9) || !strncmp(name, "trusted.", 8));
}

static int xattr_copy(struct copy *copy, const struct handle *source, const struct handle *handle,
		      const char *name)
{
	char value[XATTR_SIZE_MAX];
	ssize_t n = handle_get(source, name, value, sizeof(value));

	/* ENODATA: removed since it was listed. */
	if (n < 0 && errno == ENODATA)
		return 0;
	if (n >= 0 && handle_set(handle, name, value, (size_t)n) == 0)
		return 0;
	if (!xattr_is_droppable(name, -errno))
		return -errno;
	copy->stats->n_xattrs_dropped++;
	return 0;
}

static int xattrs_copy(struct copy *copy, const struct handle *source, const struct handle *handle)
{
	_cleanup_free_ char *larger = NULL;
	char small[1024];
	char *names = small;
	ssize_t n = handle_list(source, small, sizeof(small));
	int r = 0;

	if (n < 0 && errno == ERANGE) {
		names = larger = malloc(XATTR_LIST_MAX);
		if (!larger)
			return -ENOMEM;
		n = handle_list(source, larger, XATTR_LIST_MAX);
	}
	/* ENOENT: no /proc to reach an O_PATH descriptor by. */
	if (n < 0)
		return errno == EOPNOTSUPP || (errno == ENOENT && source->by_path) ? 0 : -errno;
	for (const char *name = names; name < names + n && r == 0; name += strlen(name) + 1)
		r = xattr_copy(copy, source, handle, name);
	return r;
}

static void inherited_acl_remove(const struct handle *handle)
{
	static const char *const names[] = { "system.posix_acl_access",
					     "system.posix_acl_default" };

	for (size_t i = 0; i < 2; i++) {
		if (handle->by_path)
			(void)removexattr(handle->path, names[i]);
		else
			(void)fremovexattr(handle->fd, names[i]);
	}
}

/* Sets the owner where it differs; *@mode loses setuid and setgid where the owner can't be set. */
static int owner_set(struct copy *copy, int fd, const struct stat *source, const struct stat *made,
		     mode_t *mode)
{
	if (made->st_uid == source->st_uid && made->st_gid == source->st_gid)
		return 0;
	if (fchownat(fd, "", source->st_uid, source->st_gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) ==
	    0)
		return 1;
	if (errno != EPERM || geteuid() == 0)
		return -errno;
	*mode &= (mode_t) ~(S_ISUID | S_ISGID);
	copy->stats->n_owners_dropped++;
	return 0;
}

static int mode_set_by_path(const struct handle *handle, mode_t mode)
{
	if (syscall(SYS_fchmodat2, handle->fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	/* Before Linux 6.6. */
	return chmod(handle->path, mode) < 0 ? -errno : 0;
}

int copy_metadata(struct copy *copy, int source_fd, int fd, const struct stat *source,
		  bool inherited_acl)
{
	const struct timespec times[2] = { source->st_atim, source->st_mtim };
	struct handle from = handle_of(source_fd, false), to = handle_of(fd, false);
	mode_t mode = source->st_mode & 07777;
	struct stat made;
	int r;

	if (inherited_acl)
		inherited_acl_remove(&to);
	if (fstat(fd, &made) < 0)
		return -errno;
	r = owner_set(copy, fd, source, &made, &mode);
	if (r < 0)
		return r;
	/* A change of owner clears setuid, so the mode comes behind it; both before xattrs, since
	 * it also removes security.capability. */
	if (((made.st_mode & 07777) != mode || (r > 0 && mode & 07000)) && fchmod(fd, mode) < 0)
		return -errno;
	r = xattrs_copy(copy, &from, &to);
	if (r < 0)
		return r;
	return futimens(fd, times) < 0 ? -errno : 0;
}

int copy_metadata_special(struct copy *copy, int source_fd, int fd, const struct stat *source)
{
	const struct timespec times[2] = { source->st_atim, source->st_mtim };
	struct handle from = handle_of(source_fd, true), to = handle_of(fd, true);
	mode_t mode = source->st_mode & 07777;
	struct stat made;
	int r;

	if (fstat(fd, &made) < 0)
		return -errno;
	r = owner_set(copy, fd, source, &made, &mode);
	if (r < 0)
		return r;
	if (!S_ISLNK(source->st_mode)) {
		inherited_acl_remove(&to);
		r = mode_set_by_path(&to, mode);
		if (r < 0)
			return r;
	}
	r = xattrs_copy(copy, &from, &to);
	if (r < 0)
		return r;
	/* AT_EMPTY_PATH: Linux 5.8. */
	return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}
