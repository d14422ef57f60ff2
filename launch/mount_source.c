/* SPDX-License-Identifier: MIT */
#include "launch/mount_source.h"

#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "launch/root.h"
#include "launch/user_namespace.h"

int mount_clone(int directory_fd, const char *path, unsigned int flags, unsigned long propagation)
{
	unsigned int tree_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags;
	struct mount_attr attributes = { .propagation = propagation };
	_cleanup_close_ int fd = -EBADF;

	if (propagation) {
		fd = sys_open_tree_attr(directory_fd, path, tree_flags, &attributes);
		if (fd >= 0 || errno != ENOSYS)
			return fd < 0 ? -errno : take_fd(&fd);
	}
	/* Before Linux 6.15. */
	fd = sys_open_tree(directory_fd, path, tree_flags);
	if (fd < 0 ||
	    (propagation &&
	     sys_mount_setattr(fd, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE), &attributes) < 0))
		return -errno;
	return take_fd(&fd);
}

static int source_clone(const char *bundle_path, const struct config_mount *mount,
			unsigned long propagation)
{
	unsigned int flags = mount->recursive ? AT_RECURSIVE : 0;
	_cleanup_close_ int source_fd = -EBADF, sub_fd = -EBADF;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s%s", *mount->source == '/' ? "" : bundle_path,
		     *mount->source == '/' ? "" : "/", mount->source) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!mount->subpath)
		return mount_clone(AT_FDCWD, path, flags, propagation);
	source_fd = fd_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (source_fd < 0)
		return -errno;
	sub_fd = path_open_in_root(source_fd, mount->subpath, O_PATH, 0);
	if (sub_fd < 0)
		return sub_fd;
	return mount_clone(sub_fd, "", flags | AT_EMPTY_PATH, propagation);
}

static int clone_or_say(const char *bundle_path, const struct config_mount *mount,
			unsigned long propagation, struct error *error)
{
	int fd = source_clone(bundle_path, mount, propagation);

	return fd < 0 ? error_set(error, fd, "source '%s%s%s'", mount->source,
				  mount->subpath ? "', sub-path '" : "",
				  mount->subpath ? mount->subpath : "")
		      : fd;
}

int mount_source_clone(const char *bundle_path, const struct config_mount *mount,
		       struct error *error)
{
	return clone_or_say(bundle_path, mount, 0, error);
}

/* The name of the file system that a device number belongs to, or "". */
static void file_system_name(dev_t device, char name[64])
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t n_allocated = 0;
	unsigned int major, minor;

	name[0] = '\0';
	while (file && getline(&line, &n_allocated, file) > 0) {
		const char *behind = strstr(line, " - ");

		if (behind && sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2 &&
		    makedev(major, minor) == device) {
			sscanf(behind, " - %63s", name);
			return;
		}
	}
}

int mount_idmap(int mount_fd, int namespace_fd, bool recursive, struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
					 .userns_fd = (uint64_t)namespace_fd };
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	char name[64];
	struct stat st;
	int code;

	if (sys_mount_setattr(mount_fd, "", flags, &attributes) == 0)
		return 0;
	code = -errno;
	if (code == -EINVAL && fstat(mount_fd, &st) == 0) {
		file_system_name(st.st_dev, name);
		return error_say(error, code,
				 "its ids cannot be mapped: the file system%s%s%s%s can't do that "
				 "on this kernel",
				 *name ? " '" : "", name, *name ? "'" : "",
				 recursive ? ", or one mounted below," : "");
	}
	return error_set(error, code, "its ids cannot be mapped");
}

static int arrays_make(struct mount_sources *sources, const struct config *config,
		       struct error *error)
{
	size_t n = config->n_mounts;
	int *fds = calloc(3 * n + 1, sizeof(*fds));

	if (!fds)
		return error_set(error, -ENOMEM, "'mounts'");
	for (size_t i = 0; i < 3 * n; i++)
		fds[i] = -EBADF;
	*sources = (struct mount_sources){
		.tree_fds = fds, .idmap_fds = fds + n, .namespace_fds = fds + 2 * n, .n_mounts = n
	};
	return 0;
}

/* The namespace with the mapping of mount number @i: one that an earlier mount had made is used
 * again. */
static int idmap_find(struct mount_sources *sources, const struct config *config, size_t i,
		      int user_fd, int *ret_fd, struct error *error)
{
	const struct id_maps *maps = &config->mounts[i].id_maps;

	if (maps->uids.n_ranges == 0) {
		if (user_fd >= 0) {
			*ret_fd = user_fd;
			return 0;
		}
		maps = &config->id_maps;
	}
	for (size_t k = 0; k < i; k++) {
		const struct id_maps *other = &config->mounts[k].id_maps;

		if (sources->namespace_fds[k] >= 0 &&
		    id_maps_equal(maps, other->uids.n_ranges ? other : &config->id_maps)) {
			*ret_fd = sources->namespace_fds[k];
			return 0;
		}
	}
	*ret_fd = -EBADF;
	return user_namespace_make(maps, &sources->namespace_fds[i], error);
}

static bool is_sysfs(const struct config_mount *mount)
{
	return !mount->is_bind && !mount->is_remount && !strcmp(mount->type, "sysfs");
}

/* In a network namespace of somebody else's a sysfs can't be made: it is the host's then. */
static int sysfs_open(struct mount_sources *sources, const struct config *config, size_t i,
		      struct error *error)
{
	if (config_has_own_namespace(config, CLONE_NEWNET))
		return 0;
	sources->tree_fds[i] = mount_clone(AT_FDCWD, "/sys", AT_RECURSIVE,
					   root_host_propagation(config->root_propagation));
	return sources->tree_fds[i] < 0 ? error_set(error, sources->tree_fds[i], "source '/sys'")
					: 0;
}

static bool is_of_process(int tree_fd)
{
	struct statfs file_system;

	return fstatfs(tree_fd, &file_system) < 0 || file_system.f_type == PROC_SUPER_MAGIC;
}

static int source_open(struct mount_sources *sources, const struct config *config,
		       const char *bundle_path, size_t i, enum mount_sources_taken taken,
		       int user_fd, struct error *error)
{
	const struct config_mount *mount = &config->mounts[i];
	int idmap_fd = -EBADF, r = 0;

	if (mount->is_idmapped) {
		r = idmap_find(sources, config, i, user_fd, &idmap_fd, error);
		if (idmap_fd < 0)
			idmap_fd = sources->namespace_fds[i];
	}
	if (r == 0 && !mount->is_bind) {
		sources->idmap_fds[i] = idmap_fd;
		return taken == MOUNT_SOURCES_ALL && is_sysfs(mount)
			       ? sysfs_open(sources, config, i, error)
			       : 0;
	}
	if (r < 0 || mount->is_remount || (taken == MOUNT_SOURCES_IDMAPPED && !mount->is_idmapped))
		return r;
	/* Never the host's peer, as copies for a user namespace never are (mount_namespaces(7)). */
	sources->tree_fds[i] = clone_or_say(bundle_path, mount,
					    root_host_propagation(config->root_propagation), error);
	if (sources->tree_fds[i] < 0)
		return sources->tree_fds[i];
	if (taken == MOUNT_SOURCES_BINDS && is_of_process(sources->tree_fds[i]))
		return MOUNT_SOURCES_LATE;
	if (mount->is_idmapped)
		r = mount_idmap(sources->tree_fds[i], idmap_fd, mount->is_idmapped_recursively,
				error);
	return r;
}

int mount_sources_open(struct mount_sources *sources, const struct config *config,
		       const char *bundle_path, enum mount_sources_taken taken, int user_fd,
		       struct error *error)
{
	size_t n_idmapped = 0;
	int r;

	for (size_t i = 0; i < config->n_mounts; i++)
		n_idmapped += config->mounts[i].is_idmapped;
	if (taken == MOUNT_SOURCES_IDMAPPED && n_idmapped == 0)
		return 0;
	r = arrays_make(sources, config, error);
	for (size_t i = 0; r == 0 && i < config->n_mounts; i++) {
		r = source_open(sources, config, bundle_path, i, taken, user_fd, error);
		if (r < 0)
			return error_prefix(error, r, "mounts[%zu] '%s'", i,
					    config->mounts[i].destination);
	}
	return r;
}

int mount_sources_tree(const struct mount_sources *sources, size_t i)
{
	return sources->n_mounts > i ? sources->tree_fds[i] : -EBADF;
}

int mount_sources_idmap(const struct mount_sources *sources, size_t i)
{
	return sources->n_mounts > i ? sources->idmap_fds[i] : -EBADF;
}

void mount_sources_close(struct mount_sources *sources)
{
	for (size_t i = 0; i < sources->n_mounts; i++) {
		cleanup_close(&sources->tree_fds[i]);
		cleanup_close(&sources->namespace_fds[i]);
	}
	free(sources->tree_fds);
	*sources = (struct mount_sources){};
}
