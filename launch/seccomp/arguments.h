/* SPDX-License-Identifier: MIT */
/*
 * The part of a filter that looks at arguments: the rules of one system call as BPF.
 */
#pragma once

#include "launch/seccomp/assembler.h"
#include "launch/seccomp/profile.h"

/* A rule as one system call has it. */
struct call_rule {
	const struct seccomp_rule *rule;
	unsigned int call_code; /* not 0: argument 0 must be that (socketcall(2), ipc(2)) instead */
};

/** condition_is_void() - a mask that is empty on @arch, so that the rule is as if without it */
bool condition_is_void(const struct seccomp_condition *condition, const struct seccomp_arch *arch);

/**
 * arguments_compile() - write code that tries @rules and goes to a return
 * @conditions: of the profile
 * @rules: each with a condition at least that is not void
 * @default_verdict: where none is met
 * @ret_label: where the code begins
 *
 * Return: 0, -EINVAL (the same conditions with different verdicts) or -ENOMEM.
 */
int arguments_compile(struct assembler *assembler, const struct seccomp_arch *arch,
		      const struct seccomp_condition *conditions, const struct call_rule *rules,
		      size_t n_rules, uint32_t default_verdict, label_t *ret_label);
