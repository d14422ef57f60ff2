/* SPDX-License-Identifier: MIT */
/*
 * What others find a container by, once it is made: its state, its bundle's mark, the pid file.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/trace.h"
#include "launch/group.h"
#include "launch/internal.h"

static void time_format(char text[48])
{
	struct timespec now;
	struct tm utc;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	n = strftime(text, 48, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, 48 - n, ".%09ldZ", now.tv_nsec);
}

static int record_write(const struct launched *launched, const struct launch_options *options,
			const char *name, struct error *error)
{
	const struct config *config = &launched->bundle.config;
	_cleanup_free_ char *annotations = NULL, *cgroup_path = NULL;
	char created[48];
	size_t n_bytes;
	const char *raw = json_raw(config->annotations, &n_bytes);
	struct state_record record = {
		.id = (char *)launched->state.id,
		.bundle = launched->bundle.path,
		.rootfs = launched->bundle.root_path,
		.created = created,
		.pid = launched->pid,
		.start_time = launched->start_time,
		.owner = geteuid(),
		.has_default_seccomp = config->has_default_seccomp,
		.keeps_keyring = options->no_new_keyring,
		.listener_path = launched->listener_path,
		.has_hooks = config_hooks_have(&config->hooks, HOOK_POSTSTART, HOOK_POSTSTOP),
	};
	int r;

	time_format(created);
	if (raw && json_count(config->annotations)) {
		annotations = strndup(raw, n_bytes);
		if (!annotations)
			return error_set(error, -ENOMEM, "cannot write the state");
		record.annotations = annotations;
	}
	if (*launched->cgroup.path) {
		cgroup_path = string_format("/%s", launched->cgroup.path);
		if (!cgroup_path)
			return error_set(error, -ENOMEM, "cannot write the state");
		record.cgroup_path = cgroup_path;
	}
	if (launched->systemd) {
		record.systemd_unit = launched->systemd->unit.name;
		record.systemd_is_user = launched->systemd->unit.is_user;
	}
	/* What an exec goes by, whatever becomes of the bundle. */
	r = file_replace_at(launched->state.directory_fd, STATE_CONFIG_FILE, config->document.text,
			    config->document.n_bytes, 0600, 0);
	if (r < 0)
		return error_set(error, r, "cannot write the state of '%s'", launched->state.id);
	return state_write(&launched->state, &record, name, error);
}

int launch_note(const struct launched *launched, const struct launch_options *options,
		struct error *error)
{
	return record_write(launched, options, STATE_FILE_NEW, error);
}

int launch_publish(const struct launched *launched, const struct launch_options *options,
		   struct error *error)
{
	TRACE_PHASE("state.write");
	/* A user namespace's root can't write here: its state has its name at once. */
	bool has_late_name = options->wait_for_start &&
			     !config_find_namespace(&launched->bundle.config, CLONE_NEWUSER);
	int r = record_write(launched, options, has_late_name ? STATE_FILE_NEW : STATE_FILE, error);

	if (r == 0 && options->wait_for_start)
		r = launch_bundle_mark(&launched->bundle, launched->pid, launched->start_time,
				       error);
	if (r == 0 && options->pid_file) {
		char text[16];
		int n = snprintf(text, sizeof(text), "%d", (int)launched->pid);

		r = file_replace_at(AT_FDCWD, options->pid_file, text, (size_t)n, 0644, 0);
		if (r < 0)
			return error_set(error, r, "cannot write the pid file '%s'",
					 options->pid_file);
	}
	return r;
}
