/* SPDX-License-Identifier: MIT */
#include "launch/mount.h"

#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/cgroup/mount.h"
#include "launch/mount_filesystem.h"
#include "launch/mount_source.h"
#include "launch/pool.h"
#include "launch/procfs.h"
#include "launch/tune.h"

/* What runc lets lie over files in /proc (lxcfs and the like); anything else there is refused. */
static const char *const proc_allowed[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static const char *mount_phase(const struct config_mount *mount)
{
	static const struct {
		const char *type, *destination, *phase;
	} phases[] = {
		{ "proc", NULL, "mnt.proc" },	  { "tmpfs", "/dev", "mnt.dev" },
		{ "devpts", NULL, "mnt.devpts" }, { "tmpfs", "/dev/shm", "mnt.shm" },
		{ "mqueue", NULL, "mnt.mqueue" }, { "sysfs", NULL, "mnt.sys" },
		{ "cgroup", NULL, "mnt.cgroup" },
	};

	if (mount->is_bind)
		return "mnt.bind";
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (!strcmp(mount->type, phases[i].type) &&
		    (!phases[i].destination || !strcmp(mount->destination, phases[i].destination)))
			return phases[i].phase;
	}
	return "mnt.other";
}

/* 1, 0 or a negative errno: what can't be told is not taken for a no. */
static int is_file_system(int fd, long magic)
{
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return -errno;
	return (long)st.f_type == magic;
}

static int attributes_set(int mount_fd, uint64_t set, uint64_t clear, unsigned long propagation,
			  bool recursive)
{
	struct mount_attr attributes = { .attr_set = set,
					 .attr_clr = clear & ~(set & ~(uint64_t)MOUNT_ATTR__ATIME),
					 .propagation = propagation };

	if (!attributes.attr_set && !attributes.attr_clr && !propagation)
		return 0;
	return sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
				 &attributes) < 0
		       ? -errno
		       : 0;
}

int mount_shared_clone(struct mount_context *context, const struct config *config,
		       struct error *error)
{
	if (!(config->root_propagation & MS_SHARED))
		return 0;
	context->shared_fds = calloc(config->n_mounts + 1, sizeof(*context->shared_fds));
	if (!context->shared_fds)
		return error_set(error, -ENOMEM, "'mounts'");
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		context->shared_fds[i] = -EBADF;
		if (!mount->is_bind || mount->is_remount || mount->propagation != MS_SHARED)
			continue;
		context->shared_fds[i] = mount_source_clone(context->bundle_path, mount, error);
		if (context->shared_fds[i] < 0)
			return error_prefix(error, context->shared_fds[i], "mounts[%zu] '%s'", i,
					    mount->destination);
	}
	return 0;
}

/* What was taken already, by the launcher or by mount_shared_clone(), or -EBADF. */
static int taken_find(const struct mount_context *context, size_t i)
{
	int fd = context->shared_fds ? context->shared_fds[i] : -EBADF;

	return fd >= 0 ? fd : mount_sources_tree(context->sources, i);
}

static int bind_make(const struct mount_context *context, const struct config_mount *mount,
		     int taken_fd, struct error *error)
{
	_cleanup_close_ int fd = taken_fd;
	int r;

	if (fd < 0)
		fd = mount_source_clone(context->bundle_path, mount, error);
	if (fd < 0)
		return fd;
	r = attributes_set(fd, mount->attributes, mount->attributes_clear, 0, false);
	if (r < 0)
		return error_set(error, r, "options: cannot set those of the bind");
	return take_fd(&fd);
}

int mount_bind_make(const struct mount_context *context, const struct config_mount *mount,
		    struct error *error)
{
	return bind_make(context, mount, -EBADF, error);
}

/*
 * The kernel makes no sysfs in a user namespace whose network namespace is somebody else's: it is
 * the host's then, read-only with all that is mounted there, as with crun.
 */
static int sysfs_replace(const struct mount_context *context, const struct config_mount *mount,
			 size_t i, struct error *error)
{
	static const struct config_mount host = { .source = "/sys", .recursive = true };
	_cleanup_close_ int fd = taken_find(context, i);
	int r;

	if (fd < 0)
		fd = mount_source_clone(context->bundle_path, &host, error);
	if (fd < 0)
		return fd;
	r = attributes_set(fd, mount->attributes | MOUNT_ATTR_RDONLY, 0, 0, true);
	if (r < 0)
		return error_set(error, r, "cannot make the host's sysfs read-only");
	return take_fd(&fd);
}

/* As a detached mount. */
static int any_make(const struct mount_context *context, const struct config *config, size_t i,
		    struct error *error)
{
	const struct config_mount *mount = &config->mounts[i];
	int idmap_fd = mount_sources_idmap(context->sources, i);
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (mount->is_bind)
		return bind_make(context, mount, taken_find(context, i), error);
	fd = mount_filesystem_make(context->root_fd, mount, config->mount_label, error);
	if (fd == -EPERM && !strcmp(mount->type, "sysfs") &&
	    config_find_namespace(config, CLONE_NEWUSER))
		return sysfs_replace(context, mount, i, error);
	if (fd < 0 || idmap_fd < 0)
		return take_fd(&fd);
	r = mount_idmap(fd, idmap_fd, false, error);
	return r < 0 ? r : take_fd(&fd);
}

/* Is this the root's /proc, by whatever name it was found? 1, 0 or a negative errno. */
static int is_proc_directory(int root_fd, int target_fd)
{
	struct stat proc, target;

	if (fstatat(root_fd, "proc", &proc, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(target_fd, &target) < 0)
		return -errno;
	return proc.st_ino == target.st_ino && proc.st_dev == target.st_dev;
}

static bool is_whole_procfs(int mount_fd)
{
	struct stat st;

	return is_file_system(mount_fd, PROC_SUPER_MAGIC) == 1 && fstat(mount_fd, &st) == 0 &&
	       st.st_ino == PROC_ROOT_INODE;
}

/* Where a mount goes. */
struct target {
	int fd;
	bool is_by_name; /* no link was on the way: it is what its words say */
};

/* Destinations in /proc, and of the file systems that must not land elsewhere. */
static int destination_check(const struct mount_context *context, const struct config_mount *mount,
			     const struct target *target, int mount_fd, struct error *error)
{
	int r = 0;

	if (mount->is_bind || strcmp(mount->type, "proc"))
		r = target->is_by_name ? !strcmp(mount->destination, "/proc")
				       : is_proc_directory(context->root_fd, target->fd);
	if (r == 1 && !is_whole_procfs(mount_fd))
		return error_say(error, -EPERM, "only a procfs can be mounted there");
	if (r >= 0)
		r = is_file_system(target->fd, PROC_SUPER_MAGIC);
	if (r < 0)
		return error_set(error, r, "cannot look at the destination");
	if (r == 1 && strcmp(mount->destination, "/proc")) {
		for (size_t i = 0; i < sizeof(proc_allowed) / sizeof(proc_allowed[0]); i++) {
			if (!strcmp(proc_allowed[i], mount->destination))
				return 0;
		}
		return error_say(error, -EPERM, "it is inside /proc");
	}
	return 0;
}

/* The place in the root where no link is on the way, and its parent is there; or a reason. */
static int target_open_plainly(const struct mount_context *context,
			       const struct config_mount *mount, bool is_directory)
{
	int fd = path_open_beneath(context->root_fd, mount->destination,
				   O_PATH | (is_directory ? O_DIRECTORY : 0), 0);

	if (fd == -ENOENT && is_directory)
		fd = path_mkdir_beneath(context->root_fd, mount->destination, 0755);
	return fd;
}

/* The place in the root, made where it is missing: a directory, or a file for a file. */
static int target_open(const struct mount_context *context, const struct config_mount *mount,
		       bool is_directory, struct target *ret_target, struct error *error)
{
	/* Not through any link: these must be where everybody looks (CVE-2019-19921). */
	bool strict =
		!mount->is_bind && (!strcmp(mount->type, "proc") || !strcmp(mount->type, "sysfs"));
	int fd = target_open_plainly(context, mount, is_directory);

	*ret_target = (struct target){ .fd = fd, .is_by_name = true };
	if (fd >= 0)
		return 0;
	if (strict && (fd == -ELOOP || fd == -ENOTDIR))
		return error_say(error, -ENOTDIR, "'%s' must be an ordinary directory",
				 mount->destination);
	if (strict && fd != -ENOENT && fd != -EEXIST)
		return error_set(error, fd, "cannot open the destination");
	fd = is_directory ? path_mkdir_in_root(context->root_fd, mount->destination, 0755)
			  : path_make_file_in_root(context->root_fd, mount->destination, 0755);
	if (fd >= 0 && strict) {
		/* A link may have come in between: what was made is looked for without any. */
		close(fd);
		fd = path_open_beneath(context->root_fd, mount->destination, O_PATH | O_DIRECTORY,
				       0);
	}
	*ret_target = (struct target){ .fd = fd };
	return fd < 0 ? error_set(error, fd, "cannot make the destination") : 0;
}

static int mount_attach(const struct config_mount *mount, int mount_fd, int target_fd,
			struct error *error)
{
	int r = attributes_set(mount_fd, mount->recursive_set, mount->recursive_clear, 0, true);

	if (r < 0)
		return error_set(error, r, "options: cannot set the recursive ones");
	if (sys_move_mount(mount_fd, "", target_fd, "",
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "cannot attach it");
	r = attributes_set(mount_fd, 0, 0, mount->propagation, mount->propagation_recursive);
	return r < 0 ? error_set(error, r, "options: cannot set the propagation") : 0;
}

/* A procfs with everything in it, and writable. */
static bool is_plain_procfs(const struct config_mount *mount)
{
	return !mount->is_bind && !strcmp(mount->type, "proc") && !mount->data[0] &&
	       !(mount->attributes & MOUNT_ATTR_RDONLY);
}

int mount_place(const struct mount_context *context, const struct config_mount *mount, int mount_fd,
		struct error *error)
{
	_cleanup_close_ int target_fd = -EBADF;
	bool is_directory = true;
	struct target target;
	struct stat st;
	int r;

	if (mount->is_bind) {
		if (fstat(mount_fd, &st) < 0)
			return error_set(error, -errno, "cannot look at the source");
		is_directory = S_ISDIR(st.st_mode);
	}
	r = target_open(context, mount, is_directory, &target, error);
	if (r < 0)
		return r;
	target_fd = target.fd;
	r = destination_check(context, mount, &target, mount_fd, error);
	return r < 0 ? r : mount_attach(mount, mount_fd, target_fd, error);
}

static int cgroups_place(const struct mount_context *context, const struct config_mount *mount,
			 struct error *error)
{
	_cleanup_close_ int target_fd = -EBADF;
	struct target target;
	int r = target_open(context, mount, true, &target, error);

	if (r < 0)
		return r;
	target_fd = target.fd;
	return cgroup_mount(context->cgroup, target_fd, (unsigned int)mount->attributes,
			    context->private_cgroups, context->clones, error);
}

static bool is_cgroups(const struct config_mount *mount)
{
	return !mount->is_bind &&
	       (!strcmp(mount->type, "cgroup") || !strcmp(mount->type, "cgroup2"));
}

/* In one call, where that is possible; else nothing is mounted, and any_make() says why. */
static bool put(const struct mount_context *context, const struct config *config, size_t i)
{
	const struct config_mount *mount = &config->mounts[i];
	_cleanup_close_ int target_fd = -EBADF;
	struct target target;

	/* A procfs is written to before it is attached. */
	if (!mount_filesystem_is_plain(mount, config->mount_label) ||
	    !strcmp(mount->type, "proc") || mount_sources_idmap(context->sources, i) >= 0 ||
	    target_open(context, mount, true, &target, NULL) < 0)
		return false;
	target_fd = target.fd;
	return destination_check(context, mount, &target, -EBADF, NULL) == 0 &&
	       mount_filesystem_put(target_fd, mount) == 0;
}

/* "remount": what lies there already gets the options, and nothing is mounted. */
static int mount_change(const struct mount_context *context, const struct config_mount *mount,
			struct error *error)
{
	_cleanup_close_ int fd = path_open_in_root(context->root_fd, mount->destination, O_PATH, 0);
	int r;

	if (fd < 0)
		return error_set(error, fd, "cannot open the destination");
	r = attributes_set(fd, mount->attributes, mount->attributes_clear, mount->propagation,
			   mount->recursive || mount->propagation_recursive);
	if (r == 0)
		r = attributes_set(fd, mount->recursive_set, mount->recursive_clear, 0, true);
	if (r == -EINVAL)
		return error_say(error, r, "there is no mount to remount");
	return r < 0 ? error_set(error, r, "cannot remount it") : 0;
}

static int mount_one(struct mount_context *context, const struct config *config, size_t i,
		     struct error *error)
{
	const struct config_mount *mount = &config->mounts[i];
	TRACE_PHASE(mount_phase(mount));
	_cleanup_close_ int mount_fd = -EBADF;
	int r;

	if (mount->is_remount) {
		r = mount_change(context, mount, error);
	} else if (is_cgroups(mount)) {
		r = cgroups_place(context, mount, error);
	} else if (context->dev_fd >= 0 && pool_dev_is(config, i)) {
		r = mount_place(context, mount, context->dev_fd, error);
		cleanup_close(&context->dev_fd);
		context->dev_fd = -EBADF;
	} else if (put(context, config, i)) {
		r = 0;
	} else {
		r = mount_fd = any_make(context, config, i, error);
		if (r >= 0 && is_plain_procfs(mount) && !context->is_tuned) {
			r = tune_apply(config, mount_fd, context->is_strict, error);
			/* It names fields of its own. */
			if (r < 0)
				return r;
			context->is_tuned = true;
		}
		if (r >= 0)
			r = mount_place(context, mount, mount_fd, error);
	}
	return r < 0 ? error_prefix(error, r, "mounts[%zu] '%s'", i, mount->destination) : 0;
}

int mount_all(struct mount_context *context, const struct config *config, struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->n_mounts; i++)
		r = mount_one(context, config, i, error);
	free(context->shared_fds);
	context->shared_fds = NULL;
	return r;
}

/* The two things that masks are made of: an empty directory, and the host's /dev/null. */
struct masks {
	int directory_fd; /* a detached tmpfs of one inode, read-only */
	int null_fd;	  /* a detached bind of /dev/null */
	bool directory_is_used, null_is_used;
};

static int empty_directory_make(void)
{
	_cleanup_close_ int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				 MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The host's own node, checked to be it: never the container's (CVE-2025-31133). */
int mount_null_clone(void)
{
	_cleanup_close_ int fd = mount_clone(AT_FDCWD, "/dev/null", 0, MS_PRIVATE);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != (dev_t)0x103)
		return -ENODEV;
	return take_fd(&fd);
}

/* The first use takes the mount itself, each further one a clone of it. */
static int mask_one(const struct mount_context *context, struct masks *masks, const char *path,
		    struct error *error)
{
	_cleanup_close_ int target_fd = path_open_in_root(context->root_fd, path, O_PATH, 0);
	_cleanup_close_ int clone_fd = -EBADF;
	int *mask_fd, fd;
	struct stat st;
	bool *is_used;

	/* Most kernels lack some of the list. */
	if (target_fd == -ENOENT || target_fd == -ENOTDIR)
		return 0;
	if (target_fd < 0 || fstat(target_fd, &st) < 0)
		return error_set(error, target_fd < 0 ? target_fd : -errno,
				 "linux.maskedPaths: cannot open '%s'", path);
	mask_fd = S_ISDIR(st.st_mode) ? &masks->directory_fd : &masks->null_fd;
	is_used = S_ISDIR(st.st_mode) ? &masks->directory_is_used : &masks->null_is_used;
	if (*mask_fd < 0)
		*mask_fd = S_ISDIR(st.st_mode) ? empty_directory_make() : mount_null_clone();
	if (*mask_fd < 0)
		return error_set(error, *mask_fd,
				 "linux.maskedPaths: cannot make the mask for '%s'", path);
	fd = *mask_fd;
	if (*is_used)
		fd = clone_fd = sys_open_tree(*mask_fd, "",
					      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	*is_used = true;
	if (fd < 0 || sys_move_mount(fd, "", target_fd, "",
				     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "linux.maskedPaths: cannot mask '%s'", path);
	return 0;
}

static int read_only_one(const struct mount_context *context, const char *path, struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
	_cleanup_close_ int target_fd = path_open_in_root(context->root_fd, path, O_PATH, 0);
	_cleanup_close_ int clone_fd = -EBADF;

	if (target_fd == -ENOENT || target_fd == -ENOTDIR)
		return 0;
	if (target_fd < 0)
		return error_set(error, target_fd,
				 "linux.readonlyPaths: cannot make '%s' read-only", path);
	clone_fd = sys_open_tree_attr(target_fd, "", flags, &attributes);
	if (clone_fd < 0 && errno == ENOSYS) {
		clone_fd = sys_open_tree(target_fd, "", flags);
		if (clone_fd >= 0 &&
		    sys_mount_setattr(clone_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0)
			return error_set(error, -errno,
					 "linux.readonlyPaths: cannot make '%s' read-only", path);
	}
	if (clone_fd < 0 || sys_move_mount(clone_fd, "", target_fd, "",
					   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "linux.readonlyPaths: cannot make '%s' read-only",
				 path);
	return 0;
}

static int masks_all(const struct mount_context *context, struct masks *masks, char **paths,
		     struct error *error)
{
	for (char **path = paths; path && *path; path++) {
		int r = mask_one(context, masks, *path, error);

		if (r < 0)
			return r;
	}
	return 0;
}

int mount_masks(const struct mount_context *context, const struct config *config,
		struct error *error)
{
	TRACE_PHASE("mask");
	struct masks masks = { .directory_fd = -EBADF, .null_fd = context->null_fd };
	int r = masks_all(context, &masks, config->masked_paths, error);

	cleanup_close(&masks.directory_fd);
	cleanup_close(&masks.null_fd);
	for (char **path = config->read_only_paths; r == 0 && path && *path; path++)
		r = read_only_one(context, *path, error);
	if (r == 0 && config->root_read_only) {
		struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

		if (sys_mount_setattr(context->root_fd, "", AT_EMPTY_PATH, &attributes) < 0)
			r = error_set(error, -errno,
				      "root.readonly: cannot make the root read-only");
	}
	return r;
}
