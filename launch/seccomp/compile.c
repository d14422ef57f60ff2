/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/compile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "launch/seccomp/arguments.h"

/* The end of a list of use.next. */
#define NONE UINT32_MAX

/* One name of one rule, on one architecture: a link of the list that a number has. */
struct use {
	const struct seccomp_rule *rule;
	unsigned int call_code;
	uint32_t next;
};

/* What the rules say of each number of one architecture. */
struct section {
	enum seccomp_arch_index arch;
	struct use *uses;
	size_t n_uses;
	uint32_t first[SECCOMP_N_NUMBERS], last[SECCOMP_N_NUMBERS];
	uint16_t highest; /* of the numbers that the profile names, private ones not counted */
	bool is_named;	  /* it names any */
	uint32_t private; /* the private numbers that it names: bit 0 is SECCOMP_PRIVATE */
};

/* The code for the rules of a call, once for all numbers and architectures that have the same. */
struct call {
	const struct seccomp_arch *arch;
	struct call_rule *rules;
	size_t n_rules;
	label_t label;
};

struct compilation {
	const struct seccomp_profile *profile;
	struct assembler assembler;
	int *syscalls;		  /* of each name of the profile */
	unsigned int *call_codes; /* likewise */
	struct call *calls;
	size_t n_calls, n_calls_allocated;
	struct section section;
	struct word_range *ranges;
	size_t n_ranges;
};

static void compilation_deinit(struct compilation *compilation)
{
	for (size_t i = 0; i < compilation->n_calls; i++)
		free(compilation->calls[i].rules);
	free(compilation->calls);
	free(compilation->syscalls);
	free(compilation->call_codes);
	free(compilation->section.uses);
	free(compilation->ranges);
	assembler_deinit(&compilation->assembler);
}

static int compilation_init(struct compilation *compilation, const struct seccomp_profile *profile)
{
	int r = assembler_init(&compilation->assembler);

	compilation->profile = profile;
	compilation->syscalls = calloc(profile->n_names + 1, sizeof(*compilation->syscalls));
	compilation->call_codes = calloc(profile->n_names + 1, sizeof(*compilation->call_codes));
	/* Each number is a range at most, and has one behind it; two architectures share numbers.
	 */
	compilation->ranges = calloc(4 * SECCOMP_N_NUMBERS + 8, sizeof(*compilation->ranges));
	if (r < 0 || !compilation->syscalls || !compilation->call_codes || !compilation->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < profile->n_names; i++) {
		compilation->syscalls[i] = seccomp_syscall_find(profile->names[i]);
		compilation->call_codes[i] = seccomp_call_code(profile->names[i]);
	}
	return 0;
}

static void section_use(struct section *section, uint16_t number, const struct seccomp_rule *rule,
			unsigned int call_code)
{
	uint32_t i = (uint32_t)section->n_uses++;

	section->uses[i] = (struct use){ rule, call_code, NONE };
	if (section->first[number] == NONE)
		section->first[number] = i;
	else
		section->uses[section->last[number]].next = i;
	section->last[number] = i;
}

/* A name may have a number of its own, and be called through another call as well. */
static void section_use_name(struct section *section, const struct compilation *compilation,
			     const struct seccomp_rule *rule, size_t name)
{
	const struct seccomp_arch *arch = &seccomp_arches[section->arch];
	unsigned int code = compilation->call_codes[name];
	uint16_t carrier = code >= SECCOMP_CALL_IPC ? arch->ipc : code ? arch->socketcall : 0;
	uint16_t number = SECCOMP_NUMBER_NONE;
	bool matters = rule->verdict != compilation->profile->default_verdict;

	if (compilation->syscalls[name] != SECCOMP_SYSCALL_UNKNOWN)
		number = seccomp_syscall_number(compilation->syscalls[name], section->arch);
	if (carrier && matters)
		section_use(section, carrier, rule, code);
	if (number == SECCOMP_NUMBER_NONE)
		return;
	if (number < SECCOMP_PRIVATE && (!section->is_named || number > section->highest))
		section->highest = number;
	if (number >= SECCOMP_PRIVATE)
		section->private |= UINT32_C(1) << (number - SECCOMP_PRIVATE);
	section->is_named = true;
	if (matters)
		section_use(section, number, rule, 0);
}

static int section_fill(struct compilation *compilation, enum seccomp_arch_index arch)
{
	const struct seccomp_profile *profile = compilation->profile;
	struct section *section = &compilation->section;
	size_t n_uses = 0;

	for (size_t i = 0; i < profile->n_rules; i++)
		n_uses += profile->rules[i].n_names;
	if (n_uses > NONE / 4)
		return -E2BIG;
	if (!section->uses)
		section->uses = calloc(2 * n_uses + 1, sizeof(*section->uses));
	if (!section->uses)
		return -ENOMEM;
	section->arch = arch;
	section->n_uses = 0;
	section->highest = 0;
	section->is_named = false;
	section->private = 0;
	memset(section->first, 0xff, sizeof(section->first));
	for (size_t i = 0; i < profile->n_rules; i++) {
		for (size_t j = 0; j < profile->rules[i].n_names; j++)
			section_use_name(section, compilation, &profile->rules[i],
					 profile->rules[i].first_name + j);
	}
	return 0;
}

/* A call with the same rules on an architecture that has its arguments in the same places, or NULL
 */
static const struct call *call_find(const struct compilation *compilation,
				    const struct seccomp_arch *arch, const struct call_rule *rules,
				    size_t n_rules)
{
	for (size_t i = 0; i < compilation->n_calls; i++) {
		const struct call *call = &compilation->calls[i];
		size_t same = 0;

		if (call->n_rules != n_rules || call->arch->wide != arch->wide ||
		    call->arch->big_endian != arch->big_endian)
			continue;
		while (same < n_rules && call->rules[same].rule == rules[same].rule &&
		       call->rules[same].call_code == rules[same].call_code)
			same++;
		if (same == n_rules)
			return call;
	}
	return NULL;
}

static int call_add(struct compilation *compilation, struct call call)
{
	if (compilation->n_calls == compilation->n_calls_allocated) {
		size_t n = compilation->n_calls_allocated ? 2 * compilation->n_calls_allocated : 16;
		struct call *calls = realloc(compilation->calls, n * sizeof(*calls));

		if (!calls)
			return -ENOMEM;
		compilation->calls = calls;
		compilation->n_calls_allocated = n;
	}
	compilation->calls[compilation->n_calls++] = call;
	return 0;
}

/* The code for a number that has rules with conditions only. */
static int call_label(struct compilation *compilation, uint16_t number, label_t *ret_label)
{
	const struct section *section = &compilation->section;
	struct call call = { .arch = &seccomp_arches[section->arch] };
	_cleanup_free_ struct call_rule *rules = NULL;
	const struct call *known;
	int r;

	for (uint32_t i = section->first[number]; i != NONE; i = section->uses[i].next)
		call.n_rules++;
	rules = calloc(call.n_rules, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	call.n_rules = 0;
	for (uint32_t i = section->first[number]; i != NONE; i = section->uses[i].next)
		rules[call.n_rules++] =
			(struct call_rule){ section->uses[i].rule, section->uses[i].call_code };

	known = call_find(compilation, call.arch, rules, call.n_rules);
	if (known) {
		*ret_label = known->label;
		return 0;
	}
	r = arguments_compile(&compilation->assembler, call.arch, compilation->profile->conditions,
			      rules, call.n_rules, compilation->profile->default_verdict,
			      &call.label);
	if (r < 0)
		return r;
	call.rules = rules;
	r = call_add(compilation, call);
	if (r < 0)
		return r;
	rules = NULL;
	*ret_label = call.label;
	return 0;
}

/* Is there nothing to compare, on this architecture? */
static bool is_unconditional(const struct compilation *compilation, const struct use *use)
{
	const struct seccomp_condition *conditions =
		compilation->profile->conditions + use->rule->first_condition;
	size_t n = 0;

	while (n < use->rule->n_conditions &&
	       condition_is_void(&conditions[n], &seccomp_arches[compilation->section.arch]))
		n++;
	return n == use->rule->n_conditions && use->call_code == 0;
}

/* The first rule without conditions, which decides alone, or NULL. */
static const struct seccomp_rule *deciding_rule(const struct compilation *compilation,
						uint16_t number)
{
	const struct section *section = &compilation->section;

	for (uint32_t i = section->first[number]; i != NONE; i = section->uses[i].next) {
		if (is_unconditional(compilation, &section->uses[i]))
			return section->uses[i].rule;
	}
	return NULL;
}

static void range_add(struct compilation *compilation, uint32_t start, label_t target)
{
	struct word_range *last = compilation->ranges + compilation->n_ranges - 1;

	if (compilation->n_ranges > 0 && last->start == start)
		last->target = target;
	else
		compilation->ranges[compilation->n_ranges++] = (struct word_range){ start, target };
}

/* Are numbers that the profile does not know of answered with ENOSYS? (patchbpf's isAllowAction) */
static bool knows_unknown(uint32_t default_verdict)
{
	switch (default_verdict & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return false;
	default:
		return true;
	}
}

/* The ranges of one architecture; those of x32 go on behind x86_64's. */
static int section_ranges(struct compilation *compilation, enum seccomp_arch_index arch)
{
	struct assembler *assembler = &compilation->assembler;
	const struct section *section = &compilation->section;
	uint32_t verdict = compilation->profile->default_verdict;
	label_t labels[SECCOMP_N_NUMBERS] = {};
	uint32_t enosys = SECCOMP_RET_ERRNO | (uint32_t)seccomp_arch_enosys(arch);
	bool unknown;
	int r = section_fill(compilation, arch);

	if (r < 0)
		return r;
	unknown = section->is_named && knows_unknown(verdict);
	/* What has code of its own first: returns are best where the search is. */
	for (uint16_t i = 0; i < SECCOMP_N_NUMBERS; i++) {
		if (section->first[i] == NONE || deciding_rule(compilation, i))
			continue;
		r = call_label(compilation, i, &labels[i]);
		if (r < 0)
			return r;
	}
	range_add(compilation, arch == SECCOMP_ARCH_X32 ? seccomp_arches[arch].first_number : 0,
		  assembler_return(assembler, verdict));
	for (uint16_t i = 0; i < SECCOMP_N_NUMBERS; i++) {
		bool is_newer = unknown && i > section->highest;
		label_t other = assembler_return(assembler, is_newer ? enosys : verdict);
		uint32_t number = seccomp_number_expand(i, arch);
		const struct seccomp_rule *rule = deciding_rule(compilation, i);

		if (unknown && i == section->highest + 1)
			range_add(compilation, number, other);
		if (unknown && i == 0 && seccomp_arches[arch].zero_is_unknown)
			range_add(compilation, number, assembler_return(assembler, enosys));
		else if (section->first[i] != NONE)
			range_add(compilation, number,
				  rule ? assembler_return(assembler, rule->verdict) : labels[i]);
		else if (i >= SECCOMP_PRIVATE &&
			 section->private & UINT32_C(1) << (i - SECCOMP_PRIVATE))
			/* Named, with the default's verdict: it is above the highest, and known. */
			range_add(compilation, number, assembler_return(assembler, verdict));
		else
			continue;
		range_add(compilation, number + 1, other);
	}
	return 0;
}

/* The label of the code for one value of seccomp_data.arch: x86_64's is x32's too. */
static int write_section(struct compilation *compilation, uint32_t arches, uint32_t audit,
			 label_t *ret_label)
{
	struct assembler *assembler = &compilation->assembler;
	bool has_x32 = audit == seccomp_arches[SECCOMP_ARCH_X32].audit;
	int r = 0;

	compilation->n_ranges = 0;
	for (enum seccomp_arch_index arch = 0; r >= 0 && arch < SECCOMP_N_ARCHES; arch++) {
		if (arches & (UINT32_C(1) << arch) && seccomp_arches[arch].audit == audit) {
			if (arch == SECCOMP_ARCH_X32 && compilation->n_ranges == 0)
				range_add(compilation, 0,
					  assembler_return(assembler, SECCOMP_RET_KILL_THREAD));
			r = section_ranges(compilation, arch);
		}
	}
	if (r < 0)
		return r;
	if (has_x32 && !(arches & (UINT32_C(1) << SECCOMP_ARCH_X32))) {
		/* -1 is no call of x32's: a tracer skips a call with it. */
		range_add(compilation, seccomp_arches[SECCOMP_ARCH_X32].first_number,
			  assembler_return(assembler, SECCOMP_RET_KILL_THREAD));
		range_add(compilation, UINT32_MAX,
			  assembler_return(assembler, compilation->profile->default_verdict));
	}
	*ret_label = assembler_search(assembler, compilation->ranges, compilation->n_ranges);
	*ret_label = assembler_load(assembler, offsetof(struct seccomp_data, nr));
	return 0;
}

/* The last architecture first, so that the native one is next to the beginning. */
static int write_program(struct compilation *compilation, uint32_t arches,
			 enum seccomp_arch_index native)
{
	struct assembler *assembler = &compilation->assembler;
	label_t labels[SECCOMP_N_ARCHES] = {};
	label_t next;
	int r;

	for (int i = SECCOMP_N_ARCHES - 1; i >= 0; i--) {
		if (!(arches & (UINT32_C(1) << i)) ||
		    seccomp_arches[i].audit == seccomp_arches[native].audit ||
		    (i == SECCOMP_ARCH_X32 && arches & (UINT32_C(1) << SECCOMP_ARCH_X86_64)))
			continue;
		r = write_section(compilation, arches, seccomp_arches[i].audit, &labels[i]);
		if (r < 0)
			return r;
	}
	r = write_section(compilation, arches, seccomp_arches[native].audit, &labels[native]);
	if (r < 0)
		return r;

	next = assembler_return(assembler, SECCOMP_RET_KILL_THREAD);
	for (int i = SECCOMP_N_ARCHES - 1; i >= 0; i--) {
		if (labels[i] && i != (int)native)
			next = assembler_jump(assembler, BPF_JEQ, seccomp_arches[i].audit,
					      labels[i], next);
	}
	assembler_jump(assembler, BPF_JEQ, seccomp_arches[native].audit, labels[native], next);
	assembler_load(assembler, offsetof(struct seccomp_data, arch));
	return 0;
}

static int compile(struct compilation *compilation, enum seccomp_arch_index native,
		   struct seccomp_filter *ret_filter, struct error *error)
{
	const struct seccomp_profile *profile = compilation->profile;
	struct sock_filter *code;
	size_t n;
	int r = compilation_init(compilation, profile);

	if (r >= 0)
		r = write_program(compilation, profile->arches | UINT32_C(1) << native, native);
	if (r == -EINVAL)
		return error_say(error, r,
				 "two rules for the same call and the same arguments have"
				 " different actions");
	if (r == -E2BIG || (r >= 0 && compilation->assembler.failed))
		return error_say(error, -E2BIG,
				 "the filter would have more than %d instructions, the kernel's"
				 " limit: use fewer rules with args",
				 ASSEMBLER_MAX);
	if (r < 0)
		return error_set(error, r, "cannot compile");
	code = assembler_take(&compilation->assembler, &n);
	if (!code)
		return error_set(error, -ENOMEM, "cannot compile");
	*ret_filter = (struct seccomp_filter){
		.program = { .len = (unsigned short)n, .filter = code },
		.instructions = code,
		.flags = profile->flags,
	};
	return 0;
}

int seccomp_profile_compile(const struct seccomp_profile *profile, enum seccomp_arch_index native,
			    struct seccomp_filter *ret_filter, struct error *error)
{
	struct compilation *compilation;
	int r;

	if (native >= SECCOMP_N_ARCHES)
		return error_say(error, -EOPNOTSUPP,
				 "seccomp profile: no system call numbers for"
				 " this machine's architecture");
	compilation = calloc(1, sizeof(*compilation));
	if (!compilation)
		return error_set(error, -ENOMEM, "seccomp profile: cannot compile");
	compilation->profile = profile;
	r = compile(compilation, native, ret_filter, error);
	compilation_deinit(compilation);
	free(compilation);
	return r < 0 ? error_prefix(error, r, "seccomp profile") : 0;
}

bool seccomp_filter_notifies(const struct seccomp_filter *filter)
{
	return filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

void seccomp_filter_deinit(struct seccomp_filter *filter)
{
	free(filter->instructions);
	*filter = (struct seccomp_filter){};
}
