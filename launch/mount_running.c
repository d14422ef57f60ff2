/* SPDX-License-Identifier: MIT */
#include "launch/mount_running.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "launch/mount.h"
#include "launch/mount_filesystem.h"

/* What the launcher and its child share: the child is vforked. */
struct change {
	int container_pidfd;
	const struct config_mount *mounts;
	int *mount_fds; /* detached clones, and what was attached */
	size_t n_mounts;
	char *const *destinations;
	size_t n_destinations;
	const char *directory, *label;
	struct error *error;
};

static int mount_check(const struct config_mount *mount, struct error *error)
{
	static const char *const of_namespaces[] = { "proc",   "sysfs",	 "mqueue",
						     "devpts", "cgroup", "cgroup2" };

	if (mount->is_remount)
		return error_say(error, -EOPNOTSUPP, "there is nothing of ours to remount");
	if (mount->propagation == MS_SHARED)
		return error_say(error, -EOPNOTSUPP,
				 "options: a container that runs can't be given a shared mount");
	for (size_t i = 0; i < sizeof(of_namespaces) / sizeof(of_namespaces[0]); i++) {
		if (!mount->is_bind && !strcmp(mount->type, of_namespaces[i]))
			return error_say(error, -EOPNOTSUPP, "type: '%s' would show the host's",
					 mount->type);
	}
	return 0;
}

/*
 * A clone of a mount that the host shares is a peer of it: what is mounted on it in the container
 * would come to the host. It becomes private, or a slave where that is asked for.
 */
static int bind_take(const struct change *change, size_t i)
{
	const struct config_mount *mount = &change->mounts[i];
	const struct mount_context context = { .root_fd = -EBADF,
					       .bundle_path = change->directory };
	struct mount_attr apart = {
		.propagation = mount->propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE,
	};
	int fd = mount_bind_make(&context, mount, change->error);

	if (fd < 0)
		return fd;
	change->mount_fds[i] = fd;
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &apart) < 0)
		return error_set(change->error, -errno, "cannot separate it from the host's mount");
	return 0;
}

static int binds_take(const struct change *change)
{
	for (size_t i = 0; i < change->n_mounts; i++) {
		int r = mount_check(&change->mounts[i], change->error);

		if (r == 0 && change->mounts[i].is_bind)
			r = bind_take(change, i);
		if (r < 0)
			return error_prefix(change->error, r, "mounts[%zu] '%s'", i,
					    change->mounts[i].destination);
	}
	return 0;
}

/* In the child: the container's mount namespace, and its root. */
static int root_join(const struct change *change)
{
	int fd;

	if (setns(change->container_pidfd, CLONE_NEWNS) < 0)
		return error_set(change->error, -errno,
				 "cannot join the container's mount namespace");
	fd = fd_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_set(change->error, -errno, "cannot open the container's root") : fd;
}

/* By its working directory, which is the mount's root: a name could mean another by now. */
static int mount_detach(int mount_fd)
{
	return fchdir(mount_fd) < 0 || sys_umount2(".", MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno
											  : 0;
}

static int mount_add_one(const struct change *change, int root_fd, size_t i)
{
	const struct config_mount *mount = &change->mounts[i];
	const struct mount_context context = { .root_fd = root_fd,
					       .bundle_path = change->directory };
	int r = 0;

	if (!mount->is_bind)
		r = change->mount_fds[i] =
			mount_filesystem_make(root_fd, mount, change->label, change->error);
	if (r >= 0)
		r = mount_place(&context, mount, change->mount_fds[i], change->error);
	return r < 0 ? error_prefix(change->error, r, "mounts[%zu] '%s'", i, mount->destination)
		     : 0;
}

static int child_add(void *argument)
{
	const struct change *change = argument;
	_cleanup_close_ int root_fd = root_join(change);
	size_t n = 0;
	int r = root_fd < 0 ? root_fd : 0;

	umask(0);
	while (r == 0 && n < change->n_mounts)
		r = mount_add_one(change, root_fd, n++);
	if (r == 0)
		return 0;
	/* The last one isn't attached, unless its propagation couldn't be set. */
	while (n > 0)
		(void)mount_detach(change->mount_fds[--n]);
	return 1;
}

static int destination_remove(const struct change *change, int root_fd, const char *destination)
{
	_cleanup_close_ int fd = path_open_in_root(root_fd, destination, O_PATH | O_NOFOLLOW, 0);
	int r = fd < 0 ? fd : path_is_mount_root(fd, "");

	if (r < 0)
		return error_set(change->error, r, "cannot look at '%s'", destination);
	if (r == 0)
		return error_say(change->error, -EINVAL, "'%s' is not a mount point", destination);
	r = mount_detach(fd);
	/* A file can't be a working directory. */
	if (r == -ENOTDIR) {
		const char *name;
		_cleanup_close_ int parent_fd =
			path_open_parent_in_root(root_fd, destination, &name);

		r = parent_fd < 0					  ? parent_fd
		    : fchdir(parent_fd) < 0				  ? -errno
		    : sys_umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno
									  : 0;
	}
	return r < 0 ? error_set(change->error, r, "cannot unmount '%s'", destination) : 0;
}

static int child_remove(void *argument)
{
	const struct change *change = argument;
	_cleanup_close_ int root_fd = root_join(change);
	int r = root_fd < 0 ? root_fd : 0;

	for (size_t i = 0; r == 0 && i < change->n_destinations; i++)
		r = destination_remove(change, root_fd, change->destinations[i]);
	return r < 0;
}

static int child_run(struct change *change, int (*function)(void *))
{
	int status, r;
	pid_t pid;

	/* In the container's mount namespace nothing may look into it (CVE-2016-9962). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(change->error, -errno, "cannot make the launcher undumpable");
	pid = process_vfork(0, -1, NULL, function, change);
	if (pid < 0)
		return error_set(change->error, (int)pid, "cannot make a process");
	r = process_wait(pid, &status);
	if (r < 0)
		return error_set(change->error, r, "cannot wait for the process");
	if (status == 0)
		return 0;
	return change->error->code < 0
		       ? change->error->code
		       : error_say(change->error, -EIO, "the process that was to do it was killed");
}

int mount_running_add(int container_pidfd, const struct config_mount *mounts, size_t n_mounts,
		      const char *directory, const char *label, struct error *error)
{
	_cleanup_free_ int *mount_fds = calloc(n_mounts + 1, sizeof(*mount_fds));
	struct change change = {
		.container_pidfd = container_pidfd,
		.mounts = mounts,
		.mount_fds = mount_fds,
		.n_mounts = n_mounts,
		.directory = directory,
		.label = label,
		.error = error,
	};
	int r;

	if (!mount_fds)
		return error_set(error, -ENOMEM, "cannot mount");
	for (size_t i = 0; i < n_mounts; i++)
		mount_fds[i] = -EBADF;
	r = binds_take(&change);
	if (r == 0)
		r = child_run(&change, child_add);
	/* The child's descriptors were its own. */
	for (size_t i = 0; i < n_mounts; i++) {
		if (mounts[i].is_bind)
			cleanup_close(&mount_fds[i]);
	}
	return r;
}

int mount_running_remove(int container_pidfd, char *const *destinations, size_t n_destinations,
			 struct error *error)
{
	struct change change = {
		.container_pidfd = container_pidfd,
		.destinations = destinations,
		.n_destinations = n_destinations,
		.error = error,
	};

	for (size_t i = 0; i < n_destinations; i++) {
		if (destinations[i][0] != '/' || !destinations[i][strspn(destinations[i], "/.")])
			return error_say(error, -EINVAL,
					 "'%s' is not an absolute path below the root",
					 destinations[i]);
	}
	return child_run(&change, child_remove);
}
