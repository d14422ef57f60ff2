/* SPDX-License-Identifier: MIT */
#include "tools/trace/output.h"

#include <string.h>
#include <sys/ioctl.h>

static unsigned int terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
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

/* https://no-color.org: set and not empty. */
static bool has_colours(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static int format_choose(struct output *output, const struct output_options *options,
			 struct error *error)
{
	if (!options->format) {
		output->format = format_of_path(options->output ? options->output : "");
		return 0;
	}
	output->format = format_find(options->format);
	if (!output->format)
		return error_usage(error, "unknown format '%s'", options->format);
	return 0;
}

int output_open(struct output *output, const struct output_options *options, FILE *otherwise,
		struct error *error)
{
	int fd, r = format_choose(output, options, error);

	if (r < 0)
		return r;
	output->file = otherwise;
	output->path = "standard output";
	if (options->output && strcmp(options->output, "-") != 0) {
		output->path = options->output;
		output->file = fopen(options->output, "we");
		if (!output->file)
			return error_set(error, -errno, "cannot write '%s'", options->output);
		output->is_ours = true;
	}
	fd = fileno(output->file);
	output->render = (struct render_options){
		.n_columns = options->width > 0 && options->width < 10000
				     ? (unsigned int)options->width
				     : terminal_columns(fd),
		.ascii = options->ascii || !locale_is_utf8(),
		.colour = has_colours(fd),
	};
	return 0;
}

int output_write(struct output *output, const struct trace *trace, struct error *error)
{
	const struct view view = { &trace->timeline, &trace->analysis, &output->render };
	int r = output->format->render(&view, output->file);

	errno = EIO;
	if (r == 0 && (fflush(output->file) == EOF || ferror(output->file)))
		r = -errno;
	return r < 0 ? error_set(error, r, "cannot write '%s'", output->path) : 0;
}

void output_close(struct output *output)
{
	if (output->is_ours)
		fclose(output->file);
	*output = (struct output){};
}
