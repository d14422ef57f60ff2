/* SPDX-License-Identifier: MIT */
/*
 * spy STOP: the hostile first process of a container. Until the file STOP exists it looks at every
 * other process in its pid namespace, as fast as it can, and says what it should not have got:
 * descriptors behind standard error's (CVE-2016-9962), a process to trace, an executable of the
 * host's that can be written, then or when its process has ended (CVE-2019-5736).
 *
 * spy tiocsti: types into its own terminal, which the caller's shell would read (CVE-2017-5226).
 *
 * Static and on its own: it runs in a root that has nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_HELD 512

/* Executables that were opened while their process lived. */
static int held[MAX_HELD];
static int n_held;

/* The container's own programs may be looked into, and one that has ended has nothing any more. */
static bool is_own(const char *pid)
{
	char path[300], target[300] = "";

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return errno == ENOENT || errno == ESRCH;
	return strstr(target, "/bin/busybox") || strstr(target, "/bin/spy");
}

static void descriptors_read(const char *pid)
{
	char path[300], name[600], target[300];
	const struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)) != NULL) {
		ssize_t n;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) < 3)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		n = readlink(name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (!is_own(pid))
			printf("descriptor %s is %s\n", name, target);
	}
	if (directory)
		closedir(directory);
}

static void executable_take(const char *pid)
{
	char path[300], target[300] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	if (readlink(path, target, sizeof(target) - 1) < 0 || is_own(pid))
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		printf("executable of %s, %s, can be written\n", pid, target);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && n_held < MAX_HELD)
		held[n_held++] = fd;
}

/* While it runs it is ETXTBSY. */
static void executables_write(void)
{
	for (int i = 0; i < n_held; i++) {
		char path[64], target[300] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (readlink(path, target, sizeof(target) - 1) > 0 &&
		    !strstr(target, "/bin/busybox"))
			printf("executable %s can be written\n", target);
		close(fd);
	}
}

static void process_trace(const char *pid)
{
	pid_t number = atoi(pid);
	char path[300], target[300] = "?";

	if (is_own(pid) || ptrace(PTRACE_SEIZE, number, NULL, NULL) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	if (!is_own(pid)) {
		(void)readlink(path, target, sizeof(target) - 1);
		printf("process %s, %s, can be traced\n", pid, target);
	}
	if (ptrace(PTRACE_INTERRUPT, number, NULL, NULL) == 0 && waitpid(number, NULL, 0) == number)
		ptrace(PTRACE_DETACH, number, NULL, NULL);
}

static void look(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || atoi(entry->d_name) == 1)
			continue;
		executable_take(entry->d_name);
		descriptors_read(entry->d_name);
		process_trace(entry->d_name);
	}
	if (directory)
		closedir(directory);
	executables_write();
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int terminal_type(void)
{
	char letter = 'x';

	printf("TIOCSTI: %s\n", ioctl(0, TIOCSTI, &letter) < 0 ? strerror(errno) : "done");
	letter = 3; /* TIOCL_PASTESEL */
	printf("TIOCLINUX: %s\n", ioctl(0, TIOCLINUX, &letter) < 0 ? strerror(errno) : "done");
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(argv[1], "tiocsti"))
		return terminal_type();
	while (access(argv[1], F_OK) < 0)
		look();
	printf("seen all\n");
	return 0;
}
