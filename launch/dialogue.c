/* SPDX-License-Identifier: MIT */
#include "launch/dialogue.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fd.h"

int dialogue_open(int ret_fds[2], struct error *error)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return error_set(error, -errno, "cannot make a socket to the container's process");
	return 0;
}

/* MSG_NOSIGNAL: the other side may have been killed, which is an error and no SIGPIPE. */
static int byte_send(int fd, uint8_t byte)
{
	ssize_t n;

	do
		n = send(fd, &byte, 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int dialogue_tell(int fd, enum dialogue_request request, struct error *error)
{
	int r = byte_send(fd, (uint8_t)request);

	return r < 0 ? error_set(error, -ESRCH, "cannot reach the launcher") : 0;
}

int dialogue_ask(int fd, enum dialogue_request request, struct error *error)
{
	uint8_t answer;
	int r = dialogue_tell(fd, request, error);

	if (r == 0 && fd_read_full(fd, &answer, 1) != 1)
		return error_say(error, -ESRCH, "the launcher has ended");
	return r;
}

int dialogue_next(int fd, int interrupt_fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = interrupt_fd, .events = POLLIN },
	};
	uint8_t request;
	ssize_t n;

	while (interrupt_fd >= 0 && !fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (!fds[0].revents && fds[1].revents)
			return -EINTR;
	}
	n = fd_read_full(fd, &request, 1);
	/* A child that was killed with an answer unread resets the connection. */
	if (n == -ECONNRESET)
		return 0;
	return n == 1 ? request : (int)n;
}

int dialogue_answer(int fd)
{
	return byte_send(fd, 0);
}
