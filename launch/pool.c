/* SPDX-License-Identifier: MIT */
#include "launch/pool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "base/trace.h"
#include "launch/mount_source.h"
#include "launch/state.h"

#define NS_GET_NSTYPE_REQUEST _IO(0xb7, 0x3) /* linux/nsfs.h, Linux 4.11 */

static const char *const kind_names[POOL_N_KINDS] = {
	[POOL_NETWORK] = "net",
	[POOL_CGROUP] = "cgroup",
	[POOL_DEV] = "dev",
};

const char *pool_kind_name(enum pool_kind kind)
{
	return kind_names[kind];
}

enum pool_kind pool_kind_of(const char *name)
{
	for (enum pool_kind kind = 0; kind < POOL_N_KINDS; kind++) {
		const char *rest = string_has_prefix(name, kind_names[kind]);

		if (rest && *rest == '-' && rest[1] && strlen(name) < POOL_NAME_MAX)
			return kind;
	}
	return POOL_N_KINDS;
}

void pool_cgroup_path(const char *name, char ret_path[CGROUP_MAX_PATH])
{
	snprintf(ret_path, CGROUP_MAX_PATH, "/lamina/@pool-%s", strchr(name, '-') + 1);
}

static bool has_mount_at(const struct config *config, const char *destination)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		if (!strcmp(config->mounts[i].destination, destination))
			return true;
	}
	return false;
}

bool pool_dev_is(const struct config *config, size_t i)
{
	const struct config_mount *mount = &config->mounts[i];

	return !strcmp(mount->destination, "/dev") && !strcmp(mount->type, "tmpfs") &&
	       !strcmp(mount->source, "tmpfs") && !mount->is_bind && !mount->is_remount &&
	       !mount->copies_up && !mount->is_idmapped && !mount->propagation &&
	       mount->attributes == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME) &&
	       !mount->recursive_set && !mount->recursive_clear && mount->data[0] &&
	       !strcmp(mount->data[0], "mode=755") && mount->data[1] &&
	       !strcmp(mount->data[1], "size=65536k") && !mount->data[2];
}

/* One mount there, and those below it for which the tmpfs has directories. */
static bool dev_fits(const struct config *config)
{
	unsigned int n = 0;

	if (config->n_devices || config->mount_label || !has_mount_at(config, "/dev/pts") ||
	    !has_mount_at(config, "/dev/shm") || !has_mount_at(config, "/dev/mqueue"))
		return false;
	for (size_t i = 0; i < config->n_mounts; i++) {
		if (strcmp(config->mounts[i].destination, "/dev") != 0)
			continue;
		n++;
		if (!pool_dev_is(config, i))
			return false;
	}
	return n == 1;
}

static bool cgroup_fits(const struct config *config, const char *bundle_id)
{
	const char *name =
		config->cgroups_path ? string_has_prefix(config->cgroups_path, "/lamina/") : NULL;

	return !config->cgroups_path || (name && !strcmp(name, bundle_id));
}

unsigned int pool_wanted(const struct config *config, const char *bundle_id)
{
	unsigned int wanted = 0;

	if (geteuid() != 0 || config_find_namespace(config, CLONE_NEWUSER))
		return 0;
	if (config_has_own_namespace(config, CLONE_NEWNET))
		wanted |= 1u << POOL_NETWORK;
	if (cgroup_fits(config, bundle_id))
		wanted |= 1u << POOL_CGROUP;
	if (dev_fits(config))
		wanted |= 1u << POOL_DEV;
	return wanted;
}

static bool pin_path(const char *name, char path[64])
{
	return snprintf(path, 64, "../" POOL_PINS "/%s", name) < 64;
}

static int network_take(struct pool_claim *claim, const char *name)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	if (unlinkat(claim->ready_fd, name, 0) < 0)
		return -errno;
	if (!pin_path(name, path))
		return -ENAMETOOLONG;
	fd = openat(claim->ready_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A plain file: its mount is of another mount namespace, or was removed. */
	if (ioctl(fd, NS_GET_NSTYPE_REQUEST) != CLONE_NEWNET)
		return -ENODEV;
	claim->network_fd = take_fd(&fd);
	return 0;
}

/* A mount that has been removed, or is of another mount namespace, has left a bare directory. */
static bool is_dev(int mount_fd)
{
	struct stat st;

	return fstatat(mount_fd, "null", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(1, 3);
}

static int dev_take(struct pool_claim *claim, const char *name)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	if (unlinkat(claim->ready_fd, name, 0) < 0)
		return -errno;
	if (!pin_path(name, path))
		return -ENAMETOOLONG;
	fd = mount_clone(claim->ready_fd, path, 0, MS_PRIVATE);
	if (fd < 0)
		return fd;
	if (!is_dev(fd))
		return -ENODEV;
	claim->dev_fd = take_fd(&fd);
	return 0;
}

/*
 * Taken and noted by one rename: a launcher that is killed later has said whose it is, and `delete`
 * finds it.
 */
static int cgroup_take(struct pool_claim *claim, const char *name, int container_fd)
{
	if (renameat(claim->ready_fd, name, container_fd, STATE_CGROUP_FILE) < 0)
		return -errno;
	pool_cgroup_path(name, claim->cgroup_path);
	return 0;
}

static int take(struct pool_claim *claim, enum pool_kind kind, const char *name, int container_fd)
{
	int r = kind == POOL_NETWORK  ? network_take(claim, name)
		: kind == POOL_CGROUP ? cgroup_take(claim, name, container_fd)
				      : dev_take(claim, name);

	if (r == 0)
		strcpy(claim->names[kind], name);
	return r;
}

/* As getdents64(2) gives them. */
struct entry {
	uint64_t inode, offset;
	unsigned short n_bytes;
	unsigned char type;
	char name[];
};

void pool_take(struct pool_claim *claim, int state_fd, int container_fd, unsigned int wanted)
{
	TRACE_PHASE("pool.take");
	_Alignas(struct entry) char buffer[4096];
	long n;

	claim->ready_fd = openat(state_fd, POOL_DIRECTORY "/" POOL_READY,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (claim->ready_fd < 0)
		return;
	while (wanted &&
	       (n = syscall(SYS_getdents64, claim->ready_fd, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; wanted && i < n;) {
			const struct entry *entry = (const struct entry *)(buffer + i);
			enum pool_kind kind = pool_kind_of(entry->name);

			i += entry->n_bytes;
			/* Others take them too: the next one then. */
			if (kind < POOL_N_KINDS && wanted & 1u << kind &&
			    take(claim, kind, entry->name, container_fd) == 0)
				wanted &= ~(1u << kind);
		}
	}
}

int pool_unpin(int sibling_fd, const char *name)
{
	bool is_directory = pool_kind_of(name) == POOL_DEV;
	char path[64], whole[128];

	if (!pin_path(name, path))
		return -ENAMETOOLONG;
	snprintf(whole, sizeof(whole), "/proc/self/fd/%d/%s", sibling_fd, path);
	/* EINVAL: it isn't mounted. */
	if (pool_kind_of(name) != POOL_CGROUP &&
	    sys_umount2(whole, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return errno == ENOENT ? 0 : -errno;
	return unlinkat(sibling_fd, path, is_directory ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT
		       ? -errno
		       : 0;
}

void pool_settle(struct pool_claim *claim, int container_fd)
{
	if (claim->ready_fd < 0)
		return;
	TRACE_PHASE("pool.settle");
	if (!*claim->cgroup_path)
		*claim->names[POOL_CGROUP] = '\0';
	for (enum pool_kind kind = 0; kind < POOL_N_KINDS; kind++) {
		if (*claim->names[kind])
			(void)pool_unpin(claim->ready_fd, claim->names[kind]);
	}
	if (*claim->names[POOL_CGROUP] && container_fd >= 0)
		(void)unlinkat(container_fd, STATE_CGROUP_FILE, 0);
}

void pool_claim_close(struct pool_claim *claim)
{
	cleanup_close(&claim->ready_fd);
	cleanup_close(&claim->network_fd);
	cleanup_close(&claim->dev_fd);
	*claim = POOL_CLAIM_EMPTY;
}
