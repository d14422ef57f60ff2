/* SPDX-License-Identifier: MIT */
/*
 * Floors: the least that a phase takes on this machine, as bench has measured it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct floor {
	char *phase;
	uint64_t ns;
};

/* All zero is a valid empty table. */
struct floors {
	struct floor *floors;
	size_t n_floors;
};

/**
 * floors_parse() - add the floors of JSON lines: {"phase":"mnt.proc","floor":NS}
 *
 * Return: 0, -EBADMSG (@error says which line) or -ENOMEM.
 */
int floors_parse(struct floors *floors, const char *text, size_t n_bytes, struct error *error);

/** floors_find() - the phase's, or 0 where none is known; the last line of a name wins */
uint64_t floors_find(const struct floors *floors, const char *phase);

void floors_deinit(struct floors *floors);
#define _cleanup_floors_ _cleanup_(floors_deinit)
