/* SPDX-License-Identifier: MIT */
/*
 * Seccomp profiles compiled to classic BPF: the system call's number is looked up by binary search
 * over ranges of equal verdict, and arguments are compared where a number has rules for them.
 *
 * The verdicts are those of libseccomp 2.5 with the same rules, and of what runc adds to it:
 *
 * - The architectures are the profile's and the native one. A call of another is killed
 *   (SECCOMP_RET_KILL_THREAD, libseccomp's action for a bad architecture).
 * - Rules whose verdict is the default's are left out, as runc and crun do.
 * - The first rule of a call without conditions decides it alone. Otherwise a call gets the verdict
 *   of a rule whose conditions are all met, else the default. Where rules with different verdicts
 *   can be met at once, those on a higher argument are tried first (of a rule's arguments the
 *   lowest counts); then equality and masks, then less, then greater; then the greater value (for
 *   less: the smaller). The same conditions with different verdicts are refused. An empty mask is
 *   no condition. (libseccomp has ties that the order of the profile decides; here none is left.)
 * - On 32-bit architectures and x32 the low 32 bits of arguments and values are compared.
 * - Rules for socket(2) and its kin count for socketcall(2) too, and those for System V IPC for
 *   ipc(2), where the architecture has these.
 * - A number above every one that the profile names is newer than the profile: where the default
 *   is neither allow, log nor trace, it gets ENOSYS, which programs take for an old kernel (runc's
 *   libcontainer/seccomp/patchbpf). Number 0 too on s390.
 *
 * tests/unit/test-seccomp-equivalence.c compares both, and lists what differs on purpose.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "launch/seccomp/profile.h"

/* The program is owned where @instructions is not NULL, else a constant. */
struct seccomp_filter {
	struct sock_fprog program;
	struct sock_filter *instructions;
	unsigned int flags; /* for seccomp(2) */
};

/**
 * seccomp_profile_compile() - compile @profile for a program of @native
 * @ret_filter: set on 0 only; the caller's to deinit; owes nothing to @profile
 *
 * Return: 0, -EINVAL (rules that contradict each other), -E2BIG (more than 4096 instructions),
 * -EOPNOTSUPP (@native has no table of numbers) or -ENOMEM.
 */
int seccomp_profile_compile(const struct seccomp_profile *profile, enum seccomp_arch_index native,
			    struct seccomp_filter *ret_filter, struct error *error);

/** seccomp_filter_notifies() - does a supervisor answer calls? Then loading it gives a descriptor
 */
bool seccomp_filter_notifies(const struct seccomp_filter *filter);

void seccomp_filter_deinit(struct seccomp_filter *filter);
#define _cleanup_seccomp_filter_ _cleanup_(seccomp_filter_deinit)
