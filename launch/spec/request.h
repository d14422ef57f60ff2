/* SPDX-License-Identifier: MIT */
/*
 * What is asked of every container of one `nslaunch spec`: the options, parsed and checked once,
 * before the first bundle is touched.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "launch/spec/devices.h"
#include "launch/spec/limits.h"
#include "launch/spec/network.h"
#include "launch/spec/options.h"

struct spec_request {
	const struct spec_options *options; /* borrowed */
	char *const *command; /* replaces the image's Cmd; borrowed, NULL-terminated */
	struct string_list environment, labels;
	struct spec_limits limits;
	struct spec_devices devices;
	uint64_t capabilities;
	struct spec_network network;
	bool host_ipc, no_shm, host_pid, host_uts, host_cgroup;
	bool no_new_privileges, paths_unconfined;
	bool seccomp_unconfined;
	const char *seccomp_path;     /* borrowed; NULL: the default profile */
	char *seccomp_profile;	      /* of that file, as linux.seccomp; owned */
	const char *apparmor_profile; /* borrowed; NULL: none */
	const char *stop_signal;      /* borrowed; NULL: not said */
	int64_t stop_timeout;	      /* seconds, -1: for ever */
	char *init_path;	      /* of lamina-init on the host, with --init; owned */
};

/**
 * spec_request_parse() - check the options
 * @command: argv behind the options
 *
 * Return: 0 or a negative errno; wrong usage is marked so in @error.
 */
int spec_request_parse(const struct spec_options *options, char *const *command,
		       struct spec_request *ret_request, struct error *error);

void spec_request_deinit(struct spec_request *request);
#define _cleanup_spec_request_ _cleanup_(spec_request_deinit)
