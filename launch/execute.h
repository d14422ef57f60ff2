/* SPDX-License-Identifier: MIT */
/*
 * The exec at the end of a start: finding the program in the container, and saying why it can't
 * run.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/* env(1)'s and Docker's statuses for a program that can't be started. */
enum {
	EXECUTE_CANNOT = 126,
	EXECUTE_NOT_FOUND = 127,
};

/**
 * execute_find() - the path that process.args[0] means: itself where it has a slash, else the first
 * executable in the PATH of process.env
 * @ret_path: PATH_MAX bytes
 *
 * Return: 0 or a negative errno with @error in the words that engines look for ("executable file
 * not found", "no such file or directory", "permission denied").
 */
int execute_find(const struct config_process *process, char *ret_path, struct error *error);

/** execute_program() - execve(2) of what execute_find() found; returns only to say why not */
int execute_program(const struct config_process *process, const char *path, struct error *error);

/** execute_status() - 126 or 127 for what the two above returned */
int execute_status(int code);
