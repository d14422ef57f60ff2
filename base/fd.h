/* SPDX-License-Identifier: MIT */
/*
 * File descriptors: whole reads and writes, and whole small files below a directory descriptor.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * fd_open() - open(2) of what is there already
 *
 * By openat(2): musl's open() sets O_CLOEXEC a second time, by fcntl(2).
 */
static inline int fd_open(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags);
}

/** fd_write_full() - write all @n_bytes, through interruptions; 0 or a negative errno */
int fd_write_full(int fd, const void *bytes, size_t n_bytes);

/** fd_read_full() - read until @n_bytes or the end; the number read or a negative errno */
ssize_t fd_read_full(int fd, void *bytes, size_t n_bytes);

/**
 * fd_send() - send all @n_bytes over a Unix socket, and a descriptor with the first of them
 * @fd: borrowed; or -1: none
 *
 * Return: 0 or a negative errno (-EPIPE: nobody is there; never a SIGPIPE).
 */
int fd_send(int socket_fd, const void *bytes, size_t n_bytes, int fd);

/**
 * fd_receive() - the descriptor of the next message, whose bytes are of no interest
 *
 * Return: the descriptor, owned by the caller and close-on-exec, -ENODATA (the end of the stream),
 * -EPROTO (a message without one) or another negative errno.
 */
int fd_receive(int socket_fd);

/**
 * directory_entry_next() - readdir(3) that tells an error from the end
 * @ret_entry: set on 1; valid until the next call
 *
 * Return: 1, 0 at the end, or a negative errno.
 */
int directory_entry_next(DIR *directory, const struct dirent **ret_entry);

/**
 * fd_read_all() - everything that @fd still has, with a NUL and room for one more byte behind it
 * @max_bytes: more than this is -EFBIG (a file that somebody else controls must not fill memory)
 * @ret_bytes: owned by the caller, to be freed
 * @ret_n_bytes: without the NUL; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int fd_read_all(int fd, size_t max_bytes, char **ret_bytes, size_t *ret_n_bytes);

/**
 * file_read_at() - the whole of a small regular file below @directory_fd
 *
 * The path is trusted (lamina's own files); names that come from an image go through base/path.h.
 *
 * Return: 0 or a negative errno (-ENOENT: there is no such file, -EFBIG: over @max_bytes).
 */
int file_read_at(int directory_fd, const char *path, size_t max_bytes, char **ret_bytes,
		 size_t *ret_n_bytes);

/** file_write_at() - create a file that must not exist and write it; not synced; 0 or a negative
 * errno */
int file_write_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes,
		  mode_t mode);

enum file_replace_flags {
	FILE_REPLACE_SYNC = 1 << 0, /* fsync before the rename: the file outlives a power cut */
};

/**
 * file_replace_at() - write a file aside (".NAME.PID.tmp") and rename it over @path
 *
 * Readers see the old file or the new one, never a part. On failure the old file is as it was.
 *
 * Return: 0 or a negative errno.
 */
int file_replace_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes,
		    mode_t mode, unsigned int flags);

/**
 * file_put_at() - write a file that nobody reads before something else says that it's there
 *
 * Created in its place, without a rename, where there is none; replaced where one is.
 *
 * Return: 0 or a negative errno.
 */
int file_put_at(int directory_fd, const char *path, const void *bytes, size_t n_bytes, mode_t mode);
