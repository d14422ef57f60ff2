/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"

static const char *scratch_parent(void)
{
	const char *directory = getenv("TMPDIR");
	struct statfs fs;

	if (statfs("/dev/shm", &fs) == 0 && fs.f_type == TMPFS_MAGIC && !access("/dev/shm", W_OK))
		return "/dev/shm";
	return directory && *directory ? directory : "/tmp";
}

/*
 * A failing cmocka test leaves by longjmp(), past every cleanup: what it made is removed when the
 * process ends.
 */
static struct string_list made;
static pid_t maker;

static void mounts_detach(const char *path);

/* path_remove_tree() stays below the directory it is given: that is the parent's. */
static void tree_remove(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = strndup(path, (size_t)(slash - path));
	_cleanup_close_ int parent_fd =
		parent ? open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;

	if (parent_fd >= 0)
		(void)path_remove_tree(parent_fd, slash + 1);
}

static void made_remove(void)
{
	/* A child that forgets _exit() must not take its parent's. */
	STRING_LIST_FOR_EACH (&made, i) {
		if (getpid() != maker)
			break;
		mounts_detach(made.items[i]);
		tree_remove(made.items[i]);
	}
	string_list_deinit(&made);
}

struct scratch_directory scratch_directory_make(void)
{
	struct scratch_directory scratch = { .fd = -EBADF };

	if (!maker) {
		maker = getpid();
		atexit(made_remove);
	}

	snprintf(scratch.path, sizeof(scratch.path), "%s/lamina-unit.XXXXXX", scratch_parent());
	if (!mkdtemp(scratch.path))
		fail_msg("cannot make '%s': %s", scratch.path, strerror(errno));
	scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scratch.fd >= 0);
	assert_int_equal(string_list_add(&made, scratch.path), 0);
	return scratch;
}

/* Detaches what is mounted below @path, the last mount first. */
static void mounts_detach(const char *path)
{
	_cleanup_strings_ struct string_list mounts = {};
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[8192];

	while (file && fgets(line, sizeof(line), file)) {
		char mount_point[4096];

		if (sscanf(line, "%*s %*s %*s %*s %4095s", mount_point) == 1 &&
		    string_has_prefix(mount_point, path))
			string_list_add(&mounts, mount_point);
	}
	for (size_t i = mounts.n_items; i-- > 0;)
		sys_umount2(mounts.items[i], MNT_DETACH | UMOUNT_NOFOLLOW);
}

void scratch_directory_remove(struct scratch_directory *scratch)
{
	if (scratch->fd < 0)
		return;
	mounts_detach(scratch->path);
	close(take_fd(&scratch->fd));
	tree_remove(scratch->path);
}

char *scratch_path(const struct scratch_directory *scratch, const char *name)
{
	char *path = string_format("%s/%s", scratch->path, name);

	assert_non_null(path);
	return path;
}

void scratch_write(const struct scratch_directory *scratch, const char *name, const char *text)
{
	assert_int_equal(file_write_at(scratch->fd, name, text, strlen(text), 0644), 0);
}

char *scratch_read(const struct scratch_directory *scratch, const char *name)
{
	char *text;

	return file_read_at(scratch->fd, name, 1 << 24, &text, NULL) < 0 ? NULL : text;
}

size_t scratch_count(const struct scratch_directory *scratch, const char *name)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	size_t n = 0;

	directory = fdopendir(openat(scratch->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(directory);
	while ((entry = readdir(directory)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	return n;
}

void scratch_in_mount_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0) {
		print_message("not allowed to make a mount namespace: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}
