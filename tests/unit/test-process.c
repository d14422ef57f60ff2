/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/syscalls.h"

static int status_of(pid_t pid)
{
	int status = -1;

	assert_true(pid > 0);
	assert_int_equal(process_wait(pid, &status), 0);
	return process_exit_status(status);
}

static void a_forked_child_has_memory_of_its_own(void **state)
{
	int value = 1;
	pid_t pid = process_fork(0, -1, NULL);

	if (pid == 0) {
		value = 2;
		_exit(value + 40);
	}
	assert_int_equal(status_of(pid), 42);
	assert_int_equal(value, 1);
}

static void a_pidfd_stands_for_the_child(void **state)
{
	_cleanup_close_ int pidfd = -EBADF;
	pid_t pid = process_fork(0, -1, &pidfd);
	struct pollfd poll_fd;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pidfd >= 0);
	assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
	poll_fd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&poll_fd, 1, 0), 0);
	assert_int_equal(sys_pidfd_send_signal(pidfd, SIGTERM, NULL, 0), 0);
	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
	assert_int_equal(status_of(pid), 128 + SIGTERM);
}

static int child_sets(void *argument)
{
	*(int *)argument = 7;
	return 3;
}

static void a_vforked_child_shares_memory_and_its_result_is_its_status(void **state)
{
	_cleanup_close_ int pidfd = -EBADF;
	int value = 1;
	pid_t pid = process_vfork(0, -1, &pidfd, child_sets, &value);

	/* Back only after the child has ended: its store is there without a wait. */
	assert_int_equal(value, 7);
	assert_true(pidfd >= 0);
	assert_int_equal(status_of(pid), 3);
}

static int child_execs(void *argument)
{
	char *const arguments[] = { (char *)"sh", (char *)"-c", (char *)"exit 9", NULL };
	char *const environment[] = { NULL };

	execve(argument, arguments, environment);
	return 127;
}

static void a_vforked_child_executes_a_program(void **state)
{
	assert_int_equal(status_of(process_vfork(0, -1, NULL, child_execs, (void *)"/bin/sh")), 9);
	assert_int_equal(status_of(process_vfork(0, -1, NULL, child_execs, (void *)"/none")), 127);
}

/* Fills most of the stack: a child that had the parent's, or a smaller one, would not survive. */
static int child_uses_its_stack(void *argument)
{
	volatile char room[PROCESS_STACK_BYTES / 4 * 3];

	memset((char *)room, 5, sizeof(room));
	return room[sizeof(room) / 2];
}

static void a_vforked_child_has_the_stack_that_is_promised(void **state)
{
	assert_int_equal(status_of(process_vfork(0, -1, NULL, child_uses_its_stack, NULL)), 5);
}

static int child_is_first(void *argument)
{
	return getpid() == 1;
}

static void a_child_starts_in_the_namespaces_asked_for(void **state)
{
	pid_t pid = process_vfork(CLONE_NEWPID, -1, NULL, child_is_first, NULL);

	if (pid == -EPERM)
		skip();
	assert_int_equal(status_of(pid), 1);
}

static void flags_that_make_no_sense_are_refused(void **state)
{
	int pidfd = 4711;

	assert_int_equal(process_fork(1ULL << 63, -1, &pidfd), -EINVAL);
	assert_int_equal(pidfd, 4711);
	assert_int_equal(process_vfork(CLONE_FS | CLONE_NEWNS, -1, &pidfd, child_sets, &pidfd),
			 -EINVAL);
	assert_int_equal(pidfd, 4711);
	/* Not a cgroup. */
	assert_true(process_fork(0, STDERR_FILENO, NULL) < 0);
}

static void the_status_is_the_shells_number(void **state)
{
	pid_t pid;

	assert_int_equal(process_exit_status(0), 0);
	assert_int_equal(process_exit_status(255 << 8), 255);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	assert_int_equal(status_of(pid), 128 + SIGKILL);
	assert_int_equal(process_wait(pid, &(int){ 0 }), -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forked_child_has_memory_of_its_own),
		cmocka_unit_test(a_pidfd_stands_for_the_child),
		cmocka_unit_test(a_vforked_child_shares_memory_and_its_result_is_its_status),
		cmocka_unit_test(a_vforked_child_executes_a_program),
		cmocka_unit_test(a_vforked_child_has_the_stack_that_is_promised),
		cmocka_unit_test(a_child_starts_in_the_namespaces_asked_for),
		cmocka_unit_test(flags_that_make_no_sense_are_refused),
		cmocka_unit_test(the_status_is_the_shells_number),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
