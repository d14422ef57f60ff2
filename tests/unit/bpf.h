/* SPDX-License-Identifier: MIT */
/*
 * Running a seccomp filter in the test: classic BPF over a struct seccomp_data, as Linux does it
 * (kernel/seccomp.c allows 32-bit loads from fixed places only; net/core/filter.c the rest).
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One call. */
struct bpf_call {
	uint32_t number;
	uint32_t audit; /* AUDIT_ARCH_* */
	uint64_t arguments[6];
	bool big_endian; /* of the machine it is made on */
};

/**
 * bpf_check() - would the kernel take it? All jumps inside, all instructions known, ends in returns
 */
bool bpf_check(const struct sock_filter *code, size_t n);

/** bpf_run() - the verdict; @code has passed bpf_check(); @ret_steps (or NULL): instructions run */
uint32_t bpf_run(const struct sock_filter *code, const struct bpf_call *call,
		 unsigned int *ret_steps);
