/* SPDX-License-Identifier: MIT */
/*
 * A command run with LAMINA_TRACE set, and measured from outside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* The file that the tools write their phases to. All zero is a valid closed one, once fd is -1. */
struct trace_file {
	char *path; /* as LAMINA_TRACE gives it */
	int fd;
	size_t start;	 /* what is before was there before */
	char *directory; /* of a temporary one; NULL: it stays */
};

#define TRACE_FILE_INIT                                                                            \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/**
 * trace_file_open() - @path, which is appended to, or a temporary one where that is NULL
 */
int trace_file_open(struct trace_file *file, const char *path, struct error *error);

/** trace_file_read() - what was written since it was opened; owned by the caller */
int trace_file_read(const struct trace_file *file, char **ret_text, size_t *ret_n_bytes,
		    struct error *error);

void trace_file_close(struct trace_file *file);
#define _cleanup_trace_file_ _cleanup_(trace_file_close)

struct recording {
	char *const *command;
	bool samples; /* look where its processes sleep */
	bool mute;    /* its standard output is dropped */
};

/* Statuses, as env(1) has them, where the command can't be executed. */
#define RECORDING_CANNOT_EXECUTE 126
#define RECORDING_NOT_FOUND	 127

/**
 * recording_run() - run the command to its end, passing on signals, and add the recorder's lines
 * to @file: the whole time, and where processes slept
 *
 * Return: the command's exit status as the shell has it (@error is filled where it is one of the
 * above since the command couldn't be executed), or a negative errno.
 */
int recording_run(const struct recording *recording, const struct trace_file *file,
		  struct error *error);
