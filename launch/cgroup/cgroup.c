/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "launch/cgroup/internal.h"

void cgroup_init(struct cgroup *cgroup)
{
	CGROUP_INIT_FIELDS(cgroup);
}

void cgroup_close(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		cleanup_close(&cgroup->hierarchies[i].directory_fd);
		cleanup_close(&cgroup->hierarchies[i].tasks_fd);
	}
	cleanup_close(&cgroup->root_fd);
	cgroup_init(cgroup);
}

int cgroup_path_clean(const char *path, char *ret_clean, struct error *error)
{
	size_t n_clean = 0;

	if (path[0] != '/') {
		memcpy(ret_clean, CGROUP_PARENT, strlen(CGROUP_PARENT));
		n_clean = strlen(CGROUP_PARENT);
	}
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && !memcmp(p, "..", 2))
			return error_say(error, -EINVAL, "linux.cgroupsPath '%s' has a '..' in it",
					 path);
		if (memchr(p, '\n', n))
			return error_say(error, -EINVAL, "linux.cgroupsPath with a newline in it");
		if (n_clean + 1 + n + 1 > CGROUP_MAX_PATH || n > NAME_MAX)
			return error_set(error, -ENAMETOOLONG, "linux.cgroupsPath '%.64s...'",
					 path);
		if (n > 1 || (n == 1 && *p != '.')) {
			if (n_clean > 0)
				ret_clean[n_clean++] = '/';
			memcpy(ret_clean + n_clean, p, n);
			n_clean += n;
		}
		p += n + (p[n] == '/');
	}
	ret_clean[n_clean] = '\0';
	if (n_clean == 0 || !strcmp(ret_clean, CGROUP_PARENT))
		return error_say(error, -EINVAL,
				 "linux.cgroupsPath '%s' doesn't name a container's own", path);
	return 0;
}

bool cgroup_exists(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		if (cgroup->hierarchies[i].exists)
			return true;
	}
	return false;
}

int cgroup_v2_fd(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		if (cgroup->hierarchies[i].is_v2)
			return cgroup->hierarchies[i].directory_fd;
	}
	return -EBADF;
}

int cgroup_enter(const struct cgroup *cgroup, struct error *error)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		ssize_t n;

		if (hierarchy->is_v2)
			continue;
		/* "0" is the writer. Only this spelling skips the lock that waits for RCU. */
		do
			n = write(hierarchy->tasks_fd, "0", 1);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return error_set(error, -errno, "cannot enter cgroup '%s/%s/%s'",
					 CGROUP_ROOT, hierarchy->name, cgroup->path);
	}
	return 0;
}

static bool is_cpuset(const struct cgroup_hierarchy *hierarchy)
{
	return hierarchy->controllers & 1u << CGROUP_CPUSET;
}

/* A file of the cgroup @relative, in one walk instead of two: most need only this one. */
static int path_of(const char *relative, const char *file, char buffer[PATH_MAX])
{
	int n = snprintf(buffer, PATH_MAX, "%s/%s", relative, file);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int cpuset_copy(int from_fd, int to_fd, const char *file)
{
	char text[4096];
	ssize_t n = cgroup_file_read(to_fd, file, text, sizeof(text));

	if (n != 0)
		return n < 0 ? (int)n : 0;
	n = cgroup_file_read(from_fd, file, text, sizeof(text));
	return n < 0 ? (int)n : cgroup_file_write(to_fd, file, text);
}

/*
 * A new v1 cpuset has no processors and no memory nodes, and nothing can enter it, unless its
 * parent had clone_children. Fills every component of the path that is empty, and has lamina's own
 * parents clone from then on. Idempotent: somebody else may be doing the same.
 */
static int cpuset_fill(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy)
{
	_cleanup_close_ int parent_fd = -EBADF;
	char component[NAME_MAX + 1];
	const char *rest = cgroup->path;

	parent_fd = openat(cgroup->root_fd, hierarchy->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return -errno;
	while (*rest) {
		size_t n = strcspn(rest, "/");
		_cleanup_close_ int fd = -EBADF;
		int r;

		snprintf(component, sizeof(component), "%.*s", (int)n, rest);
		fd = openat(parent_fd, component, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		r = cpuset_copy(parent_fd, fd, "cpuset.cpus");
		if (r == 0)
			r = cpuset_copy(parent_fd, fd, "cpuset.mems");
		/* Last, so that whoever sees it on finds the two files filled. */
		if (r == 0 && rest == cgroup->path && rest[n] && !strcmp(component, CGROUP_PARENT))
			r = cgroup_file_write(fd, "cgroup.clone_children", "1");
		if (r < 0)
			return r;
		close(parent_fd);
		parent_fd = take_fd(&fd);
		rest += n + (rest[n] == '/');
	}
	return 0;
}

static int cpuset_check(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
			const char *relative, struct error *error)
{
	char text[16], path[PATH_MAX];
	int r = path_of(relative, "cpuset.mems", path);
	ssize_t n = r < 0 ? r : cgroup_file_read(cgroup->root_fd, path, text, sizeof(text));

	if (n > 0)
		return 0;
	r = n < 0 ? (int)n : cpuset_fill(cgroup, hierarchy);
	if (r < 0)
		return error_set(error, r, "cannot give processors to cgroup '%s/%s/%s'",
				 CGROUP_ROOT, hierarchy->name, cgroup->path);
	return 0;
}

/* What a container's use is read from. Best effort: a limit that needs one asks for it again. */
static void parents_enable(struct cgroup *cgroup)
{
	static const char *const controllers[] = { "cpu", "io", "memory", "pids" };

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
		(void)cgroup_v2_enable(cgroup, controllers[i]);
}

/* Every directory above the last component; sets *ret_made where any was missing. */
static int parents_make(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
			bool *ret_made, struct error *error)
{
	char relative[PATH_MAX];
	int r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);

	if (r < 0)
		return error_set(error, r, "cgroup '/%s'", cgroup->path);
	for (char *slash = relative + strlen(hierarchy->name);
	     (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		if (mkdirat(cgroup->root_fd, relative, 0755) == 0)
			*ret_made = true;
		else if (errno != EEXIST)
			return error_set(error, -errno, "cannot make cgroup '%s/%s'", CGROUP_ROOT,
					 relative);
	}
	return 0;
}

/* Somebody else's: used as it is, but not while it is in use. */
static int foreign_check(const struct cgroup *cgroup, const char *relative, struct error *error)
{
	_cleanup_close_ int fd =
		openat(cgroup->root_fd, relative, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char text[32];

	if (fd < 0)
		return error_set(error, -errno, "cannot open cgroup '%s/%s'", CGROUP_ROOT,
				 relative);
	if (cgroup_file_read(fd, "cgroup.procs", text, sizeof(text)) > 0)
		return error_say(error, -EBUSY, "cgroup '%s/%s' has processes in it already",
				 CGROUP_ROOT, relative);
	if ((cgroup_file_read(fd, "freezer.state", text, sizeof(text)) > 0 &&
	     strcmp(text, "THAWED") != 0) ||
	    (cgroup_file_read(fd, "cgroup.freeze", text, sizeof(text)) > 0 &&
	     strcmp(text, "0") != 0))
		return error_say(error, -EBUSY, "cgroup '%s/%s' is frozen", CGROUP_ROOT, relative);
	return 0;
}

static bool is_below_lamina(const struct cgroup *cgroup)
{
	return !strncmp(cgroup->path, CGROUP_PARENT "/", strlen(CGROUP_PARENT "/"));
}

/* It is there already: 0 to try mkdir again, 1 to use it, or a negative errno. */
static int leftover_treat(const struct cgroup *cgroup, const char *relative, struct error *error)
{
	int r;

	if (cgroup->is_adopted)
		return 1;
	if (!is_below_lamina(cgroup)) {
		r = foreign_check(cgroup, relative, error);
		return r < 0 ? r : 1;
	}
	r = cgroup_tree_remove(cgroup->root_fd, relative);
	if (r == -EBUSY)
		return error_say(error, r, "cgroup '%s/%s' has processes in it already",
				 CGROUP_ROOT, relative);
	if (r < 0)
		return error_set(error, r, "cannot remove the earlier cgroup '%s/%s'", CGROUP_ROOT,
				 relative);
	return 0;
}

static int hierarchy_make(struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy,
			  const char *relative, struct error *error)
{
	bool parents_made = false;

	/* The normal way is one system call; what can be in its way is treated once each. */
	for (unsigned int attempt = 0; attempt < 3; attempt++) {
		int r;

		if (mkdirat(cgroup->root_fd, relative, 0755) == 0) {
			hierarchy->was_made = true;
			if (parents_made && hierarchy->is_v2)
				parents_enable(cgroup);
			return 0;
		}
		if (errno == ENOENT)
			r = parents_make(cgroup, hierarchy, &parents_made, error);
		else if (errno == EEXIST)
			r = leftover_treat(cgroup, relative, error);
		else
			return error_set(error, -errno, "cannot make cgroup '%s/%s'", CGROUP_ROOT,
					 relative);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return error_say(error, -EAGAIN,
			 "cgroup '%s/%s' is being made or removed by another process", CGROUP_ROOT,
			 relative);
}

static int hierarchy_open(struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy,
			  const char *relative, struct error *error)
{
	hierarchy->directory_fd =
		openat(cgroup->root_fd, relative, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	hierarchy->exists = hierarchy->directory_fd >= 0;
	if (hierarchy->exists)
		return 0;
	return error_set(error, -errno, "cannot open cgroup '%s/%s'", CGROUP_ROOT, relative);
}

/* `tasks`, not cgroup.procs: see cgroup.h. */
static int tasks_open(const struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy,
		      const char *relative, struct error *error)
{
	char path[PATH_MAX];
	int r = path_of(relative, "tasks", path);

	hierarchy->tasks_fd = r < 0 ? -EBADF : openat(cgroup->root_fd, path, O_WRONLY | O_CLOEXEC);
	if (r < 0)
		return error_set(error, r, "cgroup '/%s'", cgroup->path);
	if (hierarchy->tasks_fd < 0)
		return error_set(error, -errno, "cannot open '%s/%s/%s/tasks'", CGROUP_ROOT,
				 hierarchy->name, cgroup->path);
	return 0;
}

static int hierarchy_create(struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy,
			    struct error *error)
{
	char relative[PATH_MAX];
	int r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);

	if (r < 0)
		return error_set(error, r, "cgroup '/%s'", cgroup->path);
	r = hierarchy_make(cgroup, hierarchy, relative, error);
	if (r < 0)
		return r;
	hierarchy->exists = true;
	if (hierarchy->is_v2)
		return hierarchy_open(cgroup, hierarchy, relative, error);
	if (is_cpuset(hierarchy))
		r = cpuset_check(cgroup, hierarchy, relative, error);
	return r == 0 ? tasks_open(cgroup, hierarchy, relative, error) : r;
}

int cgroup_open_to_enter(struct cgroup *cgroup, const char *path, struct error *error)
{
	int r = cgroup_open(cgroup, path, error);

	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		char relative[PATH_MAX];

		if (hierarchy->is_v2 || !hierarchy->exists)
			continue;
		r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);
		if (r == 0)
			r = tasks_open(cgroup, hierarchy, relative, error);
	}
	if (r < 0)
		cgroup_close(cgroup);
	return r;
}

/* After a failure: only what this call has made. */
static void undo(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->n_hierarchies; i++) {
		char relative[PATH_MAX];

		if (cgroup->hierarchies[i].was_made &&
		    cgroup_relative(cgroup, &cgroup->hierarchies[i], cgroup->path, relative) == 0)
			(void)unlinkat(cgroup->root_fd, relative, AT_REMOVEDIR);
	}
	cgroup_close(cgroup);
}

/* A new directory that has no `tasks`: v2's, or none of a hierarchy. */
static int hierarchy_is_v2(struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy,
			   const char *relative)
{
	struct statfs fs;
	int r = hierarchy_open(cgroup, hierarchy, relative, NULL);

	if (r < 0)
		return r;
	if (fstatfs(hierarchy->directory_fd, &fs) < 0)
		return -errno;
	hierarchy->is_v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
	hierarchy->controllers = 0;
	return hierarchy->is_v2 ? 0 : -ENOTSUP;
}

static int hierarchy_create_guessed(struct cgroup *cgroup, struct cgroup_hierarchy *hierarchy)
{
	char relative[PATH_MAX];
	int r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);

	if (r < 0)
		return r;
	if (mkdirat(cgroup->root_fd, relative, 0755) < 0)
		return -errno;
	hierarchy->exists = hierarchy->was_made = true;
	if (is_cpuset(hierarchy))
		r = cpuset_check(cgroup, hierarchy, relative, NULL);
	if (r == 0)
		r = tasks_open(cgroup, hierarchy, relative, NULL);
	return r == -ENOENT ? hierarchy_is_v2(cgroup, hierarchy, relative) : r;
}

/*
 * The usual case: lamina's directory is in each hierarchy, and has nothing of this name. Then what
 * a new directory in it has in it tells what it is, which spares a look at each beforehand, a
 * sixtieth of a start. Whatever is different is left to the way that looks first.
 */
static int make_quickly(struct cgroup *cgroup)
{
	int r = cgroup_hierarchies_guess(cgroup, NULL);

	/* v2 alone has nothing to guess. */
	if (r == 0 && cgroup->n_hierarchies > 0 && cgroup->hierarchies[0].is_v2)
		r = -ENOTSUP;
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++)
		r = hierarchy_create_guessed(cgroup, &cgroup->hierarchies[i]);
	return r;
}

static int make(struct cgroup *cgroup, const char *path, bool adopt, struct error *error)
{
	char clean[CGROUP_MAX_PATH];
	int r;

	cgroup_init(cgroup);
	r = cgroup_path_clean(path, clean, error);
	if (r < 0)
		return r;
	strcpy(cgroup->path, clean);
	if (!adopt) {
		if (make_quickly(cgroup) == 0)
			return 0;
		undo(cgroup);
		strcpy(cgroup->path, clean);
	}
	cgroup->is_adopted = adopt;
	r = cgroup_hierarchies_find(cgroup, error);
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++)
		r = hierarchy_create(cgroup, &cgroup->hierarchies[i], error);
	if (r < 0)
		undo(cgroup);
	return r;
}

/* As make_quickly(), of what is there. */
static int use_quickly(struct cgroup *cgroup)
{
	int r = cgroup_hierarchies_guess(cgroup, NULL);

	if (r == 0 && cgroup->n_hierarchies > 0 && cgroup->hierarchies[0].is_v2)
		r = -ENOTSUP;
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		char relative[PATH_MAX];

		r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);
		if (r == 0)
			r = tasks_open(cgroup, hierarchy, relative, NULL);
		hierarchy->exists = r == 0;
		if (r == -ENOENT)
			r = hierarchy_is_v2(cgroup, hierarchy, relative);
	}
	return r;
}

int cgroup_use(struct cgroup *cgroup, const char *path, struct error *error)
{
	int r;

	cgroup_init(cgroup);
	r = cgroup_path_clean(path, cgroup->path, error);
	if (r < 0)
		return r;
	if (use_quickly(cgroup) == 0)
		return 0;
	cgroup_close(cgroup);
	return make(cgroup, path, true, error);
}

int cgroup_create(struct cgroup *cgroup, const char *path, struct error *error)
{
	return make(cgroup, path, false, error);
}

int cgroup_adopt(struct cgroup *cgroup, const char *path, struct error *error)
{
	return make(cgroup, path, true, error);
}

int cgroup_open(struct cgroup *cgroup, const char *path, struct error *error)
{
	int r;

	cgroup_init(cgroup);
	r = cgroup_path_clean(path, cgroup->path, error);
	if (r == 0)
		r = cgroup_hierarchies_find(cgroup, error);
	for (size_t i = 0; r == 0 && i < cgroup->n_hierarchies; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		char relative[PATH_MAX];

		r = cgroup_relative(cgroup, hierarchy, cgroup->path, relative);
		if (r < 0)
			r = error_set(error, r, "cgroup '/%s'", cgroup->path);
		else if (faccessat(cgroup->root_fd, relative, F_OK, 0) == 0 || errno != ENOENT)
			r = hierarchy_open(cgroup, hierarchy, relative, error);
	}
	if (r < 0)
		cgroup_close(cgroup);
	return r;
}
