/* SPDX-License-Identifier: MIT */
/*
 * Walking a directory of the store.
 */
#pragma once

#include "fs/store.h"

/**
 * store_directory_visit() - call @visit for each entry of @path (relative to the store) whose name
 * doesn't begin with a dot, until it returns other than 0
 *
 * Return: what @visit returned last, or a negative errno of the walk.
 */
int store_directory_visit(const struct store *store, const char *path,
			  int (*visit)(const struct store *store, const char *name, void *argument),
			  void *argument);
