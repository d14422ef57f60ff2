/* SPDX-License-Identifier: MIT */
/*
 * How a process is scheduled, where its memory lies, and which system it sees. Called in the
 * container's child, while it still has its capabilities.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"
#include "launch/number_list.h"

/**
 * schedule_pin() - on which processors the caller and its children run
 * @cpus: a list that was checked; NULL: as it is
 * @field: for messages
 */
int schedule_pin(const char *cpus, const char *field, struct error *error);

/* A process's processors, to be given back to it. */
struct schedule_cpus {
	unsigned long bits[NUMBER_LIST_MAX_CPUS / 8 / sizeof(unsigned long)];
	size_t n_bytes; /* 0: nothing to give back */
};

/** schedule_pin_for_child() - schedule_pin() of the caller until schedule_unpin(): for a child that
 * is born where it has its cgroups at once, and inherits them */
int schedule_pin_for_child(const char *cpus, const char *field, struct schedule_cpus *ret_own,
			   struct error *error);

void schedule_unpin(const struct schedule_cpus *own);

/**
 * schedule_apply() - scheduler, I/O priority, memory policy, personality: what is said
 * @config: of the container, whose memory policy and personality an exec's process has too
 */
int schedule_apply(const struct config_process *process, const struct config *config,
		   struct error *error);
