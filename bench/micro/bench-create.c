/* SPDX-License-Identifier: MIT */
/* The steps of a create that the file-tree side has: the bundle, and its init layer. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "bench/micro/bundle.h"
#include "bench/shim/benchmark.h"
#include "fs/rootfs/create.h"
#include "fs/rootfs/init_layer.h"

/* Each is taken away again, off the clock. */
static void bundle_away(const struct store *store, const char *id)
{
	_cleanup_close_ int containers_fd =
		openat(store->fd, "containers", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)path_remove_tree(containers_fd, id);
}

static void make(struct benchmark_state *state, int64_t argument)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_bundle_maker_ struct bundle_maker maker = BUNDLE_MAKER_EMPTY;
	struct bundle_request request = { .reference = "bench:latest" };
	struct error error = {};

	umask(0);
	if (!bundle_fixture_make(&fixture) ||
	    store_open(&store, fixture.store, STORE_USE, &error) < 0 ||
	    bundle_maker_init(&maker, &store, &request, &error) < 0) {
		benchmark_skip(state, error.message[0] ? error.message : "cannot make a store");
		return;
	}
	while (benchmark_keep_running(state)) {
		char id[CONTAINER_ID_MAX_BYTES + 1];

		if (bundle_make(&maker, NULL, NULL, id, &error) < 0) {
			benchmark_skip(state, error.message);
			break;
		}
		benchmark_pause(state);
		bundle_away(&store, id);
		benchmark_resume(state);
	}
}

/* Four directories and four small files. */
static void make_bare(struct benchmark_state *state, int64_t argument)
{
	static const char *const directories[] = { "b", "b/upper", "b/work", "b/rootfs" };
	static const char *const files[] = { "b/lock", "b/image", "b/image-config.json",
					     "b/layers" };
	_cleanup_scratch_ struct scratch scratch = scratch_make();
	static const char bytes[200];

	while (benchmark_keep_running(state)) {
		for (size_t i = 0; i < 4; i++)
			(void)mkdirat(scratch.fd, directories[i], 0755);
		for (size_t i = 0; i < 4; i++) {
			int fd = openat(scratch.fd, files[i],
					O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

			if (write(fd, bytes, sizeof(bytes)) < 0)
				benchmark_skip(state, "cannot write");
			close(fd);
		}
		benchmark_pause(state);
		(void)path_remove_tree(scratch.fd, "b");
		benchmark_resume(state);
	}
}

enum init_layer_case {
	INIT_LAYER_HIT,	 /* the store has it */
	INIT_LAYER_MISS, /* it is made */
	INIT_LAYER_BARE, /* the bare work of a hit: read the bundle's list, write the path down */
};

/* As it was before the step, off the clock. */
static void bundle_reset(const struct bundle_fixture *fixture, const struct store *store,
			 enum init_layer_case which)
{
	unlinkat(fixture->bundle_fd, "init-layer", 0);
	if (which == INIT_LAYER_MISS) {
		(void)path_remove_tree(store->fd, "init");
		(void)mkdirat(store->fd, "init", 0755);
	}
}

static int bare_hit(const struct bundle_fixture *fixture)
{
	char text[4096];
	int fd = openat(fixture->bundle_fd, "layers", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	fd = openat(fixture->bundle_fd, "init-layer", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
		    0644);
	n = n > 0 ? write(fd, text, (size_t)n) : -1;
	close(fd);
	return n < 0 ? -1 : 0;
}

static void init_layer(struct benchmark_state *state, int64_t which)
{
	_cleanup_bundle_fixture_ struct bundle_fixture fixture;
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_bundle_ struct bundle bundle = BUNDLE_EMPTY;
	struct root_identity identity = { 0, 0 };
	struct error error = {};

	if (!bundle_fixture_make(&fixture) ||
	    store_open(&store, fixture.store, STORE_USE, &error) < 0 ||
	    bundle_open(&bundle, fixture.bundle, LOCK_MODE_EXCLUSIVE, &error) < 0) {
		benchmark_skip(state, error.message[0] ? error.message : "cannot make a bundle");
		return;
	}
	if (which == INIT_LAYER_HIT)
		(void)init_layer_add(&store, &bundle, identity, NULL, &error);
	while (benchmark_keep_running(state)) {
		int r;

		benchmark_pause(state);
		bundle_reset(&fixture, &store, (enum init_layer_case)which);
		benchmark_resume(state);
		r = which == INIT_LAYER_BARE
			    ? bare_hit(&fixture)
			    : init_layer_add(&store, &bundle, identity, NULL, &error);
		if (r < 0)
			benchmark_skip(state, error.message);
	}
}

static const struct benchmark_case cases[] = {
	{ .name = "bundle", .function = make },
	{ .name = "bundle/floor", .function = make_bare },
	{ .name = "init-layer/hit", .function = init_layer, .argument = INIT_LAYER_HIT },
	{ .name = "init-layer/hit/floor", .function = init_layer, .argument = INIT_LAYER_BARE },
	{ .name = "init-layer/miss", .function = init_layer, .argument = INIT_LAYER_MISS },
};

int main(int argc, char *argv[])
{
	return benchmark_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
