/* SPDX-License-Identifier: MIT */
/*
 * What the command line of `nslaunch spec` said, as it said it: Docker's words, unparsed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* All zero: nothing was said. Strings are borrowed; NULL: not said. */
struct spec_options {
	/* the process */
	struct string_list env, env_files;
	const char *workdir, *user, *entrypoint;
	struct string_list group_add;
	bool tty, interactive, init;
	const char *stop_signal, *stop_timeout;
	struct string_list labels, label_files;

	/* names and network */
	const char *hostname, *domainname, *network;
	struct string_list sysctls;

	/* isolation */
	bool read_only, privileged;
	struct string_list cap_add, cap_drop, security_opts;
	const char *ipc, *pid, *uts, *cgroupns, *userns;
	struct string_list devices, device_cgroup_rules;

	/* resources */
	const char *memory, *memory_swap, *memory_reservation;
	const char *cpus, *cpu_shares, *cpu_quota, *cpu_period, *cpuset_cpus, *cpuset_mems;
	const char *pids_limit, *oom_score_adj, *shm_size, *cgroup_parent;
	struct string_list ulimits;
};
