/* SPDX-License-Identifier: MIT */
/* layerfs umount: what layerfs mount mounted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/path.h"
#include "base/syscalls.h"
#include "fs/rootfs/mounted.h"
#include "tools/layerfs/bundles.h"
#include "tools/layerfs/verbs.h"

struct umount_options {
	bool lazy;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct umount_options, field)

static const struct command_option options[] = {
	{ .name = "lazy",
	  .letter = 'l',
	  .type = OPTION_FLAG,
	  OPTION(lazy),
	  .help = "also where files in it are open: they stay until they are closed" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

static bool path_is_bundle(const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && faccessat(fd, "lock", F_OK, 0) == 0 &&
	       faccessat(fd, "rootfs", F_OK, 0) == 0;
}

static int path_umount(const char *path, const void *argument, struct error *error)
{
	const struct umount_options *given = argument;
	int flags = given->lazy ? MNT_DETACH : 0;
	_cleanup_bundle_ struct bundle bundle = BUNDLE_EMPTY;
	int r = path_is_mount_root(AT_FDCWD, path);

	if (r < 0)
		return error_set(error, r, "cannot unmount '%s'", path);
	if (r == 0 && path_is_bundle(path)) {
		r = bundle_open(&bundle, path, LOCK_MODE_EXCLUSIVE, error);
		return r < 0 ? r : bundle_umount(&bundle, flags, error);
	}
	if (r == 0)
		return error_say(error, -EINVAL, "'%s' is not mounted", path);
	if (sys_umount2(path, UMOUNT_NOFOLLOW | flags) < 0)
		return error_set(error, -errno, "cannot unmount '%s'", path);
	return 0;
}

static int umount_run(const struct command_call *call, struct error *error)
{
	const struct umount_options *given = call->options;

	return layerfs_bundles_each(call, given->nul ? '\0' : '\n', path_umount, given, error);
}

const struct command umount_command = {
	.name = "umount",
	.arguments = "[BUNDLE|DIR...]",
	.summary = "Unmount what mount mounted.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct umount_options),
	.max_arguments = -1,
	.run = umount_run,
};
