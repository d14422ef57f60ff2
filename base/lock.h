/* SPDX-License-Identifier: MIT */
/*
 * Locks: flock(2) on the object itself, held by an open descriptor and gone with its last copy.
 */
#pragma once

#include <stdbool.h>

enum lock_mode {
	LOCK_MODE_SHARED,
	LOCK_MODE_EXCLUSIVE,
};

/** lock_take() - lock @fd, waiting; 0 or a negative errno */
int lock_take(int fd, enum lock_mode mode);

/** lock_try() - lock @fd now; 0, -EWOULDBLOCK (somebody holds it) or another negative errno */
int lock_try(int fd, enum lock_mode mode);

/** lock_release() - unlock @fd, which stays open; others' descriptors of the same lock are theirs
 */
void lock_release(int fd);
