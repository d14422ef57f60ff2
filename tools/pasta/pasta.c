/* SPDX-License-Identifier: MIT */
/*
 * lamina-pasta: a createRuntime hook that connects a container's network namespace with pasta(1),
 * which passes its traffic through ordinary sockets of the host: no bridge, no rules, no rights.
 *
 *	lamina-pasta [PASTA-OPTION...] <STATE
 *
 * It ends once the interface is there. A keeper stays, and ends pasta when the container's first
 * process ends: pasta itself, which holds the namespace, would not see that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/syscalls.h"
#include "base/text.h"

#define STATE_MAX_BYTES (16u << 20)
#define READY		"\n" /* what no message begins with */

struct keeper {
	int container_pidfd;
	int network_fd; /* the container's network namespace */
	int report_fd;	/* to the hook: READY, or why not */
	int ready_fds[2];
	int log_fd; /* what pasta says */
	char **options;
};

static int fail(const char *what, int code)
{
	fprintf(stderr, "pasta: %s: %s\n", what, strerror(-code));
	return 1;
}

/* pasta writes its pid where -P says, once all is made. Returns only where it can't be run. */
static void pasta_become(const struct keeper *keeper)
{
	char network[32], ready[32];
	const char *fixed[] = {
		"pasta", "--foreground", "--config-net", "--netns-only", "--quiet", "--netns",
		network, "-P",		 ready,		 "--runas",	 "0"
	};
	size_t n_fixed = sizeof(fixed) / sizeof(fixed[0]), n_options = 0;
	char **arguments;

	/* By default root's becomes another user's, who may not open the namespace. */
	if (geteuid() != 0)
		n_fixed -= 2;
	while (keeper->options[n_options])
		n_options++;
	arguments = calloc(n_fixed + n_options + 1, sizeof(*arguments));
	if (!arguments || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return;
	memcpy(arguments, fixed, n_fixed * sizeof(*arguments));
	memcpy(arguments + n_fixed, keeper->options, n_options * sizeof(*arguments));
	/* It takes an ignored signal for an error. */
	signal(SIGPIPE, SIG_DFL);
	snprintf(network, sizeof(network), "/proc/self/fd/%d", keeper->network_fd);
	snprintf(ready, sizeof(ready), "/proc/self/fd/%d", keeper->ready_fds[1]);
	if (fcntl(keeper->network_fd, F_SETFD, 0) < 0 ||
	    fcntl(keeper->ready_fds[1], F_SETFD, 0) < 0 || dup2(keeper->log_fd, 1) < 0 ||
	    dup2(keeper->log_fd, 2) < 0)
		return;
	execvp(arguments[0], arguments);
	dprintf(keeper->log_fd, "cannot run pasta (Debian's package is passt): %s\n",
		strerror(errno));
}

/* The last thing that pasta said, but for what it says of there being no syslog. */
static void failure_report(const struct keeper *keeper)
{
	_cleanup_free_ char *text = NULL;
	const char *last = "ended at once";
	char *rest, *line;
	size_t n_bytes;

	if (lseek(keeper->log_fd, 0, SEEK_SET) == 0 &&
	    fd_read_all(keeper->log_fd, STATE_MAX_BYTES, &text, &n_bytes) == 0) {
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			if (!string_has_prefix(line, "Failed to send "))
				last = line;
		}
	}
	(void)fd_write_full(keeper->report_fd, last, strlen(last));
}

/* Is the interface there? Not where pasta has ended, or the hook, or the container. */
static bool ready_wait(const struct keeper *keeper)
{
	struct pollfd fds[] = {
		{ .fd = keeper->ready_fds[0], .events = POLLIN },
		{ .fd = keeper->container_pidfd, .events = POLLIN },
		{ .fd = keeper->report_fd, .events = 0 }, /* POLLERR: nobody reads any more */
	};
	char pid[16];

	while (poll(fds, 3, -1) < 0) {
		if (errno != EINTR)
			return false;
	}
	return fds[0].revents && !fds[1].revents && !fds[2].revents &&
	       read(keeper->ready_fds[0], pid, sizeof(pid)) > 0;
}

static void standard_streams_close(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3 && fd >= 0; i++)
		(void)dup2(fd, i);
}

static int keep(struct keeper *keeper)
{
	_cleanup_close_ int pidfd = -EBADF;
	struct pollfd ends[2];
	pid_t pid;

	/* The hook's process group ends with a hook that takes too long. */
	if (setsid() < 0 || pipe2(keeper->ready_fds, O_CLOEXEC) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		pasta_become(keeper);
		_exit(1);
	}
	close(keeper->ready_fds[1]);
	pidfd = pid < 0 ? -EBADF : sys_pidfd_open(pid, 0);
	if (pidfd < 0 || !ready_wait(keeper)) {
		if (pid > 0)
			kill(pid, SIGKILL);
		failure_report(keeper);
		return 1;
	}
	(void)fd_write_full(keeper->report_fd, READY, 1);
	close(keeper->report_fd);
	close(keeper->network_fd);
	close(keeper->log_fd);
	standard_streams_close();
	ends[0] = (struct pollfd){ .fd = keeper->container_pidfd, .events = POLLIN };
	ends[1] = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	while (poll(ends, 2, -1) < 0 && errno == EINTR)
		;
	/* And it ends with this process in any case: PDEATHSIG. */
	return 0;
}

static int container_open(struct keeper *keeper)
{
	_cleanup_json_ struct json_document state = {};
	_cleanup_free_ char *text = NULL;
	char path[64];
	uint64_t pid = 0;
	size_t n_bytes;
	int r = fd_read_all(STDIN_FILENO, STATE_MAX_BYTES, &text, &n_bytes);

	if (r == 0)
		r = json_parse(&state, text, n_bytes, NULL);
	if (r < 0 || json_uint64(json_get(json_root(&state), "pid"), &pid) < 0 || pid == 0 ||
	    pid > INT32_MAX)
		return fail("a container's state with its pid is wanted on standard input",
			    r < 0 ? r : -EINVAL);
	/* The process waits for this hook, so its number is its own. */
	keeper->container_pidfd = sys_pidfd_open((pid_t)pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	keeper->network_fd = open(path, O_RDONLY | O_CLOEXEC);
	return keeper->container_pidfd < 0 || keeper->network_fd < 0 ? fail(path, -errno) : 0;
}

int main(int argc, char *argv[])
{
	struct keeper keeper = { .options = argv + (argc > 0) };
	char report[1024];
	int report_fds[2];
	ssize_t n;
	pid_t pid;

	if (container_open(&keeper) != 0)
		return 1;
	keeper.log_fd = memfd_create("pasta", MFD_CLOEXEC);
	if (keeper.log_fd < 0 || pipe2(report_fds, O_CLOEXEC) < 0)
		return fail("cannot start it", -errno);
	keeper.report_fd = report_fds[1];
	signal(SIGPIPE, SIG_IGN);
	pid = fork();
	if (pid < 0)
		return fail("cannot start it", -errno);
	if (pid == 0) {
		close(report_fds[0]);
		_exit(keep(&keeper));
	}
	close(report_fds[1]);
	n = fd_read_full(report_fds[0], report, sizeof(report) - 1);
	if (n == 1 && !memcmp(report, READY, 1))
		return 0;
	fprintf(stderr, "pasta: %.*s\n", n > 0 ? (int)n : 0, report);
	return 1;
}
