/* SPDX-License-Identifier: MIT */
/*
 * nslaunch events: what a container uses, and when it is out of memory, in runc's JSON.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "launch/cgroup/oom.h"
#include "launch/cgroup/stats.h"
#include "tools/nslaunch/container.h"

#define FIELD(field)	    offsetof(struct events_options, field)
#define DEFAULT_INTERVAL_MS 5000

const struct command_option events_options[] = {
	{ .name = "interval",
	  .type = OPTION_STRING,
	  .offset = FIELD(interval),
	  .argument = "DURATION",
	  .help = "how often the use is shown, such as 500ms or 1m30s; 5s if not said" },
	{ .name = "stats",
	  .type = OPTION_FLAG,
	  .offset = FIELD(stats),
	  .help = "show the use once, and end" },
};

/* Go's durations: numbers with a unit each, "1m30s", "1.5h". */
static int duration_parse(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {
		{ "ns", 1e-6 }, { "us", 1e-3 }, { "ms", 1 },
		{ "s", 1e3 },	{ "m", 6e4 },	{ "h", 36e5 },
	};
	double ms = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		size_t n_number = strspn(text, "0123456789.");
		const char *unit = text + n_number;
		size_t n_unit = strcspn(unit, "0123456789.");
		double factor = 0;

		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strlen(units[i].name) == n_unit && !memcmp(units[i].name, unit, n_unit))
				factor = units[i].ms;
		}
		if (n_number == 0 || factor == 0)
			return -EINVAL;
		ms += strtod(text, NULL) * factor;
		text = unit + n_unit;
	}
	/* poll(2) takes an int. */
	if (ms > INT_MAX)
		return -ERANGE;
	*ret_ms = (int64_t)(ms < 1 && ms > 0 ? 1 : ms);
	return *ret_ms > 0 ? 0 : -EINVAL;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A line for each event, at once: who reads may be a program. */
static int event_print(struct json_writer *writer, struct error *error)
{
	int r = json_writer_status(writer);

	if (r < 0)
		return error_set(error, r, "cannot print");
	fwrite(writer->buffer.bytes, 1, writer->buffer.n_bytes, stdout);
	putchar('\n');
	if (fflush(stdout) != 0)
		return error_set(error, -errno, "cannot print");
	return 0;
}

static int oom_print(const char *id, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "type", "oom");
	json_write_string(&writer, "id", id);
	json_write_object_end(&writer);
	return event_print(&writer, error);
}

static int stats_print(struct cgroup *cgroup, const char *id, struct error *error)
{
	_cleanup_cgroup_stats_ struct cgroup_stats stats = {};
	_cleanup_json_writer_ struct json_writer writer = {};
	int r = cgroup_stats_read(cgroup, &stats, error);

	if (r < 0)
		return r;
	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "type", "stats");
	json_write_string(&writer, "id", id);
	cgroup_stats_write(&stats, &writer, "data");
	json_write_object_end(&writer);
	return event_print(&writer, error);
}

/* Until the container's process has ended. */
static int events_follow(struct cgroup *cgroup, const char *id, int pidfd, int64_t interval_ms,
			 struct error *error)
{
	_cleanup_cgroup_oom_ struct cgroup_oom oom = { .event_fd = -EBADF };
	int64_t next_ms = now_ms() + interval_ms;
	int r = cgroup_oom_watch(cgroup, &oom, error);

	while (r == 0) {
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = oom.event_fd, .events = POLLIN },
		};
		int64_t left_ms = next_ms - now_ms();

		if (poll(fds, 2, left_ms > 0 ? (int)left_ms : 0) < 0 && errno != EINTR)
			return error_set(error, -errno, "cannot wait for events");
		/* First: what the kernel killed for its memory has ended, too. */
		if (cgroup_oom_happened(&oom))
			r = oom_print(id, error);
		if (r < 0 || fds[0].revents)
			return r;
		if (now_ms() < next_ms)
			continue;
		r = stats_print(cgroup, id, error);
		next_ms += interval_ms;
		/* Gone between the poll and the reading. */
		if (r == -ENOENT)
			return 0;
	}
	return r;
}

int verb_events(const struct command_call *call, struct error *error)
{
	const struct events_options *options = call->options;
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	_cleanup_close_ int pidfd = -EBADF;
	_cleanup_cgroup_ struct cgroup cgroup;
	int64_t interval_ms = DEFAULT_INTERVAL_MS;
	int r;

	cgroup_init(&cgroup);
	if (options->interval && duration_parse(options->interval, &interval_ms) < 0)
		return error_usage(error,
				   "option '--interval' takes a duration greater than 0, such as "
				   "5s, not '%s'",
				   options->interval);
	r = container_open(call, call->argv[0], false, &state, &record, error);
	if (r < 0)
		return r;
	pidfd = state_process_open(&record);
	if (pidfd < 0 || state_status(&state, &record) == STATE_STOPPED)
		return error_say(error, -ESRCH, "container '%s' is not running", state.id);
	if (!record.cgroup_path)
		return error_say(error, -EOPNOTSUPP, "container '%s' has no cgroup", state.id);
	r = cgroup_open(&cgroup, record.cgroup_path, error);
	if (r < 0)
		return r;
	if (options->stats)
		return stats_print(&cgroup, state.id, error);
	return events_follow(&cgroup, state.id, pidfd, interval_ms, error);
}
