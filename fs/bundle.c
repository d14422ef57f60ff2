/* SPDX-License-Identifier: MIT */
#include "fs/bundle.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/overlay.h"
#include "base/process.h"
#include "base/trace.h"

/* 500 lowers of PATH_MAX bytes each. */
#define BUNDLE_FILE_MAX_BYTES (4u << 20)

static char *path_absolute(const char *path)
{
	_cleanup_free_ char *directory = NULL;
	char *absolute;

	if (*path == '/') {
		absolute = strdup(path);
	} else {
		directory = getcwd(NULL, 0);
		absolute = directory ? string_format("%s/%s", directory, path) : NULL;
	}
	for (size_t n = absolute ? strlen(absolute) : 0; n > 1 && absolute[n - 1] == '/'; n--)
		absolute[n - 1] = '\0';
	return absolute;
}

pid_t bundle_running_pid(int bundle_fd)
{
	_cleanup_free_ char *text = NULL;
	char *end;
	long pid;

	if (file_read_at(bundle_fd, "running", 64, &text, NULL) < 0)
		return 0;
	pid = strtol(text, &end, 10);
	if (pid <= 0 || pid > INT32_MAX || *end != ' ')
		return 0;
	return process_is_running((pid_t)pid, strtoull(end + 1, NULL, 10)) ? (pid_t)pid : 0;
}

int bundle_open(struct bundle *bundle, const char *path, enum lock_mode mode, struct error *error)
{
	TRACE_PHASE("bundle.open");
	_cleanup_(bundle_close) struct bundle opened = BUNDLE_EMPTY;
	int r;

	opened.path = path_absolute(path);
	if (!opened.path)
		return error_set(error, -ENOMEM, "cannot open the bundle '%s'", path);
	opened.id = strrchr(opened.path, '/') + 1;
	opened.fd = fd_open(opened.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened.fd < 0)
		return error_set(error, -errno, "cannot open the bundle '%s'", path);
	opened.lock_fd = openat(opened.fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (opened.lock_fd < 0 && errno == ENOENT)
		return error_say(error, -EINVAL, "'%s' is not a bundle made by layerfs create",
				 path);
	if (opened.lock_fd < 0)
		return error_set(error, -errno, "cannot open the lock of the bundle '%s'", path);
	r = lock_try(opened.lock_fd, mode);
	if (r == -EWOULDBLOCK)
		return error_say(error, -EBUSY, "the bundle '%s' is in use", path);
	if (r < 0)
		return error_set(error, r, "cannot lock the bundle '%s'", path);
	if (mode == LOCK_MODE_EXCLUSIVE && bundle_running_pid(opened.fd))
		return error_say(error, -EBUSY, "the bundle '%s' is in use by process %d", path,
				 (int)bundle_running_pid(opened.fd));
	*bundle = opened;
	opened = BUNDLE_EMPTY;
	return 0;
}

void bundle_close(struct bundle *bundle)
{
	TRACE_PHASE("bundle.close");

	cleanup_close(&bundle->fd);
	cleanup_close(&bundle->lock_fd);
	free(bundle->path);
	*bundle = BUNDLE_EMPTY;
}

bool bundle_is_complete(const struct bundle *bundle)
{
	return faccessat(bundle->fd, "config.json", F_OK, 0) == 0;
}

int bundle_lines(const struct bundle *bundle, const char *name, struct string_list *lines)
{
	_cleanup_free_ char *text = NULL;
	char *rest;
	int r = file_read_at(bundle->fd, name, BUNDLE_FILE_MAX_BYTES, &text, NULL);

	rest = text;
	while (r == 0 && rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (*line)
			r = string_list_add(lines, line);
	}
	return r;
}

int bundle_lowers(const struct bundle *bundle, struct string_list *lowers, struct error *error)
{
	int r = bundle_lines(bundle, "init-layer", lowers);

	if (r < 0 && r != -ENOENT)
		return error_set(error, r, "cannot read '%s/init-layer'", bundle->path);
	r = bundle_lines(bundle, "layers", lowers);
	if (r < 0)
		return error_set(error, r, "cannot read '%s/layers'", bundle->path);
	return 0;
}

int bundle_open_root(const struct bundle *bundle, enum bundle_root which, int *ret_mount_fd,
		     struct error *error)
{
	_cleanup_strings_ struct string_list lowers = {};
	_cleanup_free_ char *upper = NULL, *work = NULL;
	struct overlay overlay = {};
	int r = bundle_lowers(bundle, &lowers, error);

	if (r < 0)
		return r;
	overlay.lowers = (const char *const *)lowers.items;
	overlay.n_lowers = lowers.n_items;
	if (which == BUNDLE_ROOT_MERGED) {
		if (faccessat(bundle->fd, "upper", F_OK, 0) < 0)
			return error_say(error, -EINVAL,
					 "the bundle '%s' has no read-write layer on disk",
					 bundle->path);
		upper = string_format("%s/upper", bundle->path);
		work = string_format("%s/work", bundle->path);
		if (!upper || !work)
			return error_set(error, -ENOMEM, "cannot mount '%s'", bundle->path);
		overlay.upper = upper;
		overlay.work = work;
	}
	r = overlay_mount(&overlay, ret_mount_fd, error);
	return r < 0 ? error_prefix(error, r, "bundle '%s'", bundle->path) : 0;
}
