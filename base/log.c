/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Room for a message of which every byte becomes \u00XX. */
#define RECORD_MAX_BYTES (ERROR_MESSAGE_BYTES * 6 + 128)

/* A global, as the trace's: warnings come from everywhere, and a process has one log. */
static struct {
	const char *tool;
	int fd;
	enum log_format format;
	bool debug;
} logging = { .tool = "lamina", .fd = -EBADF };

int log_open(const char *tool, const char *path, enum log_format format, bool debug,
	     struct error *error)
{
	logging.tool = tool;
	logging.format = format;
	logging.debug = debug;
	if (logging.fd >= 0)
		close(logging.fd);
	logging.fd = -EBADF;
	if (!path)
		return 0;
	logging.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (logging.fd < 0) {
		int r = -errno;

		logging.fd = -EBADF;
		return error_set(error, r, "cannot open the log '%s'", path);
	}
	return 0;
}

int log_fd(void)
{
	return logging.fd;
}

/* Go's quoting of a text, and JSON's, are the same for what is escaped here. */
static size_t quote(char *out, const char *message)
{
	char *p = out;

	*p++ = '"';
	for (size_t i = 0; message[i] && i < ERROR_MESSAGE_BYTES; i++) {
		unsigned char c = (unsigned char)message[i];

		if (c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)c;
		} else if (c == '\n') {
			*p++ = '\\';
			*p++ = 'n';
		} else if (c < 0x20 || c == 0x7f) {
			p += sprintf(p, "\\u%04x", c);
		} else {
			*p++ = (char)c;
		}
	}
	*p++ = '"';
	*p = '\0';
	return (size_t)(p - out);
}

/* One write for one record: several processes may append to the same file. */
static void record_write(const char *level, const char *message)
{
	char record[RECORD_MAX_BYTES], stamp[32];
	time_t now = time(NULL);
	struct tm utc;
	size_t n;

	if (!gmtime_r(&now, &utc))
		return;
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (logging.format == LOG_JSON) {
		n = (size_t)sprintf(record, "{\"level\":\"%s\",\"msg\":", level);
		n += quote(record + n, message);
		n += (size_t)sprintf(record + n, ",\"time\":\"%s\"}\n", stamp);
	} else {
		n = (size_t)sprintf(record, "time=\"%s\" level=%s msg=", stamp, level);
		n += quote(record + n, message);
		record[n++] = '\n';
	}
	/* A log that can't be written is no reason not to do the work. */
	if (write(logging.fd, record, n) < 0)
		return;
}

static void message_write(const char *level, const char *format, va_list arguments)
{
	char message[ERROR_MESSAGE_BYTES];

	vsnprintf(message, sizeof(message), format, arguments);
	if (logging.fd >= 0)
		record_write(level, message);
	else
		dprintf(STDERR_FILENO, "%s: %s: %s\n", logging.tool, level, message);
}

void log_error(const char *message)
{
	if (logging.fd >= 0)
		record_write("error", message);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_write("warning", format, arguments);
	va_end(arguments);
}

void log_debug(const char *format, ...)
{
	va_list arguments;

	if (!logging.debug)
		return;
	va_start(arguments, format);
	message_write("debug", format, arguments);
	va_end(arguments);
}
