/* SPDX-License-Identifier: MIT */
#include "launch/label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "launch/procfs.h"

#define SELINUX_MAGIC_NUMBER 0xf97cff8c /* linux/magic.h, SELINUX_MAGIC */

/* sysfs says of each file that it is a page long. */
#define ATTRIBUTE_MAX_BYTES 65536

/* A whole profile's name and "exec ". */
#define COMMAND_MAX_BYTES 4096

static bool has_apparmor(void)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled",
			     ATTRIBUTE_MAX_BYTES, &text, NULL);

	return r == 0 && *text == 'Y';
}

static bool has_selinux(void)
{
	struct statfs st;

	return statfs("/sys/fs/selinux", &st) == 0 &&
	       (unsigned long)st.f_type == SELINUX_MAGIC_NUMBER;
}

bool label_is_asked(const struct config_process *process)
{
	return process->apparmor_profile || process->selinux_label;
}

int label_check(const struct config_process *process, const struct config *config,
		struct error *error)
{
	if (process->apparmor_profile && !has_apparmor())
		return error_say(error, -EOPNOTSUPP,
				 "process.apparmorProfile: '%s' would have no effect: AppArmor is "
				 "not enabled",
				 process->apparmor_profile);
	if (process->selinux_label && !has_selinux())
		return error_say(error, -EOPNOTSUPP,
				 "process.selinuxLabel: '%s' would have no effect: SELinux is not "
				 "enabled",
				 process->selinux_label);
	if (config->mount_label && !has_selinux())
		return error_say(error, -EOPNOTSUPP,
				 "linux.mountLabel: '%s' would have no effect: SELinux is not "
				 "enabled",
				 config->mount_label);
	return 0;
}

static int apparmor_apply(const char *profile, int procfs_fd, struct error *error)
{
	char command[COMMAND_MAX_BYTES];
	int r;

	if (snprintf(command, sizeof(command), "exec %s", profile) >= (int)sizeof(command))
		return error_say(error, -EINVAL, "process.apparmorProfile: its name is too long");
	r = procfs_write(procfs_fd, "self/attr/apparmor/exec", command);
	/* Linux 5.8 made the directory; before it the file was whoever's came first. */
	if (r == -ENOENT)
		r = procfs_write(procfs_fd, "self/attr/exec", command);
	if (r == -ENOENT)
		return error_say(error, r, "process.apparmorProfile: '%s' is not loaded", profile);
	return r < 0 ? error_set(error, r, "process.apparmorProfile: cannot be set to '%s'",
				 profile)
		     : 0;
}

int label_apply(const struct config_process *process, int procfs_fd, struct error *error)
{
	int r = 0;

	if (process->apparmor_profile)
		r = apparmor_apply(process->apparmor_profile, procfs_fd, error);
	if (r == 0 && process->selinux_label) {
		r = procfs_write(procfs_fd, "self/attr/exec", process->selinux_label);
		if (r < 0)
			return error_set(error, r, "process.selinuxLabel: cannot be set to '%s'",
					 process->selinux_label);
	}
	return r;
}

/* proc and sysfs have labels of their own, as in runc and crun. */
bool label_mount_option(const char *type)
{
	return strcmp(type, "proc") && strcmp(type, "sysfs");
}
