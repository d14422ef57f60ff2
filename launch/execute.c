/* SPDX-License-Identifier: MIT */
#include "launch/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

/* Go's exec.LookPath has none; what execvp(3) and shells use where PATH isn't set. */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_variable(const struct config_process *process)
{
	for (char **variable = process->env; *variable; variable++) {
		const char *value = string_has_prefix(*variable, "PATH=");

		if (value)
			return value;
	}
	return PATH_DEFAULT;
}

/* 0 where @path is a file that may be executed. Asked for root: the user is taken on later. */
static int executable_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return st.st_mode & 0111 ? 0 : -EACCES;
}

static int not_runnable(const char *name, int code, struct error *error)
{
	switch (code) {
	case -EACCES:
		return error_say(error, code, "exec: \"%s\": permission denied", name);
	case -EISDIR:
		return error_say(error, -EACCES, "exec: \"%s\": is a directory: permission denied",
				 name);
	case -ENOENT:
	case -ENOTDIR:
		return error_say(error, -ENOENT, "exec: \"%s\": no such file or directory", name);
	default:
		return error_set(error, code, "exec: \"%s\"", name);
	}
}

int execute_find(const struct config_process *process, char *ret_path, struct error *error)
{
	const char *name = process->args[0];
	const char *directory = path_variable(process);
	bool denied = false;
	int unknown = 0, r;

	if (strchr(name, '/')) {
		r = executable_check(name);
		if (strlen(name) >= PATH_MAX)
			r = -ENAMETOOLONG;
		if (r == 0)
			strcpy(ret_path, name);
		return r < 0 ? not_runnable(name, r, error) : 0;
	}
	for (;;) {
		size_t n = strcspn(directory, ":");

		/* An empty element means the working directory: not here, as in Go since 1.19. */
		if (n > 0 && n + strlen(name) + 2 <= PATH_MAX) {
			snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)n, directory, name);
			r = executable_check(ret_path);
			if (r == 0)
				return 0;
			denied |= r == -EACCES;
			/* A disk that can't be read doesn't make a program one that isn't there. */
			if (r == -EIO || r == -ENOMEM || r == -ESTALE)
				unknown = r;
		}
		if (!directory[n])
			break;
		directory += n + 1;
	}
	if (unknown)
		return not_runnable(name, unknown, error);
	if (denied)
		return not_runnable(name, -EACCES, error);
	return error_say(error, -ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

/* execve(2) says ENOENT for a missing interpreter too: look, and name what is missing. */
static int interpreter_explain(const char *name, const char *path, struct error *error)
{
	char head[PATH_MAX + 3];
	/* The container's own file: it may be swapped for a fifo by now, and its bytes are
	 * anything. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_read_full(fd, head, sizeof(head) - 1);
	char *interpreter, *end;

	head[n < 0 ? 0 : n] = '\0';
	if (n < 3 || strncmp(head, "#!", 2))
		return error_say(error, -ENOENT,
				 "exec: \"%s\": no such file or directory: its dynamic loader (see "
				 "`readelf -l`) isn't in the image",
				 name);
	interpreter = head + 2 + strspn(head + 2, " \t");
	end = interpreter + strcspn(interpreter, " \t\n");
	if (end > interpreter && end[-1] == '\r')
		return error_say(
			error, -ENOENT,
			"exec: \"%s\": no such file or directory: its first line ends in a "
			"carriage return (DOS line ends)",
			name);
	*end = '\0';
	for (char *p = interpreter; *p; p++)
		*p = *p < ' ' || *p > '~' ? '?' : *p;
	return error_say(
		error, -ENOENT,
		"exec: \"%s\": no such file or directory: its interpreter '%s' isn't in the image",
		name, interpreter);
}

int execute_program(const struct config_process *process, const char *path, struct error *error)
{
	const char *name = process->args[0];
	int r;

	execve(path, process->args, process->env);
	r = -errno;
	if (r == -ENOENT && access(path, F_OK) == 0)
		return interpreter_explain(name, path, error);
	if (r == -ENOEXEC)
		return error_say(
			error, r,
			"exec: \"%s\": exec format error: it is for another machine, or a script "
			"without a #! line",
			name);
	return not_runnable(name, r, error);
}

int execute_status(int code)
{
	return code == -ENOENT ? EXECUTE_NOT_FOUND : EXECUTE_CANNOT;
}
