/* SPDX-License-Identifier: MIT */
/*
 * Writing classic BPF from its end to its beginning, so that every jump goes to code that is there
 * already and its distance is known.
 *
 * A label is the number of instructions from the end of the program to the one it names, which is
 * what stays the same while more are put in front. A conditional jump reaches 255 instructions:
 * where its target is farther away, a copy of the return, or a plain jump, is put within reach.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux: BPF_MAXINSNS, what one filter may have. */
#define ASSEMBLER_MAX 4096

typedef uint32_t label_t;

struct assembler {
	struct sock_filter *code; /* the last instruction first */
	size_t n;
	bool failed; /* too long; what is written after that is lost */
	struct {
		uint32_t verdict;
		label_t label;
	} returns[32]; /* the nearest return of each verdict, as far as there is room */
	size_t n_returns;
};

/** assembler_init() - 0 or -ENOMEM */
int assembler_init(struct assembler *assembler);

void assembler_deinit(struct assembler *assembler);

/** assembler_return() - a place that returns @verdict, written if there is none near */
label_t assembler_return(struct assembler *assembler, uint32_t verdict);

/** assembler_load() - put the 32 bits at @offset of seccomp_data into A; goes on at the last label
 */
label_t assembler_load(struct assembler *assembler, uint32_t offset);

/** assembler_skip_load() - @label, or what follows it where it only loads @offset, which A has */
label_t assembler_skip_load(const struct assembler *assembler, label_t label, uint32_t offset);

/** assembler_and() - A &= @mask; goes on at the last label */
label_t assembler_and(struct assembler *assembler, uint32_t mask);

/** assembler_jump() - if (A @operation @k) goto @yes else goto @no; BPF_JEQ, _JGE, _JGT or _JSET */
label_t assembler_jump(struct assembler *assembler, uint16_t operation, uint32_t k, label_t yes,
		       label_t no);

/* From @start (of A) on: @target; up to the next one's start. The first starts at 0. */
struct word_range {
	uint32_t start;
	label_t target;
};

/**
 * assembler_search() - go where A's value belongs; a binary search, and no instruction at all where
 * every value goes the same way
 * @ranges: ascending; changed (neighbours that go the same way become one)
 */
label_t assembler_search(struct assembler *assembler, struct word_range *ranges, size_t n);

/** assembler_take() - the program in its order: an array for the caller to free(), or NULL */
struct sock_filter *assembler_take(struct assembler *assembler, size_t *ret_n);
