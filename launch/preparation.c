/* SPDX-License-Identifier: MIT */
#include "launch/preparation.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/label.h"
#include "launch/procfs.h"
#include "launch/rdt.h"
#include "launch/seccomp/cache.h"
#include "launch/seccomp/default_profile.h"
#include "launch/seccomp/load.h"
#include "launch/terminal.h"

static int filter_compile(struct seccomp_filter *ret_filter, struct json_value section,
			  const char *state_path, struct error *error)
{
	TRACE_PHASE("sec.load");
	size_t n_text;
	const char *text = json_raw(section, &n_text);
	int r;

	if (seccomp_cache_find(state_path, text, n_text, ret_filter))
		return 0;
	r = seccomp_compile(section, ret_filter, error);
	if (r < 0)
		return error_prefix(error, r, "linux.seccomp");
	/* But for the default one, which is ready. */
	if (ret_filter->instructions)
		seccomp_cache_keep(state_path, text, n_text, ret_filter);
	return 0;
}

static int filter_make(struct preparation *preparation, const struct config *config,
		       const char *state_path, struct error *error)
{
	if (config->has_default_seccomp) {
		preparation->filter = (struct seccomp_filter){
			.program = seccomp_prebuilt_program,
			.flags = SECCOMP_PREBUILT_FLAGS,
		};
		preparation->has_filter = true;
	} else if (json_exists(config->seccomp)) {
		int r = filter_compile(&preparation->filter, config->seccomp, state_path, error);

		if (r < 0)
			return r;
		preparation->has_filter = true;
	}
	return 0;
}

/*
 * An exec's process writes its score before it joins the container; profile and label are written
 * last, where there may be no procfs that can be trusted.
 */
static int procfs_prepare(struct preparation *preparation, const struct config_process *process,
			  const struct config *config, struct error *error)
{
	/* Those of a container with a user namespace are the launcher's and the bridge's to write.
	 */
	bool writes_score =
		process != &config->process || config_find_namespace(config, CLONE_NEWUSER);
	int r = label_check(process, config, error);

	if (r < 0 || (!label_is_asked(process) && !(writes_score && process->has_oom_score_adj)))
		return r;
	preparation->procfs_fd = procfs_open_own();
	return preparation->procfs_fd < 0
		       ? error_set(error, preparation->procfs_fd, "cannot open '/proc'")
		       : 0;
}

int preparation_make(struct preparation *preparation, const struct config_process *process,
		     const struct config *config, const char *state_path, struct error *error)
{
	int r = filter_make(preparation, config, state_path, error);

	if (r == 0)
		r = landlock_prepare(&preparation->landlock, config->annotations, error);
	if (r == 0)
		r = procfs_prepare(preparation, process, config, error);
	if (r == 0 && config->rdt.is_asked)
		r = preparation->resctrl_fd = rdt_open(error);
	if (r < 0)
		return r;
	preparation->report = mmap(NULL, sizeof(*preparation->report), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (preparation->report == MAP_FAILED) {
		preparation->report = NULL;
		return error_set(error, -ENOMEM, "cannot share memory");
	}
	/* Nobody looks into this process while it is half the container's (CVE-2016-9962). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot make the launcher undumpable");
	preparation->parent_pidfd = sys_pidfd_open(getpid(), 0);
	return preparation->parent_pidfd < 0 ? error_set(error, -errno, "cannot open a pidfd") : 0;
}

int preparation_listener(struct preparation *preparation, const struct config *config,
			 const struct hook_state *state, bool connect, struct error *error)
{
	struct seccomp_listener *listener = &preparation->listener;
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	if (!preparation->has_filter || !seccomp_filter_notifies(&preparation->filter))
		return 0;
	hook_state_write(&writer, state);
	r = json_writer_status(&writer);
	if (r < 0)
		return error_set(error, r, "cannot write the state");
	r = seccomp_listener_describe(
		listener, json_string(json_get(config->seccomp, "listenerMetadata")),
		writer.buffer.bytes, writer.buffer.n_bytes, state->pid == 0, error);
	if (r < 0 || !connect)
		return r;
	listener->socket_fd = seccomp_listener_connect(
		json_string(json_get(config->seccomp, "listenerPath")), error);
	return listener->socket_fd < 0 ? listener->socket_fd : 0;
}

int preparation_terminal(struct preparation *preparation, const char *console_socket,
			 bool is_attended, struct error *error)
{
	if (console_socket) {
		preparation->terminal_fds[1] = terminal_connect(console_socket, error);
		return preparation->terminal_fds[1] < 0 ? preparation->terminal_fds[1] : 0;
	}
	if (!is_attended)
		return error_say(
			error, -EINVAL,
			"the container wants a terminal: say where to with --console-socket");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, preparation->terminal_fds) < 0)
		return error_set(error, -errno, "cannot make a socket for the terminal");
	return 0;
}

int preparation_terminal_take(struct preparation *preparation, int *ret_master_fd,
			      struct error *error)
{
	int fd;

	if (preparation->terminal_fds[0] < 0)
		return 0;
	/* With no other copy of its end, a child that was killed is an end and not a wait. */
	cleanup_close(&preparation->terminal_fds[1]);
	preparation->terminal_fds[1] = -EBADF;
	fd = terminal_receive(preparation->terminal_fds[0]);
	if (fd < 0)
		return error_set(error, fd, "cannot get the terminal");
	*ret_master_fd = fd;
	return 0;
}

void preparation_fill(struct preparation *preparation, struct child *child)
{
	child->filter = preparation->has_filter ? &preparation->filter : NULL;
	child->listener = preparation->listener.tail ? &preparation->listener : NULL;
	child->landlock = preparation->landlock.is_asked ? &preparation->landlock : NULL;
	child->procfs_fd = preparation->procfs_fd;
	child->parent_pidfd = preparation->parent_pidfd;
	child->terminal_fd = preparation->terminal_fds[1];
	child->report = preparation->report;
}

void preparation_deinit(struct preparation *preparation)
{
	if (preparation->has_filter)
		seccomp_filter_deinit(&preparation->filter);
	seccomp_listener_deinit(&preparation->listener);
	landlock_deinit(&preparation->landlock);
	if (preparation->report)
		munmap(preparation->report, sizeof(*preparation->report));
	cleanup_close(&preparation->resctrl_fd);
	cleanup_close(&preparation->procfs_fd);
	cleanup_close(&preparation->parent_pidfd);
	cleanup_close(&preparation->terminal_fds[0]);
	cleanup_close(&preparation->terminal_fds[1]);
	*preparation = PREPARATION_EMPTY;
}
