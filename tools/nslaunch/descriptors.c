/* SPDX-License-Identifier: MIT */
#include "tools/nslaunch/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#define DESCRIPTORS_MAX 1024

int descriptors_check(uint64_t n, struct error *error)
{
	if (n > DESCRIPTORS_MAX)
		return error_usage(error, "option '--preserve-fds' takes at most %d",
				   DESCRIPTORS_MAX);
	for (int fd = 3; fd < 3 + (int)n; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			return error_say(error, -EBADF,
					 "descriptor %d of '--preserve-fds' isn't open", fd);
	}
	return 0;
}

int descriptors_listen(unsigned int *ret_n, struct error *error)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t n, meant;

	*ret_n = 0;
	if (!fds || !pid || string_to_uint64(pid, INT_MAX, &meant) < 0 || (pid_t)meant != getpid())
		return 0;
	if (string_to_uint64(fds, DESCRIPTORS_MAX, &n) < 0)
		return error_say(error, -EINVAL, "LISTEN_FDS is '%s'", fds);
	for (int fd = 3; fd < 3 + (int)n; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			return error_say(error, -EBADF, "descriptor %d of LISTEN_FDS isn't open",
					 fd);
	}
	*ret_n = (unsigned int)n;
	return 0;
}
