/* SPDX-License-Identifier: MIT */
#include "launch/mount_filesystem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "launch/copy_up.h"
#include "launch/label.h"

/* One of the file system's own options: "key=value" or a flag. */
static int data_set(int fs_fd, const char *option)
{
	const char *value = strchr(option, '=');
	char key[64];
	size_t n_key = value ? (size_t)(value - option) : strlen(option);

	if (!value)
		return sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0) < 0 ? -errno : 0;
	if (n_key >= sizeof(key))
		return -EINVAL;
	memcpy(key, option, n_key);
	key[n_key] = '\0';
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value + 1, 0) < 0 ? -errno : 0;
}

static bool has_option(const struct config_mount *mount, const char *prefix)
{
	for (char **option = mount->data; *option; option++) {
		if (string_has_prefix(*option, prefix))
			return true;
	}
	return false;
}

/* A tmpfs has the mode of the directory it lies over where it isn't told one, as with runc and
 * crun.
 */
static int mode_inherit(int fs_fd, int place_fd)
{
	char mode[16];
	struct stat st;

	if (fstat(place_fd, &st) < 0)
		return -errno;
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", mode, 0) < 0 ? -errno : 0;
}

static int options_set(int fs_fd, const struct config_mount *mount, const char *label,
		       struct error *error)
{
	if (*mount->source &&
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", mount->source, 0) < 0)
		return error_set(error, -errno, "source '%s'", mount->source);
	for (char **option = mount->data; *option; option++) {
		int r = data_set(fs_fd, *option);

		if (r < 0)
			return error_set(error, r, "options: '%s'", *option);
	}
	if (label && label_mount_option(mount->type) &&
	    sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "context", label, 0) < 0)
		return error_set(error, -errno, "linux.mountLabel: '%s'", label);
	return 0;
}

/* Filled while it may be written, whatever its options say. */
static int filled_make(int fs_fd, int place_fd, const struct config_mount *mount,
		       struct error *error)
{
	bool has_own_root = has_option(mount, "mode=") || has_option(mount, "uid=") ||
			    has_option(mount, "gid=");
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fd =
		sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			    (unsigned int)(mount->attributes & ~(uint64_t)MOUNT_ATTR_RDONLY));
	int r;

	if (fd < 0)
		return error_set(error, -errno, "cannot mount '%s'", mount->type);
	r = copy_up(place_fd, fd, !has_own_root, error);
	if (r < 0)
		return r;
	if (mount->attributes & MOUNT_ATTR_RDONLY &&
	    sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
		return error_set(error, -errno, "options: cannot make it read-only");
	return take_fd(&fd);
}

int mount_filesystem_make(int root_fd, const struct config_mount *mount, const char *label,
			  struct error *error)
{
	bool inherits = !strcmp(mount->type, "tmpfs") && !has_option(mount, "mode=");
	_cleanup_close_ int fs_fd = sys_fsopen(mount->type, FSOPEN_CLOEXEC);
	_cleanup_close_ int place_fd = -EBADF;
	int fd, r;

	if (fs_fd < 0)
		return error_set(error, -errno, "type '%s'", mount->type);
	if (inherits || mount->copies_up)
		place_fd = path_open_in_root(root_fd, mount->destination, O_PATH | O_DIRECTORY, 0);
	r = options_set(fs_fd, mount, label, error);
	if (r < 0)
		return r;
	if (inherits && place_fd >= 0) {
		r = mode_inherit(fs_fd, place_fd);
		if (r < 0)
			return error_set(error, r, "cannot take the directory's mode");
	}
	if (sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_set(error, -errno, "cannot make the file system '%s'", mount->type);
	if (mount->copies_up && place_fd >= 0)
		return filled_make(fs_fd, place_fd, mount, error);
	fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned int)mount->attributes);
	return fd < 0 ? error_set(error, -errno, "cannot mount '%s'", mount->type) : fd;
}

static unsigned long mount_flags(uint64_t attributes)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} pairs[] = {
		{ MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },
		{ MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },
		{ MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if ((attributes & pairs[i].attribute) == pairs[i].attribute) {
			flags |= pairs[i].flag;
			attributes &= ~pairs[i].attribute;
		}
	}
	return attributes ? ULONG_MAX : flags;
}

/* mount(2)'s, with commas; an option that has one in it can't be said like that. */
static int options_join(const struct config_mount *mount, char *data, size_t n_bytes)
{
	size_t n = 0;

	data[0] = '\0';
	for (char **option = mount->data; *option; option++) {
		size_t n_option = strlen(*option);

		if (strchr(*option, ',') || n + n_option + 2 > n_bytes)
			return -EINVAL;
		if (n > 0)
			data[n++] = ',';
		memcpy(data + n, *option, n_option + 1);
		n += n_option;
	}
	return 0;
}

bool mount_filesystem_is_plain(const struct config_mount *mount, const char *label)
{
	bool inherits = !strcmp(mount->type, "tmpfs") && !has_option(mount, "mode=");

	/* MS_RDONLY would make the file system itself read-only, not this mount of it alone. */
	return !mount->is_bind && !label && !inherits && !mount->copies_up && !mount->is_idmapped &&
	       !mount->is_idmapped_recursively && !mount->propagation && !mount->recursive_set &&
	       !mount->recursive_clear && mount_flags(mount->attributes) != ULONG_MAX;
}

int mount_filesystem_put(int target_fd, const struct config_mount *mount)
{
	char data[256];

	if (options_join(mount, data, sizeof(data)) < 0 || fchdir(target_fd) < 0)
		return -ENOTSUP;
	return sys_mount(mount->source, ".", mount->type, mount_flags(mount->attributes), data) < 0
		       ? -errno
		       : 0;
}
