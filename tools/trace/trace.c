/* SPDX-License-Identifier: MIT */
/*
 * lamina-trace: show what a LAMINA_TRACE file holds as a timeline.
 */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "base/command.h"
#include "base/fd.h"
#include "tools/trace/timeline.h"

/* A phase takes some 150 bytes: room for a stream of 20,000 containers. */
#define MAX_FILE_BYTES (256 * 1024 * 1024)

struct trace_options {
	bool ascii;
	uint64_t width;
};

static const struct command_option options[] = {
	{ .name = "ascii",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct trace_options, ascii),
	  .help = "draw with ASCII characters alone" },
	{ .name = "width",
	  .letter = 'w',
	  .type = OPTION_UINT,
	  .offset = offsetof(struct trace_options, width),
	  .argument = "COLUMNS",
	  .help = "columns to use (the terminal's; 100 into a pipe)" },
};

static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 100;
}

/* POSIX: the first of the three that isn't empty decides. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static int trace(const struct command_call *call, struct error *error)
{
	const struct trace_options *trace_options = call->options;
	const char *path = call->argv[0];
	bool is_stdin = !strcmp(path, "-");
	_cleanup_timeline_ struct timeline timeline = {};
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct render_options render = {
		.n_columns = trace_options->width > 0 && trace_options->width < 10000
				     ? (unsigned int)trace_options->width
				     : terminal_columns(),
		.ascii = trace_options->ascii || !locale_is_utf8(),
	};
	size_t n_bytes;
	int r;

	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_set(error, -errno, "cannot open '%s'", path);
	}
	r = fd_read_all(is_stdin ? STDIN_FILENO : fd, MAX_FILE_BYTES, &text, &n_bytes);
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	r = timeline_parse(&timeline, text, n_bytes, error);
	if (r < 0)
		return error_prefix(error, r, "'%s'", path);
	if (timeline.n_phases == 0)
		return error_say(error, -ENODATA, "'%s': there are no phases in it", path);
	r = timeline_group(&timeline);
	if (r < 0)
		return error_set(error, r, "cannot sort '%s'", path);
	timeline_render(&timeline, &render, stdout);
	return 0;
}

static const struct command commands[] = {
	{ .arguments = "FILE",
	  .summary = "show the phases that LAMINA_TRACE=FILE recorded; - reads standard input",
	  .options = options,
	  .n_options = sizeof(options) / sizeof(options[0]),
	  .options_bytes = sizeof(struct trace_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = trace },
};

static const struct tool tool = {
	.name = "lamina-trace",
	.summary = "show a recorded start as a timeline",
	.commands = commands,
	.n_commands = 1,
};

int main(int argc, char *argv[])
{
	/* Or it would add itself to the file that it shows. */
	unsetenv("LAMINA_TRACE");
	return command_main(&tool, argc, argv);
}
