/* SPDX-License-Identifier: MIT */
#include "launch/root.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/trace.h"

/* A host with thousands of mounts has some megabytes. */
#define MOUNTINFO_MAX_BYTES (64u << 20)

unsigned long root_host_propagation(unsigned long propagation)
{
	return propagation & (MS_SLAVE | MS_SHARED) ? MS_SLAVE : MS_PRIVATE;
}

int root_part(unsigned long propagation, struct error *error)
{
	TRACE_PHASE("mnt.private");

	if (sys_mount(NULL, "/", NULL, MS_REC | root_host_propagation(propagation), NULL) < 0)
		return error_set(error, -errno, "cannot make the mounts private");
	return 0;
}

int root_attach(int root_mount_fd, const char *place, struct error *error)
{
	TRACE_PHASE("mnt.overlay");

	if (sys_move_mount(root_mount_fd, "", AT_FDCWD, place,
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return error_set(error, -errno, "root.path: cannot attach the root at '%s'", place);
	return 0;
}

int root_propagate(unsigned long propagation, struct error *error)
{
	if (!(propagation & (MS_SHARED | MS_UNBINDABLE)))
		return 0;
	if (sys_mount(NULL, "/", NULL, propagation, NULL) < 0)
		return error_set(error, -errno, "linux.rootfsPropagation: cannot be set");
	return 0;
}

/* proc(5): the mount point is the fifth word, with octal escapes. @line is changed. */
static const char *mount_point_decode(char *line)
{
	char *word = line, *out;

	for (int i = 0; word && i < 4; i++) {
		word = strchr(word, ' ');
		word += word != NULL;
	}
	if (!word)
		return NULL;
	out = word;
	for (char *p = word; *p && *p != ' '; p++) {
		unsigned int byte;

		if (*p == '\\' && sscanf(p + 1, "%3o", &byte) == 1) {
			*out++ = (char)byte;
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return word;
}

/* From the last to the first, since one may lie on another. The working directory is the old root,
 * from where its mounts are found though another root lies on top of it. */
static void mounts_detach(char *mountinfo)
{
	char *line = mountinfo;

	for (char *end = mountinfo + strlen(mountinfo); end; end = line > mountinfo ? line : NULL) {
		const char *path;

		*end = '\0';
		line = strrchr(mountinfo, '\n');
		line = line ? line : mountinfo;
		path = mount_point_decode(line + (*line == '\n'));
		if (path && path[0] == '/' && path[1])
			(void)sys_umount2(path + 1, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
}

int root_move(int root_mount_fd, struct error *error)
{
	_cleanup_close_ int host_fd = fd_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *mountinfo = NULL;
	size_t n_bytes;
	int r = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX_BYTES, &mountinfo,
			     &n_bytes);

	if ((r < 0 && r != -ENOENT) || host_fd < 0)
		return error_set(error, r < 0 ? r : -errno, "cannot read the host's mounts");
	if (fchdir(root_mount_fd) < 0 || sys_mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return error_set(error, -errno, "cannot move the root");
	if (fchdir(host_fd) < 0)
		return error_set(error, -errno, "cannot leave the host's mounts");
	if (mountinfo)
		mounts_detach(mountinfo);
	if (fchdir(root_mount_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return error_set(error, -errno, "cannot switch to the root");
	return 0;
}

static bool root_is_initramfs(void)
{
	struct statfs st;
	bool is_initramfs =
		statfs("/", &st) == 0 && (st.f_type == RAMFS_MAGIC || st.f_type == TMPFS_MAGIC);

	/* What pivot_root(2) said. */
	errno = EINVAL;
	return is_initramfs;
}

int root_enter(int root_mount_fd, struct error *error)
{
	TRACE_PHASE("root.switch");

	if (fchdir(root_mount_fd) < 0 || chroot(".") < 0)
		return error_set(error, -errno, "cannot switch to the root");
	return 0;
}

int root_switch(int root_mount_fd, struct error *error)
{
	if (fchdir(root_mount_fd) < 0)
		return error_set(error, -errno, "cannot enter the root");
	{
		TRACE_PHASE("root.switch");
		/* The old root comes to lie on top of the new one, at the same place. */
		if (sys_pivot_root(".", ".") < 0) {
			if (errno == EINVAL && root_is_initramfs())
				return root_move(root_mount_fd, error);
			return error_set(error, -errno, "cannot switch to the root");
		}
	}
	TRACE_PHASE("root.umount");
	if (sys_umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_set(error, -errno, "cannot leave the host's root");
	return 0;
}
