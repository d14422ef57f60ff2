/* SPDX-License-Identifier: MIT */
/* One entry that is not a directory: a file, a further link to one, or something special. */
#include "fs/copy/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"

/* Makes room for a new entry. 0, or a negative errno with the error filled. */
int copy_clear(struct copy *copy, struct copy_directory *directory, const char *name,
	       const char *destination_name, const struct stat *source)
{
	struct stat st;

	if (fstatat(directory->destination_fd, destination_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : copy_error(copy, directory, name, -errno, "cannot replace");
	if (st.st_dev == source->st_dev && st.st_ino == source->st_ino)
		return copy_error(copy, directory, name, -EINVAL,
				  "source and destination are one:");
	if (S_ISDIR(st.st_mode))
		return copy_error(copy, directory, name, -EISDIR,
				  "cannot replace the directory at the destination of");
	if (unlinkat(directory->destination_fd, destination_name, 0) < 0 && errno != ENOENT)
		return copy_error(copy, directory, name, -errno, "cannot replace");
	return 0;
}

/* 0: it is a link now, 1: it has to be copied, or a negative errno with the error filled. */
static int link_again(struct copy *copy, struct copy_directory *directory, const char *name,
		      const char *destination_name, const struct stat *source)
{
	struct copy_link *link = copy_links_find(&copy->links, source);
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!link)
		return 1;
	fd = copy_links_open(link, copy->root->destination_fd);
	if (fd < 0)
		return copy_error(copy, directory, name, fd,
				  "the first name of a file with several is gone; cannot link");
	r = copy_links_make(fd, directory->destination_fd, destination_name);
	if (r == -EEXIST) {
		struct stat st;

		/* Already a link to it: from an earlier copy of the same tree. */
		if (fstatat(directory->destination_fd, destination_name, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ino == link->destination_inode && st.st_dev == link->destination_device) {
			copy->stats->n_links++;
			return 0;
		}
		r = copy_clear(copy, directory, name, destination_name, source);
		if (r < 0)
			return r;
		r = copy_links_make(fd, directory->destination_fd, destination_name);
	}
	if (r == 0) {
		copy->stats->n_links++;
		return 0;
	}
	if (r != -EMLINK && r != -EPERM && r != -EXDEV && r != -EOPNOTSUPP)
		return copy_error(copy, directory, name, r, "cannot link");
	copy->stats->n_links_dropped++;
	return 1;
}

static int link_remember(struct copy *copy, struct copy_directory *directory,
			 const char *destination_name, const struct stat *source, int fd)
{
	struct stat made;

	if (source->st_nlink < 2)
		return 0;
	if (fstat(fd, &made) < 0)
		return -errno;
	return copy_links_add(&copy->links, source, &made, copy_path(directory, destination_name));
}

static bool source_changed(const struct copy_source *source)
{
	struct stat now;

	return fstat(source->fd, &now) < 0 || now.st_size != source->stat.st_size ||
	       now.st_mtim.tv_sec != source->stat.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != source->stat.st_mtim.tv_nsec;
}

static int regular_make(struct copy *copy, struct copy_directory *directory, const char *name,
			const char *destination_name, const struct stat *source)
{
	for (int tries = 0;; tries++) {
		int fd = openat(directory->destination_fd, destination_name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				source->st_mode & 0777);
		int r;

		if (fd >= 0)
			return fd;
		if (errno != EEXIST || tries == 2)
			return copy_error(copy, directory, name, -errno, "cannot make");
		r = copy_clear(copy, directory, name, destination_name, source);
		if (r < 0)
			return r;
	}
}

static int regular_fill(struct copy *copy, struct copy_directory *directory, const char *name,
			const struct copy_source *source, int fd)
{
	struct copy_pair *pair =
		copy_pair(copy, source->stat.st_dev, directory->destination_device);
	int r = copy_data(copy, pair, source, fd);

	if (r == 0)
		r = copy_metadata(copy, source->fd, fd, &source->stat, directory->has_default_acl);
	if (r < 0)
		return copy_error(copy, directory, name, r, "cannot copy");
	if (source_changed(source))
		return copy_error(copy, directory, name, -EBUSY, NULL);
	return 0;
}

int copy_regular(struct copy *copy, struct copy_directory *directory, const char *name,
		 const char *destination_name, struct copy_source *source)
{
	_cleanup_close_ int source_fd = source->fd;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (source_fd < 0)
		return copy_error(copy, directory, name, source_fd, "cannot open");
	/* Another kind of file was put in its place since the directory was read. */
	if (!S_ISREG(source->stat.st_mode))
		return copy_error(copy, directory, name, -EBUSY, NULL);
	if (source->stat.st_nlink > 1) {
		r = link_again(copy, directory, name, destination_name, &source->stat);
		if (r <= 0)
			return r;
	}
	fd = regular_make(copy, directory, name, destination_name, &source->stat);
	if (fd < 0)
		return fd;
	r = regular_fill(copy, directory, name, source, fd);
	if (r == 0) {
		r = link_remember(copy, directory, destination_name, &source->stat, fd);
		if (r < 0)
			copy_error(copy, directory, name, r, "cannot copy");
	}
	if (r < 0) {
		(void)unlinkat(directory->destination_fd, destination_name, 0);
		return r;
	}
	copy->stats->n_files++;
	copy->stats->n_bytes += (uint64_t)source->stat.st_size;
	return 0;
}

static int special_make_once(const struct copy_directory *directory, const char *destination_name,
			     int source_fd, const struct stat *source)
{
	char target[PATH_MAX];
	ssize_t n;

	if (!S_ISLNK(source->st_mode))
		return mknodat(directory->destination_fd, destination_name,
			       source->st_mode & (S_IFMT | 0777), source->st_rdev) < 0
			       ? -errno
			       : 0;
	n = readlinkat(source_fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, directory->destination_fd, destination_name) < 0 ? -errno : 0;
}

static int special_make(struct copy *copy, struct copy_directory *directory, const char *name,
			const char *destination_name, int source_fd, const struct stat *source)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat made;
	int r;

	for (int tries = 0;; tries++) {
		r = special_make_once(directory, destination_name, source_fd, source);
		if (r != -EEXIST || tries == 2)
			break;
		r = copy_clear(copy, directory, name, destination_name, source);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return copy_error(copy, directory, name, r, "cannot make");
	fd = openat(directory->destination_fd, destination_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &made) < 0)
		return copy_error(copy, directory, name, -errno, "cannot open the copy of");
	/* What the name holds now gets the source's owner and mode, so it must be what was made. */
	if ((made.st_mode & S_IFMT) != (source->st_mode & S_IFMT) ||
	    made.st_rdev != source->st_rdev)
		return copy_error(copy, directory, name, -EBUSY, "somebody replaced the copy of");
	r = copy_metadata_special(copy, source_fd, fd, source);
	if (r == 0)
		r = link_remember(copy, directory, destination_name, source, fd);
	if (r < 0) {
		copy_error(copy, directory, name, r, "cannot copy");
		(void)unlinkat(directory->destination_fd, destination_name, 0);
	}
	return r;
}

int copy_special(struct copy *copy, struct copy_directory *directory, const char *name,
		 const char *destination_name)
{
	_cleanup_close_ int source_fd =
		openat(directory->source_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat source;
	int r;

	if (source_fd < 0 || fstat(source_fd, &source) < 0)
		return copy_error(copy, directory, name, -errno, "cannot open");
	if (S_ISDIR(source.st_mode) || S_ISREG(source.st_mode))
		return copy_error(copy, directory, name, -EBUSY, NULL);
	if (source.st_nlink > 1) {
		r = link_again(copy, directory, name, destination_name, &source);
		if (r <= 0)
			return r;
	}
	r = special_make(copy, directory, name, destination_name, source_fd, &source);
	if (r == 0)
		copy->stats->n_others++;
	return r;
}
