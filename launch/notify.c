/* SPDX-License-Identifier: MIT */
#include "launch/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/cleanup.h"
#include "launch/activation.h"
#include "launch/hooks.h"

/* runc's: a service manager that doesn't know barriers may never answer. */
#define BARRIER_TIMEOUT_MS 30000
#define MESSAGE_MAX_BYTES  4096

int notify_listen(int state_fd, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int directory_fd = openat(state_fd, ACTIVATION_NOTIFY_DIRECTORY,
						  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = -EBADF;

	if (directory_fd < 0)
		return error_set(error, -errno, "cannot open the directory for NOTIFY_SOCKET");
	(void)unlinkat(directory_fd, NOTIFY_NAME, 0);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NOTIFY_NAME,
		 directory_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(directory_fd, NOTIFY_NAME, 0777, 0) < 0)
		return error_set(error, -errno, "cannot make the socket for NOTIFY_SOCKET");
	return take_fd(&fd);
}

static int host_connect(const char *host, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(host);

	if (n >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG, "NOTIFY_SOCKET '%s'", host);
	memcpy(address.sun_path, host, n);
	if (*host == '@')
		address.sun_path[0] = '\0';
	/* An abstract name's length counts: no zeros behind it. */
	n += offsetof(struct sockaddr_un, sun_path) + (*host != '@');
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, (socklen_t)n) < 0)
		return error_set(error, -errno, "NOTIFY_SOCKET '%s'", host);
	return take_fd(&fd);
}

static int ready_send(const char *host, const char *ready, pid_t main_pid, struct error *error)
{
	_cleanup_close_ int fd = host_connect(host, error);
	char text[128];
	int n, r;

	if (fd < 0)
		return fd;
	n = snprintf(text, sizeof(text), "%s\n", ready);
	r = fd_send(fd, text, (size_t)n, -1);
	n = snprintf(text, sizeof(text), "MAINPID=%d\n", (int)main_pid);
	if (r == 0)
		r = fd_send(fd, text, (size_t)n, -1);
	return r < 0 ? error_set(error, r, "NOTIFY_SOCKET '%s'", host) : 0;
}

/* The line "READY=..." of a message, cut out of it, or NULL. */
static char *ready_find(char *message)
{
	for (char *line = message; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "READY=", strlen("READY="))) {
			line[strcspn(line, "\n")] = '\0';
			return strlen(line) < 64 ? line : NULL;
		}
	}
	return NULL;
}

int notify_relay(int fd, const char *host, pid_t main_pid, struct error *error)
{
	char message[MESSAGE_MAX_BYTES + 1];
	ssize_t n;

	while ((n = recv(fd, message, MESSAGE_MAX_BYTES, 0)) >= 0) {
		char *ready;
		int r;

		message[n] = '\0';
		ready = ready_find(message);
		if (!ready)
			continue;
		r = ready_send(host, ready, main_pid, error);
		return r < 0 ? r : 1;
	}
	return errno == EAGAIN || errno == EINTR
		       ? 0
		       : error_set(error, -errno, "cannot read what the container notifies");
}

/* sd_notify_barrier(3): the other end of a pipe is closed when all before it was read. */
static void barrier_wait(const char *host)
{
	_cleanup_close_ int fd = host_connect(host, NULL), write_fd = -EBADF, read_fd = -EBADF;
	static const char text[] = "BARRIER=1";
	struct pollfd closed;
	int fds[2];

	if (fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return;
	read_fd = fds[0];
	write_fd = fds[1];
	if (fd_send(fd, text, strlen(text), write_fd) < 0)
		return;
	cleanup_close(&write_fd);
	write_fd = -EBADF;
	closed = (struct pollfd){ .fd = read_fd, .events = POLLIN };
	(void)poll(&closed, 1, BARRIER_TIMEOUT_MS);
}

int notify_wait(int fd, int pidfd, const char *host, pid_t main_pid, struct error *error)
{
	_cleanup_close_ int interrupt_fd = hooks_interrupt_open();

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = interrupt_fd, .events = POLLIN },
		};
		int r;

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return error_set(error, -errno, "cannot wait for the container");
		r = fds[0].revents ? notify_relay(fd, host, main_pid, error) : 0;
		if (r > 0)
			barrier_wait(host);
		if (r != 0)
			return r < 0 ? r : 0;
		if (fds[1].revents)
			return 0;
		if (fds[2].revents)
			return error_say(error, -EINTR,
					 "a signal asked for the end before it was ready");
	}
}
