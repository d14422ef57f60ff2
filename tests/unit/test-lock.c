/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/lock.h"

/* Each open of the file is an owner of its own, as another process would be. */
static int lock_open(const struct scratch_directory *scratch)
{
	int fd = openat(scratch->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void readers_share_and_a_writer_is_alone(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int a = lock_open(&scratch), b = lock_open(&scratch);
	_cleanup_close_ int c = lock_open(&scratch);

	assert_int_equal(lock_try(a, LOCK_MODE_SHARED), 0);
	assert_int_equal(lock_try(b, LOCK_MODE_SHARED), 0);
	assert_int_equal(lock_try(c, LOCK_MODE_EXCLUSIVE), -EWOULDBLOCK);
	close(take_fd(&a));
	close(take_fd(&b));
	assert_int_equal(lock_try(c, LOCK_MODE_EXCLUSIVE), 0);
	a = lock_open(&scratch);
	assert_int_equal(lock_try(a, LOCK_MODE_SHARED), -EWOULDBLOCK);
	assert_int_equal(lock_try(a, LOCK_MODE_EXCLUSIVE), -EWOULDBLOCK);
}

static void a_killed_owner_owns_nothing(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int fd = lock_open(&scratch);
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_take(lock_open(&scratch), LOCK_MODE_EXCLUSIVE) < 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(lock_try(fd, LOCK_MODE_SHARED), -EWOULDBLOCK);
	kill(pid, SIGKILL);
	/* Waits until the killed one is gone. */
	assert_int_equal(lock_take(fd, LOCK_MODE_SHARED), 0);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static volatile sig_atomic_t n_alarms;

static void alarm_count(int signal)
{
	n_alarms++;
}

static void a_signal_does_not_end_the_wait(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_close_ int fd = lock_open(&scratch);
	struct sigaction action = { .sa_handler = alarm_count };
	pid_t parent = getpid(), pid;

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(lock_take(fd, LOCK_MODE_EXCLUSIVE), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 5; i++) {
			usleep(20000);
			kill(parent, SIGUSR1);
		}
		_exit(0);
	}
	/* The child has a copy of fd, and with it the lock, until it ends. */
	close(take_fd(&fd));
	fd = lock_open(&scratch);
	assert_int_equal(lock_take(fd, LOCK_MODE_EXCLUSIVE), 0);
	assert_true(n_alarms > 0);
	waitpid(pid, NULL, 0);
}

static void what_cannot_be_locked_is_said(void **state)
{
	assert_int_equal(lock_take(-1, LOCK_MODE_SHARED), -EBADF);
	assert_int_equal(lock_try(-1, LOCK_MODE_SHARED), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_share_and_a_writer_is_alone),
		cmocka_unit_test(a_killed_owner_owns_nothing),
		cmocka_unit_test(a_signal_does_not_end_the_wait),
		cmocka_unit_test(what_cannot_be_locked_is_said),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
