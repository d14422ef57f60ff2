/* SPDX-License-Identifier: MIT */
/*
 * The container's terminal: made in its own devpts by the child, handed to who holds the other end.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "launch/config/config.h"

/**
 * terminal_make() - in the child: a pty in the container's /dev/pts
 * @root_fd: the container's root, mounted
 * @socket_fd: gets the master with SCM_RIGHTS (runc's --console-socket protocol: the name as
 * payload)
 * @ret_slave_fd: the child's side; owned by the caller
 */
int terminal_make(int root_fd, int socket_fd, const struct config_process *process,
		  int *ret_slave_fd, struct error *error);

/** terminal_bind_console() - in the child: the slave becomes /dev/console of the root */
int terminal_bind_console(int root_fd, int slave_fd, struct error *error);

/** terminal_adopt() - in the child, in a new session: the slave is its controlling terminal and
 * stdio */
int terminal_adopt(int slave_fd, struct error *error);

/**
 * terminal_size_take() - the container's terminal begins with the size of standard input's
 *
 * Before the start: a program that asks for it first thing must not find 0 by 0. Where standard
 * input is no terminal @process stays as it is.
 */
void terminal_size_take(struct config_process *process);

/** terminal_receive() - the master that the child sent on @socket_fd; the fd or a negative errno */
int terminal_receive(int socket_fd);

/** terminal_connect() - a --console-socket at @path; the connected fd or a negative errno */
int terminal_connect(const char *path, struct error *error);

/*
 * Between the user's terminal and the container's: bytes both ways, sizes one way.
 * Start with TERMINAL_RELAY_EMPTY.
 */
struct terminal_relay {
	int master_fd;
	bool raw;	    /* the user's terminal is in raw mode, and must come back from it */
	bool input_end;	    /* standard input is at its end */
	void *saved;	    /* struct termios */
	char pending[4096]; /* typed, and not taken by the container yet */
	size_t n_pending;
};

#define TERMINAL_RELAY_EMPTY ((struct terminal_relay){ .master_fd = -EBADF })

/** terminal_relay_start() - take @master_fd over; raw mode where standard input is a terminal */
int terminal_relay_start(struct terminal_relay *relay, int master_fd, struct error *error);

/** terminal_relay_resize() - the user's window size becomes the container's */
void terminal_relay_resize(struct terminal_relay *relay);

/**
 * terminal_relay_events() - what poll(2) is to wait for
 *
 * No more is read from standard input than the container takes: it may write a lot before it reads,
 * and would wait for ever where nobody reads that.
 */
void terminal_relay_events(const struct terminal_relay *relay, short *ret_input, short *ret_master);

/**
 * terminal_relay_step() - carry over what is there to read, without waiting
 * @input, @master: what poll(2) said of standard input and of the master
 *
 * Return: 1 when the container's side is closed, 0 when there may be more, or a negative errno.
 */
int terminal_relay_step(struct terminal_relay *relay, short input, short master);

/** terminal_relay_finish() - what the container still wrote, then the user's terminal as it was */
void terminal_relay_finish(struct terminal_relay *relay);
#define _cleanup_relay_ _cleanup_(terminal_relay_finish)
