/* SPDX-License-Identifier: MIT */
#include "fs/layer/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fs/layer/tree.h"

#define WHITEOUT_PREFIX	     ".wh."
#define WHITEOUT_META_PREFIX ".wh..wh."
#define WHITEOUT_OPAQUE	     ".wh..wh..opq"

#define NAME_SHOWN_BYTES 200

/* Zeros that are worth a hole: shorter ones would cost more calls than they save blocks. */
#define HOLE_MIN_BYTES 65536

/* A directory's metadata waits until all is in it: its times would change, its mode might hinder.
 */
struct directory_record {
	char *path;
	struct tar_entry entry; /* its strings are not kept */
	struct metadata_xattrs xattrs;
	bool implicit; /* no entry is about it, so far */
};

struct application {
	struct layer_tree tree;
	struct tar_reader *reader;
	struct layer_report *report;
	struct directory_record *directories;
	size_t n_directories, n_allocated;
};

static void application_deinit(struct application *application)
{
	layer_tree_deinit(&application->tree);
	tar_reader_free(application->reader);
	for (size_t i = 0; i < application->n_directories; i++) {
		free(application->directories[i].path);
		metadata_xattrs_deinit(&application->directories[i].xattrs);
	}
	free(application->directories);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int directory_set_opaque(int fd, struct error *error)
{
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return error_set(error, -errno, "cannot make it opaque");
	return 0;
}

static int directory_remember(struct application *application, const char *path,
			      const struct tar_entry *entry, struct metadata_xattrs *xattrs)
{
	struct directory_record *record;

	if (application->n_directories == application->n_allocated) {
		size_t n = application->n_allocated ? 2 * application->n_allocated : 64;
		struct directory_record *directories =
			reallocarray(application->directories, n, sizeof(*directories));

		if (!directories)
			return -ENOMEM;
		application->directories = directories;
		application->n_allocated = n;
	}
	record = &application->directories[application->n_directories];
	*record = (struct directory_record){ .path = strdup(path), .entry = *entry };
	if (!record->path)
		return -ENOMEM;
	record->xattrs = *xattrs;
	*xattrs = (struct metadata_xattrs){};
	application->n_directories++;
	return 0;
}

/* Parents that an entry made have its time: one layer is to be the same wherever it is unpacked. */
static int made_finish(struct application *application, size_t n_before,
		       const struct tar_entry *entry)
{
	struct timespec times[2] = { entry->mtime, entry->mtime };
	int r = 0;

	for (size_t i = n_before; i < application->tree.made.n_items && r == 0; i++) {
		struct directory_record *record;
		struct tar_entry directory = {
			.mode = S_IFDIR | 0755,
			.uid = geteuid(),
			.gid = getegid(),
			.atime = times[0],
			.mtime = times[1],
		};
		struct metadata_xattrs none = {};

		r = directory_remember(application, application->tree.made.items[i], &directory,
				       &none);
		if (r < 0)
			break;
		record = &application->directories[application->n_directories - 1];
		record->implicit = true;
	}
	return r;
}

/* @path is no directory any more: what was said about it, and what was below it, is void. */
static void directories_forget(struct application *application, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < application->n_directories; i++) {
		char **known = &application->directories[i].path;

		if (*known && !strncmp(*known, path, n) && ((*known)[n] == '/' || !(*known)[n])) {
			free(*known);
			*known = NULL;
		}
	}
}

/* Makes room for an entry that takes @name's place. */
static int existing_remove(struct application *application, const char *path, const char *name,
			   const struct stat *st, struct error *error)
{
	int r = layer_tree_remove(&application->tree, name);

	if (S_ISDIR(st->st_mode))
		directories_forget(application, path);
	return r < 0 ? error_set(error, r, "cannot replace it") : 0;
}

static int directory_apply(struct application *application, const char *path,
			   const struct tar_entry *entry, struct metadata_xattrs *xattrs,
			   struct error *error)
{
	struct layer_tree *tree = &application->tree;
	const char *name;
	struct stat st;
	int parent_fd, r;

	if (!*path) {
		r = directory_remember(application, path, entry, xattrs);
		return r < 0 ? error_set(error, r, "cannot remember it") : 0;
	}
	parent_fd = layer_tree_parent(tree, path, true, &name);
	if (parent_fd < 0)
		return error_set(error, parent_fd, "cannot make its directory");
	if (mkdirat(parent_fd, name, (entry->mode & 0777) | 0700) < 0) {
		_cleanup_close_ int fd = -EBADF;

		if (errno != EEXIST || fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_set(error, -errno, "cannot make the directory");
		if (!S_ISDIR(st.st_mode)) {
			r = existing_remove(application, path, name, &st, error);
			if (r < 0)
				return r;
			if (mkdirat(parent_fd, name, (entry->mode & 0777) | 0700) < 0)
				return error_set(error, -errno, "cannot make the directory");
			/* It was deleted below and is made anew here: nothing shines through. */
			if (is_whiteout(&st)) {
				fd = openat(parent_fd, name,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
				r = fd < 0 ? error_set(error, -errno, "cannot open it")
					   : directory_set_opaque(fd, error);
				if (r < 0)
					return r;
			}
		}
	}
	r = directory_remember(application, path, entry, xattrs);
	return r < 0 ? error_set(error, r, "cannot remember it") : 0;
}

static int block_write(int fd, const char *block, size_t n, int64_t offset, struct error *error)
{
	while (n > 0) {
		ssize_t n_written = pwrite(fd, block, n, offset);

		if (n_written < 0 && errno == EINTR)
			continue;
		if (n_written < 0)
			return error_set(error, -errno, "cannot write it");
		block += n_written;
		offset += n_written;
		n -= (size_t)n_written;
	}
	return 0;
}

/* How many of the @n bytes come before the next HOLE_MIN_BYTES of zeros; sets how many of those. */
static size_t zeros_find(const char *block, size_t n, size_t *ret_n_zeros)
{
	static const char zeros[4096];
	size_t n_zeros = 0;

	for (size_t at = 0; at < n; at += sizeof(zeros)) {
		size_t n_page = n - at < sizeof(zeros) ? n - at : sizeof(zeros);

		if (!memcmp(block + at, zeros, n_page)) {
			n_zeros += n_page;
			continue;
		}
		if (n_zeros >= HOLE_MIN_BYTES) {
			*ret_n_zeros = n_zeros;
			return at - n_zeros;
		}
		n_zeros = 0;
	}
	*ret_n_zeros = n_zeros >= HOLE_MIN_BYTES ? n_zeros : 0;
	return n - *ret_n_zeros;
}

/* Long runs of zeros become holes, whether the archive knew of them or not. */
static int block_write_sparse(int fd, const char *block, size_t n, int64_t offset,
			      struct error *error)
{
	while (n > 0) {
		size_t n_zeros, n_data = zeros_find(block, n, &n_zeros);
		int r = block_write(fd, block, n_data, offset, error);

		if (r < 0)
			return r;
		block += n_data + n_zeros;
		offset += (int64_t)(n_data + n_zeros);
		n -= n_data + n_zeros;
	}
	return 0;
}

static int data_write(struct application *application, int fd, int64_t size, struct error *error)
{
	const void *block;
	int64_t offset, end = 0;
	size_t n;
	int r;

	while ((r = tar_reader_data(application->reader, &block, &n, &offset, error)) > 0) {
		if (offset < end || (int64_t)n > size - offset)
			return error_say(error, -EBADMSG, "its data is out of its bounds");
		end = offset + (int64_t)n;
		application->report->n_bytes += n;
		r = block_write_sparse(fd, block, n, offset, error);
		if (r < 0)
			return r;
	}
	/* The last bytes may be a hole: the archive's, or one of ours. */
	if (r == 0 && (end < size || size >= HOLE_MIN_BYTES) && ftruncate(fd, size) < 0)
		return error_set(error, -errno, "cannot write it");
	return r;
}

static int file_apply(struct application *application, int parent_fd, const char *name,
		      const struct tar_entry *entry, const struct metadata_xattrs *xattrs,
		      struct error *error)
{
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       entry->mode & 07777);
	int r;

	if (fd < 0)
		return error_set(error, -errno, "cannot make the file");
	r = data_write(application, fd, entry->size, error);
	if (r < 0)
		return r;
	return metadata_set_fd(fd, entry, xattrs, true, &application->report->warnings, error);
}

static int node_apply(struct application *application, int parent_fd, const char *name,
		      const struct tar_entry *entry, const struct metadata_xattrs *xattrs,
		      struct error *error)
{
	dev_t device = S_ISFIFO(entry->mode) ? 0 : entry->device;

	if (entry->symlink) {
		if (symlinkat(entry->symlink, parent_fd, name) < 0)
			return error_set(error, -errno, "cannot make the symbolic link");
	} else if (mknodat(parent_fd, name, entry->mode & (S_IFMT | 07777), device) < 0) {
		return error_set(error, -errno, "cannot make the %s",
				 S_ISFIFO(entry->mode) ? "fifo" : "device node");
	}
	return metadata_set_at(parent_fd, name, entry, xattrs, &application->report->warnings,
			       error);
}

/* Opens the directory of a hard link's target; the target itself is never followed. */
static int hard_link_apply(struct application *application, const char *path,
			   const struct tar_entry *entry, struct error *error)
{
	_cleanup_close_ int target_fd = -EBADF;
	struct layer_tree *tree = &application->tree;
	const char *target_name, *name;
	char target[PATH_MAX];
	struct stat st, existing;
	int fd, r = layer_path_clean(entry->hard_link, target);

	if (r < 0 || !*target)
		return error_say(error, -EBADMSG,
				 "the hard link's target '%.100s' leaves the layer",
				 entry->hard_link);
	fd = layer_tree_parent(tree, target, false, &target_name);
	if (fd >= 0)
		target_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (target_fd < 0 || fstatat(target_fd, target_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_say(error, -EBADMSG,
				 "the hard link's target '%.100s' is not in the layer",
				 entry->hard_link);
	if (S_ISDIR(st.st_mode) || is_whiteout(&st))
		return error_say(error, -EBADMSG, "the hard link's target '%.100s' is not a file",
				 entry->hard_link);
	fd = layer_tree_parent(tree, path, true, &name);
	if (fd < 0)
		return error_set(error, fd, "cannot make its directory");
	if (fstatat(fd, name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
		if (existing.st_ino == st.st_ino && existing.st_dev == st.st_dev)
			return 0;
		r = existing_remove(application, path, name, &existing, error);
		if (r < 0)
			return r;
	}
	if (linkat(target_fd, target_name, fd, name, 0) < 0)
		return error_set(error, -errno, "cannot make the hard link to '%.100s'",
				 entry->hard_link);
	return 0;
}

static int opaque_apply(struct application *application, const char *path, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;
	const char *name;
	int parent_fd;

	/* @path ends in the marker; what is opaque is the directory it is in. */
	parent_fd = layer_tree_parent(&application->tree, path, true, &name);
	if (parent_fd < 0)
		return error_set(error, parent_fd, "cannot make its directory");
	if (name == path)
		application->report->opaque_root = true;
	fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open its directory");
	return directory_set_opaque(fd, error);
}

static int whiteout_apply(struct application *application, const char *path,
			  const struct tar_entry *entry, struct error *error)
{
	struct timespec times[2] = { entry->atime, entry->mtime };
	_cleanup_close_ int fd = -EBADF;
	const char *name;
	struct stat st;
	int parent_fd;

	parent_fd = layer_tree_parent(&application->tree, path, true, &name);
	if (parent_fd < 0)
		return error_set(error, parent_fd, "cannot make its directory");
	name += strlen(WHITEOUT_PREFIX);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return error_say(error, -EBADMSG, "the whiteout has no name");
	if (mknodat(parent_fd, name, S_IFCHR, makedev(0, 0)) == 0) {
		/* Nobody sees it, but one layer is to be the same wherever it is unpacked. */
		if (utimensat(parent_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
			return error_set(error, -errno, "cannot set the times");
		return 0;
	}
	if (errno != EEXIST || fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "cannot make the whiteout");
	/* A file of this layer hides what is below it by itself; a directory must be told to. */
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open it");
	return directory_set_opaque(fd, error);
}

/* A file, a link, a device or a fifo: whatever was there under its name goes. */
static int other_apply(struct application *application, const char *path,
		       const struct tar_entry *entry, const struct metadata_xattrs *xattrs,
		       struct error *error)
{
	const char *name;
	struct stat st;
	int r, parent_fd = layer_tree_parent(&application->tree, path, true, &name);

	if (parent_fd < 0)
		return error_set(error, parent_fd, "cannot make its directory");
	for (int attempt = 0;; attempt++) {
		r = S_ISREG(entry->mode)
			    ? file_apply(application, parent_fd, name, entry, xattrs, error)
			    : node_apply(application, parent_fd, name, entry, xattrs, error);
		/* Looking first would cost a call for each file; a name comes twice rarely. */
		if (r != -EEXIST || attempt > 0)
			return r;
		if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_set(error, -errno, "cannot replace it");
		r = existing_remove(application, path, name, &st, error);
		if (r < 0)
			return r;
	}
}

static bool has_meta_component(const char *path)
{
	for (;;) {
		if (!strncmp(path, WHITEOUT_META_PREFIX, strlen(WHITEOUT_META_PREFIX)))
			return true;
		path = strchr(path, '/');
		if (!path++)
			return false;
	}
}

static int entry_apply(struct application *application, const struct tar_entry *entry,
		       struct error *error)
{
	_cleanup_metadata_xattrs_ struct metadata_xattrs xattrs = {};
	char path[PATH_MAX];
	const char *name;
	int r = layer_path_clean(entry->path, path);

	if (r == -EBADMSG)
		return error_say(error, r, "the name leaves the layer");
	if (r < 0)
		return error_set(error, r, "cannot make it");
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	if (!strcmp(name, WHITEOUT_OPAQUE))
		return opaque_apply(application, path, error);
	if (has_meta_component(path))
		return 0;
	if (!strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)))
		return whiteout_apply(application, path, entry, error);
	if (!*path && (entry->hard_link || !S_ISDIR(entry->mode)))
		return error_say(error, -EBADMSG, "the layer's root can only be a directory");
	if (entry->hard_link)
		return hard_link_apply(application, path, entry, error);
	r = metadata_xattrs_read(&xattrs, application->reader, path,
				 &application->report->warnings);
	if (r < 0)
		return error_set(error, r, "cannot read its attributes");
	if (S_ISDIR(entry->mode))
		return directory_apply(application, path, entry, &xattrs, error);
	if (S_ISREG(entry->mode) || S_ISLNK(entry->mode) || S_ISCHR(entry->mode) ||
	    S_ISBLK(entry->mode) || S_ISFIFO(entry->mode))
		return other_apply(application, path, entry, &xattrs, error);
	return error_say(error, -EBADMSG, "it has no type that a layer can have");
}

static int record_compare(const void *a, const void *b)
{
	return strcmp((*(struct directory_record *const *)a)->path,
		      (*(struct directory_record *const *)b)->path);
}

/* Reports the directories that were made implicitly and that no entry is about. */
static int implicit_report(struct application *application)
{
	size_t n_said = 0, n = application->n_directories;
	_cleanup_free_ struct directory_record **said = calloc(n + 1, sizeof(*said));
	int r = said ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (application->directories[i].path && !application->directories[i].implicit)
			said[n_said++] = &application->directories[i];
	}
	if (n_said > 1)
		qsort(said, n_said, sizeof(*said), record_compare);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct directory_record *record = &application->directories[i];

		if (record->path && record->implicit &&
		    (n_said == 0 || !bsearch(&record, said, n_said, sizeof(*said), record_compare)))
			r = string_list_add(&application->report->implicit, record->path);
	}
	return r;
}

static int directories_finish(struct application *application, struct error *error)
{
	for (size_t i = 0; i < application->n_directories; i++) {
		struct directory_record *record = &application->directories[i];
		_cleanup_close_ int fd = -EBADF;
		int r;

		if (!record->path)
			continue;
		record->entry.path = record->path;
		fd = layer_tree_directory(&application->tree, record->path);
		if (fd < 0)
			return error_set(error, fd, "'%s': cannot open it again", record->path);
		r = metadata_set_fd(fd, &record->entry, &record->xattrs, false,
				    &application->report->warnings, error);
		if (r < 0)
			return error_prefix(error, r, "'%s'", record->path);
	}
	return implicit_report(application) < 0
		       ? error_set(error, -ENOMEM, "cannot remember the directories")
		       : 0;
}

/* A name for a message: short enough to leave room for the reason, and nothing a terminal obeys. */
static const char *name_shown(const char *name, char shown[NAME_SHOWN_BYTES])
{
	size_t n = strlen(name), n_head = n < NAME_SHOWN_BYTES ? n : NAME_SHOWN_BYTES / 2;

	memcpy(shown, name, n_head);
	shown[n_head] = '\0';
	if (n_head < n) {
		memcpy(shown + n_head, "...", 3);
		strcpy(shown + n_head + 3, name + n - (NAME_SHOWN_BYTES - n_head - 4));
	}
	for (char *p = shown; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return shown;
}

int layer_apply(int directory_fd, struct byte_stream *tar, struct layer_report *report,
		struct error *error)
{
	_cleanup_(application_deinit) struct application application = { .report = report };
	const struct tar_entry *entry;
	char shown[NAME_SHOWN_BYTES];
	int r;

	layer_tree_init(&application.tree, directory_fd);
	r = tar_reader_new(tar, &application.reader, error);
	if (r < 0)
		return r;
	while ((r = tar_reader_next(application.reader, &entry, error)) > 0) {
		size_t n_made = application.tree.made.n_items;

		report->n_entries++;
		r = entry_apply(&application, entry, error);
		if (r == 0 && made_finish(&application, n_made, entry) < 0)
			r = error_set(error, -ENOMEM, "cannot remember it");
		if (r < 0)
			return error_prefix(error, r, "'%s'", name_shown(entry->path, shown));
	}
	return r < 0 ? r : directories_finish(&application, error);
}

void layer_report_deinit(struct layer_report *report)
{
	metadata_warnings_deinit(&report->warnings);
	string_list_deinit(&report->implicit);
}
