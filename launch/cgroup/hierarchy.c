/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

static const struct {
	const char *v1, *v2;
} controller_names[CGROUP_N_CONTROLLERS] = {
	[CGROUP_BLKIO] = { "blkio", "io" },	     [CGROUP_CPU] = { "cpu", "cpu" },
	[CGROUP_CPUACCT] = { "cpuacct", "cpu" },     [CGROUP_CPUSET] = { "cpuset", "cpuset" },
	[CGROUP_DEVICES] = { "devices", NULL },	     [CGROUP_FREEZER] = { "freezer", NULL },
	[CGROUP_HUGETLB] = { "hugetlb", "hugetlb" }, [CGROUP_MEMORY] = { "memory", "memory" },
	[CGROUP_MISC] = { "misc", "misc" },	     [CGROUP_NET_CLS] = { "net_cls", NULL },
	[CGROUP_NET_PRIO] = { "net_prio", NULL },    [CGROUP_PERF_EVENT] = { "perf_event", NULL },
	[CGROUP_PIDS] = { "pids", "pids" },	     [CGROUP_RDMA] = { "rdma", "rdma" },
};

const char *cgroup_controller_name(enum cgroup_controller controller)
{
	return controller_names[controller].v1;
}

const char *cgroup_controller_name_v2(enum cgroup_controller controller)
{
	return controller_names[controller].v2;
}

struct cgroup_hierarchy *cgroup_v1(struct cgroup *cgroup, enum cgroup_controller controller)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		if (cgroup->hierarchies[i].controllers & 1u << controller)
			return &cgroup->hierarchies[i];
	}
	return NULL;
}

struct cgroup_hierarchy *cgroup_v2(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		if (cgroup->hierarchies[i].is_v2)
			return &cgroup->hierarchies[i];
	}
	return NULL;
}

/*
 * What a v1 hierarchy carries, from its directory's name: by old convention that is the list of
 * its controllers, "cpu,cpuacct". Any other name is that of a hierarchy without controllers
 * ("systemd", "elogind").
 */
static uint32_t controllers_of(const char *name)
{
	uint32_t controllers = 0;

	while (*name) {
		size_t n = strcspn(name, ",");
		uint32_t bit = 0;

		for (unsigned int i = 0; i < CGROUP_N_CONTROLLERS; i++) {
			const char *known = controller_names[i].v1;

			if (strlen(known) == n && !strncmp(known, name, n))
				bit = 1u << i;
		}
		if (!bit)
			return 0;
		controllers |= bit;
		name += n + (name[n] == ',');
	}
	return controllers;
}

static int hierarchy_add(struct cgroup *cgroup, const char *name, bool is_v2, struct error *error)
{
	struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[cgroup->n_hierarchies];

	if (cgroup->n_hierarchies == CGROUP_MAX_HIERARCHIES)
		return error_say(error, -E2BIG, "more than %d cgroup hierarchies in '%s'",
				 CGROUP_MAX_HIERARCHIES, CGROUP_ROOT);
	snprintf(hierarchy->name, sizeof(hierarchy->name), "%s", name);
	hierarchy->controllers = is_v2 ? 0 : controllers_of(name);
	hierarchy->is_v2 = is_v2;
	hierarchy->exists = hierarchy->was_made = false;
	hierarchy->directory_fd = hierarchy->tasks_fd = -EBADF;
	cgroup->n_hierarchies++;
	return 0;
}

/*
 * One directory of the v1 tmpfs. Some systems bind one hierarchy twice ("cpu" and "cpuacct")
 * instead of a link: the same file system again is left out, what its name says is not.
 */
static int directory_add(struct cgroup *cgroup, const char *name,
			 fsid_t seen[CGROUP_MAX_HIERARCHIES], struct error *error)
{
	static const fsid_t unknown;
	char path[sizeof(CGROUP_ROOT) + 1 + NAME_MAX + 1];
	struct statfs fs;
	int r;

	snprintf(path, sizeof(path), CGROUP_ROOT "/%s", name);
	if (statfs(path, &fs) < 0)
		return error_set(error, -errno, "cannot look at '%s'", path);
	if (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		if (memcmp(&fs.f_fsid, &unknown, sizeof(unknown)) != 0 &&
		    memcmp(&fs.f_fsid, &seen[i], sizeof(unknown)) == 0) {
			if (!cgroup->hierarchies[i].is_v2)
				cgroup->hierarchies[i].controllers |= controllers_of(name);
			return 0;
		}
	}
	r = hierarchy_add(cgroup, name, fs.f_type == CGROUP2_SUPER_MAGIC, error);
	if (r == 0)
		seen[cgroup->n_hierarchies - 1] = fs.f_fsid;
	return r;
}

/* getdents64(2): not in the C libraries' headers. */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

/* @look: at each, what it is; else each is taken for a v1 hierarchy. */
static int directories_add(struct cgroup *cgroup, bool look, struct error *error)
{
	/* What readdir(3) allocates for its buffer is a mapping made, faulted in and taken down. */
	_Alignas(struct linux_dirent64) char buffer[2048];
	_cleanup_close_ int fd = fd_open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fsid_t seen[CGROUP_MAX_HIERARCHIES];
	long n = 0;
	int r = 0;

	if (fd < 0)
		return error_set(error, -errno, "cannot read '%s'", CGROUP_ROOT);
	while (r == 0 && (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		const struct linux_dirent64 *entry;

		for (long at = 0; r == 0 && at < n; at += entry->d_reclen) {
			entry = (const struct linux_dirent64 *)(void *)(buffer + at);
			/* A tmpfs, which is what holds the v1 mounts, always knows the type. */
			if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
				continue;
			r = look ? directory_add(cgroup, entry->d_name, seen, error)
				 : hierarchy_add(cgroup, entry->d_name, false, error);
		}
	}
	/* Hierarchies that aren't seen would be cgroups that stay. */
	return n < 0 ? error_set(error, -errno, "cannot read '%s'", CGROUP_ROOT) : r;
}

static int hierarchies_find(struct cgroup *cgroup, bool look, struct error *error)
{
	struct statfs fs;

	cgroup->root_fd = fd_open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->root_fd < 0) {
		if (errno == ENOENT)
			return 0;
		return error_set(error, -errno, "cannot open '%s'", CGROUP_ROOT);
	}
	if (fstatfs(cgroup->root_fd, &fs) < 0)
		return error_set(error, -errno, "cannot look at '%s'", CGROUP_ROOT);
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return hierarchy_add(cgroup, ".", true, error);
	return directories_add(cgroup, look, error);
}

int cgroup_hierarchies_find(struct cgroup *cgroup, struct error *error)
{
	return hierarchies_find(cgroup, true, error);
}

int cgroup_hierarchies_guess(struct cgroup *cgroup, struct error *error)
{
	return hierarchies_find(cgroup, false, error);
}

int cgroup_directory(const struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy)
{
	char relative[PATH_MAX];

	if (hierarchy->directory_fd < 0 && hierarchy->exists &&
	    cgroup_relative(cgroup, hierarchy, cgroup->path, relative) == 0)
		hierarchy->directory_fd = openat(cgroup->root_fd, relative,
						 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return hierarchy->directory_fd < 0 ? -EBADF : hierarchy->directory_fd;
}

int cgroup_file_write(int directory_fd, const char *file, const char *text)
{
	_cleanup_close_ int fd = openat(directory_fd, file, O_WRONLY | O_CLOEXEC);
	size_t n_bytes = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, n_bytes);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == n_bytes ? 0 : -EIO;
}

ssize_t cgroup_file_read(int directory_fd, const char *file, char *text, size_t n_bytes)
{
	_cleanup_close_ int fd = openat(directory_fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	do
		n = read(fd, text, n_bytes - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return n;
}

int cgroup_relative(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
		    const char *path, char buffer[PATH_MAX])
{
	int n = snprintf(buffer, PATH_MAX, "%s/%s", hierarchy->name, path);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void cgroup_sleep_ms(unsigned int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}
