/* SPDX-License-Identifier: MIT */
#include "tools/nslaunch/selftest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static int vulnerable(const char *what, const char *object)
{
	fprintf(stderr, "%s %s\n", what, object);
	return SELFTEST_VULNERABLE;
}

static int look_nothing(void)
{
	return SELFTEST_IMMUNE;
}

static int look_wait(void)
{
	while (pause() < 0)
		;
	return SELFTEST_IMMUNE;
}

/* A masked file is /dev/null: it can be read, and has nothing in it. */
static int look_masked(void)
{
	_cleanup_close_ int fd = open("/masked", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1 ? vulnerable("can read", "/masked")
						  : SELFTEST_IMMUNE;
}

static int look_capabilities(void)
{
	_cleanup_free_ char *text = NULL;

	if (file_read_at(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) < 0)
		return 2;
	if (!strstr(text, "CapInh:\t0000000000000000\n"))
		return vulnerable("has inheritable", "capabilities");
	if (!strstr(text, "CapAmb:\t0000000000000000\n"))
		return vulnerable("has ambient", "capabilities");
	return SELFTEST_IMMUNE;
}

static int look_groups(void)
{
	return getgroups(0, NULL) > 0 ? vulnerable("has the caller's", "groups") : SELFTEST_IMMUNE;
}

static int look_descriptors(void)
{
	_cleanup_closedir_ DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (directory && directory_entry_next(directory, &entry) > 0) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(directory))
			return vulnerable("has descriptor", entry->d_name);
	}
	return directory ? SELFTEST_IMMUNE : 2;
}

static int look_session(void)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		return vulnerable("can open", "/dev/tty");
	return getsid(0) == getpid() ? SELFTEST_IMMUNE
				     : vulnerable("is in the caller's", "session");
}

static int look_user(void)
{
	return getuid() == 1 && geteuid() == 1 ? SELFTEST_IMMUNE : vulnerable("isn't user", "1");
}

/* Of a hook: only its own `env`, which has nothing. */
static int look_environment(void)
{
	return environ && *environ ? vulnerable("has the variable", *environ) : SELFTEST_IMMUNE;
}

static bool can_write(int directory_fd, const char *name)
{
	_cleanup_close_ int fd = openat(directory_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0;
}

static int look_cgroups(void)
{
	_cleanup_closedir_ DIR *directory = opendir("/sys/fs/cgroup");
	const struct dirent *entry;

	if (!directory)
		return 2;
	if (mkdirat(dirfd(directory), "selftest", 0755) == 0)
		return vulnerable("can make", "/sys/fs/cgroup/selftest");
	if (can_write(dirfd(directory), "cgroup.procs"))
		return vulnerable("can write", "/sys/fs/cgroup/cgroup.procs");
	while (directory_entry_next(directory, &entry) > 0) {
		_cleanup_close_ int fd = openat(dirfd(directory), entry->d_name,
						O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (entry->d_name[0] == '.' || fd < 0)
			continue;
		if (mkdirat(fd, "selftest", 0755) == 0 || can_write(fd, "release_agent") ||
		    can_write(fd, "tasks") || can_write(fd, "cgroup.procs"))
			return vulnerable("can write below", entry->d_name);
	}
	return SELFTEST_IMMUNE;
}

int selftest_inside(const char *what)
{
	static const struct {
		const char *name;
		int (*look)(void);
	} looks[] = {
		{ "nothing", look_nothing },	     { "wait", look_wait },
		{ "masked", look_masked },	     { "capabilities", look_capabilities },
		{ "groups", look_groups },	     { "descriptors", look_descriptors },
		{ "session", look_session },	     { "user", look_user },
		{ "environment", look_environment }, { "cgroups", look_cgroups },
	};

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (!strcmp(looks[i].name, what))
			return looks[i].look();
	}
	return 2;
}
