/* SPDX-License-Identifier: MIT */
/*
 * Staying with a container that runs in the foreground: signals go to it, its terminal is carried
 * over, and its end is waited for.
 */
#pragma once

#include <signal.h>

#include "base/error.h"
#include "launch/launch.h"

/**
 * attend_signals_hold() - block them at once, in the first moment of a launcher
 *
 * What comes until attend_signals_block() waits, also where the process executes itself meanwhile:
 * LAMINA_SIGNAL_MASK has the mask from before then.
 */
void attend_signals_hold(void);

/**
 * attend_signals_block() - block what the launcher forwards, for the rest of the process
 * @ret_earlier: the mask before (before attend_signals_hold(), where that was called), for the
 * container
 *
 * Not blocked: what stops and continues a job (SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT), which is for
 * the launcher itself, and what a fault raises.
 */
int attend_signals_block(sigset_t *ret_earlier, struct error *error);

/** attend_signal_forward() - is @signal one that a foreground container gets from its launcher? */
bool attend_signal_is_forwarded(int signal);

/**
 * attend() - until the process of @launched has ended; it is reaped
 * @ret_wait_status: as waitpid(2) gives it
 *
 * With a terminal (launched->master_fd, which is used up) bytes are carried between it and standard
 * input and output.
 */
int attend(struct launched *launched, int *ret_wait_status, struct error *error);
