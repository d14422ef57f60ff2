/* SPDX-License-Identifier: MIT */
/*
 * nslaunch start and delete: what happens to a container that exists.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/bundle.h"
#include "launch/cgroup/cgroup.h"
#include "launch/child.h"
#include "launch/group.h"
#include "launch/hooks.h"
#include "launch/notify.h"
#include "launch/rdt.h"
#include "tools/nslaunch/container.h"
#include "tools/nslaunch/run.h"

#define FIELD(field) offsetof(struct lifecycle_options, field)

const struct command_option delete_options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  .offset = FIELD(force),
	  .help = "kill what still runs; a container that isn't there is no error" },
	{ .name = "regex",
	  .letter = 'r',
	  .type = OPTION_FLAG,
	  .offset = FIELD(regex),
	  .help = "ID is a regular expression: every container whose id it fits" },
};

static int start_connect(const struct state *state, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_START_SOCKET,
		 state->directory_fd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(error, -errno, "cannot reach the container's process");
	return take_fd(&fd);
}

/* Where a supervisor answers the container's system calls: the socket to it. */
static int listener_bring(const struct state_record *record, int fd, struct error *error)
{
	_cleanup_close_ int listener_fd = -EBADF;
	int r;

	if (!record->listener_path)
		return 0;
	listener_fd = seccomp_listener_connect(record->listener_path, error);
	if (listener_fd < 0)
		return listener_fd;
	r = fd_send(fd, "", 1, listener_fd);
	return r < 0 ? error_set(error, r, "cannot reach the container's process") : 0;
}

/* The connection is closed by the exec; an error is sent when there is none. */
static int start_await(const struct state *state, const struct state_record *record, int fd,
		       struct error *error)
{
	_cleanup_close_ int pidfd = state_process_open(record);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct child_report report;
	ssize_t n = fd_read_full(fd, &report, sizeof(report));

	if (n < 0)
		return error_set(error, (int)n, "cannot wait for the container's exec");
	/* The process that says it can't start has still to end: the next command finds it stopped.
	 */
	if (n > 0 && pidfd >= 0)
		(void)poll(&ended, 1, 1000);
	if (n == sizeof(report) && report.error.code < 0) {
		*error = report.error;
		return error->code;
	}
	return n == 0 ? 0
		      : error_say(error, -EIO, "container '%s' ended while it started", state->id);
}

/* The hooks of a container that was made by an earlier command, from what its state keeps. */
static int hooks_read(const struct state *state, const struct state_record *record,
		      struct json_document *document, struct config_hooks *hooks,
		      struct error *error)
{
	int r;

	if (!record->has_hooks)
		return 0;
	r = json_parse_file_at(document, state->directory_fd, "config.json", CONFIG_MAX_BYTES,
			       error);
	if (r == 0)
		r = config_hooks_parse(hooks, json_get(json_root(document), "hooks"), error);
	return r < 0 ? error_prefix(error, r, "the state of '%s'", state->id) : 0;
}

static struct hook_state hook_state(const struct state *state, const struct state_record *record,
				    enum state_status status)
{
	return (struct hook_state){
		.id = state->id,
		.status = status,
		.pid = record->pid,
		.bundle = record->bundle,
		.annotations = record->annotations,
		.n_annotations = record->annotations ? strlen(record->annotations) : 0,
	};
}

/*
 * Where one fails the container is stopped, as runtime.md says since 1.2.1 and runc always did.
 * What is left is deleted, with its poststop hooks, by `delete`.
 */
static int poststart_hooks_run(const struct state *state, const struct state_record *record,
			       struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_config_hooks_ struct config_hooks hooks = {};
	const struct hook_state told = hook_state(state, record, STATE_RUNNING);
	struct hook_place place = HOOK_PLACE_EMPTY;
	int r = hooks_read(state, record, &document, &hooks, error);

	place.directory = record->bundle;
	/* They may look at the container, and change it. */
	state_unlock(state);
	if (r == 0)
		r = hooks_run(&hooks, HOOK_POSTSTART, &told, &place, error);
	if (r < 0) {
		_cleanup_close_ int pidfd = state_process_open(record);

		if (pidfd >= 0)
			(void)sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	}
	return r;
}

/* The socket of a container that was created with a service manager's, where there is one now. */
static int notify_prepare(const struct state *state, int *ret_fd, struct error *error)
{
	int fd = notify_socket() ? notify_listen(state->directory_fd, error) : -ENOENT;

	if (fd == -ENOENT)
		return 0;
	if (fd >= 0)
		*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

static int ready_wait(const struct state *state, const struct state_record *record, int fd,
		      struct error *error)
{
	_cleanup_close_ int pidfd = state_process_open(record);

	/* Others may look at it, and end it. */
	state_unlock(state);
	return pidfd < 0 ? 0 : notify_wait(fd, pidfd, notify_socket(), record->pid, error);
}

int container_start(const struct command_call *call, const char *argument, struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	_cleanup_close_ int fd = -EBADF, notify_fd = -EBADF;
	enum state_status status;
	int r = container_open(call, argument, true, &state, &record, error);

	if (r < 0)
		return r;
	status = container_status(&state, &record);
	if (status != STATE_CREATED)
		return error_say(error, -EINVAL,
				 "cannot start container '%s': it is %s, not created", state.id,
				 state_status_name(status));
	r = notify_prepare(&state, &notify_fd, error);
	if (r < 0)
		return error_prefix(error, r, "container '%s'", state.id);
	fd = start_connect(&state, error);
	if (fd < 0)
		return fd;
	r = listener_bring(&record, fd, error);
	if (r == 0)
		r = start_await(&state, &record, fd, error);
	if (r == 0)
		trace_container_exec(state.id, record.pid);
	if (r == 0 && record.has_hooks)
		r = poststart_hooks_run(&state, &record, error);
	if (r == 0 && notify_fd >= 0)
		r = ready_wait(&state, &record, notify_fd, error);
	return r < 0 ? error_prefix(error, r, "container '%s'", state.id) : 0;
}

int verb_start(const struct command_call *call, struct error *error)
{
	return container_start(call, call->argv[0], error);
}

/* Waits up to 30 seconds for the process's end, after it was killed. */
static int process_end(const struct state_record *record, struct error *error)
{
	_cleanup_close_ int pidfd = state_process_open(record);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return error_set(error, pidfd, "cannot open process %d", (int)record->pid);
	if (sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return error_set(error, -errno, "cannot kill process %d", (int)record->pid);
	if (record->cgroup_path)
		cgroup_thaw_to_kill(record->cgroup_path);
	if (poll(&ended, 1, 30000) == 0)
		return error_say(error, -EBUSY, "process %d doesn't end", (int)record->pid);
	return 0;
}

static int delete_opened(const struct command_call *call, struct state *state,
			 struct state_record *record, bool force, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_config_hooks_ struct config_hooks hooks = {};
	enum state_status status;
	int r = state_read(state, record, error);

	/* What is damaged goes with --force; what can't be read now may be read the next time. */
	if (r < 0 && r != -ENOENT && !(force && r == -EBADMSG))
		return r;
	status = r < 0 ? STATE_CREATING : container_status(state, record);
	if (r == -ENOENT) {
		r = state_read_unpublished(state, record, error);
		if (r < 0 && r != -ENOENT && r != -EBADMSG)
			return r;
	}
	error_init(error);
	if (!force && status != STATE_CREATING && status != STATE_STOPPED)
		return error_say(
			error, -EBUSY,
			"cannot delete container '%s' that is not stopped: it is %s; --force "
			"kills it",
			state->id, state_status_name(status));
	r = hooks_read(state, record, &document, &hooks, error);
	if (r < 0 && !force)
		return r;
	r = process_end(record, error);
	if (r == 0)
		r = group_record_end(call->process_argv[0], state, record, error);
	if (r == 0)
		r = rdt_remove(state->directory_fd, error);
	if (r < 0)
		return r;
	if (record->bundle)
		r = launch_bundle_unmark(record->bundle, record->pid, record->start_time);
	if (r < 0)
		return error_set(error, r, "cannot unmark the bundle '%s'", record->bundle);
	r = state_remove(state);
	if (r < 0)
		return error_set(error, r, "cannot remove the state of '%s'", state->id);
	hooks_run_poststop(&hooks, hook_state(state, record, STATE_STOPPED));
	return 0;
}

int container_delete(const struct command_call *call, const char *argument, bool force,
		     struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	char id[STATE_ID_MAX_BYTES + 1];
	int r = container_resolve(call, argument, id, error);

	if (r == 0)
		r = state_open(&state, container_state_path(call, error), id, true, error);
	if (r == -ENOENT && force) {
		error_init(error);
		return 0;
	}
	return r < 0 ? r : delete_opened(call, &state, &record, force, error);
}

int verb_delete(const struct command_call *call, struct error *error)
{
	const struct lifecycle_options *options = call->options;
	_cleanup_strings_ struct string_list ids = {};
	int first = 0, r = 0;

	if (!container_state_path(call, error))
		return error->code;
	for (int i = 0; r == 0 && i < call->argc; i++) {
		if (options->regex)
			r = container_match(call, call->argv[i], &ids, error);
		else if (string_list_add(&ids, call->argv[i]) < 0)
			r = error_set(error, -ENOMEM, "cannot delete");
	}
	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&ids, i) {
		r = container_delete(call, ids.items[i], options->force, error);
		if (r < 0 && first == 0)
			first = r;
		if (r < 0 && ids.n_items > 1) {
			command_report(call, error);
			error_say(error, r, "not all containers could be deleted");
		}
	}
	return first;
}
