/* SPDX-License-Identifier: MIT */
#include "fs/layer/directory_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/path.h"

#define XATTRS_MAX_BYTES 65536 /* the kernel's: XATTR_LIST_MAX and XATTR_SIZE_MAX */

/* Open addressing by inode number; a power of two, never more than half full. */
struct hard_link_table {
	size_t n_slots, n_used;
	struct hard_link {
		ino_t inode;
		const char *path; /* NULL: free; borrowed from the list of paths */
	} * slots;
};

static struct hard_link *slot_find(struct hard_link_table *table, ino_t inode)
{
	size_t i = (size_t)inode & (table->n_slots - 1);

	while (table->slots[i].path && table->slots[i].inode != inode)
		i = (i + 1) & (table->n_slots - 1);
	return &table->slots[i];
}

static int table_grow(struct hard_link_table *table)
{
	struct hard_link_table grown = { .n_slots = table->n_slots ? 2 * table->n_slots : 256 };

	grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	grown.n_used = table->n_used;
	for (size_t i = 0; i < table->n_slots; i++) {
		if (table->slots[i].path)
			*slot_find(&grown, table->slots[i].inode) = table->slots[i];
	}
	free(table->slots);
	*table = grown;
	return 0;
}

/* The path that an inode had first; now and then on, @path where it had none. */
static int hard_link_first(struct hard_link_table *table, ino_t inode, const char *path,
			   const char **ret_first)
{
	struct hard_link *slot;

	if (2 * table->n_used >= table->n_slots && table_grow(table) < 0)
		return -ENOMEM;
	slot = slot_find(table, inode);
	*ret_first = slot->path;
	if (!slot->path) {
		*slot = (struct hard_link){ inode, path };
		table->n_used++;
	}
	return 0;
}

/* The order of a walk: a directory, then what is in it, then what comes behind it. */
static int path_compare(const void *a, const void *b)
{
	const unsigned char *x = *(unsigned char *const *)a, *y = *(unsigned char *const *)b;
	int c, d;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	c = *x == '/' ? 1 : *x ? *x + 1 : 0;
	d = *y == '/' ? 1 : *y ? *y + 1 : 0;
	return c - d;
}

static int directory_list(struct directory_tar *tar, const char *path, dev_t device,
			  struct string_list *directories)
{
	_cleanup_close_ int fd = path_open_beneath(tar->root_fd, *path ? path : ".",
						   O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int r = 0;

	if (fd < 0)
		return fd;
	directory = fdopendir(fd);
	if (!directory)
		return -errno;
	fd = -EBADF;
	while (r == 0 && (errno = 0, entry = readdir(directory))) {
		_cleanup_free_ char *child = NULL;
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		child = string_format("%s%s%s", path, *path ? "/" : "", entry->d_name);
		if (!child)
			return -ENOMEM;
		if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (S_ISSOCK(st.st_mode))
			continue;
		r = string_list_add(&tar->paths, child);
		if (r == 0 && S_ISDIR(st.st_mode) && st.st_dev == device)
			r = string_list_add(directories, child);
	}
	return r ? r : -errno;
}

static int tree_list(struct directory_tar *tar, struct error *error)
{
	_cleanup_strings_ struct string_list directories = {};
	struct stat st;
	int r;

	if (fstat(tar->root_fd, &st) < 0)
		return error_set(error, -errno, "cannot read the directory");
	r = string_list_add(&tar->paths, "");
	if (r == 0)
		r = directory_list(tar, "", st.st_dev, &directories);
	for (size_t i = 0; r == 0 && i < directories.n_items; i++) {
		r = directory_list(tar, directories.items[i], st.st_dev, &directories);
		if (r < 0)
			return error_set(error, r, "cannot read '%s'", directories.items[i]);
	}
	if (r < 0)
		return error_set(error, r, "cannot read the directory");
	qsort(tar->paths.items, tar->paths.n_items, sizeof(char *), path_compare);
	return 0;
}

struct attributes {
	struct tar_attribute *items;
	size_t n_items;
	char *names;
	bool opaque;
};

static void attributes_deinit(struct attributes *attributes)
{
	for (size_t i = 0; i < attributes->n_items; i++)
		free((void *)(uintptr_t)attributes->items[i].value);
	free(attributes->items);
	free(attributes->names);
}

static int attribute_compare(const void *a, const void *b)
{
	return strcmp(((const struct tar_attribute *)a)->name,
		      ((const struct tar_attribute *)b)->name);
}

static int attribute_read(const char *path, const char *name, struct attributes *attributes)
{
	struct tar_attribute *items =
		reallocarray(attributes->items, attributes->n_items + 1, sizeof(*items));
	_cleanup_free_ char *value = malloc(XATTRS_MAX_BYTES);
	ssize_t n;

	if (items)
		attributes->items = items;
	if (!items || !value)
		return -ENOMEM;
	n = getxattr(path, name, value, XATTRS_MAX_BYTES);
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	items[attributes->n_items++] = (struct tar_attribute){ name, take_ptr(value), (size_t)n };
	return 0;
}

/* Through /proc, since a link or a device can't be opened for this. */
static int attributes_read(int fd, struct attributes *attributes)
{
	char path[40];
	ssize_t n;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = listxattr(path, NULL, 0);
	if (n <= 0)
		return n < 0 && errno != EOPNOTSUPP ? -errno : 0;
	attributes->names = malloc(XATTRS_MAX_BYTES);
	if (!attributes->names)
		return -ENOMEM;
	n = listxattr(path, attributes->names, XATTRS_MAX_BYTES);
	if (n < 0)
		return -errno;
	for (char *name = attributes->names; r == 0 && name < attributes->names + n;
	     name += strlen(name) + 1) {
		if (!strcmp(name, "trusted.overlay.opaque"))
			attributes->opaque = true;
		if (!string_has_prefix(name, "trusted.overlay.") &&
		    !string_has_prefix(name, "user.overlay."))
			r = attribute_read(path, name, attributes);
	}
	if (attributes->n_items > 1)
		qsort(attributes->items, attributes->n_items, sizeof(*attributes->items),
		      attribute_compare);
	return r;
}

static int link_read(int fd, char **ret_target)
{
	char *target = malloc(PATH_MAX);
	ssize_t n = target ? readlinkat(fd, "", target, PATH_MAX - 1) : -1;

	if (n < 0) {
		int r = target ? -errno : -ENOMEM;

		free(target);
		return r;
	}
	target[n] = '\0';
	*ret_target = target;
	return 0;
}

static int opaque_write(struct directory_tar *tar, const char *path)
{
	_cleanup_free_ char *marker = string_format("%s%s.wh..wh..opq", path, *path ? "/" : "");
	struct tar_entry entry = { .path = marker, .mode = S_IFREG | 0600 };

	return marker ? tar_write_header(&tar->headers, &entry, NULL, 0) : -ENOMEM;
}

/* Puts an entry's headers into the buffer, and opens the file whose data comes behind them. */
static int entry_begin(struct directory_tar *tar, const char *path)
{
	_cleanup_(attributes_deinit) struct attributes attributes = {};
	_cleanup_close_ int fd =
		path_open_beneath(tar->root_fd, *path ? path : ".", O_PATH | O_NOFOLLOW, 0);
	_cleanup_free_ char *target = NULL, *name = NULL;
	struct tar_entry entry = {};
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	name = string_format(S_ISDIR(st.st_mode) ? "%s/" : "%s", *path ? path : ".");
	if (!name)
		return -ENOMEM;
	entry = (struct tar_entry){
		.path = name,
		.mode = st.st_mode,
		.size = S_ISREG(st.st_mode) ? st.st_size : 0,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.mtime = st.st_mtim,
		.device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? st.st_rdev : 0,
	};
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		r = hard_link_first(tar->links, st.st_ino, path, &entry.hard_link);
		if (r < 0)
			return r;
	}
	if (entry.hard_link) {
		entry.size = 0;
		return tar_write_header(&tar->headers, &entry, NULL, 0);
	}
	r = S_ISLNK(st.st_mode) ? link_read(fd, &target) : 0;
	entry.symlink = target;
	if (r == 0)
		r = attributes_read(fd, &attributes);
	if (r == 0)
		r = tar_write_header(&tar->headers, &entry, attributes.items, attributes.n_items);
	if (r == 0 && attributes.opaque && tar->flags & DIRECTORY_TAR_LAYER)
		r = opaque_write(tar, path);
	if (r < 0 || entry.size == 0)
		return r;
	tar->file_fd = path_open_beneath(tar->root_fd, path, O_RDONLY | O_NOFOLLOW, 0);
	tar->n_remaining = entry.size;
	tar->n_padding = (TAR_BLOCK_BYTES - entry.size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
	return tar->file_fd < 0 ? tar->file_fd : 0;
}

static ssize_t data_next(struct directory_tar *tar, struct error *error)
{
	const char *path = tar->paths.items[tar->n_done - 1];
	size_t n_wanted = BYTE_STREAM_BLOCK_BYTES - TAR_BLOCK_BYTES;
	ssize_t n;

	if (tar->n_remaining < (int64_t)n_wanted)
		n_wanted = (size_t)tar->n_remaining;
	do {
		n = read(tar->file_fd, tar->block, n_wanted);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, "cannot read '%s'", path);
	if (n == 0)
		return error_say(error, -EBUSY, "'%s' became shorter while it was read", path);
	tar->n_remaining -= n;
	if (tar->n_remaining > 0)
		return n;
	memset(tar->block + n, 0, (size_t)tar->n_padding);
	close(tar->file_fd);
	tar->file_fd = -EBADF;
	return n + (ssize_t)tar->n_padding;
}

static ssize_t directory_tar_next(struct byte_stream *stream, const void **ret_block,
				  struct error *error)
{
	struct directory_tar *tar = (struct directory_tar *)stream;
	const char *path;
	int r;

	*ret_block = tar->block;
	if (tar->file_fd >= 0)
		return data_next(tar, error);
	if (tar->at_end)
		return 0;
	if (tar->n_done == tar->paths.n_items) {
		/* The end of an archive is two blocks of zeros. */
		tar->at_end = true;
		memset(tar->block, 0, 2 * TAR_BLOCK_BYTES);
		return 2 * TAR_BLOCK_BYTES;
	}
	tar->headers.n_bytes = 0;
	path = tar->paths.items[tar->n_done++];
	r = entry_begin(tar, path);
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	*ret_block = tar->headers.bytes;
	return (ssize_t)tar->headers.n_bytes;
}

int directory_tar_init(struct directory_tar *tar, int root_fd, unsigned int flags,
		       struct error *error)
{
	*tar = (struct directory_tar){
		.stream = { .next = directory_tar_next },
		.root_fd = root_fd,
		.flags = flags,
		.links = calloc(1, sizeof(*tar->links)),
		.file_fd = -EBADF,
		.block = malloc(BYTE_STREAM_BLOCK_BYTES),
	};
	if (!tar->links || !tar->block)
		return error_set(error, -ENOMEM, "cannot read the directory");
	return tree_list(tar, error);
}

void directory_tar_deinit(struct directory_tar *tar)
{
	string_list_deinit(&tar->paths);
	if (tar->links)
		free(tar->links->slots);
	free(tar->links);
	if (tar->block)
		cleanup_close(&tar->file_fd);
	buffer_deinit(&tar->headers);
	free(tar->block);
	*tar = (struct directory_tar){ .file_fd = -EBADF };
}
