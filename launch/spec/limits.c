/* SPDX-License-Identifier: MIT */
#include "launch/spec/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define MEMORY_MIN_BYTES   (512 * 1024)
#define SHM_DEFAULT_BYTES  (64 * 1024 * 1024)
#define CPU_PERIOD_DEFAULT 100000
#define NANO		   UINT64_C(1000000000)

/* Docker's names (go-units, ulimit.go), and "as"; sorted by name, as Docker writes them. */
static const char *const ulimit_names[N_ULIMITS] = {
	"as",	"core",	  "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
	"nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",
};

static int bytes_parse(const char *name, const char *text, uint64_t *ret_bytes, struct error *error)
{
	uint64_t bytes;

	if (!text)
		return 0;
	if (string_to_bytes(text, &bytes) < 0 || bytes > INT64_MAX)
		return error_usage(error, "option '--%s' takes a size such as 512m, not '%s'", name,
				   text);
	*ret_bytes = bytes;
	return 0;
}

/* A number that may be negative. */
static int signed_parse(const char *name, const char *text, int64_t *ret_number,
			struct error *error)
{
	bool negative = text && *text == '-';
	uint64_t magnitude;

	if (!text)
		return 0;
	if (string_to_uint64(text + negative, INT64_MAX, &magnitude) < 0)
		return error_usage(error, "option '--%s' takes a number, not '%s'", name, text);
	*ret_number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

static int unsigned_parse(const char *name, const char *text, uint64_t *ret_number,
			  struct error *error)
{
	int64_t number = 0;
	int r = signed_parse(name, text, &number, error);

	if (r == 0 && number < 0)
		return error_usage(error, "option '--%s' takes a number, not '%s'", name, text);
	if (r == 0 && text)
		*ret_number = (uint64_t)number;
	return r;
}

static int memory_parse(const struct spec_options *options, struct spec_limits *limits,
			struct error *error)
{
	uint64_t swap = 0;
	int r = bytes_parse("memory", options->memory, &limits->memory, error);

	if (r == 0)
		r = bytes_parse("memory-reservation", options->memory_reservation,
				&limits->memory_reservation, error);
	if (r == 0 && options->memory_swap && !strcmp(options->memory_swap, "-1"))
		limits->memory_swap = -1;
	else if (r == 0)
		r = bytes_parse("memory-swap", options->memory_swap, &swap, error);
	if (r < 0)
		return r;
	if (swap > 0)
		limits->memory_swap = (int64_t)swap;
	if (limits->memory > 0 && limits->memory < MEMORY_MIN_BYTES)
		return error_usage(error, "a memory limit of less than %dk",
				   MEMORY_MIN_BYTES / 1024);
	if (limits->memory_swap > 0 && limits->memory == 0)
		return error_usage(error, "'--memory-swap' needs '--memory'");
	if (limits->memory_swap > 0 && (uint64_t)limits->memory_swap < limits->memory)
		return error_usage(error, "'--memory-swap' includes the memory: it can't be less");
	if (limits->memory > 0 && limits->memory_reservation > limits->memory)
		return error_usage(error, "'--memory-reservation' can't be more than '--memory'");
	/* As much swap as memory, Docker's default. */
	if (limits->memory > 0 && limits->memory_swap == 0 && limits->memory <= INT64_MAX / 2)
		limits->memory_swap = (int64_t)(2 * limits->memory);
	return 0;
}

/* "1.5" in billionths. */
static int nano_parse(const char *text, uint64_t *ret_nano)
{
	uint64_t whole = 0, fraction = 0, unit = NANO;
	const char *p = text;

	if (*p == '.' ? !p[1] : (*p < '0' || *p > '9'))
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > 1000000)
			return -ERANGE;
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			fraction += unit * (uint64_t)(*p - '0');
		}
	}
	if (*p)
		return -EINVAL;
	*ret_nano = whole * NANO + fraction;
	return 0;
}

static int cpus_parse(const struct spec_options *options, struct spec_limits *limits,
		      struct error *error)
{
	long n_online;
	int r;

	if (!options->cpus)
		return 0;
	r = nano_parse(options->cpus, &limits->nano_cpus);
	if (r < 0)
		return error_usage(error, "option '--cpus' takes a number such as 1.5, not '%s'",
				   options->cpus);
	if (limits->nano_cpus == 0)
		return 0;
	if (limits->cpu_quota || limits->cpu_period)
		return error_usage(error, "'--cpus' can't go with '--cpu-quota' or '--cpu-period'");
	n_online = sysconf(_SC_NPROCESSORS_ONLN);
	/* The kernel's least quota is 1 ms, a hundredth of the period. */
	if (limits->nano_cpus < NANO / 100 ||
	    (n_online > 0 && limits->nano_cpus > (uint64_t)n_online * NANO))
		return error_usage(error, "'--cpus' is from 0.01 to %ld here, not '%s'", n_online,
				   options->cpus);
	limits->cpu_period = CPU_PERIOD_DEFAULT;
	limits->cpu_quota = (int64_t)(limits->nano_cpus * CPU_PERIOD_DEFAULT / NANO);
	return 0;
}

/*
 * A list such as "0-3,7" against another: is every number of @text in @online? An empty @online is
 * not asked. -EINVAL: not a list, -ERANGE: not in it.
 */
static int cpuset_check(const char *text, const char *online)
{
	const char *p = text;

	for (;;) {
		char *end;
		unsigned long first, last;

		if (*p < '0' || *p > '9')
			return -EINVAL;
		first = last = strtoul(p, &end, 10);
		if (*end == '-') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				return -EINVAL;
			last = strtoul(p, &end, 10);
		}
		if (last < first || last > 1000000)
			return -EINVAL;
		for (unsigned long number = first; online && number <= last; number++) {
			const char *q = online;
			bool found = false;

			while (*q >= '0' && *q <= '9' && !found) {
				char *q_end;
				unsigned long from = strtoul(q, &q_end, 10), to = from;

				if (*q_end == '-')
					to = strtoul(q_end + 1, &q_end, 10);
				found = number >= from && number <= to;
				q = *q_end == ',' ? q_end + 1 : "";
			}
			if (!found)
				return -ERANGE;
		}
		if (!*end)
			return 0;
		if (*end != ',')
			return -EINVAL;
		p = end + 1;
	}
}

static int cpuset_parse(const char *name, const char *text, const char *online_path,
			const char **ret_text, struct error *error)
{
	_cleanup_free_ char *online = NULL;
	int r;

	if (!text || !*text)
		return 0;
	if (file_read_at(AT_FDCWD, online_path, 64 * 1024, &online, NULL) < 0)
		online = NULL; /* a kernel without it: the cgroup will say what it thinks */
	r = cpuset_check(text, online);
	if (r == -ERANGE)
		return error_usage(error, "'--%s %s': there is only %.*s", name, text,
				   (int)strcspn(online, "\n"), online);
	if (r < 0)
		return error_usage(error, "option '--%s' takes a list such as 0-3,7, not '%s'",
				   name, text);
	*ret_text = text;
	return 0;
}

static int cpu_parse(const struct spec_options *options, struct spec_limits *limits,
		     struct error *error)
{
	int r = unsigned_parse("cpu-shares", options->cpu_shares, &limits->cpu_shares, error);

	if (r == 0)
		r = unsigned_parse("cpu-period", options->cpu_period, &limits->cpu_period, error);
	if (r == 0)
		r = signed_parse("cpu-quota", options->cpu_quota, &limits->cpu_quota, error);
	if (r < 0)
		return r;
	/* The kernel's own bounds (kernel/sched/core.c, tg_set_cfs_bandwidth). */
	if (limits->cpu_period && (limits->cpu_period < 1000 || limits->cpu_period > 1000000))
		return error_usage(error, "'--cpu-period' is from 1000 to 1000000 microseconds");
	if (limits->cpu_quota > 0 && limits->cpu_quota < 1000)
		return error_usage(error, "'--cpu-quota' is 1000 microseconds at least");
	if (limits->cpu_quota < -1)
		return error_usage(error, "option '--cpu-quota' takes a number, not '%s'",
				   options->cpu_quota);
	r = cpus_parse(options, limits, error);
	if (r == 0)
		r = cpuset_parse("cpuset-cpus", options->cpuset_cpus,
				 "/sys/devices/system/cpu/online", &limits->cpuset_cpus, error);
	if (r == 0)
		r = cpuset_parse("cpuset-mems", options->cpuset_mems,
				 "/sys/devices/system/node/online", &limits->cpuset_mems, error);
	return r;
}

static int limit_parse(const char *text, size_t n, uint64_t *ret_limit)
{
	char number[24];

	if ((n == 2 && !strncmp(text, "-1", 2)) || (n == 9 && !strncmp(text, "unlimited", 9))) {
		*ret_limit = UINT64_MAX;
		return 0;
	}
	if (n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	return string_to_uint64(number, INT64_MAX, ret_limit);
}

/* "nofile=1024[:2048]" */
static int ulimit_parse(const char *text, struct spec_ulimit by_number[N_ULIMITS],
			struct error *error)
{
	const char *equals = strchr(text, '=');
	size_t n_name = equals ? (size_t)(equals - text) : 0, n_soft, number = 0;
	struct spec_ulimit limit;
	const char *hard;

	if (!equals)
		return error_usage(error, "option '--ulimit' takes NAME=SOFT[:HARD], not '%s'",
				   text);
	while (number < N_ULIMITS &&
	       (strncmp(ulimit_names[number], text, n_name) || ulimit_names[number][n_name]))
		number++;
	if (number == N_ULIMITS)
		return error_usage(error, "unknown limit '%.*s' in '--ulimit'", (int)n_name, text);
	n_soft = strcspn(equals + 1, ":");
	hard = equals[1 + n_soft] ? equals + 1 + n_soft + 1 : NULL;
	if (limit_parse(equals + 1, n_soft, &limit.soft) < 0 ||
	    limit_parse(hard ? hard : equals + 1, hard ? strlen(hard) : n_soft, &limit.hard) < 0)
		return error_usage(error, "option '--ulimit' takes NAME=SOFT[:HARD], not '%s'",
				   text);
	if (limit.soft > limit.hard)
		return error_usage(error, "'--ulimit %s': the soft limit is above the hard one",
				   text);
	limit.name = ulimit_names[number];
	by_number[number] = limit;
	return 0;
}

static int ulimits_parse(const struct string_list *texts, struct spec_limits *limits,
			 struct error *error)
{
	struct spec_ulimit by_number[N_ULIMITS] = {};

	STRING_LIST_FOR_EACH (texts, i) {
		int r = ulimit_parse(texts->items[i], by_number, error);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < N_ULIMITS; i++) {
		if (by_number[i].name)
			limits->ulimits[limits->n_ulimits++] = by_number[i];
	}
	return 0;
}

static int rest_parse(const struct spec_options *options, struct spec_limits *limits,
		      struct error *error)
{
	int r = signed_parse("pids-limit", options->pids_limit, &limits->pids, error);

	if (r == 0)
		r = signed_parse("oom-score-adj", options->oom_score_adj, &limits->oom_score_adj,
				 error);
	if (r == 0)
		r = bytes_parse("shm-size", options->shm_size, &limits->shm_bytes, error);
	if (r < 0)
		return r;
	if (limits->pids < 0)
		limits->pids = 0;
	if (limits->oom_score_adj < -1000 || limits->oom_score_adj > 1000)
		return error_usage(error, "'--oom-score-adj' is from -1000 to 1000");
	limits->has_oom_score_adj = options->oom_score_adj;
	if (limits->shm_bytes == 0)
		limits->shm_bytes = SHM_DEFAULT_BYTES;
	return 0;
}

int limits_parse(const struct spec_options *options, struct spec_limits *ret_limits,
		 struct error *error)
{
	struct spec_limits limits = {};
	int r = memory_parse(options, &limits, error);

	if (r == 0)
		r = cpu_parse(options, &limits, error);
	if (r == 0)
		r = ulimits_parse(&options->ulimits, &limits, error);
	if (r == 0)
		r = rest_parse(options, &limits, error);
	if (r == 0)
		*ret_limits = limits;
	return r;
}
