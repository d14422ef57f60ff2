/* SPDX-License-Identifier: MIT */
/*
 * A container written into files, and made again from them, by CRIU.
 *
 * As runc does: the image directory is CRIU's, and has besides descriptors.json, what the standard
 * streams of the first process were: pipes are the new caller's at a restore.
 */
#pragma once

#include "launch/checkpoint/criu.h"
#include "launch/launch.h"

/**
 * checkpoint_dump() - write a container that runs
 *
 * Unless options say that it goes on, its processes have ended on success. The container's lock is
 * the caller's.
 *
 * Return: 0 or a negative errno; the container runs on then.
 */
int checkpoint_dump(const struct criu_options *options, const struct state *state,
		    const struct state_record *record, struct error *error);

/**
 * checkpoint_restore() - make a container of a bundle and images
 * @launched: as launch_start() leaves it: its process is a child of the caller, and runs
 * @is_detached: it outlives the caller
 *
 * All signals must be blocked.
 *
 * Return: 0 or a negative errno, nothing left behind.
 */
int checkpoint_restore(const struct launch_options *launch_options,
		       const struct criu_options *options, bool is_detached,
		       struct launched *launched, struct error *error);
