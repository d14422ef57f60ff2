/* SPDX-License-Identifier: MIT */
#include "tools/trace/verbs.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"

int show(const struct command_call *call, struct error *error)
{
	const struct show_options *options = call->options;
	const char *path = call->argv[0];
	bool is_stdin = !strcmp(path, "-");
	_cleanup_trace_ struct trace trace = {};
	_cleanup_output_ struct output output = {};
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r;

	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_set(error, -errno, "cannot open '%s'", path);
	}
	r = fd_read_all(is_stdin ? STDIN_FILENO : fd, TRACE_MAX_BYTES, &text, &n_bytes);
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	r = trace_load(&trace, path, text, n_bytes, error);
	if (r < 0)
		return r;
	r = output_open(&output, &options->output, stdout, error);
	return r < 0 ? r : output_write(&output, &trace, error);
}
