/* SPDX-License-Identifier: MIT */
#include "launch/bundle.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mount_mark.h"
#include "base/overlay.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/root.h"
#include "launch/state.h"

#define RUNNING_FILE "running"

/* What the file says; -ENOENT: there is none, or one that is a stranger's; or a negative errno. */
static int mark_read(int bundle_fd, pid_t *ret_pid, uint64_t *ret_start_time)
{
	_cleanup_free_ char *text = NULL;
	uint64_t start_time;
	int r = file_read_at(bundle_fd, RUNNING_FILE, 64, &text, NULL);
	int pid;

	if (r == -EISDIR || r == -EFBIG)
		return -ENOENT;
	if (r < 0)
		return r;
	if (sscanf(text, "%d %" SCNu64, &pid, &start_time) != 2)
		return -ENOENT;
	*ret_pid = pid;
	*ret_start_time = start_time;
	return 0;
}

static int bundle_lock(struct launch_bundle *bundle, struct error *error)
{
	TRACE_PHASE("lock.wait");
	uint64_t start_time;
	pid_t pid;
	int r;

	bundle->lock_fd = openat(bundle->fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (bundle->lock_fd < 0)
		return errno == ENOENT ? 0
				       : error_set(error, -errno, "cannot open the bundle's lock");
	r = lock_try(bundle->lock_fd, LOCK_MODE_EXCLUSIVE);
	if (r == -EWOULDBLOCK)
		return error_say(error, -EBUSY, "the bundle '%s' is in use", bundle->path);
	if (r < 0)
		return error_set(error, r, "cannot lock the bundle '%s'", bundle->path);
	r = mark_read(bundle->fd, &pid, &start_time);
	if (r < 0 && r != -ENOENT)
		return error_set(error, r, "cannot see whether the bundle '%s' is in use",
				 bundle->path);
	if (r == 0 && process_is_running(pid, start_time))
		return error_say(error, -EBUSY, "the bundle '%s' is in use by process %d",
				 bundle->path, (int)pid);
	return 0;
}

/* For other runtimes the source has the sub-path behind it: what is resolved is below the rest. */
static void subpath_cut(char *source, const char *subpath)
{
	size_t n = strlen(source), n_subpath = strlen(subpath);

	if (n > n_subpath && source[n - n_subpath - 1] == '/' &&
	    !strcmp(source + n - n_subpath, subpath))
		source[n - n_subpath - 1] = '\0';
}

/* What the bundle's `mounts` file names is resolved at start: the sub-path goes with its mount. */
static void mounts_name(struct launch_bundle *bundle)
{
	for (size_t i = 0; bundle->mounts.n_items && i < bundle->config.n_mounts; i++) {
		struct config_mount *mount = &bundle->config.mounts[i];
		const struct bundle_mount *named =
			bundle_mounts_find(&bundle->mounts, mount->destination);

		if (named && mount->is_bind && (named->volume || named->subpath)) {
			mount->source = named->source;
			mount->subpath = named->subpath;
			if (named->subpath)
				subpath_cut(named->source, named->subpath);
		}
	}
}

static int root_place_open(struct launch_bundle *bundle, struct error *error)
{
	const char *path = bundle->config.root_path;

	bundle->root_path =
		*path == '/' ? strdup(path) : string_format("%s/%s", bundle->path, path);
	if (!bundle->root_path)
		return error_set(error, -ENOMEM, "cannot open the root");
	bundle->root_place_fd = openat(bundle->fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle->root_place_fd < 0)
		return error_set(error, -errno, "cannot open the root '%s'", bundle->root_path);
	return 0;
}

/* Who can write the directory can put another `overlay` in it. */
static int directory_check(const struct launch_bundle *bundle, struct error *error)
{
	struct stat st;

	if (fstat(bundle->fd, &st) < 0)
		return error_set(error, -errno, "cannot look at the bundle");
	if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & 022)
		return error_say(
			error, -EPERM,
			"its directory is not yours alone to write, and '%s' in it decides "
			"which root is mounted",
			OVERLAY_FILE_NAME);
	return 0;
}

static int bundle_read(struct launch_bundle *bundle, const char *config_name, struct error *error)
{
	int r;

	{
		TRACE_PHASE("spec.parse");
		r = config_parse_file(&bundle->config, bundle->fd,
				      config_name ? config_name : "config.json", error);
		if (r < 0)
			return r;
	}
	r = overlay_file_read(bundle->fd, &bundle->overlay, error);
	if (r < 0 && r != -ENOENT)
		return r;
	bundle->has_overlay = r == 0;
	if (bundle->has_overlay) {
		r = directory_check(bundle, error);
		if (r < 0)
			return r;
	}
	r = bundle_mounts_read(bundle->fd, &bundle->mounts, error);
	if (r < 0)
		return r;
	mounts_name(bundle);
	return root_place_open(bundle, error);
}

/* Filled in place: the values of its config point to the document in it. */
static int bundle_open(struct launch_bundle *bundle, const char *path, const char *config_name,
		       struct error *error)
{
	int r;

	/* An absolute path is taken as it is: resolving it costs a system call a component. */
	bundle->path = *path == '/' ? strdup(path) : realpath(path, NULL);
	if (!bundle->path)
		return error_set(error, -errno, "cannot open the bundle '%s'", path);
	for (size_t n = strlen(bundle->path); n > 1 && bundle->path[n - 1] == '/'; n--)
		bundle->path[n - 1] = '\0';
	bundle->id = strrchr(bundle->path, '/') + 1;
	bundle->fd = fd_open(bundle->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle->fd < 0)
		return error_set(error, -errno, "cannot open the bundle '%s'", path);
	r = bundle_lock(bundle, error);
	if (r < 0)
		return r;
	r = bundle_read(bundle, config_name, error);
	return r < 0 ? error_prefix(error, r, "bundle '%s'", path) : 0;
}

int launch_bundle_open(struct launch_bundle *bundle, const char *path, const char *config_name,
		       struct error *error)
{
	TRACE_PHASE("bundle.open");
	int r;

	*bundle = LAUNCH_BUNDLE_EMPTY;
	r = bundle_open(bundle, path, config_name, error);
	if (r < 0)
		launch_bundle_close(bundle);
	return r;
}

void launch_bundle_close(struct launch_bundle *bundle)
{
	cleanup_close(&bundle->fd);
	cleanup_close(&bundle->lock_fd);
	cleanup_close(&bundle->root_place_fd);
	config_deinit(&bundle->config);
	overlay_file_deinit(&bundle->overlay);
	bundle_mounts_deinit(&bundle->mounts);
	free(bundle->path);
	free(bundle->root_path);
	*bundle = LAUNCH_BUNDLE_EMPTY;
}

/*
 * What lies at root.path, with the mounts below it. Where the host shares its mounts (systemd does)
 * a clone is shared too, and would carry all that is mounted on it back to the host: it is made
 * what the container's mounts become (root_attach()) before anything else.
 */
static int root_clone_from(const struct launch_bundle *bundle, int place_fd)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
	struct mount_attr attributes = {
		.propagation = root_host_propagation(bundle->config.root_propagation),
	};
	_cleanup_close_ int fd = sys_open_tree_attr(place_fd, "", flags, &attributes);

	if (fd < 0 && errno == ENOSYS) {
		fd = sys_open_tree(place_fd, "", flags);
		if (fd >= 0 &&
		    sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0)
			return -errno;
	}
	return fd < 0 ? -errno : take_fd(&fd);
}

/*
 * In the child of a launcher without rights the place is found again by its name: what the launcher
 * opened is of a mount of another namespace, which can't be cloned here. It must be the same.
 */
static int root_clone(const struct launch_bundle *bundle)
{
	_cleanup_close_ int here_fd = -EBADF;
	struct stat opened, here;
	int fd = root_clone_from(bundle, bundle->root_place_fd);

	if (fd != -EINVAL)
		return fd;
	here_fd = fd_open(bundle->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here_fd < 0 || fstat(here_fd, &here) < 0 || fstat(bundle->root_place_fd, &opened) < 0)
		return -errno;
	if (here.st_dev != opened.st_dev || here.st_ino != opened.st_ino)
		return -ESTALE;
	return root_clone_from(bundle, here_fd);
}

int launch_bundle_root(const struct launch_bundle *bundle, int *ret_tmpfs_fd, struct error *error)
{
	TRACE_PHASE("ovl.create");
	const struct overlay_file *file = &bundle->overlay;
	struct overlay overlay = {
		.lowers = (const char *const *)file->lowers.items,
		.n_lowers = file->lowers.n_items,
		.upper = file->upper,
		.work = file->work,
		.ephemeral_bytes = file->ephemeral_bytes,
		.flags = file->is_ephemeral ? OVERLAY_EPHEMERAL : 0,
		.ret_tmpfs_fd = ret_tmpfs_fd,
	};
	int fd, pid = 0, r;
	int mark = bundle->has_overlay ? mount_mark_state(bundle->fd, "rootfs", "mounted", &pid)
				       : MOUNT_MARK_NONE;

	if (ret_tmpfs_fd)
		*ret_tmpfs_fd = -EBADF;
	if (mark < 0)
		return error_set(error, mark, "cannot look at 'rootfs'");
	if (bundle->has_overlay && mark == MOUNT_MARK_OTHER)
		return error_say(error, -EBUSY,
				 "the bundle is mounted in another mount namespace, of process %d: "
				 "unmount it there",
				 pid);
	if (!bundle->has_overlay || mark == MOUNT_MARK_HERE) {
		fd = root_clone(bundle);
		return fd < 0 ? error_set(error, fd, "cannot take the root '%s'", bundle->root_path)
			      : fd;
	}
	r = overlay_mount(&overlay, &fd, error);
	return r < 0 ? error_prefix(error, r, "the root") : fd;
}

int launch_bundle_mark(const struct launch_bundle *bundle, pid_t pid, uint64_t start_time,
		       struct error *error)
{
	char text[64];
	int n, r;

	if (bundle->lock_fd < 0)
		return 0;
	n = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)pid, start_time);
	r = file_replace_at(bundle->fd, RUNNING_FILE, text, (size_t)n, 0600, 0);
	return r < 0 ? error_set(error, r, "cannot mark the bundle '%s'", bundle->path) : 0;
}

int launch_bundle_unmark(const char *path, pid_t pid, uint64_t start_time)
{
	_cleanup_close_ int fd = fd_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t marked_time = 0;
	pid_t marked_pid = 0;
	int r = fd < 0 ? -errno : mark_read(fd, &marked_pid, &marked_time);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	/* Another container may have the bundle by now, and a stranger's bundle a file so named. */
	if (marked_pid != pid || marked_time != start_time)
		return 0;
	return unlinkat(fd, RUNNING_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
}
