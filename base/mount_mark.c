/* SPDX-License-Identifier: MIT */
#include "base/mount_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static int namespace_of(const char *process, uint64_t *ret_inode)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", process);
	if (stat(path, &st) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return 0;
}

/* A process in the mount namespace @inode, or 0. */
static int namespace_find_process(uint64_t inode)
{
	_cleanup_closedir_ DIR *directory = opendir("/proc");
	const struct dirent *entry;
	uint64_t pid, other = 0;

	while (directory && (entry = readdir(directory))) {
		if (string_to_uint64(entry->d_name, INT32_MAX, &pid) == 0 &&
		    namespace_of(entry->d_name, &other) == 0 && other == inode)
			return (int)pid;
	}
	return 0;
}

/* "BOOT-ID NAMESPACE-INODE": what a mark holds. */
static int mark_make(char *line, size_t n_line)
{
	_cleanup_free_ char *boot = NULL;
	uint64_t inode = 0;
	int r = file_read_at(AT_FDCWD, BOOT_ID_FILE, 64, &boot, NULL);

	if (r == 0)
		r = namespace_of("self", &inode);
	if (r < 0)
		return r;
	boot[strcspn(boot, "\n")] = '\0';
	return snprintf(line, n_line, "%s %llu\n", boot, (unsigned long long)inode);
}

int mount_mark_state(int directory_fd, const char *mount_point, const char *mark_name, int *ret_pid)
{
	_cleanup_free_ char *mark = NULL;
	char here[128];
	const char *space;
	uint64_t inode;
	int pid, r = path_is_mount_root(directory_fd, mount_point);

	if (r < 0)
		return r;
	if (r > 0)
		return MOUNT_MARK_HERE;
	r = file_read_at(directory_fd, mark_name, sizeof(here), &mark, NULL);
	if (r == -ENOENT)
		return MOUNT_MARK_NONE;
	if (r == 0)
		r = mark_make(here, sizeof(here));
	if (r < 0)
		return r;
	mark[strcspn(mark, "\n")] = '\0';
	space = strchr(mark, ' ');
	if (!space || string_to_uint64(space + 1, UINT64_MAX, &inode) < 0)
		return MOUNT_MARK_NONE;
	/* Another boot, or this namespace, in which it isn't mounted any more. */
	if (strncmp(mark, here, (size_t)(space + 1 - mark)) || !strncmp(mark, here, strlen(mark)))
		return MOUNT_MARK_NONE;
	pid = namespace_find_process(inode);
	if (!pid)
		return MOUNT_MARK_NONE;
	if (ret_pid)
		*ret_pid = pid;
	return MOUNT_MARK_OTHER;
}

int mount_mark_write(int directory_fd, const char *mark_name)
{
	char line[128];
	int n = mark_make(line, sizeof(line));

	return n < 0 ? n : file_replace_at(directory_fd, mark_name, line, (size_t)n, 0600, 0);
}
