/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <sys/file.h>

static int lock_flock(int fd, enum lock_mode mode, int flags)
{
	int r;

	do {
		r = flock(fd, (mode == LOCK_MODE_EXCLUSIVE ? LOCK_EX : LOCK_SH) | flags);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int lock_take(int fd, enum lock_mode mode)
{
	return lock_flock(fd, mode, 0);
}

int lock_try(int fd, enum lock_mode mode)
{
	return lock_flock(fd, mode, LOCK_NB);
}

void lock_release(int fd)
{
	(void)flock(fd, LOCK_UN);
}
