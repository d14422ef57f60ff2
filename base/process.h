/* SPDX-License-Identifier: MIT */
/*
 * Making processes with clone3(2) (Linux 5.3), which the C libraries don't wrap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * process_fork() - fork(2) with namespaces, a cgroup and a pidfd
 * @flags: CLONE_*; CLONE_PIDFD and CLONE_INTO_CGROUP (5.7) are added as the next two ask
 * @cgroup_fd: of a cgroup v2 directory that the child starts in, or -1
 * @ret_pidfd: set in the parent, owned by the caller; may be NULL
 *
 * Return: the pid in the parent, 0 in the child, or a negative errno. No atfork handlers run: for
 * single-threaded programs.
 */
pid_t process_fork(uint64_t flags, int cgroup_fd, int *ret_pidfd);

/**
 * process_fork_sibling() - fork(2) a process that is the caller's parent's child: CLONE_PARENT
 * @flags: CLONE_*
 * @ret_pid: gets the pid, as the caller's pid namespace numbers it, before the new process runs; in
 * shared memory, so that their parent can know it first
 *
 * Return: as process_fork().
 */
pid_t process_fork_sibling(uint64_t flags, pid_t *ret_pid);

/**
 * process_vfork() - run @function in a child that borrows the memory, and wait until it has
 * executed another program or ended
 * @flags: as process_fork()'s; CLONE_VM and CLONE_VFORK are added
 * @function: runs on a stack of its own (PROCESS_STACK_BYTES); what it returns is the child's exit
 * status. It must not return through, or unlock, anything of the parent's.
 *
 * No page table is copied, and the moment of return is the moment of the exec. Only SIGKILL ends
 * the parent meanwhile, so the child asks for PDEATHSIG first thing. A signal handler of the
 * parent that runs in the child changes the parent's memory: block signals around it.
 *
 * Return: the pid, or a negative errno.
 */
pid_t process_vfork(uint64_t flags, int cgroup_fd, int *ret_pidfd, int (*function)(void *),
		    void *argument);

/**
 * process_thread() - run @function in another thread, which the C library knows nothing of
 * @function: it shares the caller's errno and other variables of a thread, and may not be cancelled
 * or joined; what it returns is lost
 * @stack: of 16-byte alignment; in use until *@tid is 0
 * @tid: the thread's id, set before the return; the kernel makes it 0 at the thread's end
 *
 * Return: 0 or a negative errno (-EOPNOTSUPP: not on this architecture).
 */
int process_thread(int (*function)(void *), void *argument, void *stack, size_t n_stack_bytes,
		   pid_t *tid);

#define PROCESS_STACK_BYTES (256 * 1024)

/**
 * process_signals_reset() - the signals' default actions, as after a login
 *
 * What the launcher's own parent ignored (nohup's SIGHUP, a shell's SIGINT in the background, a
 * Python's SIGPIPE) is no business of the programs that it starts.
 */
void process_signals_reset(void);

/** process_wait() - reap @pid; its wait status, or a negative errno */
int process_wait(pid_t pid, int *ret_status);

/** process_exit_status() - the shell's number for a wait status: the exit code, or 128 + signal */
int process_exit_status(int wait_status);

/**
 * process_start_time() - when @pid was started: field 22 of /proc/PID/stat, clock ticks since boot
 *
 * With it a pid that was written down means that process and none that got its number later.
 *
 * Return: 0 when there is no such process.
 */
uint64_t process_start_time(pid_t pid);

/**
 * process_is_running() - does the process with this pid and start time still run? A zombie, which
 * may stay for ever where nobody waits for it, doesn't.
 */
bool process_is_running(pid_t pid, uint64_t start_time);
