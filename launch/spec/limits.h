/* SPDX-License-Identifier: MIT */
/*
 * Resources: memory, processors, processes, and the process's own limits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "launch/spec/options.h"

#define N_ULIMITS 16

struct spec_ulimit {
	const char *name;    /* Docker's: "nofile"; a static string */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

/* All zero: no limits. */
struct spec_limits {
	uint64_t memory, memory_reservation; /* bytes, 0: none */
	int64_t memory_swap;		 /* memory and swap together; 0: not said, -1: no limit */
	uint64_t cpu_shares, cpu_period; /* 0: not said; microseconds */
	int64_t cpu_quota;		 /* microseconds; 0: not said, -1: no limit */
	uint64_t nano_cpus;		 /* --cpus in billionths; sets period and quota above */
	const char *cpuset_cpus, *cpuset_mems; /* borrowed; NULL: not said */
	int64_t pids;			       /* 0: no limit */
	int64_t oom_score_adj;
	bool has_oom_score_adj;
	uint64_t shm_bytes;
	struct spec_ulimit ulimits[N_ULIMITS]; /* those asked for, by name */
	size_t n_ulimits;
};

/**
 * limits_parse() - take and check the resource options, with Docker's rules for which go together
 *
 * Where Docker wants 6 MiB of memory at least, 512 KiB is enough here.
 *
 * Return: 0 or a negative errno (-EINVAL: wrong usage).
 */
int limits_parse(const struct spec_options *options, struct spec_limits *ret_limits,
		 struct error *error);
