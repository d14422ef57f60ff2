/* SPDX-License-Identifier: MIT */
/*
 * The front door of seccomp: the `linux.seccomp` section of a config.json becomes a filter, and a
 * filter is put on the calling thread.
 */
#pragma once

#include "launch/seccomp/compile.h"

/**
 * seccomp_compile() - the filter of a `linux.seccomp` section
 * @ret_filter: set on 0 only; the caller's to deinit; owes nothing to the document
 *
 * The default profile, as seccomp_default_write() writes it, is found ready; others are compiled.
 *
 * Return: 0 or a negative errno (seccomp_profile_parse(), seccomp_profile_compile()).
 */
int seccomp_compile(struct json_value section, struct seccomp_filter *ret_filter,
		    struct error *error);

/**
 * seccomp_load() - put a filter on the calling thread, for good
 * @flags: SECCOMP_FILTER_FLAG_*, of seccomp_filter.flags
 *
 * Needs CAP_SYS_ADMIN in the thread's user namespace or no_new_privs. Nothing is allocated and only
 * seccomp(2) is called (prctl(2) where it is missing), so it can be the last step before execve(2).
 * SECCOMP_FILTER_FLAG_SPEC_ALLOW is left out on kernels that don't have it (before Linux 4.17).
 *
 * Return: 0 or a negative errno (-EACCES: no right to; -ESRCH: with SECCOMP_FILTER_FLAG_TSYNC,
 * another thread has a filter that this one doesn't; -EINVAL: a flag that the kernel doesn't know,
 * such as SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV before Linux 5.19). With
 * SECCOMP_FILTER_FLAG_NEW_LISTENER, the supervisor's descriptor, owned by the caller.
 */
int seccomp_load(const struct sock_fprog *program, unsigned int flags);
