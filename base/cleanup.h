/* SPDX-License-Identifier: MIT */
/*
 * Cleanup on scope exit: a `_cleanup_X_` variable gives back what it holds on every return, and
 * take_fd()/take_ptr() hand it over instead.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(int *fd)
{
	/* Never lets a close change the errno of the failure that is being returned. */
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_close_	    _cleanup_(cleanup_close)
#define _cleanup_free_	    _cleanup_(cleanup_free)
#define _cleanup_closedir_  _cleanup_(cleanup_closedir)
#define _cleanup_fclose_    _cleanup_(cleanup_fclose)

/** take_fd() - hand over what *@fd holds; the variable no longer owns it */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

#define take_ptr(pointer)                                                                          \
	({                                                                                         \
		__typeof__(pointer) _p = (pointer);                                                \
		(pointer) = NULL;                                                                  \
		_p;                                                                                \
	})
