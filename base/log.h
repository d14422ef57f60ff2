/* SPDX-License-Identifier: MIT */
/*
 * A log file for who starts the tool by a program: errors, warnings, and what --debug tells, a
 * record a line, in the two forms that container engines read from runc's (logrus's).
 *
 * Without log_open() nothing is written to a file, and nothing costs anything. The descriptor is
 * the process's own, as the trace's table is, and a cloned child's too: a container's side can warn
 * after its root has become another. No memory is allocated: a vforked child may call all of it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum log_format {
	LOG_TEXT, /* time="2024-01-02T03:04:05Z" level=error msg="..." */
	LOG_JSON, /* {"level":"error","msg":"...","time":"2024-01-02T03:04:05Z"} */
};

/**
 * log_open() - from now on records are appended to a file too
 * @tool: in front of what goes to standard error; borrowed
 * @path: made if it isn't there; NULL: no file
 * @debug: what log_debug() is given counts
 *
 * Return: 0 or a negative errno.
 */
int log_open(const char *tool, const char *path, enum log_format format, bool debug,
	     struct error *error);

/** log_fd() - the file's descriptor (close-on-exec), for who closes all others; -EBADF: no file */
int log_fd(void);

/** log_error() - to the file only: who calls says it on standard error in words of its own */
void log_error(const char *message);

/**
 * log_warning() - something was left out, or done otherwise than asked: to the file, or where there
 * is none to standard error as "TOOL: warning: ..."
 *
 * Not to both: an engine hands standard error on as the container's own.
 */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** log_debug() - as log_warning(), with --debug only */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
