/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filter: putting it on a process, made ready with lamina or compiled from the profile.
 */
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/process.h"
#include "base/trace.h"
#include "bench/micro/scratch.h"
#include "bench/shim/benchmark.h"
#include "launch/seccomp/cache.h"
#include "launch/seccomp/default_profile.h"
#include "launch/seccomp/load.h"

/* Filters can't be taken off: each is loaded by a child of its own, which times it. */
static void load_program(struct benchmark_state *state, const struct sock_fprog *program,
			 unsigned int flags)
{
	uint64_t *ns =
		mmap(NULL, sizeof(*ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ns == MAP_FAILED) {
		benchmark_skip(state, strerror(errno));
		return;
	}
	while (benchmark_keep_running(state)) {
		int status = -1;
		pid_t pid = process_fork(0, -1, NULL);

		if (pid == 0) {
			uint64_t start_ns = trace_now();
			int r = seccomp_load(program, flags);

			*ns = trace_now() - start_ns;
			_exit(r < 0);
		}
		if (pid < 0 || process_wait(pid, &status) < 0 || status != 0) {
			benchmark_skip(state, "cannot load the filter; is this root?");
			break;
		}
		benchmark_set_iteration_ns(state, *ns);
	}
	munmap(ns, sizeof(*ns));
	benchmark_set_counter(state, "instructions", program->len);
}

static void load_prebuilt(struct benchmark_state *state, int64_t argument)
{
	load_program(state, &seccomp_prebuilt_program, SECCOMP_PREBUILT_FLAGS);
}

/* The least filter there is: what is left is the kernel's price of having one. */
static void load_least(struct benchmark_state *state, int64_t argument)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	load_program(state, &program, SECCOMP_PREBUILT_FLAGS);
}

static void default_text(struct json_writer *writer)
{
	seccomp_default_format(writer, NULL, SECCOMP_DEFAULT_CAPABILITIES, seccomp_prebuilt_arch);
}

static void compile(struct benchmark_state *state, int64_t argument)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	default_text(&writer);
	/* A blank more makes it another profile: one that isn't found ready. */
	buffer_add_char(&writer.buffer, ' ');
	memmove(writer.buffer.bytes + 2, writer.buffer.bytes + 1, writer.buffer.n_bytes - 2);
	writer.buffer.bytes[1] = ' ';
	while (benchmark_keep_running(state)) {
		_cleanup_json_ struct json_document document = {};
		struct seccomp_filter filter = {};
		struct error error = {};
		int r = json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, &error);

		if (r == 0)
			r = seccomp_compile(json_root(&document), &filter, &error);
		if (r < 0)
			benchmark_skip(state, error.message);
		seccomp_filter_deinit(&filter);
	}
}

static void find(struct benchmark_state *state, int64_t argument)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	default_text(&writer);
	while (benchmark_keep_running(state)) {
		if (!seccomp_prebuilt_find(writer.buffer.bytes, writer.buffer.n_bytes))
			benchmark_skip(state, "the default profile isn't found");
	}
}

/* The default profile, as if it were any other: found where an earlier start has kept its filter.
 */
static void cached(struct benchmark_state *state, int64_t argument)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	_cleanup_json_writer_ struct json_writer writer = {};

	default_text(&writer);
	seccomp_cache_keep(scratch.path, writer.buffer.bytes, writer.buffer.n_bytes,
			   &(struct seccomp_filter){ .program = seccomp_prebuilt_program });
	while (benchmark_keep_running(state)) {
		_cleanup_seccomp_filter_ struct seccomp_filter filter = {};

		if (!seccomp_cache_find(scratch.path, writer.buffer.bytes, writer.buffer.n_bytes,
					&filter))
			benchmark_skip(state, "the filter that was kept isn't found");
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "seccomp/load/prebuilt", .function = load_prebuilt, .has_manual_time = true },
	{ .name = "seccomp/load/prebuilt/floor", .function = load_least, .has_manual_time = true },
	{ .name = "seccomp/find/prebuilt", .function = find },
	{ .name = "seccomp/compile/default", .function = compile },
	{ .name = "seccomp/find/cached", .function = cached },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
