/* SPDX-License-Identifier: MIT */
/*
 * NOTIFY_SOCKET (sd_notify(3)), as runc has it: the container says READY=1 to a socket of the
 * launcher's, which tells the service manager so, and which process to watch. Nothing else that the
 * container says goes on: it could name another process, or hand over descriptors.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"

#define NOTIFY_PLACE "/run/notify" /* where a container finds it */
#define NOTIFY_NAME  "notify.sock"

/**
 * notify_listen() - the socket that the container speaks to
 * @state_fd: STATE/ID, borrowed
 *
 * Return: the socket, owned by the caller; -ENOENT: the container was made without one; or another
 * negative errno.
 */
int notify_listen(int state_fd, struct error *error);

/**
 * notify_relay() - read what has come at @fd, and pass READY=1 on
 * @host: the service manager's NOTIFY_SOCKET: a path, or '@' and an abstract name
 * @main_pid: the process that it is to watch
 *
 * Return: 1 once READY=1 was passed on, 0 if it hasn't come, or a negative errno.
 */
int notify_relay(int fd, const char *host, pid_t main_pid, struct error *error);

/**
 * notify_wait() - until the container's process is ready, or has ended; then until the service
 * manager has read it, for which it must find this process alive
 * @pidfd: of the container's process
 *
 * Return: 0 or a negative errno (-EINTR: a signal asks for the end, where signals are blocked).
 */
int notify_wait(int fd, int pidfd, const char *host, pid_t main_pid, struct error *error);
