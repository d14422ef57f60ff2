/* SPDX-License-Identifier: MIT */
/*
 * Signals by name and number.
 */
#pragma once

/**
 * signal_from_name() - the number of "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"
 *
 * Real-time numbers count from the C library's SIGRTMIN, which glibc and musl set to 34 and 35; the
 * shells and Docker count from 34, so that is what is used here.
 *
 * Return: 1 to 64, or -EINVAL.
 */
int signal_from_name(const char *name);
