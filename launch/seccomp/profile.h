/* SPDX-License-Identifier: MIT */
/*
 * Seccomp profiles: the `linux.seccomp` object of an OCI config.json in memory.
 *
 * OCI runtime spec 1.2, config-linux.md, "Seccomp". Where it leaves a choice, runc's is taken (its
 * 1.1 and later): a rule that names one argument twice is one rule for each of its conditions, so
 * that any of them is enough; an errno that is not said is EPERM; where 'flags' is not there at
 * all, SECCOMP_FILTER_FLAG_SPEC_ALLOW is set (runc 1.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "launch/seccomp/arch.h"

#define SECCOMP_N_ARGUMENTS 6

enum seccomp_operator {
	SECCOMP_EQUAL,
	SECCOMP_NOT_EQUAL,
	SECCOMP_LESS,
	SECCOMP_LESS_OR_EQUAL,
	SECCOMP_GREATER,
	SECCOMP_GREATER_OR_EQUAL,
	SECCOMP_MASKED_EQUAL, /* argument & mask == value */
};

struct seccomp_condition {
	uint8_t argument; /* 0 to 5 */
	uint8_t operator; /* enum seccomp_operator */
	uint64_t value;
	uint64_t mask; /* SECCOMP_MASKED_EQUAL only */
};

/* @verdict for calls of any of these names whose arguments meet all of the conditions. */
struct seccomp_rule {
	uint32_t verdict; /* SECCOMP_RET_*, as the kernel takes it */
	size_t first_name, n_names;
	size_t first_condition, n_conditions; /* of different arguments, lowest first */
};

/** seccomp_action_name(), seccomp_operator_name() - the words of a profile one by one, then NULL */
const char *seccomp_action_name(size_t i);
const char *seccomp_operator_name(size_t i);

/** seccomp_flag_name() - likewise; @ret_flag: SECCOMP_FILTER_FLAG_*, set where there is one */
const char *seccomp_flag_name(size_t i, unsigned int *ret_flag);

/* All zero is a valid empty profile. Names are borrowed from the document. */
struct seccomp_profile {
	uint32_t default_verdict;
	uint32_t arches;    /* a bit (1 << enum seccomp_arch_index) for each that is named */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_*; _NEW_LISTENER where a rule notifies */
	struct seccomp_rule *rules;
	size_t n_rules;
	const char **names;
	size_t n_names;
	struct seccomp_condition *conditions;
	size_t n_conditions;
};

/**
 * seccomp_profile_parse() - read a `linux.seccomp` object
 * @section: its document must outlive the profile
 * @ret_profile: set on 0 only; the caller's to deinit
 *
 * Members that the spec does not have are ignored; actions, operators, architectures and flags that
 * it does not have are refused. Names of system calls are not looked at here.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int seccomp_profile_parse(struct json_value section, struct seccomp_profile *ret_profile,
			  struct error *error);

void seccomp_profile_deinit(struct seccomp_profile *profile);
#define _cleanup_seccomp_profile_ _cleanup_(seccomp_profile_deinit)
