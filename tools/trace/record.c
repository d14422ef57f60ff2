/* SPDX-License-Identifier: MIT */
#include "tools/trace/verbs.h"

#include "tools/trace/recording.h"

static int rendered(const struct trace_file *file, struct output *output, struct error *error)
{
	_cleanup_trace_ struct trace trace = {};
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = trace_file_read(file, &text, &n_bytes, error);

	if (r == 0)
		r = trace_load(&trace, file->path, text, n_bytes, error);
	return r < 0 ? r : output_write(output, &trace, error);
}

int record(const struct command_call *call, struct error *error)
{
	const struct record_options *options = call->options;
	const struct recording recording = { .command = call->argv,
					     .samples = !options->no_samples };
	_cleanup_trace_file_ struct trace_file file = TRACE_FILE_INIT;
	_cleanup_output_ struct output output = {};
	int status, r;

	error_init(error);
	r = output_open(&output, &options->output, stderr, error);
	if (r == 0)
		r = trace_file_open(&file, options->trace, error);
	if (r < 0)
		return r;
	status = recording_run(&recording, &file, error);
	if (status < 0)
		return status;
	/* What the command said with its status stands, whatever becomes of its picture. */
	if (error->code == 0)
		(void)rendered(&file, &output, error);
	if (error->code != 0)
		command_report(call, error);
	return status;
}
