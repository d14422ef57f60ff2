/* SPDX-License-Identifier: MIT */
#include "launch/cgroup/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

#define HELPER "nslaunch-systemd"
/* Behind the helper's own limits: it tells why. */
#define HELPER_PATIENCE_MS 70000

/* Bytes that a unit's name has (systemd.unit(5)); others would be escapes. */
static bool name_is_valid(const char *name)
{
	return *name && !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789:-_.\\@")];
}

/* What an id has and a unit's name has not, '+', as systemd-escape(1) writes it. */
static int name_format(char name[NAME_MAX + 1], const char *prefix, const char *rest)
{
	int n = snprintf(name, NAME_MAX + 1, "%s%s", prefix, *prefix ? "-" : "");

	for (; *rest && n < NAME_MAX - 10; rest++)
		n += snprintf(name + n, (size_t)(NAME_MAX + 1 - n), *rest == '+' ? "\\x2b" : "%c",
			      *rest);
	if (*rest)
		return -ENAMETOOLONG;
	strcpy(name + n, ".scope");
	return 0;
}

int systemd_unit_parse(const char *cgroups_path, const char *id, bool is_user,
		       struct systemd_unit *ret_unit, struct error *error)
{
	_cleanup_free_ char *text = strdup(cgroups_path && *cgroups_path ? cgroups_path : "::");
	struct systemd_unit unit = { .is_user = is_user };
	const char *slice = text, *prefix, *name;
	char *colon[2];

	if (!text)
		return error_set(error, -ENOMEM, "linux.cgroupsPath");
	colon[0] = strchr(text, ':');
	colon[1] = colon[0] ? strchr(colon[0] + 1, ':') : NULL;
	if (!colon[1] || strchr(colon[1] + 1, ':'))
		return error_say(error, -EINVAL,
				 "linux.cgroupsPath '%s' isn't SLICE:PREFIX:NAME, as the systemd "
				 "driver needs it",
				 cgroups_path);
	*colon[0] = *colon[1] = '\0';
	prefix = colon[0] + 1;
	name = colon[1] + 1;
	if (!cgroups_path || !*cgroups_path) {
		prefix = "lamina";
		name = id;
	}
	if (!*slice)
		slice = is_user ? "user.slice" : "system.slice";
	if (!*name || name_format(unit.name, prefix, name) < 0 || !name_is_valid(unit.name))
		return error_say(error, -EINVAL,
				 "linux.cgroupsPath '%s' makes no name of a scope of systemd's",
				 cgroups_path ? cgroups_path : id);
	if (strlen(slice) > NAME_MAX || strlen(slice) < 7 || !name_is_valid(slice) ||
	    strcmp(slice + strlen(slice) - 6, ".slice") != 0)
		return error_say(error, -EINVAL,
				 "linux.cgroupsPath '%s': '%s' isn't a slice of systemd's",
				 cgroups_path, slice);
	snprintf(unit.slice, sizeof(unit.slice), "%s", slice);
	*ret_unit = unit;
	return 0;
}

/* Beside nslaunch, as it was called: its own executable is a clone by now, with no path. */
static int helper_find(const char *program, char ret_path[PATH_MAX], struct error *error)
{
	const char *slash = strrchr(program, '/'), *path = getenv("PATH");
	char real[PATH_MAX];

	if (slash &&
	    snprintf(ret_path, PATH_MAX, "%.*s/" HELPER, (int)(slash - program), program) <
		    PATH_MAX &&
	    access(ret_path, X_OK) == 0)
		return 0;
	if (slash && realpath(program, real) && (slash = strrchr(real, '/')) != NULL &&
	    snprintf(ret_path, PATH_MAX, "%.*s/" HELPER, (int)(slash - real), real) < PATH_MAX &&
	    access(ret_path, X_OK) == 0)
		return 0;
	for (const char *p = path ? path : "/usr/bin"; *p; p += strcspn(p, ":"), p += *p != 0) {
		if (*p == '/' &&
		    snprintf(ret_path, PATH_MAX, "%.*s/" HELPER, (int)strcspn(p, ":"), p) <
			    PATH_MAX &&
		    access(ret_path, X_OK) == 0)
			return 0;
	}
	return error_say(
		error, -ENOENT,
		"the systemd cgroup driver needs " HELPER
		" beside nslaunch, which isn't there (lamina was built without libsystemd)");
}

/* Starts the helper with a socket for its standard input and output. */
static int helper_start(const char *program, char *const *arguments, struct systemd_scope *scope,
			struct error *error)
{
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;
	char path[PATH_MAX];
	int fds[2];
	int r = helper_find(program, path, error);
	pid_t pid;

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set(error, -errno, "cannot make a socket");
	ours = fds[0];
	theirs = fds[1];
	pid = process_fork(0, -1, NULL);
	if (pid == 0) {
		if (dup2(theirs, STDIN_FILENO) >= 0 && dup2(theirs, STDOUT_FILENO) >= 0)
			execve(path, arguments, environ);
		_exit(127);
	}
	if (pid < 0)
		return error_set(error, (int)pid, "cannot start '%s'", path);
	scope->helper_pid = pid;
	scope->helper_fd = take_fd(&ours);
	return 0;
}

/* Closes the socket, at which a helper that waits ends, and waits for that. */
static void helper_end(struct systemd_scope *scope)
{
	int status;

	cleanup_close(&scope->helper_fd);
	scope->helper_fd = -EBADF;
	if (scope->helper_pid > 0)
		(void)process_wait(scope->helper_pid, &status);
	scope->helper_pid = 0;
}

/* A line of the helper's: "WORD REST"; @ret_rest of CGROUP_MAX_PATH bytes where it is @word. */
static int helper_read(struct systemd_scope *scope, const char *word, char *ret_rest,
		       struct error *error)
{
	char line[CGROUP_MAX_PATH + 16];
	size_t n = 0, n_word = strlen(word);

	for (;;) {
		struct pollfd fd = { .fd = scope->helper_fd, .events = POLLIN };
		int r = poll(&fd, 1, HELPER_PATIENCE_MS);

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return error_say(error, -ETIMEDOUT, "systemd doesn't answer");
		if (r < 0 || n == sizeof(line) - 1 || read(scope->helper_fd, line + n, 1) != 1)
			return error_say(error, -EIO, HELPER " ended without an answer");
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	if (!strncmp(line, "error ", 6))
		return error_say(error, -EIO, "%s", line + 6);
	if (strncmp(line, word, n_word) != 0 || (line[n_word] != ' ' && line[n_word]))
		return error_say(error, -EPROTO, HELPER " answers '%s'", line);
	if (ret_rest)
		snprintf(ret_rest, CGROUP_MAX_PATH, "%s", line[n_word] ? line + n_word + 1 : "");
	return 0;
}

/* ["nslaunch-systemd", "--user", VERB, UNIT, PROPERTY..., "--", LIMIT...]; to be freed. */
static char **arguments_make(const char *verb, const struct systemd_unit *unit,
			     const struct string_list *properties, const struct string_list *limits)
{
	size_t n = 0,
	       n_all = 8 + (properties ? properties->n_items : 0) + (limits ? limits->n_items : 0);
	char **arguments = calloc(n_all, sizeof(*arguments));

	if (!arguments)
		return NULL;
	arguments[n++] = (char *)HELPER;
	if (unit->is_user)
		arguments[n++] = (char *)"--user";
	arguments[n++] = (char *)verb;
	arguments[n++] = (char *)unit->name;
	for (size_t i = 0; properties && i < properties->n_items; i++)
		arguments[n++] = properties->items[i];
	if (limits && limits->n_items > 0)
		arguments[n++] = (char *)"--";
	for (size_t i = 0; limits && i < limits->n_items; i++)
		arguments[n++] = limits->items[i];
	return arguments;
}

static int own_properties_add(const struct systemd_unit *unit, struct string_list *list)
{
	/* What is delegated is lamina's to write; the container has its own order of ending. */
	static const char *const constant[] = {
		"Delegate=b:true",
		"DefaultDependencies=b:false",
		"CPUAccounting=b:true",
		"MemoryAccounting=b:true",
		"TasksAccounting=b:true",
		"IOAccounting=b:true",
		"CollectMode=s:inactive-or-failed",
	};
	char text[NAME_MAX + 64];
	int r;

	snprintf(text, sizeof(text), "Description=s:container %s", unit->name);
	r = string_list_add(list, text);
	snprintf(text, sizeof(text), "Slice=s:%s", unit->slice);
	if (r == 0)
		r = string_list_add(list, text);
	for (size_t i = 0; r == 0 && i < sizeof(constant) / sizeof(constant[0]); i++)
		r = string_list_add(list, constant[i]);
	return r;
}

int systemd_scope_start(const char *program, const struct systemd_unit *unit,
			const struct string_list *properties, const struct string_list *limits,
			struct systemd_scope *scope, struct error *error)
{
	_cleanup_strings_ struct string_list all = {};
	_cleanup_free_ char **arguments = NULL;
	int r = own_properties_add(unit, &all);

	/* Behind ours: the last one counts. */
	for (size_t i = 0; r == 0 && properties && i < properties->n_items; i++)
		r = string_list_add(&all, properties->items[i]);
	if (r == 0)
		arguments = arguments_make("scope", unit, &all, limits);
	if (!arguments)
		return error_set(error, -ENOMEM, "cannot ask systemd");
	r = helper_start(program, arguments, scope, error);
	if (r == 0)
		r = helper_read(scope, "cgroup", scope->path, error);
	if (r < 0)
		systemd_scope_abandon(scope);
	return r < 0 ? error_prefix(error, r, "scope '%s'", unit->name) : 0;
}

int systemd_scope_settle(struct systemd_scope *scope, struct error *error)
{
	int r = 0;

	if (send(scope->helper_fd, "go\n", 3, MSG_NOSIGNAL) != 3)
		r = error_say(error, -EIO, HELPER " has ended");
	if (r == 0)
		r = helper_read(scope, "done", NULL, error);
	helper_end(scope);
	return r;
}

void systemd_scope_abandon(struct systemd_scope *scope)
{
	helper_end(scope);
}

static int helper_run(const char *program, const char *verb, const struct systemd_unit *unit,
		      const struct string_list *properties, struct error *error)
{
	_cleanup_free_ char **arguments = arguments_make(verb, unit, properties, NULL);
	_cleanup_systemd_scope_ struct systemd_scope scope = SYSTEMD_SCOPE_EMPTY;
	int r;

	if (!arguments)
		return error_set(error, -ENOMEM, "cannot ask systemd");
	r = helper_start(program, arguments, &scope, error);
	if (r == 0)
		r = helper_read(&scope, "done", NULL, error);
	return r < 0 ? error_prefix(error, r, "unit '%s'", unit->name) : 0;
}

int systemd_unit_set(const char *program, const struct systemd_unit *unit,
		     const struct string_list *properties, struct error *error)
{
	return properties->n_items == 0 ? 0 : helper_run(program, "set", unit, properties, error);
}

int systemd_unit_stop(const char *program, const struct systemd_unit *unit, struct error *error)
{
	return helper_run(program, "stop", unit, NULL, error);
}
