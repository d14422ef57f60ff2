/* SPDX-License-Identifier: MIT */
/*
 * The mount option "tmpcopyup": a tmpfs begins with what the image has at its place.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/**
 * copy_up() - copy what is in one directory to another
 * @source_fd, @target_fd: directories, O_PATH will do; the target's is empty
 * @has_its_attributes: the target gets the owner, mode and times of the source itself, too
 *
 * Owners, modes, times and extended attributes are kept, as far as the target has them; hard links
 * become files of their own, as in runc and crun. What is mounted below the source is left out. A
 * device that the caller may not make is left out with a warning.
 *
 * Return: 0, or a negative errno; @error names the file.
 */
int copy_up(int source_fd, int target_fd, bool has_its_attributes, struct error *error);
