/* SPDX-License-Identifier: MIT */
/*
 * Layers: whatever the archive, nothing outside of the directory changes. The directory is
 * SCRATCH/layer; beside it are a canary and its content, which the names in the inputs try to
 * reach.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "fs/archive/decompress.h"
#include "fs/layer/apply.h"

static struct {
	char path[64];
	int fd;
	struct stat scratch, canary;
} fuzz = { .fd = -1 };

static void scratch_remove(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s", fuzz.path);
	path_remove_tree(AT_FDCWD, path);
}

static void scratch_make(void)
{
	snprintf(fuzz.path, sizeof(fuzz.path), "/dev/shm/lamina-fuzz.XXXXXX");
	if (!mkdtemp(fuzz.path))
		abort();
	atexit(scratch_remove);
	umask(0);
	fuzz.fd = open(fuzz.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fuzz.fd < 0 || mkdirat(fuzz.fd, "layer", 0755) < 0 ||
	    file_write_at(fuzz.fd, "canary", "safe", 4, 0600) < 0)
		abort();
}

static void canary_check(void)
{
	struct stat st;

	if (fstatat(fuzz.fd, "canary", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_nlink != fuzz.canary.st_nlink || st.st_mode != fuzz.canary.st_mode ||
	    st.st_uid != fuzz.canary.st_uid || st.st_size != fuzz.canary.st_size ||
	    memcmp(&st.st_mtim, &fuzz.canary.st_mtim, sizeof(st.st_mtim)) ||
	    memcmp(&st.st_ctim, &fuzz.canary.st_ctim, sizeof(st.st_ctim)))
		abort();
	/* Nothing beside it either. */
	if (fstat(fuzz.fd, &st) < 0 ||
	    memcmp(&st.st_mtim, &fuzz.scratch.st_mtim, sizeof(st.st_mtim)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_decompressed_bytes_ struct decompressed_bytes plain = {};
	_cleanup_close_ int layer_fd = -EBADF;
	struct layer_report report = {};
	struct memory_bytes memory;
	struct error error;
	int r;

	if (fuzz.fd < 0)
		scratch_make();
	if (path_remove_tree(fuzz.fd, "layer") < 0 || mkdirat(fuzz.fd, "layer", 0755) < 0 ||
	    fstat(fuzz.fd, &fuzz.scratch) < 0 ||
	    fstatat(fuzz.fd, "canary", &fuzz.canary, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
	layer_fd = openat(fuzz.fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer_fd < 0)
		abort();
	error_init(&error);
	memory_bytes_init(&memory, bytes, n_bytes);
	r = decompressed_bytes_init(&plain, &memory.stream, &error);
	if (r == 0)
		r = layer_apply(layer_fd, &plain.stream, &report, &error);
	if (r < 0 && !error.message[0])
		abort();
	layer_report_deinit(&report);
	canary_check();
	return 0;
}
