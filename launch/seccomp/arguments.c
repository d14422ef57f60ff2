/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/arguments.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* A rule with the values as the architecture has them. */
struct match {
	uint32_t verdict;
	size_t position; /* in the profile */
	size_t n_conditions;
	struct seccomp_condition conditions[SECCOMP_N_ARGUMENTS];
};

/* From @start on: @target, up to the next one's start. */
struct value_range {
	uint64_t start;
	label_t target;
};

struct writer {
	struct assembler *assembler;
	const struct seccomp_arch *arch;
};

bool condition_is_void(const struct seccomp_condition *condition, const struct seccomp_arch *arch)
{
	return condition->operator== SECCOMP_MASKED_EQUAL &&(
		       arch->wide ? condition->mask : (uint32_t)condition->mask) == 0;
}

static uint32_t low_offset(const struct seccomp_arch *arch, unsigned int argument)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
			  (arch->big_endian ? sizeof(uint32_t) : 0));
}

static uint32_t high_offset(const struct seccomp_arch *arch, unsigned int argument)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
			  (arch->big_endian ? 0 : sizeof(uint32_t)));
}

/* A search over one word of an argument. */
static label_t search_word(struct writer *writer, uint32_t offset, struct word_range *ranges,
			   size_t n)
{
	size_t before = writer->assembler->n;
	label_t first = ranges[0].target;
	size_t same = 1;

	while (same < n && ranges[same].target == first)
		same++;
	if (same == n)
		return first;
	for (size_t i = 0; i < n; i++) {
		if (ranges[i].target > first)
			first = ranges[i].target;
		ranges[i].target = assembler_skip_load(writer->assembler, ranges[i].target, offset);
	}
	assembler_search(writer->assembler, ranges, n);
	/* All led to one place, some by a load that makes no difference. */
	if (writer->assembler->n == before)
		return first;
	return assembler_load(writer->assembler, offset);
}

/*
 * A search over a whole argument: over its high word, and where that does not decide, over the low
 * one. A value that is on both sides of a high word's end takes a search of its own.
 */
static int search_value(struct writer *writer, unsigned int argument,
			const struct value_range *ranges, size_t n, label_t *ret_label)
{
	_cleanup_free_ struct word_range *low = calloc(n + 1, sizeof(*low));
	_cleanup_free_ struct word_range *high = calloc(2 * n, sizeof(*high));
	size_t n_high = 0;
	size_t end;

	if (!low || !high)
		return -ENOMEM;
	for (size_t i = 0; i < n; i = end) {
		uint32_t word = (uint32_t)(ranges[i].start >> 32);
		size_t n_low = 0;

		if ((uint32_t)ranges[i].start != 0)
			low[n_low++] = (struct word_range){ 0, ranges[i - 1].target };
		for (end = i; end < n && ranges[end].start >> 32 == word; end++)
			low[n_low++] = (struct word_range){ (uint32_t)ranges[end].start,
							    ranges[end].target };
		high[n_high++] = (struct word_range){
			word, search_word(writer, low_offset(writer->arch, argument), low, n_low)
		};
		if (word != UINT32_MAX && (end == n || ranges[end].start >> 32 > word + 1))
			high[n_high++] = (struct word_range){ word + 1, ranges[end - 1].target };
	}
	*ret_label = writer->arch->wide ? search_word(writer, high_offset(writer->arch, argument),
						      high, n_high)
					: high[0].target;
	return 0;
}

/* The values that meet a condition that is no mask: one range, or all but one (@ret_inverted). */
static void condition_range(const struct seccomp_condition *condition, uint64_t max,
			    uint64_t *ret_first, uint64_t *ret_last, bool *ret_empty,
			    bool *ret_inverted)
{
	uint64_t value = condition->value;

	*ret_first = 0;
	*ret_last = max;
	*ret_empty = *ret_inverted = false;
	switch ((enum seccomp_operator)condition->operator) {
	case SECCOMP_NOT_EQUAL:
		*ret_inverted = true;
		/* fall through */
	case SECCOMP_EQUAL:
		*ret_first = *ret_last = value;
		break;
	case SECCOMP_LESS:
		*ret_empty = value == 0;
		*ret_last = value - 1;
		break;
	case SECCOMP_LESS_OR_EQUAL:
		*ret_last = value;
		break;
	case SECCOMP_GREATER:
		*ret_empty = value == max;
		*ret_first = value + 1;
		break;
	case SECCOMP_GREATER_OR_EQUAL:
		*ret_first = value;
		break;
	case SECCOMP_MASKED_EQUAL:
		break;
	}
}

/* The ranges while they are painted: those that nobody has are 0, which is no label. */
struct painting {
	struct value_range *ranges;
	size_t n;
};

/* Make @start the start of a range. There is room for two new ones for each paint(). */
static size_t split(struct painting *painting, uint64_t start)
{
	size_t i = 0;

	while (i < painting->n && painting->ranges[i].start < start)
		i++;
	if (i < painting->n && painting->ranges[i].start == start)
		return i;
	memmove(&painting->ranges[i + 1], &painting->ranges[i],
		(painting->n - i) * sizeof(*painting->ranges));
	painting->ranges[i] = (struct value_range){ start, painting->ranges[i - 1].target };
	painting->n++;
	return i;
}

/* Give what nobody has of @first to @last to @target. */
static void paint(struct painting *painting, uint64_t first, uint64_t last, uint64_t max,
		  label_t target)
{
	size_t i = split(painting, first);
	size_t end = last == max ? painting->n : split(painting, last + 1);

	for (; i < end; i++) {
		if (painting->ranges[i].target == 0)
			painting->ranges[i].target = target;
	}
}

/* Several conditions on one argument, the first that is met deciding; none is a mask. */
static int search_conditions(struct writer *writer, const struct match *matches, size_t n,
			     label_t yes, label_t no, label_t *ret_label)
{
	_cleanup_free_ struct value_range *ranges = calloc(2 * n + 2, sizeof(*ranges));
	struct painting painting = { ranges, 1 };
	uint64_t max = writer->arch->wide ? UINT64_MAX : UINT32_MAX;
	unsigned int argument = matches->conditions->argument;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		label_t target =
			yes ? yes : assembler_return(writer->assembler, matches[i].verdict);
		uint64_t first, last;
		bool empty, inverted;

		condition_range(matches[i].conditions, max, &first, &last, &empty, &inverted);
		if (empty)
			continue;
		if (!inverted) {
			paint(&painting, first, last, max, target);
			continue;
		}
		if (first > 0)
			paint(&painting, 0, first - 1, max, target);
		if (last < max)
			paint(&painting, last + 1, max, max, target);
	}
	paint(&painting, 0, max, max, no);
	return search_value(writer, argument, ranges, painting.n, ret_label);
}

/* (word & @mask) == @value of one word; with an empty mask, always. */
static label_t mask_word(struct writer *writer, uint32_t offset, uint32_t mask, uint32_t value,
			 label_t yes, label_t no)
{
	struct assembler *assembler = writer->assembler;

	if (mask == 0)
		return yes;
	if (mask == UINT32_MAX || value == 0 || (value == mask && (mask & (mask - 1)) == 0)) {
		yes = assembler_skip_load(assembler, yes, offset);
		no = assembler_skip_load(assembler, no, offset);
	}
	if (mask == UINT32_MAX) {
		assembler_jump(assembler, BPF_JEQ, value, yes, no);
	} else if (value == 0) {
		assembler_jump(assembler, BPF_JSET, mask, no, yes);
	} else if (value == mask && (mask & (mask - 1)) == 0) {
		assembler_jump(assembler, BPF_JSET, mask, yes, no);
	} else {
		assembler_jump(assembler, BPF_JEQ, value, yes, no);
		assembler_and(assembler, mask);
	}
	return assembler_load(assembler, offset);
}

static int test_condition(struct writer *writer, const struct match *match, size_t i, label_t yes,
			  label_t no, label_t *ret_label)
{
	const struct seccomp_condition *condition = &match->conditions[i];
	struct match alone = { .conditions = { *condition } };

	if (condition->operator!= SECCOMP_MASKED_EQUAL)
		return search_conditions(writer, &alone, 1, yes, no, ret_label);
	yes = mask_word(writer, low_offset(writer->arch, condition->argument),
			(uint32_t)condition->mask, (uint32_t)condition->value, yes, no);
	if (writer->arch->wide)
		yes = mask_word(writer, high_offset(writer->arch, condition->argument),
				(uint32_t)(condition->mask >> 32),
				(uint32_t)(condition->value >> 32), yes, no);
	*ret_label = yes;
	return 0;
}

static int test_match(struct writer *writer, const struct match *match, label_t no,
		      label_t *ret_label)
{
	label_t yes = assembler_return(writer->assembler, match->verdict);

	for (size_t i = match->n_conditions; i > 0; i--) {
		int r = test_condition(writer, match, i - 1, yes, no, &yes);

		if (r < 0)
			return r;
	}
	*ret_label = yes;
	return 0;
}

static int operator_order(enum seccomp_operator operator)
{
	switch (operator) {
	case SECCOMP_LESS:
	case SECCOMP_LESS_OR_EQUAL:
		return 2;
	case SECCOMP_GREATER:
	case SECCOMP_GREATER_OR_EQUAL:
		return 3;
	default:
		return 1;
	}
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_conditions(const struct seccomp_condition *a, const struct seccomp_condition *b)
{
	int order = operator_order(a->operator);
	int r = COMPARE(b->argument, a->argument);

	if (r == 0)
		r = COMPARE(order, operator_order(b->operator));
	if (r == 0)
		r = order == 2 ? COMPARE(a->value, b->value) : COMPARE(b->value, a->value);
	if (r == 0)
		r = COMPARE(a->operator, b->operator);
	if (r == 0)
		r = COMPARE(b->mask, a->mask);
	return r;
}

static int compare_all_conditions(const struct match *a, const struct match *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_conditions && i < b->n_conditions; i++)
		r = compare_conditions(&a->conditions[i], &b->conditions[i]);
	return r != 0 ? r : COMPARE(a->n_conditions, b->n_conditions);
}

/* The order in which rules are tried, see compile.h. */
static int compare_matches(const void *a, const void *b)
{
	const struct match *x = a, *y = b;
	int r = compare_all_conditions(x, y);

	return r != 0 ? r : COMPARE(x->position, y->position);
}

static bool is_range(const struct match *match)
{
	return match->n_conditions == 1 && match->conditions->operator!= SECCOMP_MASKED_EQUAL;
}

/* Where all verdicts are the same, any order will do: those that one search can try, together. */
static int compare_for_search(const void *a, const void *b)
{
	int r = COMPARE(is_range(b), is_range(a));

	return r != 0 ? r : compare_matches(a, b);
}

static void fill_match(struct match *match, const struct writer *writer,
		       const struct seccomp_condition *conditions, const struct call_rule *rule)
{
	match->verdict = rule->rule->verdict;
	if (rule->call_code)
		match->conditions[match->n_conditions++] = (struct seccomp_condition){
			.operator= SECCOMP_EQUAL,
			.value = rule->call_code % SECCOMP_CALL_IPC,
		};
	for (size_t i = 0; i < rule->rule->n_conditions; i++) {
		struct seccomp_condition condition = conditions[rule->rule->first_condition + i];

		if ((rule->call_code && condition.argument == 0) ||
		    condition_is_void(&condition, writer->arch))
			continue;
		if (!writer->arch->wide) {
			condition.value &= UINT32_MAX;
			condition.mask &= UINT32_MAX;
		}
		match->conditions[match->n_conditions++] = condition;
	}
}

/* The sorted matches, last first: each goes on, where it isn't met, to the one behind it. */
static int write_matches(struct writer *writer, const struct match *matches, size_t n,
			 uint32_t default_verdict, label_t *ret_label)
{
	label_t no = assembler_return(writer->assembler, default_verdict);
	size_t end = n;

	while (end > 0) {
		size_t first = end - 1;
		int r;

		while (first > 0 && is_range(&matches[end - 1]) && is_range(&matches[first - 1]) &&
		       matches[first - 1].conditions->argument ==
			       matches[end - 1].conditions->argument)
			first--;
		if (is_range(&matches[first]))
			r = search_conditions(writer, &matches[first], end - first, 0, no, &no);
		else
			r = test_match(writer, &matches[first], no, &no);
		if (r < 0)
			return r;
		end = first;
	}
	*ret_label = no;
	return 0;
}

int arguments_compile(struct assembler *assembler, const struct seccomp_arch *arch,
		      const struct seccomp_condition *conditions, const struct call_rule *rules,
		      size_t n_rules, uint32_t default_verdict, label_t *ret_label)
{
	_cleanup_free_ struct match *matches = calloc(n_rules, sizeof(*matches));
	struct writer writer = { assembler, arch };
	bool one_verdict = true;

	if (!matches)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules; i++) {
		matches[i].position = i;
		fill_match(&matches[i], &writer, conditions, &rules[i]);
		one_verdict &= matches[i].verdict == matches[0].verdict;
	}
	qsort(matches, n_rules, sizeof(*matches),
	      one_verdict ? compare_for_search : compare_matches);
	for (size_t i = 1; i < n_rules; i++) {
		if (matches[i].verdict != matches[i - 1].verdict &&
		    compare_all_conditions(&matches[i - 1], &matches[i]) == 0)
			return -EINVAL;
	}
	return write_matches(&writer, matches, n_rules, default_verdict, ret_label);
}
