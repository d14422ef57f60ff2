/* SPDX-License-Identifier: MIT */
#include "fs/layer/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define XATTRS_MAX_BYTES 65536 /* the kernel's: XATTR_LIST_MAX and XATTR_SIZE_MAX */

void metadata_warn(struct metadata_warnings *warnings, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;

	if (!warnings || warnings->n_warnings++ >= METADATA_MAX_WARNINGS)
		return;
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	/* Without memory the warning is counted, and that is all. */
	if (message)
		string_list_take(&warnings->messages, message);
}

void metadata_warnings_deinit(struct metadata_warnings *warnings)
{
	string_list_deinit(&warnings->messages);
	warnings->n_warnings = 0;
}

static int xattr_add(struct metadata_xattrs *xattrs, const char *name, const void *value,
		     size_t n_bytes)
{
	struct metadata_xattr *items =
		reallocarray(xattrs->items, xattrs->n_items + 1, sizeof(*items));
	struct metadata_xattr *item;

	if (!items)
		return -ENOMEM;
	xattrs->items = items;
	item = &items[xattrs->n_items++];
	item->name = strdup(name);
	item->value = malloc(n_bytes + 1);
	item->n_bytes = n_bytes;
	if (!item->name || !item->value)
		return -ENOMEM;
	if (n_bytes)
		memcpy(item->value, value, n_bytes);
	return 0;
}

static bool is_overlays(const char *name)
{
	return string_has_prefix(name, "trusted.overlay.") ||
	       string_has_prefix(name, "user.overlay.");
}

int metadata_xattrs_read(struct metadata_xattrs *xattrs, struct tar_reader *reader,
			 const char *path, struct metadata_warnings *warnings)
{
	const char *name;
	const void *value;
	size_t n_bytes;

	while (tar_reader_xattr_next(reader, &name, &value, &n_bytes)) {
		if (is_overlays(name)) {
			metadata_warn(warnings, "'%s': attribute '%s' is left out", path, name);
			continue;
		}
		if (xattr_add(xattrs, name, value, n_bytes) < 0)
			return -ENOMEM;
	}
	return 0;
}

int metadata_xattrs_read_fd(struct metadata_xattrs *xattrs, int fd)
{
	_cleanup_free_ char *names = malloc(XATTRS_MAX_BYTES), *value = malloc(XATTRS_MAX_BYTES);
	ssize_t n = names && value ? flistxattr(fd, names, XATTRS_MAX_BYTES) : 0;
	int r = 0;

	if (!names || !value)
		return -ENOMEM;
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; name < names + n && r == 0; name += strlen(name) + 1) {
		ssize_t n_value;

		if (is_overlays(name))
			continue;
		n_value = fgetxattr(fd, name, value, XATTRS_MAX_BYTES);
		r = n_value < 0 ? -errno : xattr_add(xattrs, name, value, (size_t)n_value);
	}
	return r;
}

void metadata_xattrs_deinit(struct metadata_xattrs *xattrs)
{
	for (size_t i = 0; i < xattrs->n_items; i++) {
		free(xattrs->items[i].name);
		free(xattrs->items[i].value);
	}
	free(xattrs->items);
	*xattrs = (struct metadata_xattrs){};
}

/* Attributes that the file system can't keep are reported; a full disk is a failure. */
static int xattr_failed(int code, const struct tar_entry *entry, const char *name,
			struct metadata_warnings *warnings, struct error *error)
{
	if (code != -EOPNOTSUPP)
		return error_set(error, code, "cannot set attribute '%s'", name);
	metadata_warn(warnings, "'%s': attribute '%s' can't be kept by this file system",
		      entry->path, name);
	return 0;
}

int metadata_set_fd(int fd, const struct tar_entry *entry, const struct metadata_xattrs *xattrs,
		    bool is_fresh, struct metadata_warnings *warnings, struct error *error)
{
	struct timespec times[2] = { entry->atime, entry->mtime };
	bool chown_needed = !is_fresh || entry->uid != geteuid() || entry->gid != getegid();
	int r = 0;

	if (chown_needed && fchown(fd, entry->uid, entry->gid) < 0)
		return error_set(error, -errno, "cannot set the owner %u:%u", entry->uid,
				 entry->gid);
	if ((!is_fresh || entry->mode & (S_ISUID | S_ISGID | S_ISVTX)) &&
	    fchmod(fd, entry->mode & 07777) < 0)
		return error_set(error, -errno, "cannot set the mode");
	for (size_t i = 0; xattrs && i < xattrs->n_items && r == 0; i++) {
		const struct metadata_xattr *xattr = &xattrs->items[i];

		if (fsetxattr(fd, xattr->name, xattr->value, xattr->n_bytes, 0) < 0)
			r = xattr_failed(-errno, entry, xattr->name, warnings, error);
	}
	if (r == 0 && futimens(fd, times) < 0)
		r = error_set(error, -errno, "cannot set the times");
	return r;
}

/* Neither a link nor a device may be opened, so the way to it is its descriptor in /proc. */
static int xattrs_set_at(int directory_fd, const char *name, const struct tar_entry *entry,
			 const struct metadata_xattrs *xattrs, struct metadata_warnings *warnings,
			 struct error *error)
{
	_cleanup_close_ int fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[40];
	int r = 0;

	if (fd < 0)
		return error_set(error, -errno, "cannot open it");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < xattrs->n_items && r == 0; i++) {
		const struct metadata_xattr *xattr = &xattrs->items[i];

		if (setxattr(path, xattr->name, xattr->value, xattr->n_bytes, 0) < 0)
			r = xattr_failed(-errno, entry, xattr->name, warnings, error);
	}
	return r;
}

int metadata_set_at(int directory_fd, const char *name, const struct tar_entry *entry,
		    const struct metadata_xattrs *xattrs, struct metadata_warnings *warnings,
		    struct error *error)
{
	struct timespec times[2] = { entry->atime, entry->mtime };
	bool is_link = S_ISLNK(entry->mode);
	int r;

	if ((entry->uid != geteuid() || entry->gid != getegid()) &&
	    fchownat(directory_fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "cannot set the owner %u:%u", entry->uid,
				 entry->gid);
	/* Just made by us in a tree that nobody else reaches: it is not a link. */
	if (!is_link && entry->mode & (S_ISUID | S_ISGID | S_ISVTX) &&
	    fchmodat(directory_fd, name, entry->mode & 07777, 0) < 0)
		return error_set(error, -errno, "cannot set the mode");
	if (xattrs && xattrs->n_items) {
		r = xattrs_set_at(directory_fd, name, entry, xattrs, warnings, error);
		if (r < 0)
			return r;
	}
	if (utimensat(directory_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "cannot set the times");
	return 0;
}
