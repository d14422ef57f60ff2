/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

static struct clone_args clone_arguments(uint64_t flags, int cgroup_fd, int *pidfd)
{
	struct clone_args arguments = { .flags = flags, .exit_signal = SIGCHLD };

	if (pidfd) {
		arguments.flags |= CLONE_PIDFD;
		arguments.pidfd = (uintptr_t)pidfd;
	}
	if (cgroup_fd >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (uint64_t)cgroup_fd;
	}
	return arguments;
}

pid_t process_fork(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -EBADF;
	struct clone_args arguments = clone_arguments(flags, cgroup_fd, ret_pidfd ? &pidfd : NULL);
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0)
		return -errno;
	if (pid > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

pid_t process_fork_sibling(uint64_t flags, pid_t *ret_pid)
{
	/* Its exit signal is the caller's own: the kernel takes no other. */
	struct clone_args arguments = { .flags = flags | CLONE_PARENT | CLONE_PARENT_SETTID,
					.parent_tid = (uintptr_t)ret_pid };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	return pid < 0 ? -errno : (pid_t)pid;
}

/*
 * clone3() with a stack for the child: it can't return from a C function on the parent's stack, so
 * the call, and the child's first and last steps, are in assembly.
 */
#if defined(__x86_64__)
#define CLONE3_TAKES_STACK true
static long clone3_call(struct clone_args *arguments, int (*function)(void *), void *argument)
{
	register long result __asm__("rax") = SYS_clone3;
	register struct clone_args *rdi __asm__("rdi") = arguments;
	register unsigned long rsi __asm__("rsi") = sizeof(*arguments);
	register int (*r12)(void *) __asm__("r12") = function;
	register void *r13 __asm__("r13") = argument;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "+r"(result)
			 : "r"(rdi), "r"(rsi), "r"(r12), "r"(r13), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory", "cc");
	return result;
}
#elif defined(__aarch64__)
#define CLONE3_TAKES_STACK true
static long clone3_call(struct clone_args *arguments, int (*function)(void *), void *argument)
{
	register long x0 __asm__("x0") = (long)arguments;
	register unsigned long x1 __asm__("x1") = sizeof(*arguments);
	register long x8 __asm__("x8") = SYS_clone3;
	register int (*x20)(void *) __asm__("x20") = function;
	register void *x21 __asm__("x21") = argument;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x21\n\t"
			 "blr x20\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x1), "r"(x8), "r"(x20), "r"(x21), [exit] "i"(SYS_exit)
			 : "memory", "cc", "x30");
	return x0;
}
#else
/* Without assembly for it: a fork. The child runs on a copy of the parent's stack, and nothing is
 * shared. */
#define CLONE3_TAKES_STACK false
static long clone3_call(struct clone_args *arguments, int (*function)(void *), void *argument)
{
	long pid;

	arguments->flags &= ~(uint64_t)(CLONE_VM | CLONE_VFORK);
	arguments->stack = arguments->stack_size = 0;
	pid = syscall(SYS_clone3, arguments, sizeof(*arguments));
	if (pid == 0)
		_exit(function(argument));
	return pid < 0 ? -errno : pid;
}
#endif

/*
 * A child leaves its stack by an exec, in the middle of its functions, and the next one's may be at
 * the same address: what the address sanitizer remembers of their variables must go with it.
 */
#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(void const volatile *address, size_t n_bytes);
#define stack_forget(stack) __asan_unpoison_memory_region(stack, PROCESS_STACK_BYTES)
#else
#define stack_forget(stack) ((void)(stack))
#endif

pid_t process_vfork(uint64_t flags, int cgroup_fd, int *ret_pidfd, int (*function)(void *),
		    void *argument)
{
	int pidfd = -EBADF;
	struct clone_args arguments = clone_arguments(flags | CLONE_VM | CLONE_VFORK, cgroup_fd,
						      ret_pidfd ? &pidfd : NULL);
	void *stack = mmap(NULL, PROCESS_STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	long pid;

	if (stack == MAP_FAILED)
		return -errno;
	arguments.stack = (uintptr_t)stack;
	arguments.stack_size = PROCESS_STACK_BYTES;
	pid = clone3_call(&arguments, function, argument);
	stack_forget(stack);
	munmap(stack, PROCESS_STACK_BYTES);
	if (pid > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

int process_thread(int (*function)(void *), void *argument, void *stack, size_t n_stack_bytes,
		   pid_t *tid)
{
	struct clone_args arguments = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			 CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		.parent_tid = (uintptr_t)tid,
		.child_tid = (uintptr_t)tid,
		.stack = (uintptr_t)stack,
		.stack_size = n_stack_bytes,
	};
	long r;

	if (!CLONE3_TAKES_STACK)
		return -EOPNOTSUPP;
	r = clone3_call(&arguments, function, argument);
	return r < 0 ? (int)r : 0;
}

void process_signals_reset(void)
{
	static const int signals[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGPIPE, SIGTERM, SIGUSR1,
				       SIGUSR2, SIGALRM, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

int process_wait(pid_t pid, int *ret_status)
{
	pid_t r;

	do {
		r = waitpid(pid, ret_status, 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int process_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

uint64_t process_start_time(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[32], *field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_at(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return 0;
	/* The name, field 2, may have blanks and brackets in it: count from its closing one. */
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field + 1, NULL, 10) : 0;
}

bool process_is_running(pid_t pid, uint64_t start_time)
{
	_cleanup_close_ int pidfd = pid > 0 ? sys_pidfd_open(pid, 0) : -EBADF;
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	/* With the pidfd open the pid can't be given to another any more: compare now. */
	return pidfd >= 0 && start_time && process_start_time(pid) == start_time &&
	       poll(&ended, 1, 0) == 0;
}
