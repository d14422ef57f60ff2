/* SPDX-License-Identifier: MIT */
/* From a bundle with an image's config to one with a config.json. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "bench/micro/bundle.h"
#include "bench/shim/benchmark.h"
#include "launch/spec/spec.h"

static void spec(struct benchmark_state *state, int64_t argument)
{
	static char *command[] = { (char *)"/bin/true", NULL };
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	_cleanup_spec_request_ struct spec_request request = {};
	struct spec_options options = {};
	struct error error = {};

	if (!bundle_fixture_make(&fixture) ||
	    spec_request_parse(&options, command, &request, &error) < 0) {
		benchmark_skip(state, error.message[0] ? error.message : "cannot make a bundle");
		return;
	}
	while (benchmark_keep_running(state)) {
		if (spec_bundle(fixture.bundle, &request, SPEC_AGAIN, &error) < 0)
			benchmark_skip(state, error.message);
	}
}

/* The six files that it writes, as long as they are, made aside and renamed. */
static void files(struct benchmark_state *state, int64_t argument)
{
	static const char *const names[] = { "container.json", "overlay",     "hostname",
					     "hosts",	       "resolv.conf", "config.json" };
	static const size_t sizes[] = { 3000, 300, 10, 200, 100, 16000 };
	static char bytes[16000];
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;

	if (!bundle_fixture_make(&fixture)) {
		benchmark_skip(state, "cannot make a bundle");
		return;
	}
	while (benchmark_keep_running(state)) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			int fd = openat(fixture.bundle_fd, "aside", O_CREAT | O_WRONLY | O_CLOEXEC,
					0644);

			if (write(fd, bytes, sizes[i]) < 0 || close(fd) < 0 ||
			    renameat(fixture.bundle_fd, "aside", fixture.bundle_fd, names[i]) < 0)
				benchmark_skip(state, strerror(errno));
		}
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "spec", .function = spec },
	{ .name = "spec/floor", .function = files },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
