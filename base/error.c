/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_init(struct error *error)
{
	ERROR_INIT_FIELDS(error);
}

static size_t message_format(struct error *error, const char *format, va_list arguments)
{
	int n = vsnprintf(error->message, sizeof(error->message), format, arguments);

	if (n < 0)
		n = 0;
	return (size_t)n < sizeof(error->message) ? (size_t)n : sizeof(error->message) - 1;
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;
	size_t n;

	if (!error)
		return code;
	va_start(arguments, format);
	n = message_format(error, format, arguments);
	va_end(arguments);
	snprintf(error->message + n, sizeof(error->message) - n, ": %s", strerror(-code));
	error->code = code;
	return code;
}

int error_say(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	message_format(error, format, arguments);
	va_end(arguments);
	error->code = code;
	return code;
}

int error_prefix(struct error *error, int code, const char *format, ...)
{
	char earlier[ERROR_MESSAGE_BYTES];
	va_list arguments;
	size_t n;

	if (!error)
		return code;
	memcpy(earlier, error->message, sizeof(earlier));
	va_start(arguments, format);
	n = message_format(error, format, arguments);
	va_end(arguments);
	if (earlier[0])
		snprintf(error->message + n, sizeof(error->message) - n, ": %s", earlier);
	else
		snprintf(error->message + n, sizeof(error->message) - n, ": %s", strerror(-code));
	error->code = code;
	return code;
}

int error_usage(struct error *error, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return -EINVAL;
	va_start(arguments, format);
	message_format(error, format, arguments);
	va_end(arguments);
	error->code = -EINVAL;
	error->usage = true;
	return -EINVAL;
}
