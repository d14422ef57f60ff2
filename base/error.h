/* SPDX-License-Identifier: MIT */
/*
 * Errors: a negative errno that travels up unchanged, and the words that explain it.
 *
 * The rule of the whole project: a negative return is a failure; pass it up unchanged, adding
 * words. A positive return is a condition of that one function; handle it at the call, never pass
 * it on. Library code never prints and never exits.
 */
#pragma once

#include <stdbool.h>

#define ERROR_MESSAGE_BYTES 1024

/*
 * Plain data of fixed size: no allocation, so it works when memory is gone, and a container's child
 * can leave it in memory that it shares with its parent. Start with `struct error error =
 * ERROR_INIT`.
 */
struct error {
	int code;   /* negative errno, 0 when unset */
	bool usage; /* the command line was wrong: exit status 2 */
	char message[ERROR_MESSAGE_BYTES];
};

/* Not `{}`: clearing a kilobyte that nobody will read has a cost on the hot path. */
#define ERROR_INIT_FIELDS(error)                                                                   \
	((error)->code = 0, (error)->usage = false, (error)->message[0] = '\0')

/** error_init() - make @error empty without clearing all of its message */
void error_init(struct error *error);

/**
 * error_set() - say what could not be done; the words of @code (strerror) are appended
 * @error: may be NULL
 * @code: negative errno
 *
 * Return: @code, so that a function can end with `return error_set(...)`.
 */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** error_say() - like error_set(), for reasons that need words of their own: nothing is appended */
int error_say(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** error_prefix() - put the larger step in front: "FORMAT: earlier message"; returns @code */
int error_prefix(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** error_usage() - the command line is wrong (exit status 2); returns -EINVAL */
int error_usage(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
