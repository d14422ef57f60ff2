/* SPDX-License-Identifier: MIT */
#include "tests/unit/bpf.h"

#include <linux/seccomp.h>

#define N_WORDS (sizeof(struct seccomp_data) / sizeof(uint32_t))

bool bpf_check(const struct sock_filter *code, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS || BPF_CLASS(code[n - 1].code) != BPF_RET)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t behind = n - i - 1;

		switch (code[i].code) {
		case BPF_RET | BPF_K:
		case BPF_ALU | BPF_AND | BPF_K:
			break;
		case BPF_LD | BPF_W | BPF_ABS:
			if (code[i].k % 4 != 0 || code[i].k >= sizeof(struct seccomp_data))
				return false;
			break;
		case BPF_JMP | BPF_JA:
			if (code[i].k >= behind)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (code[i].jt >= behind || code[i].jf >= behind)
				return false;
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool holds(const struct sock_filter *instruction, uint32_t a)
{
	switch (BPF_OP(instruction->code)) {
	case BPF_JEQ:
		return a == instruction->k;
	case BPF_JGE:
		return a >= instruction->k;
	case BPF_JGT:
		return a > instruction->k;
	default:
		return a & instruction->k;
	}
}

uint32_t bpf_run(const struct sock_filter *code, const struct bpf_call *call,
		 unsigned int *ret_steps)
{
	uint32_t words[N_WORDS] = { call->number, call->audit };
	unsigned int steps = 0;
	uint32_t a = 0;

	for (size_t i = 0; i < 6; i++) {
		words[4 + 2 * i + (call->big_endian ? 1 : 0)] = (uint32_t)call->arguments[i];
		words[4 + 2 * i + (call->big_endian ? 0 : 1)] =
			(uint32_t)(call->arguments[i] >> 32);
	}
	for (size_t i = 0;; i++) {
		steps++;
		switch (BPF_CLASS(code[i].code)) {
		case BPF_RET:
			if (ret_steps)
				*ret_steps = steps;
			return code[i].k;
		case BPF_LD:
			a = words[code[i].k / 4];
			break;
		case BPF_ALU:
			a &= code[i].k;
			break;
		default:
			if (BPF_OP(code[i].code) == BPF_JA)
				i += code[i].k;
			else
				i += holds(&code[i], a) ? code[i].jt : code[i].jf;
		}
	}
}
