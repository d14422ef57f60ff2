/* SPDX-License-Identifier: MIT */
/*
 * What a service manager hands through to the container: sockets that it listens at
 * (sd_listen_fds(3)), and its own socket for sd_notify(3), by way of one in STATE/ID/notify
 * (launch/notify.h).
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"
#include "launch/state.h"

#define ACTIVATION_NOTIFY_DIRECTORY "notify"

struct activation_request {
	unsigned int n_listen_fds; /* of the preserved descriptors the first */
	const char *listen_names;  /* LISTEN_FDNAMES, or NULL */
	const char *notify_socket; /* of the service manager, or NULL */
	bool has_trace;		   /* the program gets the launcher's trace_variables() */
};

/* What is added to a config, and has to live as long. All zero is a valid empty one. */
struct activation {
	struct json_document document;
	char *listen_pid; /* in the environment: 10 bytes for activation_pid_set(); or NULL */
};

/**
 * activation_prepare() - LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, or NOTIFY_SOCKET and the mount
 * at /run/notify, or TRACEPARENT and TRACESTATE, become part of @config; the directory in the state
 * is made
 *
 * Nothing is done where nothing is requested. In place of variables of these names that @config
 * has.
 *
 * Return: 0 or a negative errno.
 */
int activation_prepare(struct activation *activation, const struct activation_request *request,
		       const struct state *state, struct config *config, struct error *error);

/** activation_trace_add() - the launcher's trace_variables() into a vector of @process's own */
int activation_trace_add(struct config_process *process);

/** activation_pid_set() - in the container's process: LISTEN_PID is its own pid, as it sees that */
void activation_pid_set(char *listen_pid);

void activation_deinit(struct activation *activation);
