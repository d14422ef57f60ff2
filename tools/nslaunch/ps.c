/* SPDX-License-Identifier: MIT */
/*
 * nslaunch ps: the processes of a container, as the host's ps(1) shows them, or their pids.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "launch/cgroup/cgroup.h"
#include "tools/nslaunch/container.h"

#define PS_MAX_BYTES (64u << 20)

const struct command_option ps_options[] = {
	{ .name = "format",
	  .letter = 'f',
	  .type = OPTION_STRING,
	  .offset = offsetof(struct ps_options, format),
	  .argument = "table|json",
	  .help = "table is the host's ps(1), json an array of pids" },
};

static int container_pids(const struct state_record *record, pid_t **ret_pids, size_t *ret_n_pids,
			  struct error *error)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	int r;

	cgroup_init(&cgroup);
	if (!record->cgroup_path)
		return error_say(error, -EOPNOTSUPP,
				 "container '%s' has no cgroup that tells its processes",
				 record->id);
	r = cgroup_open(&cgroup, record->cgroup_path, error);
	return r < 0 ? r : cgroup_pids(&cgroup, ret_pids, ret_n_pids, error);
}

static void pids_print(const pid_t *pids, size_t n_pids)
{
	putchar('[');
	for (size_t i = 0; i < n_pids; i++)
		printf("%s%d", i ? "," : "", (int)pids[i]);
	puts("]");
}

static int ps_run(char **argv, char **ret_output, struct error *error)
{
	_cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
	int fds[2], status, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	pid = process_fork(0, -1, NULL);
	if (pid < 0)
		return error_set(error, (int)pid, "cannot run ps");
	if (pid == 0) {
		if (dup2(write_fd, STDOUT_FILENO) >= 0)
			execvp("ps", argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(take_fd(&write_fd));
	r = fd_read_all(read_fd, PS_MAX_BYTES, ret_output, NULL);
	if (r == 0)
		r = process_wait(pid, &status);
	if (r < 0)
		return error_set(error, r, "cannot read what ps says");
	status = process_exit_status(status);
	if (status == 127)
		return error_say(error, -ENOENT,
				 "cannot run ps: executable file not found in $PATH; "
				 "--format=json needs none");
	return status ? error_say(error, -EIO, "ps failed with status %d", status) : 0;
}

/* The column of the header that has the pids, or -1. */
static int pid_column(char *header)
{
	char *state = NULL;
	int column = 0;

	for (char *word = strtok_r(header, " ", &state); word;
	     word = strtok_r(NULL, " ", &state), column++) {
		if (!strcmp(word, "PID"))
			return column;
	}
	return -1;
}

static bool line_is_of(const char *line, int column, const pid_t *pids, size_t n_pids)
{
	long pid;

	line += strspn(line, " ");
	for (int i = 0; i < column; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	pid = strtol(line, NULL, 10);
	for (size_t i = 0; i < n_pids; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

static int lines_print(char *output, const pid_t *pids, size_t n_pids, struct error *error)
{
	_cleanup_free_ char *header = NULL;
	char *state = NULL, *line = strtok_r(output, "\n", &state);
	int column;

	header = line ? strdup(line) : NULL;
	if (line && !header)
		return error_set(error, -ENOMEM, "cannot print");
	column = header ? pid_column(header) : -1;
	if (column < 0)
		return error_say(error, -EINVAL, "ps shows no column 'PID' with these options");
	puts(line);
	while ((line = strtok_r(NULL, "\n", &state))) {
		if (line_is_of(line, column, pids, n_pids))
			puts(line);
	}
	return 0;
}

int verb_ps(const struct command_call *call, struct error *error)
{
	const struct ps_options *options = call->options;
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_free_ char *output = NULL;
	_cleanup_free_ char **argv = NULL;
	size_t n_pids = 0;
	int r;

	if (options->format && strcmp(options->format, "table") && strcmp(options->format, "json"))
		return error_usage(error, "option '--format' is table or json, not '%s'",
				   options->format);
	r = container_open(call, call->argv[0], false, &state, &record, error);
	if (r == 0)
		r = container_pids(&record, &pids, &n_pids, error);
	if (r < 0)
		return r;
	if (options->format && !strcmp(options->format, "json")) {
		pids_print(pids, n_pids);
		return 0;
	}
	argv = calloc((size_t)call->argc + 2, sizeof(*argv));
	if (!argv)
		return error_set(error, -ENOMEM, "cannot run ps");
	argv[0] = (char *)"ps";
	for (int i = 1; i < call->argc; i++)
		argv[i] = call->argv[i];
	if (call->argc == 1)
		argv[1] = (char *)"-ef";
	r = ps_run(argv, &output, error);
	return r < 0 ? r : lines_print(output, pids, n_pids, error);
}
