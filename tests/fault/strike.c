/* SPDX-License-Identifier: MIT */
/*
 * strike: runs a command and makes one system call of one of its processes fail, or kills the
 * process there.
 *
 *	strike [-a] -l FILE COMMAND...		list the system calls that can be struck
 *	strike [-a] -o FILE -p PROCESS -n NUMBER -e ERROR|-k COMMAND...
 *
 * Processes count from 0 in the order they appear, calls from 1 in each process. Without -a those
 * aren't counted that can't fail as they are used, and those whose failure is the injection's
 *alone: a close() that isn't executed leaves open what the kernel would have closed, whatever it
 *returned. What a process executes other than the command itself is a container's program: nothing
 *of it is counted.
 *
 * The exit status is the command's. The processes it leaves behind are traced on, until they end.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MAX_PROCESSES 256

struct process {
	pid_t pid;
	bool is_counted; /* from the command's exec on, or from its birth by a counted one */
	bool is_struck;	 /* the call it is in gets its error at its exit */
	long n_calls;
};

struct strike {
	bool every_call, kills;
	FILE *output;
	int process;
	long number;
	int error;
	size_t n_processes;
	struct process processes[MAX_PROCESSES];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "strike: %s: %s\n", what, strerror(errno));
	exit(99);
}

static struct process *process_find(struct strike *strike, pid_t pid)
{
	for (size_t i = 0; i < strike->n_processes; i++) {
		if (strike->processes[i].pid == pid)
			return &strike->processes[i];
	}
	if (strike->n_processes == MAX_PROCESSES) {
		errno = EMFILE;
		die("too many processes");
	}
	strike->processes[strike->n_processes] =
		(struct process){ .pid = pid, .is_counted = strike->n_processes > 0 };
	return &strike->processes[strike->n_processes++];
}

static const char *call_name(uint64_t number, char text[64])
{
	_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);

	if (name)
		snprintf(text, 64, "%s", name);
	else
		snprintf(text, 64, "%d", (int)number);
	return text;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return false;
}

static bool is_counted(const struct strike *strike, const struct process *process,
		       const struct __ptrace_syscall_info *info, const char *name)
{
	static const char *const never[] = {
		/* don't return, or return nothing but what they are asked for */
		"exit", "exit_group", "rt_sigreturn", "restart_syscall", "rt_sigaction",
		"rt_sigprocmask", "arch_prctl", "set_tid_address", "getpid", "getppid", "gettid",
		"getuid", "geteuid", "getgid", "getegid", "umask", "clock_gettime",
		"clock_nanosleep", "nanosleep", "munmap", "mprotect", "madvise",
		/* fail where they are misused; not executed, they leave what they would have ended
		 */
		"close", "close_range", "wait4", "waitid", NULL
	};
	static const char *const memory[] = { "mmap", "brk", "mremap", NULL };

	if (!process->is_counted)
		return false;
	if (strike->every_call)
		return true;
	/* The words of an error. */
	if (!strcmp(name, "write") && info->entry.args[0] == STDERR_FILENO)
		return false;
	if (is_one_of(name, memory) && strike->error && strike->error != ENOMEM)
		return false;
	return !is_one_of(name, never);
}

/* The text that one of the arguments points at, where one does: what it is about. */
static void text_read(pid_t pid, const struct __ptrace_syscall_info *info, char text[128])
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t address = info->entry.args[i];
		size_t n_page = 4096 - address % 4096;
		struct iovec local = { .iov_base = text, .iov_len = 127 };
		struct iovec remote = { (void *)(uintptr_t)address, n_page < 127 ? n_page : 127 };
		ssize_t n = -1;

		if (address >= 4096)
			n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
		text[n > 0 ? n : 0] = '\0';
		for (char *p = text; *p; p++) {
			if (*p <= ' ' || *p > '~')
				*p = '\0';
		}
		if (*text)
			return;
	}
}

/* What a call is about: a path, or the file of the descriptor that is read or looked at. */
static void object_find(pid_t pid, const struct __ptrace_syscall_info *info, const char *name,
			char text[128])
{
	static const char *const by_descriptor[] = { "read",  "write",	    "pread64", "fstat",
						     "fcntl", "getdents64", "fstatfs", "flock",
						     "lseek", "sendfile",   NULL };
	char link[64];
	ssize_t n;

	if (!is_one_of(name, by_descriptor)) {
		text_read(pid, info, text);
		return;
	}
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)info->entry.args[0]);
	n = readlink(link, text, 127);
	text[n > 0 ? n : 0] = '\0';
}

static void registers_change(pid_t pid, bool at_entry, int error)
{
	struct user_regs_struct registers;
	struct iovec all = { &registers, sizeof(registers) };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)1 /* NT_PRSTATUS */, &all) < 0)
		die("cannot read registers");
	if (at_entry)
		registers.orig_rax = (unsigned long long)-1;
	else
		registers.rax = (unsigned long long)-error;
	if (ptrace(PTRACE_SETREGSET, pid, (void *)1, &all) < 0)
		die("cannot write registers");
}

static void call_stopped(struct strike *strike, struct process *process)
{
	struct __ptrace_syscall_info info = {};
	char name[64], text[128];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, (void *)sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (process->is_struck)
			registers_change(process->pid, false, strike->error);
		process->is_struck = false;
		return;
	}
	call_name(info.entry.nr, name);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_counted(strike, process, &info, name))
		return;
	process->n_calls++;
	if (strike->number &&
	    (process != &strike->processes[strike->process] || process->n_calls != strike->number))
		return;
	object_find(process->pid, &info, name, text);
	fprintf(strike->output, "%d %ld %s(%d,%d) %s\n", (int)(process - strike->processes),
		process->n_calls, name, (int)info.entry.args[0], (int)info.entry.args[1], text);
	fflush(strike->output);
	if (strike->kills) {
		(void)kill(process->pid, SIGKILL);
	} else if (strike->number) {
		process->is_struck = true;
		registers_change(process->pid, true, 0);
	}
}

static void stopped(struct strike *strike, struct process *process, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	long request = PTRACE_SYSCALL;

	if (event == PTRACE_EVENT_EXEC) {
		process->is_counted = process == &strike->processes[0];
		signal = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
		    signal == SIGTTOU)
			request = PTRACE_LISTEN;
		signal = 0;
	} else if (event) {
		signal = 0;
	} else if (signal == (SIGTRAP | 0x80)) {
		call_stopped(strike, process);
		signal = 0;
	}
	(void)ptrace(request, process->pid, NULL, (void *)(uintptr_t)signal);
}

/* Traces until the last one has ended; writes the first one's status to @status_fd. */
static void trace(struct strike *strike, int status_fd)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct process *process;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		process = process_find(strike, pid);
		if (WIFSTOPPED(status)) {
			stopped(strike, process, status);
		} else if (process == &strike->processes[0]) {
			if (write(status_fd, &status, sizeof(status)) < 0)
				die("cannot tell the status");
			close(status_fd);
			/* The caller goes on: its streams are not ours any more. */
			for (int fd = 0; fd < 3; fd++)
				close(fd);
			process->pid = 0;
		} else {
			/* The number may come again. */
			process->pid = 0;
		}
	}
}

static void command_start(struct strike *strike, char *const arguments[])
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				      PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				      PTRACE_O_TRACEEXEC;
	int go[2];
	pid_t pid;
	char c;

	if (pipe(go) < 0)
		die("cannot make a pipe");
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(99);
		close(go[0]);
		execvp(arguments[0], arguments);
		die(arguments[0]);
	}
	close(go[0]);
	process_find(strike, pid);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
		die("cannot trace");
	/* The first stop may be any: from it on each call stops. */
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || write(go[1], "", 1) != 1)
		die("cannot trace");
	close(go[1]);
}

static void options_read(struct strike *strike, int argc, char *argv[])
{
	int option;

	while ((option = getopt(argc, argv, "+al:o:p:n:e:k")) != -1) {
		switch (option) {
		case 'a':
			strike->every_call = true;
			break;
		case 'l':
		case 'o':
			strike->output = fopen(optarg, "we");
			if (!strike->output)
				die(optarg);
			break;
		case 'p':
			strike->process = atoi(optarg);
			break;
		case 'n':
			strike->number = atol(optarg);
			break;
		case 'e':
			strike->error = atoi(optarg);
			break;
		case 'k':
			strike->kills = true;
			break;
		default:
			exit(99);
		}
	}
	if (!strike->output || strike->process < 0 || strike->process >= MAX_PROCESSES ||
	    optind == argc) {
		errno = EINVAL;
		die("usage");
	}
}

int main(int argc, char *argv[])
{
	static struct strike strike;
	int pipe_fds[2], status = 0;
	pid_t tracer;

	options_read(&strike, argc, argv);
	if (pipe(pipe_fds) < 0)
		die("cannot make a pipe");
	tracer = fork();
	if (tracer < 0)
		die("cannot fork");
	if (tracer == 0) {
		close(pipe_fds[0]);
		command_start(&strike, argv + optind);
		trace(&strike, pipe_fds[1]);
		_exit(0);
	}
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &status, sizeof(status)) != sizeof(status))
		return 99;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
