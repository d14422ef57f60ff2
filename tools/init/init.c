/* SPDX-License-Identifier: MIT */
/*
 * lamina-init: pid 1 of a container started with --init. It runs one program, passes signals on to
 * it, reaps every process that is left to it, and ends as the program ended: with its status, or
 * 128 + the signal that killed it.
 *
 *	lamina-init [--] PROGRAM [ARG...]
 *
 * No stdio and no allocation: it stays in memory as long as the container does.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	INIT_FAILED = 125,
	INIT_CANNOT_EXECUTE = 126,
	INIT_NOT_FOUND = 127,
};

static void say(const char *what, const char *object, int code)
{
	const char *const parts[] = { "lamina-init: ", what,	       " '", object,
				      "': ",	       strerror(code), "\n" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		/* There is nobody to tell that telling failed. */
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
	}
}

/* What is passed on: all but what says that this program itself is broken, or stops it. */
static void signals_choose(sigset_t *set)
{
	static const int own[] = { SIGFPE,  SIGILL, SIGSEGV, SIGBUS, SIGABRT,
				   SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU };

	sigfillset(set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(set, own[i]);
}

/*
 * In the child: a process group of its own, in the terminal's foreground where there is one, so
 * that what is typed (^C) reaches the program and not this one too.
 */
static _Noreturn void program_execute(char **argv, const sigset_t *mask)
{
	setpgid(0, 0);
	/* Fails where standard input is no terminal: then there is no foreground to take. */
	(void)tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTIN, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	say("cannot execute", argv[0], errno);
	_exit(errno == ENOENT || errno == ENOTDIR ? INIT_NOT_FOUND : INIT_CANNOT_EXECUTE);
}

/* Reaps all that have ended. True: the program is among them. */
static bool children_reap(pid_t program, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		ended = true;
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ended;
}

int main(int argc, char *argv[])
{
	sigset_t passed_on, before;
	int status = INIT_FAILED;
	pid_t program;

	argv++;
	if (*argv && !strcmp(*argv, "--"))
		argv++;
	if (!*argv) {
		say("cannot run", "nothing", EINVAL);
		return INIT_FAILED;
	}
	/* Only for --init in the host's pid namespace, or a try by hand; pid 1 is one anyway. */
	if (getpid() != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signals_choose(&passed_on);
	sigprocmask(SIG_SETMASK, &passed_on, &before);
	/* tcsetpgrp() from the background would stop the child, and a write this program. */
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	program = fork();
	if (program < 0) {
		say("cannot start", *argv, errno);
		return INIT_FAILED;
	}
	if (program == 0)
		program_execute(argv, &before);
	for (;;) {
		int number = sigwaitinfo(&passed_on, NULL);

		if (number == SIGCHLD) {
			if (children_reap(program, &status))
				return status;
		} else if (number > 0) {
			kill(program, number);
		}
	}
}
