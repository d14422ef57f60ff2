/* SPDX-License-Identifier: MIT */
/*
 * What mount and umount have in common: bundles from the arguments or from the stream, one at a
 * time, a failing one told and left out.
 */
#pragma once

#include "base/command.h"

/**
 * layerfs_bundles_each() - call @visit with each bundle's path, and print those that succeeded
 *
 * The bundles are the arguments (an argument without a '/' is a name, an id or a prefix in the
 * store), or standard input's where there are none.
 *
 * Return: 0, 1 (some failed, as told on standard error) or a negative errno.
 */
int layerfs_bundles_each(const struct command_call *call, char separator,
			 int (*visit)(const char *path, const void *argument, struct error *error),
			 const void *argument, struct error *error);
