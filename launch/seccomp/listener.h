/* SPDX-License-Identifier: MIT */
/*
 * SCMP_ACT_NOTIFY: the descriptor by which a supervisor answers a container's system calls goes to
 * the socket that linux.seccomp.listenerPath names (OCI runtime spec, config-linux.md, "The
 * Container Process State").
 *
 * The filter holds for the process that loads it at once, so this one can't be sure of a single
 * call after that, not even of the sendmsg(2) that would send the descriptor: it may be one that
 * waits for the supervisor's answer. Another thread of the process, made before, has no filter and
 * the same descriptors; it sends, closes and ends, while the first one only looks at a word of
 * memory that the kernel clears at the thread's end. So no call has to be allowed for lamina's sake
 * (runc can't notify of write(2)), and whatever is killed in between, both are gone: it is one
 * process. The descriptor is closed here before the exec: where the supervisor ends, the kernel
 * answers ENOSYS, and nobody waits.
 */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "launch/seccomp/compile.h"

/* Start with SECCOMP_LISTENER_EMPTY. */
struct seccomp_listener {
	int socket_fd;	    /* connected to the supervisor's socket, or -EBADF: not yet */
	struct buffer head; /* the message as far as the process's pid, for listener_load() */
	const char *tail;   /* printf's format of the rest: the pid, once or twice */
	pid_t pid;	    /* as the launcher sees it: seccomp_listener_find_pid() */
};

#define SECCOMP_LISTENER_EMPTY ((struct seccomp_listener){ .socket_fd = -EBADF })

/**
 * seccomp_listener_connect() - connect to the supervisor's socket
 *
 * Return: the socket, owned by the caller, or a negative errno.
 */
int seccomp_listener_connect(const char *path, struct error *error);

/**
 * seccomp_listener_describe() - what the supervisor is told of the container and the process
 * @metadata: or NULL
 * @state: the container's state, a JSON object; without its pid if @pid_is_state's, which is that
 * of a container's first process
 *
 * Return: 0 or -ENOMEM.
 */
int seccomp_listener_describe(struct seccomp_listener *listener, const char *metadata,
			      const char *state, size_t n_state, bool pid_is_state,
			      struct error *error);

/** seccomp_listener_find_pid() - in the process, while /proc is still the launcher's */
int seccomp_listener_find_pid(struct seccomp_listener *listener, struct error *error);

/**
 * seccomp_listener_load() - load the filter and send its descriptor, as the last thing before an
 * exec
 * @fail: called in the other thread, where the descriptor can't be sent: it tells why, and is to
 * end the process
 *
 * Return: 0 or a negative errno (no filter is loaded).
 */
int seccomp_listener_load(struct seccomp_listener *listener, const struct seccomp_filter *filter,
			  void (*fail)(const struct error *error, void *argument), void *argument,
			  struct error *error);

void seccomp_listener_deinit(struct seccomp_listener *listener);
