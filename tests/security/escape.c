/* SPDX-License-Identifier: MIT */
/*
 * escape CANARY: tries ways out of its root, as a container's program with all rights, and says
 * "ESCAPED BY WAY" for each on which it comes to see CANARY, a file of the host's; "BELOW NAME" for
 * what lies in the roots below its own, and "WRITTEN BELOW" where it can write there.
 *
 * escape --look FILE: the mounts of the namespace whose file that is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/syscalls.h"

static const char *canary;

/* Is it there, seen from the working directory taken for a root? */
static void look(const char *way)
{
	if (access(canary + 1, F_OK) == 0 || access(canary, F_OK) == 0)
		printf("ESCAPED BY %s\n", way);
}

static void climb(void)
{
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
}

static void by_chroot(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	mkdir("/tmp/jail", 0755);
	(void)!chroot("/tmp/jail");
	(void)!fchdir(fd);
	climb();
	look("chroot");
	(void)!chroot(".");
	look("chroot");
}

static void by_setns(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	(void)!setns(fd, CLONE_NEWNS);
	climb();
	look("setns");
}

static void list(void)
{
	DIR *directory = opendir("/");
	struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.')
			printf("BELOW %s\n", entry->d_name);
	}
	if (directory)
		closedir(directory);
}

/* What all containers' roots have below them is nobody's to write. */
static void scribble(void)
{
	(void)!sys_mount(NULL, "/", NULL, MS_REMOUNT, "nr_inodes=0");
	(void)!sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
	if (mkdir("/scribbled", 0755) == 0) {
		puts("WRITTEN BELOW");
		rmdir("/scribbled");
	}
}

/* Mount by mount, down to what can't be unmounted. */
static void by_umount(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	for (int i = 0; i < 8; i++) {
		if (sys_umount2("/", MNT_DETACH) < 0)
			break;
		(void)!setns(fd, CLONE_NEWNS);
		climb();
		look("umount");
		list();
		scribble();
	}
}

static void by_proc(void)
{
	static const char *const links[] = { "/proc/self/root", "/proc/1/root", "/proc/1/cwd",
					     "/proc/self/cwd", "/proc/thread-self/root" };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		(void)!chdir(links[i]);
		climb();
		look(links[i]);
	}
}

static void by_pivot(void)
{
	mkdir("/tmp/new", 0755);
	if (sys_mount("new", "/tmp/new", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/new/old", 0755) < 0 ||
	    chdir("/tmp/new") < 0)
		return;
	if (sys_pivot_root(".", "old") < 0)
		puts("no pivot_root");
	(void)!chdir("/old");
	look("pivot_root");
	climb();
	look("pivot_root");
}

static void by_move(void)
{
	mkdir("/tmp/moved", 0755);
	(void)!sys_mount("/", "/tmp/moved", NULL, MS_MOVE, NULL);
	(void)!sys_mount("/proc/self/root", "/tmp/moved", NULL, MS_BIND | MS_REC, NULL);
	(void)!chdir("/tmp/moved");
	look("move");
	climb();
	look("move");
}

static int mounts_print(const char *path)
{
	int namespace_fd = open(path, O_RDONLY), proc_fd = open("/proc", O_RDONLY | O_DIRECTORY);
	char text[65536];
	ssize_t n;
	int fd;

	if (setns(namespace_fd, CLONE_NEWNS) < 0)
		return 1;
	fd = openat(proc_fd, "thread-self/mountinfo", O_RDONLY);
	while ((n = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stdout);
	return 0;
}

int main(int argc, char *argv[])
{
	static void (*const ways[])(void) = { by_chroot, by_setns, by_proc,
					      by_pivot,	 by_move,  by_umount };

	if (argc == 3 && !strcmp(argv[1], "--look"))
		return mounts_print(argv[2]);
	if (argc != 2)
		return 2;
	canary = argv[1];
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t pid = fork();

		/* Each in a copy: what one does to the mounts is in no other's way. */
		if (pid == 0) {
			if (unshare(CLONE_NEWNS) < 0 || chdir("/") < 0)
				puts("no unshare");
			ways[i]();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	puts("tried");
	return 0;
}
