/* SPDX-License-Identifier: MIT */
/*
 * System calls newer than the libseccomp that lamina is built with may know (Debian 12's 2.5.4 ends
 * at Linux 6.7). Since Linux 5.0 a new call has one number for all architectures, counted from
 * where theirs begin.
 */
#pragma once

#include <stdint.h>

#include "launch/seccomp/arch.h"

struct newer_syscall {
	const char *name;
	uint16_t number;
	enum seccomp_arch_index only; /* SECCOMP_N_ARCHES: everywhere */
};

static const struct newer_syscall newer_syscalls[] = {
	{ "cachestat", 451, SECCOMP_N_ARCHES },		/* Linux 6.5 */
	{ "fchmodat2", 452, SECCOMP_N_ARCHES },		/* 6.6 */
	{ "map_shadow_stack", 453, SECCOMP_N_ARCHES },	/* 6.6 */
	{ "futex_wake", 454, SECCOMP_N_ARCHES },	/* 6.7 */
	{ "futex_wait", 455, SECCOMP_N_ARCHES },	/* 6.7 */
	{ "futex_requeue", 456, SECCOMP_N_ARCHES },	/* 6.7 */
	{ "statmount", 457, SECCOMP_N_ARCHES },		/* 6.8 */
	{ "listmount", 458, SECCOMP_N_ARCHES },		/* 6.8 */
	{ "lsm_get_self_attr", 459, SECCOMP_N_ARCHES }, /* 6.8 */
	{ "lsm_set_self_attr", 460, SECCOMP_N_ARCHES }, /* 6.8 */
	{ "lsm_list_modules", 461, SECCOMP_N_ARCHES },	/* 6.8 */
	{ "mseal", 462, SECCOMP_N_ARCHES },		/* 6.10 */
	{ "setxattrat", 463, SECCOMP_N_ARCHES },	/* 6.13 */
	{ "getxattrat", 464, SECCOMP_N_ARCHES },	/* 6.13 */
	{ "listxattrat", 465, SECCOMP_N_ARCHES },	/* 6.13 */
	{ "removexattrat", 466, SECCOMP_N_ARCHES },	/* 6.13 */
	{ "open_tree_attr", 467, SECCOMP_N_ARCHES },	/* 6.15 */
	{ "file_getattr", 468, SECCOMP_N_ARCHES },	/* 6.17 */
	{ "file_setattr", 469, SECCOMP_N_ARCHES },	/* 6.17 */
	{ "listns", 470, SECCOMP_N_ARCHES },		/* 6.19 */
	{ "rseq_slice_yield", 471, SECCOMP_N_ARCHES },	/* 7.0 */
	{ "uretprobe", 335, SECCOMP_ARCH_X86_64 },	/* 6.11 */
	{ "uprobe", 336, SECCOMP_ARCH_X86_64 },		/* 6.18 */
	{ "riscv_hwprobe", 258, SECCOMP_ARCH_RISCV64 }, /* 6.4 */
};
