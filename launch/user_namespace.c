/* SPDX-License-Identifier: MIT */
#include "launch/user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "base/trace.h"

/* Uids and gids: the same steps with other names. */
struct map_kind {
	const char *field, *file, *program, *subordinates, *option;
};

static const struct map_kind uid_kind = { "linux.uidMappings", "uid_map", "newuidmap",
					  "/etc/subuid", "subuids" };
static const struct map_kind gid_kind = { "linux.gidMappings", "gid_map", "newgidmap",
					  "/etc/subgid", "subgids" };

/* The launcher's own /proc, which is the host's. */
static int proc_write(pid_t pid, const char *file, const char *text, size_t n_bytes)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A map is taken in one write or not at all. */
	return write(fd, text, n_bytes) < 0 ? -errno : 0;
}

/* In the forked child: the program that is setuid, with what it says going to @output_fd. */
static int helper_execute(char *const argv[], int output_fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(output_fd, STDERR_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0)
		return 125;
	execvp(argv[0], argv);
	return errno == ENOENT ? 127 : 126;
}

static int helper_run(char *const argv[], char words[256])
{
	int fds[2], status = 0, r;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = process_fork(0, -1, NULL);
	if (pid == 0)
		_exit(helper_execute(argv, fds[1]));
	close(fds[1]);
	n = pid > 0 ? fd_read_full(fds[0], words, 255) : 0;
	close(fds[0]);
	words[n > 0 ? n : 0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	if (pid < 0)
		return pid;
	r = process_wait(pid, &status);
	return r < 0 ? r : process_exit_status(status);
}

/* "newuidmap PID CONTAINER_ID HOST_ID SIZE...", each an argument. */
static int arguments_fill(struct string_list *argv, const char *program, pid_t pid,
			  const struct id_map *map)
{
	int r = string_list_add(argv, program);

	if (r == 0)
		r = string_list_take(argv, string_format("%d", (int)pid));
	for (size_t i = 0; r == 0 && i < map->n_ranges; i++) {
		const uint32_t numbers[] = { map->ranges[i].container_id, map->ranges[i].host_id,
					     map->ranges[i].size };

		for (size_t k = 0; r == 0 && k < 3; k++)
			r = string_list_take(argv, string_format("%u", numbers[k]));
	}
	return r;
}

static int map_by_helper(pid_t pid, const struct map_kind *kind, const struct id_map *map,
			 struct error *error)
{
	_cleanup_strings_ struct string_list argv = {};
	uint32_t own = kind == &uid_kind ? getuid() : getgid();
	const struct id_range *range = map->ranges;
	char words[256];
	int r = arguments_fill(&argv, kind->program, pid, map);

	if (r < 0)
		return error_set(error, r, "%s", kind->field);
	r = helper_run(argv.items, words);
	if (r == 0)
		return 0;
	if (r < 0)
		return error_set(error, r, "%s: cannot run %s", kind->field, kind->program);
	if (r == 127)
		return error_say(error, -ENOENT,
				 "%s: only %s may map others than your own id, and it isn't there: "
				 "install it (Debian: uidmap)",
				 kind->field, kind->program);
	/* The first that isn't one's own is most likely the one that is lacking. */
	while (range + 1 < map->ranges + map->n_ranges && range->size == 1 && range->host_id == own)
		range++;
	return error_say(error, -EPERM,
			 "%s: cannot map %u to %u: %s%s%s; if it isn't in %s, add it with "
			 "usermod --add-%s %u-%u USER",
			 kind->field, range->host_id, range->host_id + (range->size - 1),
			 kind->program, *words ? ": " : " failed", words, kind->subordinates,
			 kind->option, range->host_id, range->host_id + (range->size - 1));
}

static bool is_own_alone(const struct map_kind *kind, const struct id_map *map)
{
	uint32_t own = kind == &uid_kind ? geteuid() : getegid();

	return map->n_ranges == 1 && map->ranges[0].size == 1 && map->ranges[0].host_id == own;
}

static int map_write(pid_t pid, const struct map_kind *kind, const struct id_map *map,
		     struct error *error)
{
	char text[ID_MAP_MAX_BYTES + 1];
	size_t n_bytes = id_map_print(map, text);
	int r = proc_write(pid, kind->file, text, n_bytes);

	if (r == -EPERM && kind == &gid_kind && is_own_alone(kind, map)) {
		/* Else a group that denies access could be dropped (CVE-2014-8989). */
		r = proc_write(pid, "setgroups", "deny", 4);
		if (r == 0)
			r = proc_write(pid, kind->file, text, n_bytes);
	}
	if (r == -EPERM && !is_own_alone(kind, map))
		return map_by_helper(pid, kind, map, error);
	return r < 0 ? error_set(error, r, "%s: cannot be set", kind->field) : 0;
}

int user_namespace_map(pid_t pid, const struct id_maps *maps, struct error *error)
{
	TRACE_PHASE("ns.map");
	int r = map_write(pid, &uid_kind, &maps->uids, error);

	return r == 0 ? map_write(pid, &gid_kind, &maps->gids, error) : r;
}

void user_namespace_raise_limits(pid_t pid, const struct config_process *process)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct config_rlimit *wanted = &process->rlimits[i];
		struct rlimit limit;

		if (prlimit(pid, wanted->resource, NULL, &limit) < 0 ||
		    limit.rlim_max >= wanted->limit.rlim_max)
			continue;
		limit.rlim_max = wanted->limit.rlim_max;
		(void)prlimit(pid, wanted->resource, &limit, NULL);
	}
}

int user_namespace_become_root(const struct config_process *process, struct error *error)
{
	uid_t uid = 0;
	gid_t gid = 0;

	/* Denied to who maps only the own id, who has no other groups to lose either. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return error_set(error, -errno, "cannot leave the host's groups");
	/* EINVAL: not mapped. What is made meanwhile needs an owner that is. */
	if (syscall(SYS_setresgid, gid, gid, gid) < 0) {
		gid = process->gid;
		if (errno != EINVAL || syscall(SYS_setresgid, gid, gid, gid) < 0)
			return error_set(error, -errno,
					 "process.user.gid: cannot become group %u of the user "
					 "namespace",
					 gid);
	}
	if (syscall(SYS_setresuid, uid, uid, uid) < 0) {
		uid = process->uid;
		if (errno != EINVAL || syscall(SYS_setresuid, uid, uid, uid) < 0)
			return error_set(error, -errno,
					 "process.user.uid: cannot become user %u of the user "
					 "namespace",
					 uid);
	}
	return 0;
}

/* Lives until its maker has the namespace, which is the end of the socket. */
static int holder_main(int fd)
{
	char byte;

	(void)fd_read_full(fd, &byte, 1);
	return 0;
}

int user_namespace_make(const struct id_maps *maps, int *ret_fd, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];
	int fds[2], status, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set(error, -errno, "cannot make a user namespace");
	pid = process_fork(CLONE_NEWUSER, -1, NULL);
	if (pid == 0) {
		close(fds[0]);
		_exit(holder_main(fds[1]));
	}
	close(fds[1]);
	r = pid < 0 ? error_set(error, (int)pid, "cannot make a user namespace")
		    : user_namespace_map(pid, maps, error);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			r = error_set(error, -errno, "cannot take a user namespace");
	}
	close(fds[0]);
	if (pid > 0)
		(void)process_wait(pid, &status);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}
