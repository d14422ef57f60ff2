/* SPDX-License-Identifier: MIT */
/*
 * nslaunch-systemd: asks systemd for a container's cgroup. nslaunch, which is static and links no
 * D-Bus library, executes it where the systemd driver was chosen, and nobody else needs to.
 *
 *	nslaunch-systemd [--user] scope UNIT [PROPERTY...] [-- PROPERTY...]
 *	nslaunch-systemd [--user] set UNIT PROPERTY...
 *	nslaunch-systemd [--user] stop UNIT
 *
 * A PROPERTY is NAME=TYPE:VALUE with the D-Bus type: b, t (infinity is a number too), s, as (words
 * between commas), ay (hexadecimal). Results are lines on standard output:
 *
 *	cgroup /PATH	the scope is there; it is kept by a process that does nothing until a line
 *			comes on standard input, which says that the container is in it. Then the
 *			properties behind "--" are set, by which time nothing of lamina's is there.
 *	done		all is done
 *	error WHY	nothing is
 *
 * At the end of standard input without a line the scope is stopped: its maker has ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER	    "org.freedesktop.systemd1.Manager"
#define PATH	    "/org/freedesktop/systemd1"
/* systemd's own limit for a job of a scope is 90 s; runc waits 30. */
#define JOB_TIMEOUT_US (30 * UINT64_C(1000000))
#define JOB_STEP_US    100000

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}
#define _cleanup_bus_ _cleanup_(bus_close)

static void message_unref(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}
#define _cleanup_message_ _cleanup_(message_unref)

static void slot_unref(sd_bus_slot **slot)
{
	sd_bus_slot_unref(*slot);
}
#define _cleanup_slot_ _cleanup_(slot_unref)

#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)

static int fail(int r, const char *what, const sd_bus_error *error)
{
	printf("error %s: %s\n", what,
	       error && error->message ? error->message : strerror(r < 0 ? -r : r));
	fflush(stdout);
	return r < 0 ? r : -EIO;
}

/* systemd listens on a socket of its own, where a manager needs no D-Bus daemon. */
static int connect_private(const char *path, sd_bus **ret_bus)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	char address[512];
	int r;

	if (snprintf(address, sizeof(address), "unix:path=%s", path) >= (int)sizeof(address))
		return -ENAMETOOLONG;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = bus;
	bus = NULL;
	return 0;
}

static int connect_bus(bool user, sd_bus **ret_bus)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[256];
	int r;

	if (!user) {
		r = connect_private("/run/systemd/private", ret_bus);
		return r < 0 ? sd_bus_open_system(ret_bus) : r;
	}
	r = -ENOENT;
	if (runtime &&
	    snprintf(path, sizeof(path), "%s/systemd/private", runtime) < (int)sizeof(path))
		r = connect_private(path, ret_bus);
	return r < 0 ? sd_bus_open_user(ret_bus) : r;
}

/* "cpus" as the bytes of a bit mask, least significant first: AllowedCPUs and the like. */
static int append_bytes(sd_bus_message *message, const char *hexadecimal)
{
	uint8_t bytes[1024];
	size_t n = strlen(hexadecimal) / 2;

	if (n > sizeof(bytes))
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		char two[3] = { hexadecimal[i * 2], hexadecimal[i * 2 + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return sd_bus_message_append_array(message, 'y', bytes, n);
}

static int append_words(sd_bus_message *message, const char *words)
{
	int r = sd_bus_message_open_container(message, 'a', "s");

	while (r >= 0 && *words) {
		size_t n = strcspn(words, ",");
		char word[256];

		if (n >= sizeof(word))
			return -E2BIG;
		memcpy(word, words, n);
		word[n] = '\0';
		r = sd_bus_message_append_basic(message, 's', word);
		words += n + (words[n] == ',');
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const char *type, const char *value)
{
	if (!strcmp(type, "b"))
		return sd_bus_message_append(message, "b", !strcmp(value, "true"));
	if (!strcmp(type, "t"))
		return sd_bus_message_append(message, "t", (uint64_t)strtoull(value, NULL, 10));
	if (!strcmp(type, "s"))
		return sd_bus_message_append(message, "s", value);
	if (!strcmp(type, "as"))
		return append_words(message, value);
	if (!strcmp(type, "ay"))
		return append_bytes(message, value);
	return -EINVAL;
}

/* (sv) of NAME=TYPE:VALUE */
static int append_property(sd_bus_message *message, const char *property)
{
	const char *equals = strchr(property, '='), *colon = equals ? strchr(equals, ':') : NULL;
	char name[128], type[8];
	int r;

	if (!colon || (size_t)(equals - property) >= sizeof(name) ||
	    (size_t)(colon - equals - 1) >= sizeof(type))
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - property), property);
	snprintf(type, sizeof(type), "%.*s", (int)(colon - equals - 1), equals + 1);
	r = sd_bus_message_open_container(message, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append_basic(message, 's', name);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'v', type);
	if (r >= 0)
		r = append_value(message, type, colon + 1);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_pid(sd_bus_message *message, pid_t pid)
{
	return sd_bus_message_append(message, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
}

/* What a finished job was: JobRemoved(u id, o job, s unit, s result). */
struct job {
	const char *path;
	bool is_done;
	char result[64];
};

static int job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0 ||
	    (job->path && strcmp(path, job->path) != 0))
		return 0;
	if (job->path) {
		job->is_done = true;
		snprintf(job->result, sizeof(job->result), "%s", result);
	}
	return 0;
}

/* Until the job is done; its result is in @job. */
static int job_wait(sd_bus *bus, const struct job *job)
{
	uint64_t waited_us = 0;

	while (!job->is_done) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (waited_us >= JOB_TIMEOUT_US)
			return -ETIMEDOUT;
		r = sd_bus_wait(bus, JOB_STEP_US);
		if (r < 0 && r != -EINTR)
			return r;
		if (r == 0)
			waited_us += JOB_STEP_US;
	}
	return 0;
}

/* Calls a method that answers with a job, and waits until that is done. */
static int job_call(sd_bus *bus, sd_bus_message *call, const char *what, sd_bus_error *error)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_slot_ sd_bus_slot *slot = NULL;
	struct job job = {};
	int r;

	r = sd_bus_match_signal(bus, &slot, NULL, PATH, MANAGER, "JobRemoved", job_removed, &job);
	if (r < 0)
		return r;
	/* On its private socket systemd sends signals to all, subscribed or not. */
	(void)sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "Subscribe", NULL, NULL, NULL);
	r = sd_bus_call(bus, call, JOB_TIMEOUT_US, error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job.path);
	if (r >= 0)
		r = job_wait(bus, &job);
	if (r >= 0 && strcmp(job.result, "done") != 0 && strcmp(job.result, "skipped") != 0)
		r = sd_bus_error_setf(error, SD_BUS_ERROR_FAILED, "the job of %s ended as '%s'",
				      what, job.result);
	return r;
}

static int unit_reset(sd_bus *bus, const char *unit)
{
	return sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "ResetFailedUnit", NULL, NULL,
				  "s", unit);
}

static int scope_start_once(sd_bus *bus, const char *unit, char *const *properties, int n,
			    pid_t keeper, sd_bus_error *error)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, DESTINATION, PATH, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", unit, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "(sv)");
	for (int i = 0; r >= 0 && i < n; i++)
		r = append_property(call, properties[i]);
	if (r >= 0)
		r = append_pid(call, keeper);
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	if (r >= 0)
		r = sd_bus_message_append(call, "a(sa(sv))", 0);
	if (r >= 0)
		r = job_call(bus, call, unit, error);
	return r;
}

/* The one that a killed start or a failure has left is let go of, once. */
static int scope_start(sd_bus *bus, const char *unit, char *const *properties, int n, pid_t keeper,
		       sd_bus_error *error)
{
	int r = scope_start_once(bus, unit, properties, n, keeper, error);

	if (r >= 0 || !sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitExists"))
		return r;
	if (unit_reset(bus, unit) < 0)
		return r;
	sd_bus_error_free(error);
	return scope_start_once(bus, unit, properties, n, keeper, error);
}

static int unit_set(sd_bus *bus, const char *unit, char *const *properties, int n,
		    sd_bus_error *error)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, DESTINATION, PATH, MANAGER,
					       "SetUnitProperties");

	if (r >= 0)
		r = sd_bus_message_append(call, "sb", unit, true);
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "(sv)");
	for (int i = 0; r >= 0 && i < n; i++)
		r = append_property(call, properties[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	if (r >= 0)
		r = sd_bus_call(bus, call, JOB_TIMEOUT_US, error, NULL);
	return r;
}

static int unit_stop(sd_bus *bus, const char *unit, sd_bus_error *error)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, DESTINATION, PATH, MANAGER, "StopUnit");

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", unit, "replace");
	if (r >= 0)
		r = job_call(bus, call, unit, error);
	/* A scope goes by itself with its last process. */
	if (r < 0 && sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchUnit"))
		r = 0;
	(void)unit_reset(bus, unit);
	return r;
}

static int cgroup_print(sd_bus *bus, const char *unit, sd_bus_error *error)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *path = NULL;
	const char *object;
	int r = sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "GetUnit", error, &reply, "s",
				   unit);

	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, DESTINATION, object,
					       "org.freedesktop.systemd1.Scope", "ControlGroup",
					       error, &path);
	if (r >= 0 && *path != '/')
		r = -ENOENT;
	if (r >= 0) {
		printf("cgroup %s\n", path);
		fflush(stdout);
	}
	return r;
}

/* Keeps the scope from being empty: a copy of this process that touches as little as it can. */
static pid_t keeper_make(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

static void keeper_end(pid_t keeper)
{
	kill(keeper, SIGKILL);
	while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

static int scope(sd_bus *bus, const char *unit, char *const *properties, int n)
{
	_cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int n_first = 0, r;
	pid_t keeper;
	char line[16];

	while (n_first < n && strcmp(properties[n_first], "--") != 0)
		n_first++;
	keeper = keeper_make();
	if (keeper < 0)
		return fail(-errno, "cannot make a process", NULL);
	r = scope_start(bus, unit, properties, n_first, keeper, &error);
	if (r < 0) {
		keeper_end(keeper);
		return fail(r, "systemd cannot start the scope", &error);
	}
	r = cgroup_print(bus, unit, &error);
	if (r < 0)
		(void)fail(r, "cannot find the scope's cgroup", &error);
	if (r >= 0 && !fgets(line, sizeof(line), stdin))
		r = -ECANCELED;
	keeper_end(keeper);
	if (r >= 0 && n_first + 1 < n) {
		r = unit_set(bus, unit, properties + n_first + 1, n - n_first - 1, &error);
		if (r < 0)
			(void)fail(r, "systemd cannot set the scope's limits", &error);
	}
	sd_bus_error_free(&error);
	if (r < 0)
		(void)unit_stop(bus, unit, &error);
	return r;
}

int main(int argc, char *argv[])
{
	bool user = argc > 1 && !strcmp(argv[1], "--user");
	char **words = argv + 1 + user;
	int n_words = argc - 1 - user, r;
	_cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	sigset_t none;

	if (n_words < 2) {
		fprintf(stderr, "nslaunch-systemd: it is for nslaunch to call\n");
		return 2;
	}
	/* nslaunch blocks all. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = connect_bus(user, &bus);
	if (r < 0) {
		(void)fail(r,
			   user ? "cannot reach the user's systemd (is there a session, and "
				  "XDG_RUNTIME_DIR?)"
				: "cannot reach systemd (is it this machine's init?)",
			   NULL);
		return 1;
	}
	if (!strcmp(words[0], "scope"))
		r = scope(bus, words[1], words + 2, n_words - 2);
	else if (!strcmp(words[0], "set"))
		r = unit_set(bus, words[1], words + 2, n_words - 2, &error);
	else if (!strcmp(words[0], "stop"))
		r = unit_stop(bus, words[1], &error);
	else
		r = -EINVAL;
	if (r < 0 && strcmp(words[0], "scope") != 0)
		(void)fail(r, "systemd refuses", &error);
	if (r >= 0)
		puts("done");
	return r < 0;
}
