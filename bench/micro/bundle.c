/* SPDX-License-Identifier: MIT */
#include "bench/micro/bundle.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"

static const char image_config[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/bin\"],"
	"\"Cmd\":[\"/bin/sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

/* Digests of nothing: who reads the store takes them as they are. */
#define IMAGE "1111111111111111111111111111111111111111111111111111111111111111"
#define LAYER "2222222222222222222222222222222222222222222222222222222222222222"

static const char *const directories[] = {
	"store/images/names",
	"store/images/sha256/" IMAGE,
	"store/layers/" LAYER "/diff/etc",
	"store/layers/" LAYER "/diff/dev",
	"store/containers/bench/upper",
	"store/containers/bench/work",
	"store/containers/bench/rootfs",
	"store/staging",
	"store/trash",
	"store/init",
	"store/names",
};

static bool file_write(const struct bundle_fixture *fixture, const char *name, const char *text)
{
	return file_write_at(fixture->bundle_fd, name, text, strlen(text), 0644) == 0;
}

/* As an import leaves it (docs/design.md, On disk). */
static bool image_write(const struct bundle_fixture *fixture)
{
	_cleanup_close_ int fd = path_open_in_root(
		fixture->scratch.fd, "store/images/sha256/" IMAGE, O_PATH | O_DIRECTORY, 0);

	return fd >= 0 && file_write_at(fd, "layers", LAYER "\n", sizeof(LAYER), 0644) == 0 &&
	       file_write_at(fd, "config.json", image_config, sizeof(image_config) - 1, 0644) ==
		       0 &&
	       symlinkat("../sha256/" IMAGE, fixture->scratch.fd,
			 "store/images/names/bench:latest") == 0;
}

bool bundle_fixture_make(struct bundle_fixture *fixture)
{
	_cleanup_free_ char *layers = NULL;

	*fixture = (struct bundle_fixture){ .scratch = scratch_make(), .bundle_fd = -EBADF };
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		int fd = path_mkdir_in_root(fixture->scratch.fd, directories[i], 0755);

		if (fd < 0)
			return false;
		close(fd);
	}
	fixture->store = scratch_path(&fixture->scratch, "store");
	fixture->bundle = scratch_path(&fixture->scratch, "store/containers/bench");
	layers = scratch_path(&fixture->scratch, "store/layers/" LAYER "/diff\n");
	if (!fixture->store || !fixture->bundle || !layers)
		return false;
	fixture->bundle_fd = open(fixture->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fixture->bundle_fd >= 0 && file_write(fixture, "lock", "") &&
	       file_write(fixture, "image", "sha256:0\nbench:latest\n") &&
	       file_write(fixture, "image-config.json", image_config) &&
	       file_write(fixture, "layers", layers) && image_write(fixture);
}

void bundle_fixture_remove(struct bundle_fixture *fixture)
{
	if (fixture->bundle_fd >= 0)
		close(fixture->bundle_fd);
	scratch_remove(&fixture->scratch);
	free(fixture->store);
	free(fixture->bundle);
}
