/* SPDX-License-Identifier: MIT */
/*
 * Where the processes below this one sleep, looked at each half millisecond from a process beside
 * them: what no clock in a tool can tell.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/cleanup.h"

struct sampler_table;

/* All zero is a valid one that was never started. */
struct sampler {
	pid_t pid;
	struct sampler_table *table; /* shared with it */
};

/**
 * sampler_start() - begin; before the processes that are to be seen are made
 *
 * Return: 0 or a negative errno.
 */
int sampler_start(struct sampler *sampler);

/** sampler_stop() - end it; what it has seen stays */
void sampler_stop(struct sampler *sampler);

/** sampler_write() - what it has seen, as lines of a trace */
void sampler_write(const struct sampler *sampler, FILE *file);

/**
 * stack_function() - the innermost function of a /proc/PID/stack that isn't the scheduler's
 * @text: the file's; changed
 *
 * Return: its name, in @text, or NULL.
 */
const char *stack_function(char *text);

void sampler_deinit(struct sampler *sampler);
#define _cleanup_sampler_ _cleanup_(sampler_deinit)
