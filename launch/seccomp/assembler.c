/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/assembler.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

/* A jump's reach, less what making its two targets reachable can put in between. */
#define REACH (255 - 2)

/* Single values that a leaf of the search compares one after the other. */
#define MAX_EXCEPTIONS 4

int assembler_init(struct assembler *assembler)
{
	*assembler = (struct assembler){
		.code = calloc(ASSEMBLER_MAX, sizeof(struct sock_filter)),
	};
	return assembler->code ? 0 : -ENOMEM;
}

void assembler_deinit(struct assembler *assembler)
{
	free(assembler->code);
	*assembler = (struct assembler){};
}

static label_t emit(struct assembler *assembler, struct sock_filter instruction)
{
	if (assembler->n == ASSEMBLER_MAX) {
		assembler->failed = true;
		return (label_t)assembler->n;
	}
	assembler->code[assembler->n++] = instruction;
	return (label_t)assembler->n;
}

static bool is_near(const struct assembler *assembler, label_t label)
{
	return assembler->n - label <= REACH;
}

label_t assembler_return(struct assembler *assembler, uint32_t verdict)
{
	size_t i = 0;

	while (i < assembler->n_returns && assembler->returns[i].verdict != verdict)
		i++;
	if (i < assembler->n_returns && is_near(assembler, assembler->returns[i].label))
		return assembler->returns[i].label;

	emit(assembler, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
	if (i == assembler->n_returns &&
	    i < sizeof(assembler->returns) / sizeof(assembler->returns[0]))
		assembler->n_returns++;
	if (i < assembler->n_returns) {
		assembler->returns[i].verdict = verdict;
		assembler->returns[i].label = (label_t)assembler->n;
	}
	return (label_t)assembler->n;
}

/* @label, or a place within reach that leads to it. */
static label_t bring_near(struct assembler *assembler, label_t label)
{
	const struct sock_filter *target;

	if (is_near(assembler, label))
		return label;
	target = &assembler->code[label - 1];
	if (target->code == (BPF_RET | BPF_K))
		return assembler_return(assembler, target->k);
	return emit(assembler, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
							    (uint32_t)(assembler->n - label)));
}

label_t assembler_load(struct assembler *assembler, uint32_t offset)
{
	return emit(assembler, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

label_t assembler_skip_load(const struct assembler *assembler, label_t label, uint32_t offset)
{
	const struct sock_filter *target = &assembler->code[label - 1];

	return target->code == (BPF_LD | BPF_W | BPF_ABS) && target->k == offset ? label - 1
										 : label;
}

label_t assembler_and(struct assembler *assembler, uint32_t mask)
{
	return emit(assembler, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

label_t assembler_jump(struct assembler *assembler, uint16_t operation, uint32_t k, label_t yes,
		       label_t no)
{
	/* The first can be a label that bringing the second near has moved away by one or two. */
	yes = bring_near(assembler, yes);
	no = bring_near(assembler, no);
	return emit(assembler, (struct sock_filter)BPF_JUMP(BPF_JMP | operation | BPF_K, k,
							    (uint8_t)(assembler->n - yes),
							    (uint8_t)(assembler->n - no)));
}

/*
 * A leaf of the search: a target, and single values that go elsewhere. They are ranges
 * [first + 1], [first + 3]...; those in between, and the first, have the target.
 */
struct leaf {
	size_t first;
	size_t n_exceptions;
};

static bool is_single(const struct word_range *ranges, size_t n, size_t i)
{
	return i + 1 < n && ranges[i + 1].start == ranges[i].start + 1;
}

static size_t find_leaves(const struct word_range *ranges, size_t n, struct leaf *leaves)
{
	size_t n_leaves = 0;
	size_t i = 0;

	while (i < n) {
		struct leaf leaf = { .first = i };

		while (leaf.n_exceptions < MAX_EXCEPTIONS && i + 2 < n &&
		       is_single(ranges, n, i + 1) && ranges[i + 2].target == ranges[i].target) {
			leaf.n_exceptions++;
			i += 2;
		}
		leaves[n_leaves++] = leaf;
		/* A full leaf's last range begins the next one if that has exceptions as well. */
		if (leaf.n_exceptions == MAX_EXCEPTIONS && i + 2 < n &&
		    is_single(ranges, n, i + 1) && ranges[i + 2].target == ranges[i].target)
			continue;
		i++;
	}
	return n_leaves;
}

static label_t search_leaves(struct assembler *assembler, const struct word_range *ranges,
			     const struct leaf *leaves, size_t n)
{
	label_t low, high;

	if (n == 1) {
		low = ranges[leaves->first].target;
		for (size_t i = leaves->n_exceptions; i > 0; i--) {
			const struct word_range *exception = &ranges[leaves->first + 2 * i - 1];

			low = assembler_jump(assembler, BPF_JEQ, exception->start,
					     exception->target, low);
		}
		return low;
	}
	high = search_leaves(assembler, ranges, leaves + n / 2, n - n / 2);
	low = search_leaves(assembler, ranges, leaves, n / 2);
	return assembler_jump(assembler, BPF_JGE, ranges[leaves[n / 2].first].start, high, low);
}

label_t assembler_search(struct assembler *assembler, struct word_range *ranges, size_t n)
{
	struct leaf *leaves;
	label_t label;
	size_t kept = 0;

	for (size_t i = 1; i < n; i++) {
		if (ranges[i].target != ranges[kept].target)
			ranges[++kept] = ranges[i];
	}
	n = kept + 1;

	leaves = calloc(n, sizeof(*leaves));
	if (!leaves) {
		assembler->failed = true;
		return ranges[0].target;
	}
	label = search_leaves(assembler, ranges, leaves, find_leaves(ranges, n, leaves));
	free(leaves);
	return label;
}

struct sock_filter *assembler_take(struct assembler *assembler, size_t *ret_n)
{
	struct sock_filter *code;

	for (size_t i = 0; i < assembler->n / 2; i++) {
		struct sock_filter *other = &assembler->code[assembler->n - 1 - i];
		struct sock_filter moved = *other;

		*other = assembler->code[i];
		assembler->code[i] = moved;
	}
	code = realloc(assembler->code, assembler->n * sizeof(*code));
	if (!code)
		return NULL;
	assembler->code = NULL;
	*ret_n = assembler->n;
	return code;
}
