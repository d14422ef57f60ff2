/* SPDX-License-Identifier: MIT */
/*
 * Filling and emptying pools, and what is in them (launch/pool.h).
 *
 * Who fills or drains holds a lock on STATE/@pool; those that take from it don't wait for that.
 */
#pragma once

#include "launch/pool.h"

struct pool_status {
	size_t n_ready[POOL_N_KINDS]; /* can be taken */
	size_t n_left[POOL_N_KINDS]; /* pins without: just being taken or made, or left by a kill */
};

/**
 * pool_fill() - make more, until there are @n of each kind in @kinds; what was left is removed
 * first
 * @state_path: STATE, which is made where it isn't there
 * @kinds: a bit each
 *
 * The calling process comes to be in another network namespace. Killed at any moment, it leaves
 * nothing that could be taken and isn't whole.
 *
 * Return: 0 or a negative errno.
 */
int pool_fill(const char *state_path, unsigned int kinds, size_t n, struct error *error);

/** pool_drain() - remove all that isn't in use by a container, and the pool itself */
int pool_drain(const char *state_path, struct error *error);

/** pool_count() - what is in it; nothing where there is none */
int pool_count(const char *state_path, struct pool_status *ret_status, struct error *error);
