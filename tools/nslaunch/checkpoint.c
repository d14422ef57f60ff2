/* SPDX-License-Identifier: MIT */
/*
 * nslaunch checkpoint and restore: a container written into files, and made again from them.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/process.h"
#include "launch/attend.h"
#include "launch/checkpoint/checkpoint.h"
#include "tools/nslaunch/container.h"

#define FIELD(field) offsetof(struct checkpoint_options, field)
#define CRIU(field)  offsetof(struct checkpoint_options, criu.field)

#define FLAG(n, f, h)                                                                              \
	{                                                                                          \
		.name = n, .type = OPTION_FLAG, .offset = CRIU(f), .help = h                       \
	}
#define TEXT(n, f, a, h)                                                                           \
	{                                                                                          \
		.name = n, .type = OPTION_STRING, .offset = CRIU(f), .argument = a, .help = h      \
	}

const struct command_option checkpoint_options[] = {
	TEXT("image-path", image_path, "DIR",
	     "the directory of the images; checkpoint if not said"),
	TEXT("work-path", work_path, "DIR",
	     "where CRIU's log and work files are; --image-path if not said"),
	FLAG("tcp-established", tcp_established, "allow open TCP connections"),
	FLAG("ext-unix-sk", ext_unix_sockets, "allow Unix sockets with a peer outside"),
	FLAG("shell-job", shell_job, "allow a session and terminal from outside"),
	FLAG("file-locks", file_locks, "allow file locks"),
	FLAG("lazy-pages", lazy_pages, "memory is brought over when it is used, by userfaultfd(2)"),
	FLAG("auto-dedup", auto_dedup, "drop pages from parent images that are in newer ones"),
	TEXT("manage-cgroups-mode", manage_cgroups, "MODE",
	     "soft, full, strict or ignore; soft if not said"),
	TEXT("empty-ns", empty_namespaces, "network",
	     "make the namespace, and restore nothing in it"),
	{ "parent-path", 0, OPTION_STRING, CRIU(parent_path), "DIR",
	  "images of an earlier --pre-dump, relative to --image-path", NULL },
	{ "leave-running", 0, OPTION_FLAG, CRIU(leave_running), NULL,
	  "the container runs on; else it is deleted", NULL },
	{ "pre-dump", 0, OPTION_FLAG, CRIU(pre_dump), NULL,
	  "only the memory, and the container runs on", NULL },
	{ "page-server", 0, OPTION_STRING, CRIU(page_server), "ADDRESS:PORT",
	  "memory goes to a page server", NULL },
	{ "status-fd", 0, OPTION_STRING, CRIU(status_fd), "FD",
	  "gets a NUL once --lazy-pages can be asked for memory", NULL },
};

const struct command_option restore_options[] = {
	TEXT("image-path", image_path, "DIR",
	     "the directory of the images; checkpoint if not said"),
	TEXT("work-path", work_path, "DIR",
	     "where CRIU's log and work files are; --image-path if not said"),
	FLAG("tcp-established", tcp_established, "allow open TCP connections"),
	FLAG("ext-unix-sk", ext_unix_sockets, "allow Unix sockets with a peer outside"),
	FLAG("shell-job", shell_job, "allow a session and terminal from outside"),
	FLAG("file-locks", file_locks, "allow file locks"),
	FLAG("lazy-pages", lazy_pages, "memory is brought over when it is used, by userfaultfd(2)"),
	FLAG("auto-dedup", auto_dedup, "drop pages from parent images that are in newer ones"),
	TEXT("manage-cgroups-mode", manage_cgroups, "MODE",
	     "soft, full, strict or ignore; soft if not said"),
	TEXT("empty-ns", empty_namespaces, "network",
	     "make the namespace, and restore nothing in it"),
	{ "bundle", 'b', OPTION_STRING, FIELD(bundle), "DIRECTORY", "the bundle; . if not said",
	  NULL },
	{ "detach", 'd', OPTION_FLAG, FIELD(detach), NULL,
	  "leave the container running; it stays until `delete`", NULL },
	{ "pid-file", 0, OPTION_STRING, FIELD(pid_file), "FILE", "write the process's id to a file",
	  NULL },
	{ "console-socket", 0, OPTION_STRING, FIELD(console_socket), "SOCKET",
	  "as create's; no container with a terminal can be restored", NULL },
	{ "no-subreaper", 0, OPTION_FLAG, FIELD(no_subreaper), NULL,
	  "don't adopt what the container leaves running", NULL },
	{ "no-pivot", 0, OPTION_FLAG, FIELD(no_pivot), NULL, "as create's; CRIU makes the root",
	  NULL },
	{ "lsm-profile", 0, OPTION_STRING, CRIU(lsm_profile), "TYPE:NAME",
	  "another AppArmor profile or SELinux label", NULL },
	{ "lsm-mount-context", 0, OPTION_STRING, CRIU(lsm_mount_context), "CONTEXT",
	  "another SELinux context of mounts", NULL },
};

/* runc's default. */
static void options_complete(const struct command_call *call)
{
	const struct nslaunch_options *globals = call->globals;
	struct checkpoint_options *options = call->options;

	options->criu.program = globals->criu;
	if (!options->criu.image_path)
		options->criu.image_path = "checkpoint";
}

int verb_checkpoint(const struct command_call *call, struct error *error)
{
	const struct checkpoint_options *options = call->options;
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	enum state_status status;
	int r;

	options_complete(call);
	r = container_open(call, call->argv[0], true, &state, &record, error);
	if (r < 0)
		return r;
	status = container_status(&state, &record);
	/* runc's words. */
	if (status != STATE_RUNNING)
		return error_say(error, -EINVAL,
				 "container cannot be checkpointed in %s state: '%s'",
				 state_status_name(status), state.id);
	r = checkpoint_dump(&options->criu, &state, &record, error);
	if (r < 0)
		return error->usage ? r : error_prefix(error, r, "container '%s'", state.id);
	if (options->criu.leave_running || options->criu.pre_dump)
		return 0;
	state_unlock(&state);
	return container_delete(call, state.id, true, error);
}

static int restored_attend(struct launched *launched, struct error *error)
{
	int wait_status, r = attend(launched, &wait_status, error);

	if (r == 0)
		r = launch_finish(launched, error);
	return r < 0 ? r : process_exit_status(wait_status);
}

int verb_restore(const struct command_call *call, struct error *error)
{
	const struct nslaunch_options *globals = call->globals;
	const struct checkpoint_options *options = call->options;
	_cleanup_launched_ struct launched launched = LAUNCHED_EMPTY;
	struct launch_options launch_options = {
		.program = call->process_argv[0],
		.bundle_path = options->bundle ? options->bundle : ".",
		.id = call->argv[0],
		.state_path = container_state_path(call, error),
		.pid_file = options->pid_file,
		.stdin_fd = -EBADF,
		.cgroup_manager = globals->cgroup_manager,
		.rootless = globals->rootless,
		.strict = globals->strict,
	};
	int r;

	options_complete(call);
	if (!launch_options.state_path)
		return error->code;
	/* Its process is CRIU's at first, and is to be ours when CRIU has ended. */
	if (!options->detach && !options->no_subreaper)
		launched.adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
	r = attend_signals_block(&launch_options.signal_mask, error);
	if (r == 0)
		r = checkpoint_restore(&launch_options, &options->criu, options->detach, &launched,
				       error);
	if (r < 0 || options->detach)
		return r;
	return restored_attend(&launched, error);
}
