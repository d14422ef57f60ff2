/* SPDX-License-Identifier: MIT */
#include "launch/attend.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/notify.h"
#include "launch/terminal.h"

static void attended_set(sigset_t *set)
{
	static const int left_alone[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS,
					  SIGILL,  SIGFPE,  SIGTRAP, SIGABRT, SIGSYS };

	sigfillset(set);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		sigdelset(set, left_alone[i]);
}

/* A mask is 64 bits for the kernel, whatever the C library makes of it. */
#define MASK_VARIABLE "LAMINA_SIGNAL_MASK"

static uint64_t mask_bits(const sigset_t *mask)
{
	uint64_t bits;

	memcpy(&bits, mask, sizeof(bits));
	return bits;
}

static struct {
	bool is_there;
	sigset_t mask;
} held;

/*
 * Mostly nothing was blocked, and then no variable is needed: all of these blocked without one is
 * what the launcher itself did before it executed its copy.
 */
void attend_signals_hold(void)
{
	const char *said = getenv(MASK_VARIABLE);
	uint64_t bits;
	sigset_t set;
	char text[24];

	attended_set(&set);
	if (sigprocmask(SIG_BLOCK, &set, &held.mask) < 0)
		return;
	held.is_there = true;
	bits = said ? strtoull(said, NULL, 16) : mask_bits(&held.mask);
	/* Which can't be blocked. */
	sigdelset(&set, SIGKILL);
	sigdelset(&set, SIGSTOP);
	if (!said && (bits | mask_bits(&set)) == bits)
		bits = 0;
	memcpy(&held.mask, &bits, sizeof(bits));
	if (said || bits == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIx64, bits);
	(void)setenv(MASK_VARIABLE, text, 1);
}

int attend_signals_block(sigset_t *ret_earlier, struct error *error)
{
	sigset_t set;

	attended_set(&set);
	/* Who ignores it (and a caller may have) can't wait for children: they vanish. */
	signal(SIGCHLD, SIG_DFL);
	if (held.is_there) {
		*ret_earlier = held.mask;
		(void)unsetenv(MASK_VARIABLE);
	} else if (sigprocmask(SIG_BLOCK, &set, ret_earlier) < 0) {
		return error_set(error, -errno, "cannot block signals");
	}
	return 0;
}

bool attend_signal_is_forwarded(int signal)
{
	/* SIGPIPE is about the launcher's own output, SIGURG a runtime's own business (Go's). */
	return signal != SIGCHLD && signal != SIGPIPE && signal != SIGURG && signal != SIGWINCH;
}

static void signal_handle(struct launched *launched, int signal)
{
	if (attend_signal_is_forwarded(signal))
		(void)sys_pidfd_send_signal(launched->pidfd, signal, NULL, 0);
}

static bool has_ended(const struct launched *launched, int *ret_wait_status)
{
	pid_t pid;

	if (!launched->adopts)
		return waitpid(launched->pid, ret_wait_status, WNOHANG) == launched->pid;
	do {
		pid = waitpid(-1, ret_wait_status, WNOHANG);
	} while (pid > 0 && pid != launched->pid);
	return pid == launched->pid;
}

/* What the container says of itself; once it has said that it is ready, no more. */
static void notify_step(struct launched *launched)
{
	struct error error;
	int r;

	error_init(&error);
	r = notify_relay(launched->notify_fd, launched->notify_host, getpid(), &error);
	if (r == 0)
		return;
	if (r < 0)
		log_warning("container '%s': %s", launched->state.id, error.message);
	cleanup_close(&launched->notify_fd);
	launched->notify_fd = -EBADF;
}

/* Until the container is ready, or has ended: with its socket there is more to wait for. */
static int attend_until_ready(struct launched *launched, bool *ret_ended, int *ret_wait_status)
{
	_cleanup_close_ int signal_fd = -EBADF;
	sigset_t set;

	attended_set(&set);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return -errno;
	while (!(*ret_ended = has_ended(launched, ret_wait_status)) && launched->notify_fd >= 0) {
		struct pollfd fds[] = {
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = launched->notify_fd, .events = POLLIN },
		};
		struct signalfd_siginfo info;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			notify_step(launched);
		while (read(signal_fd, &info, sizeof(info)) == sizeof(info))
			signal_handle(launched, (int)info.ssi_signo);
	}
	return 0;
}

static int attend_plain(struct launched *launched, int *ret_wait_status)
{
	sigset_t set;

	attended_set(&set);
	if (launched->notify_fd >= 0) {
		bool ended = false;
		int r = attend_until_ready(launched, &ended, ret_wait_status);

		if (r < 0 || ended)
			return r;
	}
	while (!has_ended(launched, ret_wait_status)) {
		siginfo_t info;
		int signal = sigwaitinfo(&set, &info);

		if (signal < 0 && errno != EINTR)
			return -errno;
		if (signal > 0)
			signal_handle(launched, signal);
	}
	return 0;
}

/* Every signal that has come: several of a kind may have become one. */
static void signals_drain(struct launched *launched, struct terminal_relay *relay, int signal_fd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			terminal_relay_resize(relay);
		else
			signal_handle(launched, (int)info.ssi_signo);
	}
}

static int relay_loop(struct launched *launched, struct terminal_relay *relay, int signal_fd,
		      int *ret_wait_status)
{
	bool closed = false;

	while (!has_ended(launched, ret_wait_status)) {
		struct pollfd fds[] = {
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = STDIN_FILENO },
			{ .fd = relay->master_fd },
			{ .fd = launched->notify_fd, .events = POLLIN },
		};
		int r;

		terminal_relay_events(relay, &fds[1].events, &fds[2].events);
		/* What has hung up would wake poll(2) all the time. */
		if (!fds[1].events || closed)
			fds[1].fd = -1;
		if (closed)
			fds[2].fd = -1;
		r = poll(fds, 4, -1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		if (fds[0].revents)
			signals_drain(launched, relay, signal_fd);
		if (fds[3].revents)
			notify_step(launched);
		r = terminal_relay_step(relay, fds[1].revents, fds[2].revents);
		if (r < 0)
			return r;
		closed |= r > 0;
	}
	return 0;
}

static int attend_terminal(struct launched *launched, int *ret_wait_status, struct error *error)
{
	_cleanup_relay_ struct terminal_relay relay = TERMINAL_RELAY_EMPTY;
	_cleanup_close_ int signal_fd = -EBADF;
	sigset_t set;
	int r = terminal_relay_start(&relay, take_fd(&launched->master_fd), error);

	if (r < 0)
		return r;
	attended_set(&set);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return error_set(error, -errno, "cannot wait for signals");
	r = relay_loop(launched, &relay, signal_fd, ret_wait_status);
	return r < 0 ? error_set(error, r, "cannot carry the terminal over") : 0;
}

int attend(struct launched *launched, int *ret_wait_status, struct error *error)
{
	TRACE_PHASE("exit.wait");
	int r;

	if (launched->master_fd >= 0)
		return attend_terminal(launched, ret_wait_status, error);
	r = attend_plain(launched, ret_wait_status);
	return r < 0 ? error_set(error, r, "cannot wait for the container") : 0;
}
