/* SPDX-License-Identifier: MIT */
#include "launch/execute.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "launch/explain.h"

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

/* 0 where @path is a file that somebody may execute. Asked for root: the user is taken on later. */
static int executable_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return st.st_mode & 0111 ? 0 : -EACCES;
}

/* The next file that the name may mean, of the directories from @directory on; NULL: no more. */
static const char *candidate_next(const char *directory, const char *name, char path[PATH_MAX])
{
	while (*directory) {
		size_t n = strcspn(directory, ":");
		/* An empty element means the working directory: not here, as in Go since 1.19. */
		bool fits = n > 0 && n + strlen(name) + 2 <= PATH_MAX;

		if (fits)
			snprintf(path, PATH_MAX, "%.*s/%s", (int)n, directory, name);
		directory += n + (directory[n] == ':');
		if (fits)
			return directory;
	}
	return NULL;
}

static int name_find(const struct config_process *process, char *ret_path, struct error *error)
{
	const char *name = process->args[0], *rest = path_variable(process);
	char failed_path[PATH_MAX];
	int failed = 0;

	while ((rest = candidate_next(rest, name, ret_path)) != NULL) {
		int r = executable_check(ret_path);

		if (r == 0)
			return 0;
		/* A disk that can't be read doesn't make a program one that isn't there. */
		if (r == -EIO || r == -ENOMEM || r == -ESTALE || (r == -EACCES && !failed)) {
			failed = r;
			strcpy(failed_path, ret_path);
		}
	}
	if (failed)
		return explain_failure(process, failed_path, failed, error);
	return error_say(error, -ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

int execute_find(const struct config_process *process, char *ret_path, struct error *error)
{
	const char *name = process->args[0];
	int r;

	if (!strchr(name, '/'))
		return name_find(process, ret_path, error);
	r = strlen(name) >= PATH_MAX ? -ENAMETOOLONG : executable_check(name);
	if (r < 0)
		return explain_failure(process, name, r, error);
	strcpy(ret_path, name);
	return 0;
}

/*
 * What root could see may be out of the user's reach: then the search goes on behind it, as it
 * would have done as the user. execve(2) itself is the check, which knows of ACLs and all else.
 */
static void execute_others(const struct config_process *process, const char *found)
{
	const char *rest = path_variable(process);
	char path[PATH_MAX] = "";

	while (rest && strcmp(path, found) != 0)
		rest = candidate_next(rest, process->args[0], path);
	while (rest && (rest = candidate_next(rest, process->args[0], path)) != NULL)
		execve(path, process->args, process->env);
}

int execute_program(const struct config_process *process, const char *path, struct error *error)
{
	int r;

	execve(path, process->args, process->env);
	r = -errno;
	if (r == -EACCES && !strchr(process->args[0], '/'))
		execute_others(process, path);
	return explain_failure(process, path, r, error);
}

int execute_status(int code)
{
	return code == -ENOENT ? EXECUTE_NOT_FOUND : EXECUTE_CANNOT;
}
