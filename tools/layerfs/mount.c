/* SPDX-License-Identifier: MIT */
/* layerfs mount: the merged root of a bundle on its rootfs/, or of any stack on a directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/overlay.h"
#include "base/stream.h"
#include "base/syscalls.h"
#include "fs/rootfs/branches.h"
#include "fs/rootfs/mounted.h"
#include "tools/layerfs/bundles.h"
#include "tools/layerfs/verbs.h"

struct mount_options {
	struct string_list lowers;
	struct string_list aufs;
	const char *upper;
	const char *work;
	bool is_volatile;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct mount_options, field)

static const struct command_option options[] = {
	{ .name = "lower",
	  .type = OPTION_LIST,
	  OPTION(lowers),
	  .argument = "DIR",
	  .help = "a read-only layer, topmost first; up to 500" },
	{ .name = "upper",
	  .type = OPTION_STRING,
	  OPTION(upper),
	  .argument = "DIR",
	  .help = "the read-write layer" },
	{ .name = "work",
	  .type = OPTION_STRING,
	  OPTION(work),
	  .argument = "DIR",
	  .help = "overlayfs's own, on the same file system as the upper" },
	{ .name = "options",
	  .letter = 'o',
	  .type = OPTION_LIST,
	  OPTION(aufs),
	  .argument = "br:A=rw:B=ro",
	  .help = "a stack as aufs users write it" },
	{ .name = "volatile",
	  .type = OPTION_FLAG,
	  OPTION(is_volatile),
	  .help = "don't sync on umount: a crash loses the upper" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

static unsigned int overlay_flags(const struct mount_options *given)
{
	return given->is_volatile ? OVERLAY_VOLATILE : 0;
}

/* Layers go to the kernel by absolute paths; one that isn't there is told as it was given. */
static int layer_resolve(const char *what, const char *path, char **ret_path, struct error *error)
{
	struct stat st;
	char *absolute = realpath(path, NULL);

	if (!absolute)
		return error_set(error, -errno, "%s '%s'", what, path);
	*ret_path = absolute;
	if (stat(absolute, &st) < 0)
		return error_set(error, -errno, "%s '%s'", what, path);
	return S_ISDIR(st.st_mode) ? 0 : error_set(error, -ENOTDIR, "%s '%s'", what, path);
}

/* aufs users name no work directory: it is made beside the upper, and stays there. */
static int work_make(const char *upper, char **ret_work, struct error *error)
{
	_cleanup_free_ char *work = branches_work_path(upper);
	struct stat upper_stat, work_stat;

	if (!work)
		return error_set(error, -ENOMEM, "cannot mount");
	if (mkdir(work, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make the work directory '%s'", work);
	if (stat(upper, &upper_stat) < 0 || lstat(work, &work_stat) < 0)
		return error_set(error, -errno, "work directory '%s'", work);
	if (!S_ISDIR(work_stat.st_mode))
		return error_set(error, -ENOTDIR, "work directory '%s'", work);
	if (upper_stat.st_dev != work_stat.st_dev) {
		(void)rmdir(work);
		return error_say(error, -EXDEV,
				 "'%s' is the root of a file system: name a directory in it with "
				 "--work",
				 upper);
	}
	*ret_work = take_ptr(work);
	return 0;
}

static int stack_mount(const struct overlay *overlay, const char *target, struct error *error)
{
	_cleanup_close_ int target_fd = fd_open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int mount_fd = -EBADF;
	int r;

	if (target_fd < 0)
		return error_set(error, -errno, "cannot mount on '%s'", target);
	r = overlay_mount(overlay, &mount_fd, error);
	if (r < 0)
		return r;
	if (sys_move_mount(mount_fd, "", target_fd, "",
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "cannot mount on '%s'", target);
	return 0;
}

/* --lower, --upper and --work, and the branches of -o, which come above them. */
static int stack_resolve(const struct mount_options *given, struct branches *branches,
			 struct branches *resolved, struct error *error)
{
	const char *upper = branches->upper ? branches->upper : given->upper;
	int r = 0;

	STRING_LIST_FOR_EACH (&given->lowers, i) {
		if (r == 0)
			r = string_list_add(&branches->lowers, given->lowers.items[i]);
	}
	if (r < 0)
		return error_set(error, r, "cannot mount");
	if (branches->lowers.n_items > OVERLAY_MAX_LOWERS)
		return error_say(error, -E2BIG, "%zu lowerdirs, overlayfs takes at most %d",
				 branches->lowers.n_items, OVERLAY_MAX_LOWERS);
	STRING_LIST_FOR_EACH (&branches->lowers, i) {
		char *path = NULL;

		r = layer_resolve("lower", branches->lowers.items[i], &path, error);
		if (r < 0) {
			free(path);
			return r;
		}
		r = string_list_take(&resolved->lowers, path);
		if (r < 0)
			return error_set(error, r, "cannot mount");
	}
	return upper ? layer_resolve("upper", upper, &resolved->upper, error) : 0;
}

static int stack(const struct command_call *call, struct error *error)
{
	const struct mount_options *given = call->options;
	_cleanup_branches_ struct branches branches = {}, resolved = {};
	_cleanup_free_ char *work = NULL;
	struct overlay overlay = { .flags = overlay_flags(given) };
	int r = 0;

	if (call->argc != 1)
		return error_usage(error, "a stack is mounted on one directory");
	STRING_LIST_FOR_EACH (&given->aufs, i) {
		if (r == 0)
			r = branches_parse(given->aufs.items[i], &branches, error);
	}
	if (r < 0)
		return r;
	if (branches.upper && given->upper)
		return error_usage(error, "two read-write layers, '%s' and '%s'", given->upper,
				   branches.upper);
	if (given->work && !given->upper && !branches.upper)
		return error_usage(error, "option '--work' needs an upper");
	if (given->upper && !given->work)
		return error_usage(error, "option '--upper' needs '--work'");
	r = stack_resolve(given, &branches, &resolved, error);
	if (r == 0 && resolved.upper)
		r = given->work ? layer_resolve("work", given->work, &work, error)
				: work_make(resolved.upper, &work, error);
	if (r < 0)
		return r;
	if (resolved.lowers.n_items == 0)
		return error_usage(error, "a stack needs at least one read-only layer");
	overlay.lowers = (const char *const *)resolved.lowers.items;
	overlay.n_lowers = resolved.lowers.n_items;
	overlay.upper = resolved.upper;
	overlay.work = work;
	return stack_mount(&overlay, call->argv[0], error);
}

static int bundle_visit(const char *path, const void *argument, struct error *error)
{
	_cleanup_bundle_ struct bundle bundle = BUNDLE_EMPTY;
	int r = bundle_open(&bundle, path, LOCK_MODE_EXCLUSIVE, error);

	return r < 0 ? r : bundle_mount(&bundle, overlay_flags(argument), error);
}

static int mount_run(const struct command_call *call, struct error *error)
{
	const struct mount_options *given = call->options;

	if (given->lowers.n_items > 0 || given->aufs.n_items > 0 || given->upper || given->work)
		return stack(call, error);
	return layerfs_bundles_each(call, given->nul ? '\0' : '\n', bundle_visit, given, error);
}

const struct command mount_command = {
	.name = "mount",
	.arguments = "[BUNDLE...] | --lower DIR... [--upper DIR --work DIR] DIR",
	.summary = "Mount bundles' merged roots on their rootfs/, or a stack on a directory.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct mount_options),
	.max_arguments = -1,
	.run = mount_run,
};
