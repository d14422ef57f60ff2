/* SPDX-License-Identifier: MIT */
#include "launch/signal_name.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "base/text.h"

#define REAL_TIME_FIRST 34
#define SIGNAL_LAST	64

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "BUS", SIGBUS },	 { "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },  { "CONT", SIGCONT }, { "FPE", SIGFPE },	 { "HUP", SIGHUP },
	{ "ILL", SIGILL },   { "INT", SIGINT },	  { "IO", SIGIO },	 { "IOT", SIGABRT },
	{ "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "POLL", SIGIO },	 { "PROF", SIGPROF },
	{ "PWR", SIGPWR },   { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV },	 { "STKFLT", SIGSTKFLT },
	{ "STOP", SIGSTOP }, { "SYS", SIGSYS },	  { "TERM", SIGTERM },	 { "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU },	 { "URG", SIGURG },
	{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "WINCH", SIGWINCH }, { "VTALRM", SIGVTALRM },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
};

/* "RTMIN", "RTMIN+3", "RTMAX", "RTMAX-3" */
static int real_time_from_name(const char *name)
{
	bool from_last = !strncasecmp(name, "RTMAX", 5);
	uint64_t distance = 0;

	if (!from_last && strncasecmp(name, "RTMIN", 5))
		return -EINVAL;
	name += 5;
	if (*name) {
		if (*name != (from_last ? '-' : '+') ||
		    string_to_uint64(name + 1, SIGNAL_LAST - REAL_TIME_FIRST, &distance) < 0)
			return -EINVAL;
	}
	return from_last ? SIGNAL_LAST - (int)distance : REAL_TIME_FIRST + (int)distance;
}

int signal_from_name(const char *name)
{
	uint64_t number;

	if (string_to_uint64(name, SIGNAL_LAST, &number) == 0)
		return number == 0 ? -EINVAL : (int)number;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (!strcasecmp(signals[i].name, name))
			return signals[i].number;
	}
	return real_time_from_name(name);
}
