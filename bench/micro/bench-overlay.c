/* SPDX-License-Identifier: MIT */
/* The overlay mount, by the number of layers: base/overlay.h against the bare system calls. */
#include <stdio.h>
#include <string.h>

#include "base/overlay.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "bench/micro/scratch.h"
#include "bench/shim/benchmark.h"

struct layers {
	struct scratch scratch;
	struct string_list lowers;
	char *upper, *work;
};

static bool layers_make(struct layers *layers, int64_t n_lowers)
{
	*layers = (struct layers){ .scratch = scratch_make() };
	for (int64_t i = 0; i < n_lowers; i++) {
		char name[32];
		char *path;

		snprintf(name, sizeof(name), "lower%d", (int)i);
		path = scratch_mkdir(&layers->scratch, name);
		if (!path || string_list_take(&layers->lowers, path) < 0)
			return false;
	}
	layers->upper = scratch_mkdir(&layers->scratch, "upper");
	layers->work = scratch_mkdir(&layers->scratch, "work");
	return layers->upper && layers->work;
}

static void layers_remove(struct layers *layers)
{
	scratch_remove(&layers->scratch);
	string_list_deinit(&layers->lowers);
	free(layers->upper);
	free(layers->work);
}

static void mount_with_library(struct benchmark_state *state, int64_t n_lowers, unsigned int flags)
{
	_cleanup_(layers_remove) struct layers layers;
	struct overlay overlay = { .flags = flags };
	struct error error = {};

	if (!layers_make(&layers, n_lowers))
		benchmark_skip(state, "cannot make the layers");
	overlay.lowers = (const char *const *)layers.lowers.items;
	overlay.n_lowers = layers.lowers.n_items;
	if (!(flags & OVERLAY_EPHEMERAL)) {
		overlay.upper = layers.upper;
		overlay.work = layers.work;
	}
	while (benchmark_keep_running(state)) {
		int fd;

		if (overlay_mount(&overlay, &fd, &error) < 0) {
			benchmark_skip(state, error.message);
			break;
		}
		benchmark_pause(state);
		close(fd);
		benchmark_resume(state);
	}
}

static void library(struct benchmark_state *state, int64_t n_lowers)
{
	mount_with_library(state, n_lowers, 0);
}

static void library_ephemeral(struct benchmark_state *state, int64_t n_lowers)
{
	mount_with_library(state, n_lowers, OVERLAY_EPHEMERAL);
}

static void library_fallback(struct benchmark_state *state, int64_t n_lowers)
{
	mount_with_library(state, n_lowers, OVERLAY_FORCE_FALLBACK);
}

static int bare_mount(const struct layers *layers)
{
	_cleanup_close_ int fs_fd = sys_fsopen("overlay", FSOPEN_CLOEXEC);

	STRING_LIST_FOR_EACH (&layers->lowers, i)
		sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir+", layers->lowers.items[i], 0);
	sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "upperdir", layers->upper, 0);
	sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "workdir", layers->work, 0);
	sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "index", "off", 0);
	if (sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
}

static void bare(struct benchmark_state *state, int64_t n_lowers)
{
	_cleanup_(layers_remove) struct layers layers;

	if (!layers_make(&layers, n_lowers))
		benchmark_skip(state, "cannot make the layers");
	while (benchmark_keep_running(state)) {
		int fd = bare_mount(&layers);

		if (fd < 0) {
			benchmark_skip(state, strerror(errno));
			break;
		}
		benchmark_pause(state);
		close(fd);
		benchmark_resume(state);
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "overlay/1", .function = library, .argument = 1 },
	{ .name = "overlay/1/floor", .function = bare, .argument = 1 },
	{ .name = "overlay/10", .function = library, .argument = 10 },
	{ .name = "overlay/10/floor", .function = bare, .argument = 10 },
	{ .name = "overlay/127", .function = library, .argument = 127 },
	{ .name = "overlay/127/floor", .function = bare, .argument = 127 },
	{ .name = "overlay/500", .function = library, .argument = 500 },
	{ .name = "overlay/500/floor", .function = bare, .argument = 500 },
	{ .name = "overlay/10/ephemeral", .function = library_ephemeral, .argument = 10 },
	{ .name = "overlay/10/fallback", .function = library_fallback, .argument = 10 },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
