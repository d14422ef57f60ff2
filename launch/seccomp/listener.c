/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/listener.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/process.h"
#include "launch/seccomp/load.h"

#define OCI_VERSION	 "1.0.2"
#define SEND_TIMEOUT_S	 10
#define LOADING		 INT_MIN /* the filter isn't loaded yet */
#define THREAD_BYTES	 (32 * 1024)
#define POLL_INTERVAL_NS 100000
#define N_TAIL		 64

int seccomp_listener_connect(const char *path, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* A supervisor that doesn't read holds a container up, but not for ever. */
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG, "linux.seccomp.listenerPath: '%s'", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(error, -errno,
				 "linux.seccomp.listenerPath: cannot connect to '%s'", path);
	return take_fd(&fd);
}

int seccomp_listener_describe(struct seccomp_listener *listener, const char *metadata,
			      const char *state, size_t n_state, bool pid_is_state,
			      struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "ociVersion", OCI_VERSION);
	json_write_array_begin(&writer, "fds");
	json_write_string(&writer, NULL, "seccompFd");
	json_write_array_end(&writer);
	if (metadata)
		json_write_string(&writer, "metadata", metadata);
	/* The pid of the first process is in the state too, whose end is left to the tail. */
	json_write_raw(&writer, "state", state, n_state - pid_is_state);
	buffer_add(&writer.buffer, ",\"pid\":", strlen(",\"pid\":"));
	/* Room for the tail: where it is known, nothing can be allocated. */
	buffer_add(&writer.buffer, (char[N_TAIL]){}, N_TAIL);
	r = json_writer_status(&writer);
	if (r < 0)
		return error_set(error, r, "cannot write the state");
	writer.buffer.n_bytes -= N_TAIL;
	listener->head = writer.buffer;
	writer.buffer = (struct buffer){};
	listener->tail = pid_is_state ? "%d},\"pid\":%d}" : "%d}";
	return 0;
}

int seccomp_listener_find_pid(struct seccomp_listener *listener, struct error *error)
{
	char text[16];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

	if (n < 0)
		return error_set(error, -errno,
				 "cannot find the process's pid (is /proc mounted?)");
	text[n] = '\0';
	listener->pid = atoi(text);
	return 0;
}

/* What both threads know. */
struct handover {
	struct seccomp_listener *listener;
	void (*fail)(const struct error *error, void *argument);
	void *argument;
	atomic_int fd;	   /* LOADING, then the descriptor or a negative errno */
	_Atomic pid_t tid; /* the sender's; 0: it is gone */
};

/* In one piece: a supervisor may read once, and take what it gets for the whole. */
static int message_send(struct seccomp_listener *listener, int fd)
{
	struct buffer *head = &listener->head;
	int n = snprintf(head->bytes + head->n_bytes, N_TAIL, listener->tail, (int)listener->pid,
			 (int)listener->pid);

	return fd_send(listener->socket_fd, head->bytes, head->n_bytes + (size_t)n, fd);
}

/* The other thread: no filter holds for it. */
static int sender_main(void *argument)
{
	struct handover *handover = argument;
	const struct timespec interval = { .tv_nsec = POLL_INTERVAL_NS };
	struct error error;
	int fd, r;

	while ((fd = atomic_load(&handover->fd)) == LOADING)
		(void)nanosleep(&interval, NULL);
	if (fd < 0)
		return 0;
	r = message_send(handover->listener, fd);
	if (r < 0) {
		error_init(&error);
		if (r == -EAGAIN)
			error_say(&error, -ETIMEDOUT,
				  "linux.seccomp: the listener has read nothing for %d s",
				  SEND_TIMEOUT_S);
		else
			error_set(&error, r,
				  "linux.seccomp: cannot send the descriptor to the listener");
		handover->fail(&error, handover->argument);
	}
	/* One state a connection; and no holder of the descriptor but the supervisor. */
	(void)shutdown(handover->listener->socket_fd, SHUT_WR);
	close(handover->listener->socket_fd);
	close(fd);
	return 0;
}

int seccomp_listener_load(struct seccomp_listener *listener, const struct seccomp_filter *filter,
			  void (*fail)(const struct error *error, void *argument), void *argument,
			  struct error *error)
{
	_Alignas(16) char stack[THREAD_BYTES];
	struct handover handover = {
		.listener = listener, .fail = fail, .argument = argument, .fd = LOADING
	};
	int r = process_thread(sender_main, &handover, stack, sizeof(stack),
			       (pid_t *)&handover.tid);

	if (r < 0)
		return error_set(error, r, "linux.seccomp: cannot make a thread");
	r = seccomp_load(&filter->program, filter->flags);
	atomic_store(&handover.fd, r);
	/* No call may be made from here on, not even to wait. */
	while (atomic_load(&handover.tid) != 0)
		;
	return r < 0 ? error_set(error, r, "linux.seccomp: cannot load the filter") : 0;
}

void seccomp_listener_deinit(struct seccomp_listener *listener)
{
	cleanup_close(&listener->socket_fd);
	buffer_deinit(&listener->head);
	*listener = SECCOMP_LISTENER_EMPTY;
}
