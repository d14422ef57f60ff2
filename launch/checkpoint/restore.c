/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "launch/checkpoint/checkpoint.h"
#include "launch/config/value.h"
#include "launch/group.h"
#include "launch/internal.h"
#include "launch/root.h"

#define RESTORE_LOG	      "restore.log"
#define RESTORE_PID_FILE      "restore.pid" /* in STATE/ID */
#define DESCRIPTORS_MAX_BYTES (64u << 10)

struct restoring {
	const struct launch_options *launch_options;
	const struct criu_options *options;
	struct launched *launched;
	int root_mount_fd;
	int network_fd; /* of a network namespace that is joined, or -EBADF */
};

/* In the child, in a mount namespace of its own: the root is where CRIU is told to find it. */
static int root_prepare(void *argument, struct error *error)
{
	const struct restoring *restoring = argument;
	const struct launch_bundle *bundle = &restoring->launched->bundle;

	int r = root_part(bundle->config.root_propagation, error);

	return r == 0 ? root_attach(restoring->root_mount_fd, bundle->root_path, error) : r;
}

static int config_check(const struct config *config, const struct launch_options *options,
			struct error *error)
{
	if (config->process.terminal)
		return error_say(error, -EOPNOTSUPP,
				 "process.terminal: a container with a terminal can't be restored");
	if (options->cgroup_manager == LAUNCH_CGROUP_SYSTEMD)
		return error_say(error, -EOPNOTSUPP,
				 "a container of systemd's cgroups can't be restored; use "
				 "--cgroup-manager=cgroupfs");
	if (value_asks(json_get(json_root(&config->document), "hooks")))
		log_warning("hooks: none but poststop's are run for a container that is restored");
	return 0;
}

/* The pipes that the first process had as standard streams are this process's now. */
static int descriptors_add(struct string_list *arguments, const struct criu_options *options,
			   struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	char path[PATH_MAX];
	int i = 0, r;

	if (snprintf(path, sizeof(path), "%s/descriptors.json", options->image_path) >=
	    (int)sizeof(path))
		return error_set(error, -ENAMETOOLONG, "image directory '%s'", options->image_path);
	r = json_parse_file_at(&document, AT_FDCWD, path, DESCRIPTORS_MAX_BYTES, error);
	if (r < 0)
		return r;
	r = 0;
	JSON_FOR_EACH (element, json_root(&document)) {
		const char *target = json_string(element);
		int fd = i++;

		if (!target || strncmp(target, "pipe:", 5) || r < 0 || fd > 2)
			continue;
		r = criu_argument_add(arguments, error, "--inherit-fd");
		if (r == 0)
			r = criu_argument_add(arguments, error, "fd[%d]:pipe%s", fd, target + 5);
	}
	return r;
}

static int namespaces_add(struct restoring *restoring, struct string_list *arguments,
			  struct error *error)
{
	const struct config_namespace *network =
		config_find_namespace(&restoring->launched->bundle.config, CLONE_NEWNET);
	int r;

	if (!network || !network->path || !*network->path)
		return 0;
	restoring->network_fd = open(network->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (restoring->network_fd < 0)
		return error_set(error, -errno, "network namespace '%s'", network->path);
	r = criu_argument_add(arguments, error, "--inherit-fd");
	return r < 0 ? r
		     : criu_argument_add(arguments, error, "fd[%d]:extRootNetNS",
					 restoring->network_fd);
}

static int arguments_make(struct restoring *restoring, struct string_list *arguments,
			  struct error *error)
{
	const struct criu_options *options = restoring->options;
	const struct launched *launched = restoring->launched;
	int r = criu_arguments_begin(arguments, options, "restore", RESTORE_LOG, error);

	if (r == 0)
		r = criu_argument_add(arguments, error, "--root=%s", launched->bundle.root_path);
	if (r == 0)
		r = criu_argument_add(arguments, error, "--pidfile=%s/%s/%s",
				      launched->state.root_path, launched->state.id,
				      RESTORE_PID_FILE);
	/* The first process becomes a child of this one, which can wait for it. */
	if (r == 0)
		r = criu_argument_add(arguments, error, "--restore-detached");
	if (r == 0)
		r = criu_argument_add(arguments, error, "--restore-sibling");
	if (r == 0 && *launched->cgroup.path)
		r = criu_argument_add(arguments, error, "--cgroup-root=/%s", launched->cgroup.path);
	if (r == 0 && options->lsm_profile)
		r = criu_argument_add(arguments, error, "--lsm-profile=%s", options->lsm_profile);
	if (r == 0 && options->lsm_mount_context)
		r = criu_argument_add(arguments, error, "--lsm-mount-context=%s",
				      options->lsm_mount_context);
	if (r == 0)
		r = descriptors_add(arguments, options, error);
	if (r == 0)
		r = namespaces_add(restoring, arguments, error);
	return r == 0 ? criu_mounts_add(arguments, &launched->bundle.config, CRIU_RESTORE, error)
		      : r;
}

static int process_find(struct launched *launched, bool is_detached, struct error *error)
{
	siginfo_t info = {};
	_cleanup_free_ char *text = NULL;
	uint64_t pid;
	int r = file_read_at(launched->state.directory_fd, RESTORE_PID_FILE, 32, &text, NULL);

	(void)unlinkat(launched->state.directory_fd, RESTORE_PID_FILE, 0);
	if (r == 0) {
		text[strcspn(text, "\n")] = '\0';
		r = string_to_uint64(text, INT_MAX, &pid);
	}
	if (r < 0)
		return error_set(error, r, "criu doesn't say which process it has made");
	launched->pid = (pid_t)pid;
	launched->pidfd = sys_pidfd_open(launched->pid, 0);
	if (launched->pidfd < 0)
		return error_set(error, -errno, "the restored process %d", (int)pid);
	launched->start_time = process_start_time(launched->pid);
	/* What can't be waited for would be waited for without end. */
	if (!is_detached &&
	    waitid(P_PID, (id_t)launched->pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0)
		return error_set(error, -errno, "the restored process %d is nobody's child here",
				 (int)pid);
	return 0;
}

static int restore(struct restoring *restoring, bool is_detached, struct error *error)
{
	_cleanup_strings_ struct string_list arguments = {};
	struct launched *launched = restoring->launched;
	int r;

	restoring->root_mount_fd = launch_bundle_root(&launched->bundle, NULL, error);
	if (restoring->root_mount_fd < 0)
		return restoring->root_mount_fd;
	r = launch_group_make(launched, restoring->launch_options, NULL, error);
	if (r == 0)
		r = arguments_make(restoring, &arguments, error);
	if (r == 0)
		r = criu_run(restoring->options, &arguments, RESTORE_LOG,
			     &restoring->launch_options->signal_mask, root_prepare, restoring,
			     restoring->network_fd, error);
	if (r == 0)
		r = process_find(launched, is_detached, error);
	if (r == 0)
		r = launch_publish(launched, restoring->launch_options, error);
	if (r == 0 && is_detached)
		r = launch_bundle_mark(&launched->bundle, launched->pid, launched->start_time,
				       error);
	if (r == 0)
		state_unlock(&launched->state);
	return r;
}

static void undo(struct launched *launched)
{
	int status;

	if (launched->pidfd >= 0) {
		(void)sys_pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
		(void)process_wait(launched->pid, &status);
	}
	launch_bundle_unmark(launched->bundle.path, launched->pid, launched->start_time);
	(void)cgroup_kill(&launched->cgroup, NULL);
	(void)launch_group_remove(launched, NULL);
	(void)state_remove(&launched->state);
}

int checkpoint_restore(const struct launch_options *launch_options,
		       const struct criu_options *options, bool is_detached,
		       struct launched *launched, struct error *error)
{
	struct restoring restoring = {
		.launch_options = launch_options,
		.options = options,
		.launched = launched,
		.root_mount_fd = -EBADF,
		.network_fd = -EBADF,
	};
	const char *id;
	int r;

	cgroup_init(&launched->cgroup);
	r = criu_directory_check(options, false, error);
	if (r == 0)
		r = launch_bundle_open(&launched->bundle, launch_options->bundle_path,
				       launch_options->config_name, error);
	if (r < 0)
		return r;
	id = launch_options->id;
	r = config_check(&launched->bundle.config, launch_options, error);
	if (r == 0)
		r = state_create(&launched->state, launch_options->state_path, id, error);
	if (r < 0)
		return r;
	r = restore(&restoring, is_detached, error);
	cleanup_close(&restoring.root_mount_fd);
	cleanup_close(&restoring.network_fd);
	if (r < 0)
		undo(launched);
	return r < 0 ? error_prefix(error, r, "container '%s'", id) : 0;
}
