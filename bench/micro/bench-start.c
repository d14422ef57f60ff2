/* SPDX-License-Identifier: MIT */
/* What nslaunch does beside the kernel's work: reading the spec, writing the state. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "bench/micro/bundle.h"
#include "bench/shim/benchmark.h"
#include "launch/config/config.h"
#include "launch/spec/spec.h"
#include "launch/state.h"

/* A bundle with Docker's defaults in its config.json, seccomp profile and all. */
static bool bundle_complete(struct bundle_fixture *fixture, struct error *error)
{
	static char *command[] = { (char *)"/bin/true", NULL };
	_cleanup_spec_request_ struct spec_request request = {};
	struct spec_options options = {};

	return bundle_fixture_make(fixture) &&
	       spec_request_parse(&options, command, &request, error) == 0 &&
	       spec_bundle(fixture->bundle, &request, 0, error) == 0;
}

static void config(struct benchmark_state *state, int64_t argument)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	struct error error = {};

	if (!bundle_complete(&fixture, &error)) {
		benchmark_skip(state, error.message);
		return;
	}
	while (benchmark_keep_running(state)) {
		_cleanup_config_ struct config parsed = {};

		if (config_parse(&parsed, fixture.bundle_fd, &error) < 0)
			benchmark_skip(state, error.message);
	}
}

static void config_read(struct benchmark_state *state, int64_t argument)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	struct error error = {};

	if (!bundle_complete(&fixture, &error)) {
		benchmark_skip(state, error.message);
		return;
	}
	while (benchmark_keep_running(state)) {
		_cleanup_free_ char *text = NULL;

		if (file_read_at(fixture.bundle_fd, "config.json", CONFIG_MAX_BYTES, &text, NULL) <
		    0)
			benchmark_skip(state, "cannot read it");
	}
}

static struct state_record record_of(const struct bundle_fixture *fixture)
{
	return (struct state_record){ .id = (char *)"bench",
				      .bundle = fixture->bundle,
				      .rootfs = fixture->bundle,
				      .cgroup_path = (char *)"/lamina/bench",
				      .created = (char *)"2020-01-01T00:00:00Z",
				      .pid = 1,
				      .start_time = 1 };
}

/* Made, written, and removed: what a run in the foreground does. */
static void state_written(struct benchmark_state *benchmark, int64_t argument)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	struct state_record record;
	struct error error = {};

	if (!bundle_fixture_make(&fixture)) {
		benchmark_skip(benchmark, "cannot make a bundle");
		return;
	}
	record = record_of(&fixture);
	while (benchmark_keep_running(benchmark)) {
		_cleanup_state_ struct state state = STATE_EMPTY;

		if (state_create(&state, fixture.scratch.path, "bench", &error) < 0 ||
		    state_write(&state, &record, STATE_FILE, &error) < 0 ||
		    state_remove(&state) < 0)
			benchmark_skip(benchmark, error.message);
	}
}

static void state_bare(struct benchmark_state *benchmark, int64_t argument)
{
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	static const char bytes[400];

	while (benchmark_keep_running(benchmark)) {
		int directory_fd, fd;

		(void)mkdirat(scratch.fd, "bench", 0700);
		directory_fd = openat(scratch.fd, "bench", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd = openat(directory_fd, "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		close(fd);
		fd = openat(directory_fd, "aside", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		if (write(fd, bytes, sizeof(bytes)) < 0 || close(fd) < 0 ||
		    renameat(directory_fd, "aside", directory_fd, "state.json") < 0)
			benchmark_skip(benchmark, "cannot write");
		unlinkat(directory_fd, "state.json", 0);
		unlinkat(directory_fd, "lock", 0);
		close(directory_fd);
		unlinkat(scratch.fd, "bench", AT_REMOVEDIR);
	}
}

static void state_was_read(struct benchmark_state *benchmark, int64_t argument)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	_cleanup_state_ struct state state = STATE_EMPTY;
	struct state_record record;
	struct error error = {};

	if (!bundle_fixture_make(&fixture)) {
		benchmark_skip(benchmark, "cannot make a bundle");
		return;
	}
	record = record_of(&fixture);
	if (state_create(&state, fixture.scratch.path, "bench", &error) < 0 ||
	    state_write(&state, &record, STATE_FILE, &error) < 0)
		benchmark_skip(benchmark, error.message);
	while (benchmark_keep_running(benchmark)) {
		_cleanup_state_record_ struct state_record got = {};

		if (state_read(&state, &got, &error) < 0)
			benchmark_skip(benchmark, error.message);
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "config", .function = config },
	{ .name = "config/floor", .function = config_read },
	{ .name = "state/write", .function = state_written },
	{ .name = "state/write/floor", .function = state_bare },
	{ .name = "state/read", .function = state_was_read },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
