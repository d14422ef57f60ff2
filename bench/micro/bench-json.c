/* SPDX-License-Identifier: MIT */
/* Reading a runtime spec: 5 kB without, 50 kB with a long seccomp profile. */
#include "base/json.h"
#include "base/json_write.h"
#include "bench/shim/benchmark.h"

static void spec_write(struct json_writer *writer, size_t n_bytes)
{
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "ociVersion", "1.0.2");
	json_write_object_begin(writer, "process");
	json_write_bool(writer, "terminal", false);
	json_write_array_begin(writer, "args");
	json_write_string(writer, NULL, "/bin/sh");
	json_write_array_end(writer);
	json_write_object_end(writer);
	json_write_array_begin(writer, "rules");
	while (writer->buffer.n_bytes < n_bytes - 60) {
		json_write_object_begin(writer, NULL);
		json_write_array_begin(writer, "names");
		json_write_string(writer, NULL, "clock_gettime");
		json_write_string(writer, NULL, "read\n");
		json_write_array_end(writer);
		json_write_string(writer, "action", "SCMP_ACT_ALLOW");
		json_write_uint(writer, "value", 2114060288);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void parse(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	spec_write(&writer, (size_t)n_bytes);
	while (benchmark_keep_running(state)) {
		_cleanup_json_ struct json_document document = {};

		if (json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, NULL) < 0)
			benchmark_skip(state, "not JSON");
	}
	benchmark_set_bytes(state, writer.buffer.n_bytes);
}

/* No parser does less than look at each byte. */
static void look(struct benchmark_state *state, int64_t n_bytes)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	volatile size_t n_quotes;

	spec_write(&writer, (size_t)n_bytes);
	while (benchmark_keep_running(state)) {
		size_t n = 0;

		for (size_t i = 0; i < writer.buffer.n_bytes; i++)
			n += writer.buffer.bytes[i] == '"';
		n_quotes = n;
	}
	(void)n_quotes;
	benchmark_set_bytes(state, writer.buffer.n_bytes);
}

static void write_document(struct benchmark_state *state, int64_t n_bytes)
{
	while (benchmark_keep_running(state)) {
		_cleanup_json_writer_ struct json_writer writer = {};

		spec_write(&writer, (size_t)n_bytes);
	}
	benchmark_set_bytes(state, (uint64_t)n_bytes);
}

static const struct benchmark_case cases[] = {
	{ .name = "json/parse/5kB", .function = parse, .argument = 5000 },
	{ .name = "json/parse/5kB/floor", .function = look, .argument = 5000 },
	{ .name = "json/parse/50kB", .function = parse, .argument = 50000 },
	{ .name = "json/parse/50kB/floor", .function = look, .argument = 50000 },
	{ .name = "json/write/5kB", .function = write_document, .argument = 5000 },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
