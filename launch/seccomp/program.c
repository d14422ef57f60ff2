/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/program.h"

#include <linux/seccomp.h>
#include <stdint.h>

/* @n_behind: how many instructions follow; a jump of 0 goes to the first of them. */
static bool is_valid(const struct sock_filter *instruction, size_t n_behind)
{
	switch (instruction->code) {
	case BPF_RET | BPF_K:
	case BPF_ALU | BPF_AND | BPF_K:
		return true;
	case BPF_LD | BPF_W | BPF_ABS:
		return instruction->k % sizeof(uint32_t) == 0 &&
		       instruction->k < sizeof(struct seccomp_data);
	case BPF_JMP | BPF_JA:
		return instruction->k < n_behind;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return instruction->jt < n_behind && instruction->jf < n_behind;
	default:
		return false;
	}
}

bool seccomp_program_is_valid(const struct sock_filter *code, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS || code[n - 1].code != (BPF_RET | BPF_K))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_valid(&code[i], n - 1 - i))
			return false;
	}
	return true;
}
