/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int fd_write_full(int fd, const void *bytes, size_t n_bytes)
{
	const char *p = bytes;

	while (n_bytes > 0) {
		ssize_t n = write(fd, p, n_bytes);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		n_bytes -= (size_t)n;
	}
	return 0;
}

/* Room for one descriptor beside the bytes of a message. */
union descriptor_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int fd_send(int socket_fd, const void *bytes, size_t n_bytes, int fd)
{
	union descriptor_control control = {};
	struct iovec data = { .iov_base = (void *)bytes, .iov_len = n_bytes };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	while (data.iov_len > 0) {
		ssize_t n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		data.iov_base = (char *)data.iov_base + n;
		data.iov_len -= (size_t)n;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	return 0;
}

int fd_receive(int socket_fd)
{
	union descriptor_control control = {};
	char bytes[PATH_MAX];
	struct iovec data = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *header;
	ssize_t n;
	int fd;

	do
		n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

ssize_t fd_read_full(int fd, void *bytes, size_t n_bytes)
{
	char *p = bytes;
	size_t n_read = 0;

	while (n_read < n_bytes) {
		ssize_t n = read(fd, p + n_read, n_bytes - n_read);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		n_read += (size_t)n;
	}
	return (ssize_t)n_read;
}

int directory_entry_next(DIR *directory, const struct dirent **ret_entry)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(directory);
	if (!entry)
		return -errno;
	*ret_entry = entry;
	return 1;
}

/* As fd_read_full(); where one read gives just @n_expected of more, that is a regular file's all.
 */
static ssize_t read_expecting(int fd, char *bytes, size_t n_bytes, size_t n_expected)
{
	ssize_t n, rest;

	do {
		n = read(fd, bytes, n_bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0 || (size_t)n == n_bytes || (size_t)n == n_expected)
		return n;
	rest = fd_read_full(fd, bytes + n, n_bytes - (size_t)n);
	return rest < 0 ? rest : n + rest;
}

int fd_read_all(int fd, size_t max_bytes, char **ret_bytes, size_t *ret_n_bytes)
{
	_cleanup_free_ char *bytes = NULL;
	size_t n_allocated = 4096, n_bytes = 0, n_expected = 0;
	struct stat st;

	/* One read for a regular file: its size, a byte that isn't there, and the NUL. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((uint64_t)st.st_size > max_bytes)
			return -EFBIG;
		n_expected = (size_t)st.st_size;
		n_allocated = n_expected + 2;
	}
	for (;;) {
		char *larger = realloc(bytes, n_allocated);
		ssize_t n;

		if (!larger)
			return -ENOMEM;
		bytes = larger;
		n = read_expecting(fd, bytes + n_bytes, n_allocated - n_bytes - 1, n_expected);
		if (n < 0)
			return (int)n;
		n_bytes += (size_t)n;
		if (n_bytes > max_bytes)
			return -EFBIG;
		if (n_bytes < n_allocated - 1)
			break;
		n_allocated *= 2;
	}
	bytes[n_bytes] = '\0';
	*ret_bytes = take_ptr(bytes);
	if (ret_n_bytes)
		*ret_n_bytes = n_bytes;
	return 0;
}

int file_read_at(int directory_fd, const char *path, size_t max_bytes, char **ret_bytes,
		 size_t *ret_n_bytes)
{
	_cleanup_close_ int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd_read_all(fd, max_bytes, ret_bytes, ret_n_bytes);
}

static int file_fill(int fd, const void *bytes, size_t n_bytes, unsigned int flags)
{
	int r = fd_write_full(fd, bytes, n_bytes);

	if (r == 0 && (flags & FILE_REPLACE_SYNC) && fsync(fd) < 0)
		r = -errno;
	return r;
}

int file_write_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes,
		  mode_t mode)
{
	_cleanup_close_ int fd =
		openat(directory_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = file_fill(fd, bytes, n_bytes, 0);
	if (r < 0)
		unlinkat(directory_fd, path, 0);
	return r;
}

int file_replace_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes,
		    mode_t mode, unsigned int flags)
{
	const char *slash = strrchr(path, '/');
	int n_directory = slash ? (int)(slash + 1 - path) : 0;
	_cleanup_close_ int fd = -EBADF;
	char aside[PATH_MAX];
	int r;

	r = snprintf(aside, sizeof(aside), "%.*s.%s.%d.tmp", n_directory, path, path + n_directory,
		     (int)getpid());
	if (r < 0 || (size_t)r >= sizeof(aside))
		return -ENAMETOOLONG;
	fd = openat(directory_fd, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    mode);
	if (fd < 0)
		return -errno;
	r = file_fill(fd, bytes, n_bytes, flags);
	if (r == 0 && renameat(directory_fd, aside, directory_fd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(directory_fd, aside, 0);
	return r;
}

int file_put_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes, mode_t mode)
{
	int r = file_write_at(directory_fd, path, bytes, n_bytes, mode);

	return r == -EEXIST ? file_replace_at(directory_fd, path, bytes, n_bytes, mode, 0) : r;
}
