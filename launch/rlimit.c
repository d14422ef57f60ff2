/* SPDX-License-Identifier: MIT */
#include "launch/rlimit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

static const char *limit_text(rlim_t limit, char text[24])
{
	if (limit == RLIM_INFINITY)
		return "unlimited";
	snprintf(text, 24, "%" PRIu64, (uint64_t)limit);
	return text;
}

static void limit_warn(size_t i, const struct config_rlimit *wanted, const struct rlimit *given)
{
	char hard[24], own[24];

	log_warning("process.rlimits[%zu]: %s: %s is more than may be set here: it is %s", i,
		    wanted->name, limit_text(wanted->limit.rlim_max, hard),
		    limit_text(given->rlim_max, own));
}

static int limit_apply(size_t i, const struct config_rlimit *wanted, bool is_strict)
{
	struct rlimit own, limit = wanted->limit;

	if (setrlimit(wanted->resource, &limit) == 0)
		return 0;
	if (errno != EPERM || is_strict)
		return -errno;
	if (getrlimit(wanted->resource, &own) < 0)
		return -errno;
	if (limit.rlim_max > own.rlim_max)
		limit.rlim_max = own.rlim_max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit(wanted->resource, &limit) < 0)
		return -errno;
	limit_warn(i, wanted, &limit);
	return 0;
}

int rlimit_apply(const struct config_process *process, bool is_strict, struct error *error)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		int r = limit_apply(i, &process->rlimits[i], is_strict);

		if (r < 0)
			return error_set(error, r, "process.rlimits[%zu]: cannot set %s", i,
					 process->rlimits[i].name);
	}
	return 0;
}
