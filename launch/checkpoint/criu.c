/* SPDX-License-Identifier: MIT */
#include "launch/checkpoint/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"

/* What the child of criu_run() exits with where it can't become CRIU. */
enum {
	STATUS_UNPREPARED = 125,
	STATUS_CANNOT = 126,
	STATUS_NOT_FOUND = 127,
};

int criu_argument_add(struct string_list *arguments, struct error *error, const char *format, ...)
{
	va_list values;
	char *text;
	int n;

	va_start(values, format);
	n = vasprintf(&text, format, values);
	va_end(values);
	if (n < 0 || string_list_take(arguments, text) < 0)
		return error_set(error, -ENOMEM, "cannot call criu");
	return 0;
}

static int flags_add(struct string_list *arguments, const struct criu_options *options,
		     struct error *error)
{
	const struct {
		bool is_set;
		const char *argument;
	} flags[] = {
		{ options->tcp_established, "--tcp-established" },
		{ options->ext_unix_sockets, "--ext-unix-sk" },
		{ options->shell_job, "--shell-job" },
		{ options->file_locks, "--file-locks" },
		{ options->auto_dedup, "--auto-dedup" },
		{ options->lazy_pages, "--lazy-pages" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].is_set)
			r = criu_argument_add(arguments, error, "%s", flags[i].argument);
	}
	return r;
}

/* runc's words for them are CRIU's but for the network's. */
static int choices_add(struct string_list *arguments, const struct criu_options *options,
		       struct error *error)
{
	static const char *const modes[] = { "soft", "full", "strict", "ignore" };
	const char *mode = options->manage_cgroups ? options->manage_cgroups : modes[0];
	bool is_known = false;
	int r;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		is_known |= !strcmp(mode, modes[i]);
	if (!is_known)
		return error_usage(error,
				   "option '--manage-cgroups-mode' is soft, full, strict or "
				   "ignore, not '%s'",
				   mode);
	r = criu_argument_add(arguments, error, "--manage-cgroups=%s", mode);
	if (r < 0 || !options->empty_namespaces)
		return r;
	if (strcmp(options->empty_namespaces, "network"))
		return error_usage(error, "option '--empty-ns' is network, not '%s'",
				   options->empty_namespaces);
	r = criu_argument_add(arguments, error, "--empty-ns");
	return r == 0 ? criu_argument_add(arguments, error, "net") : r;
}

int criu_arguments_begin(struct string_list *arguments, const struct criu_options *options,
			 const char *command, const char *log_name, struct error *error)
{
	int r = criu_argument_add(arguments, error, "%s",
				  options->program ? options->program : "criu");

	if (r == 0)
		r = criu_argument_add(arguments, error, "%s", command);
	if (r == 0)
		r = criu_argument_add(arguments, error, "--images-dir=%s", options->image_path);
	if (r == 0 && options->work_path)
		r = criu_argument_add(arguments, error, "--work-dir=%s", options->work_path);
	if (r == 0)
		r = criu_argument_add(arguments, error, "--log-file=%s", log_name);
	if (r == 0)
		r = criu_argument_add(arguments, error, "-v4");
	if (r == 0)
		r = flags_add(arguments, options, error);
	return r == 0 ? choices_add(arguments, options, error) : r;
}

/* The name of an external mount is its place: unique, and the same at the restore. */
static int external_add(struct string_list *arguments, const char *place, const char *content,
			enum criu_side side, struct error *error)
{
	int r = criu_argument_add(arguments, error, "--external");

	return r < 0 ? r
		     : criu_argument_add(arguments, error, "mnt[%s]:%s", place,
					 side == CRIU_DUMP ? place : content);
}

int criu_mounts_add(struct string_list *arguments, const struct config *config, enum criu_side side,
		    struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->n_mounts; i++) {
		const struct config_mount *mount = &config->mounts[i];

		if (mount->is_bind && !mount->is_remount)
			r = external_add(arguments, mount->destination, mount->source, side, error);
	}
	/* Masked directories are file systems of their own. */
	for (char **path = config->masked_paths; r == 0 && path && *path; path++) {
		struct stat st;

		if (stat(*path, &st) == 0 && !S_ISDIR(st.st_mode))
			r = external_add(arguments, *path, "/dev/null", side, error);
	}
	return r;
}

int criu_directory_check(const struct criu_options *options, bool make, struct error *error)
{
	struct stat st;

	if (make && mkdir(options->image_path, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make the image directory '%s'",
				 options->image_path);
	if (stat(options->image_path, &st) < 0)
		return error_set(error, -errno, "image directory '%s'", options->image_path);
	if (!S_ISDIR(st.st_mode))
		return error_set(error, -ENOTDIR, "image directory '%s'", options->image_path);
	return 0;
}

static void child_run(char **argv, const sigset_t *signal_mask,
		      int (*prepare)(void *argument, struct error *error), void *argument,
		      int keep_fd)
{
	struct error error;

	error_init(&error);
	if (prepare && prepare(argument, &error) < 0) {
		dprintf(STDERR_FILENO, "nslaunch: %s\n", error.message);
		_exit(STATUS_UNPREPARED);
	}
	if (keep_fd >= 0)
		(void)fcntl(keep_fd, F_SETFD, 0);
	if (signal_mask)
		(void)sigprocmask(SIG_SETMASK, signal_mask, NULL);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT);
}

int criu_run(const struct criu_options *options, struct string_list *arguments,
	     const char *log_name, const sigset_t *signal_mask,
	     int (*prepare)(void *argument, struct error *error), void *argument, int keep_fd,
	     struct error *error)
{
	_cleanup_free_ char **argv = calloc(arguments->n_items + 1, sizeof(*argv));
	int status, r;
	pid_t pid;

	if (!argv)
		return error_set(error, -ENOMEM, "cannot call criu");
	for (size_t i = 0; i < arguments->n_items; i++) {
		argv[i] = arguments->items[i];
		log_debug("criu: argument %zu: %s", i, argv[i]);
	}
	/* A mount namespace of its own only matters to a restore, which builds the root in it. */
	pid = process_fork(prepare ? CLONE_NEWNS : 0, -1, NULL);
	if (pid < 0)
		return error_set(error, (int)pid, "cannot call criu");
	if (pid == 0)
		child_run(argv, signal_mask, prepare, argument, keep_fd);
	r = process_wait(pid, &status);
	if (r < 0)
		return error_set(error, r, "cannot wait for criu");
	status = process_exit_status(status);
	if (status == STATUS_NOT_FOUND)
		return error_say(error, -ENOENT,
				 "checkpoint and restore need CRIU: '%s': executable file not "
				 "found; --criu says where it is",
				 argv[0]);
	if (status == STATUS_CANNOT)
		return error_say(error, -EACCES, "cannot execute '%s': permission denied", argv[0]);
	return status ? error_say(error, -EIO, "criu failed with status %d: see '%s/%s'", status,
				  options->work_path ? options->work_path : options->image_path,
				  log_name)
		      : 0;
}
