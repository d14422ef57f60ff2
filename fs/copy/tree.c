/* SPDX-License-Identifier: MIT */
/* The walk: directories entered, copied and left, one at a time. */
#include "fs/copy/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/syscalls.h"
#include "fs/copy/list.h"

/* A ring's set-up is worth it from so many files in one directory on. */
#define AHEAD_MIN_FILES 4
/* Directories further up than this are closed, and opened again by ".." on the way back. */
#define MAX_OPEN_DEPTH 200

/* The path of @name below the root of the copy, as it is called there; NULL: no memory. */
char *copy_path(const struct copy_directory *directory, const char *name)
{
	size_t n = strlen(name) + 1;
	char *path, *at;

	for (const struct copy_directory *d = directory; d->parent; d = d->parent)
		n += strlen(d->destination_name) + 1;
	path = malloc(n);
	if (!path)
		return NULL;
	at = path + n - (strlen(name) + 1);
	memcpy(at, name, strlen(name) + 1);
	for (const struct copy_directory *d = directory; d->parent; d = d->parent) {
		size_t n_name = strlen(d->destination_name);

		*--at = '/';
		at -= n_name;
		memcpy(at, d->destination_name, n_name);
	}
	return path;
}

/* @what NULL: the source changed meanwhile. An empty @name is the directory itself. */
int copy_error(struct copy *copy, const struct copy_directory *directory, const char *name,
	       int code, const char *what)
{
	_cleanup_free_ char *path = copy_path(directory, name);
	const char *shown = path ? path : name;
	size_t n = path ? strlen(path) : 0;

	if (n > 1 && path[n - 1] == '/')
		path[n - 1] = '\0';
	if (!*shown)
		shown = ".";
	if (!what)
		return error_say(copy->error, code, "'%s' changed while it was copied", shown);
	return error_set(copy->error, code, "%s '%s'", what, shown);
}

static void directory_free(struct copy_directory *directory)
{
	if (!directory)
		return;
	cleanup_close(&directory->source_fd);
	cleanup_close(&directory->destination_fd);
	free(directory->source_name);
	free(directory->destination_name);
	free(directory);
}

static struct copy_directory *directory_new(struct copy_directory *parent, const char *source_name,
					    const char *destination_name)
{
	struct copy_directory *directory = calloc(1, sizeof(*directory));

	if (!directory)
		return NULL;
	*directory = (struct copy_directory){
		.parent = parent,
		.source_name = strdup(source_name),
		.destination_name = strdup(destination_name),
		.source_fd = -EBADF,
		.destination_fd = -EBADF,
		.depth = parent ? parent->depth + 1 : 0,
	};
	if (directory->source_name && directory->destination_name)
		return directory;
	directory_free(directory);
	return NULL;
}

/* Takes @directory over, on failure too. */
static int pending_push(struct copy *copy, struct copy_directory *directory)
{
	if (directory && copy->n_pending == copy->n_pending_allocated) {
		size_t n = copy->n_pending_allocated ? 2 * copy->n_pending_allocated : 64;
		void *larger = reallocarray(copy->pending, n, sizeof(*copy->pending));

		if (!larger) {
			directory_free(directory);
			return -ENOMEM;
		}
		copy->pending = larger;
		copy->n_pending_allocated = n;
	}
	if (!directory)
		return -ENOMEM;
	copy->pending[copy->n_pending++] = directory;
	return 0;
}

static bool is_destination_root(const struct copy *copy, const struct stat *st)
{
	return st->st_dev == copy->root->destination_device &&
	       st->st_ino == copy->root->destination_inode;
}

/*
 * Reading ahead gains a third where a disk has to be waited for (ext4, cold: 1.4 s against 1.9),
 * a tenth where the page cache has it all, and nothing on tmpfs; on overlayfs, whose files can't be
 * read without blocking, every read goes to a kernel thread, which costs what is gained.
 */
static bool reads_ahead(const struct copy *copy, int source_fd)
{
	struct statfs fs;

	if (copy->options->reading != COPY_READING_AUTO)
		return copy->options->reading == COPY_READING_AHEAD;
	return fstatfs(source_fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	       fs.f_type != OVERLAYFS_SUPER_MAGIC;
}

static int source_enter(struct copy *copy, struct copy_directory *directory)
{
	directory->source_fd = openat(directory->parent->source_fd, directory->source_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory->source_fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return copy_error(copy, directory, "", -EBUSY, NULL);
	if (directory->source_fd < 0 || fstat(directory->source_fd, &directory->source) < 0)
		return copy_error(copy, directory, "", -errno, "cannot open");
	if (is_destination_root(copy, &directory->source))
		return copy_error(copy, directory, "", -EINVAL,
				  "the destination is in the source:");
	return 0;
}

static int destination_enter(struct copy *copy, struct copy_directory *directory)
{
	const struct copy_directory *parent = directory->parent;
	bool is_new = mkdirat(parent->destination_fd, directory->destination_name, 0700) == 0;
	struct stat st;

	if (!is_new && errno != EEXIST)
		return copy_error(copy, directory, "", -errno, "cannot make the directory");
	directory->destination_fd = openat(parent->destination_fd, directory->destination_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory->destination_fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return copy_error(copy, directory, "", -ENOTDIR,
				  "something that is no directory is at the destination of");
	if (directory->destination_fd < 0 || fstat(directory->destination_fd, &st) < 0)
		return copy_error(copy, directory, "", -errno, "cannot open the copy of");
	directory->destination_device = st.st_dev;
	directory->destination_inode = st.st_ino;
	if (is_new && parent->has_default_acl) {
		(void)fremovexattr(directory->destination_fd, "system.posix_acl_default");
		(void)fremovexattr(directory->destination_fd, "system.posix_acl_access");
	} else if (!is_new) {
		directory->has_default_acl = fgetxattr(directory->destination_fd,
						       "system.posix_acl_default", NULL, 0) > 0;
	}
	return 0;
}

/* Gives back the descriptors of an ancestor that a tree deeper than any real one leaves behind. */
static void ancestor_park(struct copy_directory *directory)
{
	struct copy_directory *ancestor = directory;

	if (directory->depth <= MAX_OPEN_DEPTH)
		return;
	for (int i = 0; i < MAX_OPEN_DEPTH; i++)
		ancestor = ancestor->parent;
	if (!ancestor->parent)
		return;
	cleanup_close(&ancestor->source_fd);
	cleanup_close(&ancestor->destination_fd);
	ancestor->source_fd = ancestor->destination_fd = -EBADF;
}

static int reopen(int child_fd, dev_t device, ino_t inode, int *ret_fd)
{
	_cleanup_close_ int fd = openat(child_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != device || st.st_ino != inode)
		return -ESTALE;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int parent_unpark(struct copy *copy, struct copy_directory *directory)
{
	struct copy_directory *parent = directory->parent;
	int r;

	if (parent->source_fd >= 0)
		return 0;
	r = reopen(directory->source_fd, parent->source.st_dev, parent->source.st_ino,
		   &parent->source_fd);
	if (r == 0)
		r = reopen(directory->destination_fd, parent->destination_device,
			   parent->destination_inode, &parent->destination_fd);
	return r < 0 ? copy_error(copy, directory, "", r,
				  "somebody moved a directory: cannot come back from")
		     : 0;
}

/* The regular files of @list, in its order. */
static const char **regular_names(const struct copy_list *list, size_t *ret_n_names)
{
	const char **names = calloc(list->n_names + 1, sizeof(*names));

	*ret_n_names = 0;
	for (size_t i = 0; names && i < list->n_names; i++) {
		if (list->names[i].type == DT_REG)
			names[(*ret_n_names)++] = list->names[i].name;
	}
	return names;
}

/* Is the ring to be used for this directory? Makes it when it is first wanted. */
static bool ahead_wanted(struct copy *copy, const struct copy_directory *directory, size_t n_names)
{
	if (copy->no_ahead || !directory->reads_ahead || n_names < AHEAD_MIN_FILES)
		return false;
	if (!copy->ahead) {
		copy->ahead = copy_ahead_new();
		copy->no_ahead = !copy->ahead;
	}
	return copy->ahead;
}

static int regulars_copy(struct copy *copy, struct copy_directory *directory,
			 const struct copy_list *list)
{
	size_t n_names = 0;
	_cleanup_free_ const char **names = regular_names(list, &n_names);
	bool ahead = ahead_wanted(copy, directory, n_names);
	int r = 0;

	if (!names)
		return copy_error(copy, directory, "", -ENOMEM, "cannot copy");
	if (ahead) {
		const struct copy_pair *pair =
			copy_pair(copy, directory->source.st_dev, directory->destination_device);

		copy_ahead_start(copy->ahead, directory->source_fd, names, n_names,
				 pair->clones != COPY_YES);
	}
	for (size_t i = 0; i < n_names && r == 0; i++) {
		struct copy_source source;

		if (ahead) {
			r = copy_ahead_next(copy->ahead, &source);
			if (r < 0)
				return copy_error(copy, directory, names[i], r, "cannot read");
		} else {
			copy_source_open(directory->source_fd, names[i], &source);
		}
		r = copy_regular(copy, directory, names[i], names[i], &source);
	}
	return r;
}

static int entries_copy(struct copy *copy, struct copy_directory *directory)
{
	_cleanup_copy_list_ struct copy_list list = {};
	int r = copy_list_read(&list, directory->source_fd, copy->buffer, COPY_BUFFER_BYTES);

	if (r < 0)
		return copy_error(copy, directory, "", r, "cannot read the directory");
	/* The last one pushed is the first one taken. */
	for (size_t i = list.n_names; i-- > 0 && r == 0;) {
		const char *name = list.names[i].name;

		if (list.names[i].type == DT_DIR) {
			r = pending_push(copy, directory_new(directory, name, name));
			if (r < 0)
				return copy_error(copy, directory, name, r, "cannot copy");
		}
	}
	for (size_t i = 0; i < list.n_names && r == 0; i++) {
		if (list.names[i].type != DT_DIR && list.names[i].type != DT_REG)
			r = copy_special(copy, directory, list.names[i].name, list.names[i].name);
	}
	return r < 0 ? r : regulars_copy(copy, directory, &list);
}

static int directory_enter(struct copy *copy, struct copy_directory *directory)
{
	int r = source_enter(copy, directory);

	if (r == 0)
		r = destination_enter(copy, directory);
	if (r < 0)
		return r;
	directory->is_entered = true;
	ancestor_park(directory);
	return entries_copy(copy, directory);
}

static int directory_leave(struct copy *copy, struct copy_directory *directory)
{
	int r = parent_unpark(copy, directory);

	if (r < 0)
		return r;
	/* What it inherited went when it was made; what it had before gives way to the source's. */
	r = copy_metadata(copy, directory->source_fd, directory->destination_fd, &directory->source,
			  directory->has_default_acl);
	if (r < 0)
		return copy_error(copy, directory, "", r, "cannot copy the metadata of");
	copy->stats->n_directories++;
	return 0;
}

/* Works off everything that is pending. */
static int walk(struct copy *copy)
{
	while (copy->n_pending > 0) {
		struct copy_directory *directory = copy->pending[copy->n_pending - 1];
		int r;

		if (!directory->is_entered) {
			r = directory_enter(copy, directory);
		} else {
			r = directory_leave(copy, directory);
			copy->n_pending--;
			directory_free(directory);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* @fd again, for reading, seen through a mount of our own where the caller may make one. */
static int source_root_open(int fd)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME,
		.attr_clr = MOUNT_ATTR__ATIME,
	};
	_cleanup_close_ int mount_fd = sys_open_tree(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

	if (mount_fd >= 0 &&
	    sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0)
		cleanup_close(&mount_fd), mount_fd = -EBADF;
	return openat(mount_fd >= 0 ? mount_fd : fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int root_open(struct copy *copy, int source_fd, int destination_fd)
{
	struct copy_directory *root = copy->root;
	struct stat st;

	root->source_fd = source_root_open(source_fd);
	if (root->source_fd < 0 || fstat(root->source_fd, &root->source) < 0)
		return error_set(copy->error, -errno, "cannot open the source");
	root->destination_fd = openat(destination_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->destination_fd < 0 || fstat(root->destination_fd, &st) < 0)
		return error_set(copy->error, -errno, "cannot open the destination");
	root->destination_device = st.st_dev;
	root->destination_inode = st.st_ino;
	root->has_default_acl =
		fgetxattr(root->destination_fd, "system.posix_acl_default", NULL, 0) > 0;
	root->reads_ahead = reads_ahead(copy, root->source_fd);
	root->is_entered = true;
	return 0;
}

/* Is @directory_fd @source, or somewhere below it? Asked before anything is made. */
static int is_below(int directory_fd, const struct stat *source)
{
	_cleanup_close_ int held_fd = -EBADF;
	struct stat here, above;
	int fd = directory_fd;

	if (fstat(fd, &here) < 0)
		return -errno;
	for (;;) {
		if (here.st_dev == source->st_dev && here.st_ino == source->st_ino)
			return 1;
		fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_close(&held_fd);
		held_fd = fd;
		/* No way up: nothing above can be the source either. */
		if (fd < 0 || fstat(fd, &above) < 0)
			return 0;
		if (above.st_dev == here.st_dev && above.st_ino == here.st_ino)
			return 0;
		here = above;
	}
}

static void copy_deinit(struct copy *copy)
{
	copy_ahead_free(copy->ahead);
	copy_links_deinit(&copy->links);
	while (copy->n_pending > 0)
		directory_free(copy->pending[--copy->n_pending]);
	free(copy->pending);
	directory_free(copy->root);
	free(copy->buffer);
}

static int copy_init(struct copy *copy, int source_fd, int destination_fd)
{
	copy->root = directory_new(NULL, "", "");
	copy->buffer = malloc(COPY_BUFFER_BYTES);
	if (!copy->root || !copy->buffer)
		return error_set(copy->error, -ENOMEM, "cannot copy");
	return root_open(copy, source_fd, destination_fd);
}

/* On a full disk the caller wants to know what is there. */
static int result(struct copy *copy, int r)
{
	const struct copy_stats *stats = copy->stats;

	if (r != -ENOSPC && r != -EDQUOT)
		return r;
	return error_prefix(copy->error, r,
			    "complete are %" PRIu64 " directories and %" PRIu64 " files (%" PRIu64
			    " bytes)",
			    stats->n_directories, stats->n_files, stats->n_bytes);
}

int copy_tree(int source_fd, int destination_fd, const struct copy_options *options,
	      struct copy_stats *stats, struct error *error)
{
	struct copy_stats own_stats = {};
	_cleanup_(copy_deinit) struct copy copy = { .options = options,
						    .stats = stats ? stats : &own_stats,
						    .error = error };
	int r = copy_init(&copy, source_fd, destination_fd);

	if (r < 0)
		return r;
	r = is_below(destination_fd, &copy.root->source);
	if (r < 0)
		return error_set(error, r, "cannot look at the destination");
	if (r > 0)
		return error_say(error, -EINVAL, "the destination is the source, or is in it");
	r = entries_copy(&copy, copy.root);
	if (r == 0)
		r = walk(&copy);
	if (r == 0 && options->flags & COPY_ROOT_METADATA) {
		r = copy_metadata(&copy, copy.root->source_fd, copy.root->destination_fd,
				  &copy.root->source, copy.root->has_default_acl);
		if (r < 0)
			copy_error(&copy, copy.root, "", r, "cannot copy the metadata of");
	}
	return result(&copy, r);
}

int copy_entry(int source_fd, const char *source_name, int destination_fd,
	       const char *destination_name, const struct copy_options *options,
	       struct copy_stats *stats, struct error *error)
{
	struct copy_stats own_stats = {};
	_cleanup_(copy_deinit) struct copy copy = { .options = options,
						    .stats = stats ? stats : &own_stats,
						    .error = error };
	int r = copy_init(&copy, source_fd, destination_fd);
	struct stat st;

	if (r < 0)
		return r;
	if (fstatat(copy.root->source_fd, source_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "cannot open '%s'", source_name);
	if (S_ISDIR(st.st_mode)) {
		r = is_below(destination_fd, &st);
		if (r < 0)
			return error_set(error, r, "cannot look at the destination");
		if (r > 0)
			return error_say(error, -EINVAL, "the destination is in the source");
		r = pending_push(&copy, directory_new(copy.root, source_name, destination_name));
		r = r < 0 ? error_set(error, r, "cannot copy") : walk(&copy);
	} else if (S_ISREG(st.st_mode)) {
		struct copy_source source;

		copy_source_open(copy.root->source_fd, source_name, &source);
		r = copy_regular(&copy, copy.root, source_name, destination_name, &source);
	} else {
		r = copy_special(&copy, copy.root, source_name, destination_name);
	}
	return result(&copy, r);
}
