/* SPDX-License-Identifier: MIT */
#include "launch/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Each level holds two descriptors open; an image's directories go nowhere near. */
#define DEPTH_MAX 128

#define XATTR_NAMES_MAX_BYTES 65536 /* the kernel's own limits: XATTR_LIST_MAX, XATTR_SIZE_MAX */
#define XATTR_VALUE_MAX_BYTES 65536

/* A name in each of the two directories. */
struct place {
	int source_fd, target_fd;
	const char *name;
	unsigned int depth;
};

static int directory_copy(int source_fd, int target_fd, const struct stat *st, unsigned int depth,
			  struct error *error);

/* Data by data: a hole takes no memory of the tmpfs. */
static int data_copy(int source_fd, int target_fd, off_t n_bytes)
{
	off_t end = 0;

	if (ftruncate(target_fd, n_bytes) < 0)
		return -errno;
	while (end < n_bytes) {
		off_t begin = lseek(source_fd, end, SEEK_DATA);

		if (begin < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(source_fd, begin, SEEK_HOLE);
		if (end < 0 || lseek(target_fd, begin, SEEK_SET) < 0)
			return -errno;
		while (begin < end) {
			ssize_t n = sendfile(target_fd, source_fd, &begin, (size_t)(end - begin));

			if (n < 0 && errno != EINTR)
				return -errno;
			/* It became shorter meanwhile. */
			if (n == 0)
				return 0;
		}
	}
	return 0;
}

static int xattrs_copy(int source_fd, int target_fd)
{
	_cleanup_free_ char *names = malloc(XATTR_NAMES_MAX_BYTES + XATTR_VALUE_MAX_BYTES);
	char *value = names + XATTR_NAMES_MAX_BYTES;
	ssize_t n_names;

	if (!names)
		return -ENOMEM;
	n_names = flistxattr(source_fd, names, XATTR_NAMES_MAX_BYTES);
	if (n_names < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *name = names; name < names + n_names; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(source_fd, name, value, XATTR_VALUE_MAX_BYTES);

		if (n >= 0)
			n = fsetxattr(target_fd, name, value, (size_t)n, 0);
		/* trusted.*, another system's label, user.* before Linux 6.6's tmpfs */
		if (n < 0 && errno != ENOTSUP && errno != EPERM && errno != ENODATA)
			return -errno;
	}
	return 0;
}

/* In this order: a change of owner takes set-user-id bits and capabilities away. */
static int attributes_copy(int source_fd, int target_fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(target_fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	r = xattrs_copy(source_fd, target_fd);
	if (r < 0)
		return r;
	return fchmod(target_fd, st->st_mode & 07777) < 0 || futimens(target_fd, times) < 0 ? -errno
											    : 0;
}

static int file_copy(const struct place *place)
{
	_cleanup_close_ int source_fd =
		openat(place->source_fd, place->name,
		       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int target_fd = -EBADF;
	struct stat st;
	int r;

	if (source_fd < 0 || fstat(source_fd, &st) < 0)
		return -errno;
	/* Another one than the caller saw: somebody else writes there. */
	if (!S_ISREG(st.st_mode))
		return -EAGAIN;
	target_fd = openat(place->target_fd, place->name,
			   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target_fd < 0)
		return -errno;
	r = data_copy(source_fd, target_fd, st.st_size);
	return r == 0 ? attributes_copy(source_fd, target_fd, &st) : r;
}

/* Of what has no descriptor. */
static int owner_copy(const struct place *place, const struct stat *st)
{
	return fchownat(place->target_fd, place->name, st->st_uid, st->st_gid,
			AT_SYMLINK_NOFOLLOW) < 0
		       ? -errno
		       : 0;
}

static int link_copy(const struct place *place, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(place->source_fd, place->name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, place->target_fd, place->name) < 0 ? -errno : owner_copy(place, st);
}

static int node_copy(const struct place *place, const struct stat *st)
{
	int r;

	if (mknodat(place->target_fd, place->name, st->st_mode, st->st_rdev) < 0) {
		if (errno != EPERM)
			return -errno;
		log_warning("tmpcopyup: the device '%s' can't be made, and is left out",
			    place->name);
		return 0;
	}
	r = owner_copy(place, st);
	if (r < 0)
		return r;
	/* Without the umask's doing. */
	return fchmodat(place->target_fd, place->name, st->st_mode & 07777, 0) < 0 ? -errno : 0;
}

static int below_copy(const struct place *place, const struct stat *st, struct error *error)
{
	_cleanup_close_ int source_fd = openat(place->source_fd, place->name,
					       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int target_fd = -EBADF;
	int r;

	if (source_fd < 0)
		return error_set(error, -errno, "cannot open it");
	if (mkdirat(place->target_fd, place->name, 0700) < 0)
		return error_set(error, -errno, "cannot make it");
	target_fd = openat(place->target_fd, place->name,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0)
		return error_set(error, -errno, "cannot open it");
	r = directory_copy(source_fd, target_fd, st, place->depth + 1, error);
	if (r < 0)
		return r;
	r = attributes_copy(source_fd, target_fd, st);
	return r < 0 ? error_set(error, r, "cannot set its attributes") : 0;
}

static int entry_copy(const struct place *place, dev_t device, struct error *error)
{
	struct stat st;
	int r;

	if (fstatat(place->source_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "'%s'", place->name);
	if (S_ISDIR(st.st_mode)) {
		/* Another file system that is mounted there. */
		if (st.st_dev != device)
			return 0;
		r = below_copy(place, &st, error);
		return r < 0 ? error_prefix(error, r, "'%s'", place->name) : 0;
	}
	if (S_ISREG(st.st_mode))
		r = file_copy(place);
	else if (S_ISLNK(st.st_mode))
		r = link_copy(place, &st);
	else
		r = node_copy(place, &st);
	return r < 0 ? error_set(error, r, "'%s'", place->name) : 0;
}

static int directory_copy(int source_fd, int target_fd, const struct stat *st, unsigned int depth,
			  struct error *error)
{
	int list_fd = openat(source_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = list_fd < 0 ? NULL : fdopendir(list_fd);
	const struct dirent *entry;
	int r;

	if (!directory) {
		r = -errno;
		if (list_fd >= 0)
			close(list_fd);
		return error_set(error, r, "cannot list it");
	}
	if (depth > DEPTH_MAX)
		return error_say(error, -ELOOP, "it has more than %d levels", DEPTH_MAX);
	while (errno = 0, (entry = readdir(directory))) {
		const struct place place = { .source_fd = source_fd,
					     .target_fd = target_fd,
					     .name = entry->d_name,
					     .depth = depth };

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = entry_copy(&place, st->st_dev, error);
		if (r < 0)
			return r;
	}
	return errno ? error_set(error, -errno, "cannot list it") : 0;
}

int copy_up(int source_fd, int target_fd, bool has_its_attributes, struct error *error)
{
	_cleanup_close_ int from_fd = openat(source_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int to_fd = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from_fd < 0 || to_fd < 0 || fstat(from_fd, &st) < 0)
		return error_set(error, -errno, "tmpcopyup");
	r = directory_copy(from_fd, to_fd, &st, 0, error);
	if (r == 0 && has_its_attributes) {
		r = attributes_copy(from_fd, to_fd, &st);
		if (r < 0)
			return error_set(error, r, "tmpcopyup: cannot set the attributes");
	}
	return r < 0 ? error_prefix(error, r, "tmpcopyup") : 0;
}
