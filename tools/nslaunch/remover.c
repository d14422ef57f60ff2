/* SPDX-License-Identifier: MIT */
#include "tools/nslaunch/remover.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "base/trace.h"

#define TOOL	    "layerfs"
#define N_ARGUMENTS 8

/* What the helper is executed with: all of it is made before there is a helper, which shares our
 * memory until its exec. */
struct helper {
	char beside[PATH_MAX]; /* "": only PATH is searched */
	char store[PATH_MAX];
	char *arguments[N_ARGUMENTS];
	int in_fd, out_fd;
	int failure; /* of its exec */
};

static int helper_main(void *argument)
{
	struct helper *helper = argument;

	(void)setsid();
	if (dup2(helper->in_fd, STDIN_FILENO) >= 0 && dup2(helper->out_fd, STDOUT_FILENO) >= 0) {
		if (*helper->beside)
			execve(helper->beside, helper->arguments, environ);
		execvpe(TOOL, helper->arguments, environ);
	}
	helper->failure = -errno;
	return 127;
}

/* Sets @store to STORE where @bundle is STORE/containers/ID, else to "". */
static void store_of(const char *bundle, char store[PATH_MAX])
{
	static const char parent[] = "/containers";
	const char *id = strrchr(bundle, '/');
	size_t n = id ? (size_t)(id - bundle) : 0;

	*store = '\0';
	if (n >= sizeof(parent) && n < PATH_MAX &&
	    !strncmp(id - (sizeof(parent) - 1), parent, sizeof(parent) - 1))
		snprintf(store, PATH_MAX, "%.*s", (int)(n - (sizeof(parent) - 1)), bundle);
}

static void helper_fill(struct helper *helper, const char *program, const char *bundle,
			const char *option)
{
	const char *slash = strrchr(program, '/');
	char **argument = helper->arguments;

	if (!slash || snprintf(helper->beside, PATH_MAX, "%.*s/" TOOL, (int)(slash - program),
			       program) >= PATH_MAX)
		*helper->beside = '\0';
	store_of(bundle, helper->store);
	*argument++ = (char *)TOOL;
	if (*helper->store) {
		*argument++ = (char *)"--store";
		*argument++ = helper->store;
	}
	*argument++ = (char *)"rm";
	*argument++ = (char *)"--volumes";
	*argument++ = (char *)option;
	*argument++ = (char *)bundle;
}

static int helper_start(struct remover *remover, const char *program, const char *bundle,
			const char *option, int in_fd, struct error *error)
{
	_cleanup_close_ int out_fd = -EBADF, said_fd = -EBADF;
	struct helper helper = { .in_fd = in_fd };
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot make a pipe");
	said_fd = fds[0];
	helper.out_fd = out_fd = fds[1];
	helper_fill(&helper, program, bundle, option);
	pid = process_vfork(0, -1, NULL, helper_main, &helper);
	r = pid < 0 ? (int)pid : helper.failure;
	if (r < 0)
		return error_set(error, r, "cannot execute " TOOL ", which removes the bundle");
	remover->said_fd = take_fd(&said_fd);
	return 0;
}

/* What keeps a file system of the host's busy isn't kept for longer than the container lives. */
static int namespace_open(const struct launched *launched)
{
	char path[64];

	if (launched->bundle.mounts.n_items > 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)launched->pid);
	return fd_open(path, O_RDONLY | O_CLOEXEC);
}

int remover_start(struct remover *remover, const char *program, const struct launched *launched,
		  struct error *error)
{
	TRACE_PHASE("remover.start");
	_cleanup_close_ int in_fd = -EBADF;

	if (launched->bundle.lock_fd < 0)
		return error_say(error, -EINVAL, "the bundle '%s' is not one of lamina's",
				 launched->bundle.path);
	in_fd = namespace_open(launched);
	/* It may have ended, or be another's to look at: then its exit unmounts, as it always did.
	 */
	if (in_fd < 0)
		in_fd = fd_open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in_fd < 0)
		return error_set(error, -errno, "cannot open '/dev/null'");
	return helper_start(remover, program, launched->bundle.path, "--when-free", in_fd, error);
}

int remover_finish(struct remover *remover, struct error *error)
{
	TRACE_PHASE("remover.wait");
	_cleanup_close_ int fd = take_fd(&remover->said_fd);
	char byte;
	ssize_t n;

	if (fd < 0)
		return 0;
	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, "cannot hear of the bundle's removal");
	/* Why, it has said itself. */
	return n == 0 ? error_say(error, -EIO, "the bundle was not removed") : 0;
}

int bundle_remove_now(const char *program, const char *bundle_path, struct error *error)
{
	_cleanup_close_ int in_fd = fd_open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_free_ char *path = realpath(bundle_path, NULL);
	struct remover remover = REMOVER_EMPTY;
	int r;

	/* It isn't there: what failed has removed it, or never made it. */
	if (!path)
		return errno == ENOENT ? 0
				       : error_set(error, -errno, "cannot remove the bundle '%s'",
						   bundle_path);
	if (in_fd < 0)
		return error_set(error, -errno, "cannot open '/dev/null'");
	r = helper_start(&remover, program, path, "--", in_fd, error);
	return r == 0 ? remover_finish(&remover, error) : r;
}
