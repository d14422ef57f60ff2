/* SPDX-License-Identifier: MIT */
/*
 * The filters of launch/seccomp against libseccomp's for the same rules: both are run for every
 * number of every architecture, with arguments around all the values that the rules compare with.
 * What differs on purpose is in expected(), and nothing else may.
 */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "launch/seccomp/compile.h"
#include "launch/seccomp/default_profile.h"
#include "launch/spec/seccomp_option.h"
#include "tests/unit/bpf.h"

#define X32_BIT	   0x40000000
#define MAX_VALUES 64

/* libseccomp 2.5 does not give back all nodes of trees with several rules for a call. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so\n";
}

/* Reproducible: the same profiles each time. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint32_t arch_token(enum seccomp_arch_index arch)
{
	const char *name = seccomp_arches[arch].name + strlen("SCMP_ARCH_");
	char lower[32] = "";

	for (size_t i = 0; name[i] && i + 1 < sizeof(lower); i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	return seccomp_arch_resolve_name(lower);
}

static enum scmp_compare operator_of(const struct seccomp_condition *condition)
{
	static const enum scmp_compare operators[] = {
		[SECCOMP_EQUAL] = SCMP_CMP_EQ,
		[SECCOMP_NOT_EQUAL] = SCMP_CMP_NE,
		[SECCOMP_LESS] = SCMP_CMP_LT,
		[SECCOMP_LESS_OR_EQUAL] = SCMP_CMP_LE,
		[SECCOMP_GREATER] = SCMP_CMP_GT,
		[SECCOMP_GREATER_OR_EQUAL] = SCMP_CMP_GE,
		[SECCOMP_MASKED_EQUAL] = SCMP_CMP_MASKED_EQ,
	};

	return operators[condition->operator];
}

static int reference_rule(scmp_filter_ctx context, const struct seccomp_profile *profile,
			  const struct seccomp_rule *rule)
{
	struct scmp_arg_cmp arguments[SECCOMP_N_ARGUMENTS];

	if (rule->verdict == profile->default_verdict)
		return 0;
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct seccomp_condition *condition =
			&profile->conditions[rule->first_condition + i];
		bool masked = condition->operator== SECCOMP_MASKED_EQUAL;

		arguments[i] = (struct scmp_arg_cmp){
			.arg = condition->argument,
			.op = operator_of(condition),
			.datum_a = masked ? condition->mask : condition->value,
			.datum_b = masked ? condition->value : 0,
		};
	}
	for (size_t i = 0; i < rule->n_names; i++) {
		const char *name = profile->names[rule->first_name + i];
		int number = seccomp_syscall_resolve_name(name);
		int r;

		if (number == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add_array(context, rule->verdict, number,
					   (unsigned int)rule->n_conditions, arguments);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_verdict(uint32_t value)
{
	switch (value & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return true;
	default:
		return value == SECCOMP_RET_KILL_THREAD;
	}
}

static struct sock_filter *reference_export(scmp_filter_ctx context, bool swapped, size_t *ret_n)
{
	_cleanup_close_ int fd = memfd_create("reference", MFD_CLOEXEC);
	struct sock_filter *code;
	size_t n_bytes;
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(context, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 1 << 20, &bytes, &n_bytes), 0);
	code = (struct sock_filter *)bytes;
	*ret_n = n_bytes / sizeof(*code);
	for (size_t i = 0; swapped && i < *ret_n; i++) {
		code[i].code = __builtin_bswap16(code[i].code);
		/* Some of what is returned stays in this machine's order. */
		if (BPF_CLASS(code[i].code) != BPF_RET || !is_verdict(code[i].k))
			code[i].k = __builtin_bswap32(code[i].k);
	}
	return code;
}

/* What runc does with a profile, up to its own ENOSYS; NULL where libseccomp refuses the rules. */
static struct sock_filter *reference_compile(const struct seccomp_profile *profile,
					     enum seccomp_arch_index native, size_t *ret_n)
{
	/* SCMP_ACT_* are the kernel's numbers. */
	scmp_filter_ctx context = seccomp_init(profile->default_verdict);
	struct sock_filter *code = NULL;
	uint32_t token = arch_token(native);
	int r = 0;

	assert_non_null(context);
	if (token != seccomp_arch_native()) {
		assert_int_equal(seccomp_arch_remove(context, seccomp_arch_native()), 0);
		assert_int_equal(seccomp_arch_add(context, token), 0);
	}
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		if (profile->arches & UINT32_C(1) << arch && arch != native)
			assert_int_equal(seccomp_arch_add(context, arch_token(arch)), 0);
	}
	for (size_t i = 0; r == 0 && i < profile->n_rules; i++)
		r = reference_rule(context, profile, &profile->rules[i]);
	if (r == 0)
		code = reference_export(context, seccomp_arches[native].big_endian, ret_n);
	seccomp_release(context);
	return code;
}

/* What the numbers of one architecture are to a profile. */
struct known_numbers {
	bool named[SECCOMP_N_NUMBERS];
	bool newer[SECCOMP_N_NUMBERS]; /* named, by a name that libseccomp does not have */
	int highest;		       /* -1: none */
};

static void find_known(const struct seccomp_profile *profile, enum seccomp_arch_index arch,
		       struct known_numbers *ret_known)
{
	memset(ret_known, 0, sizeof(*ret_known));
	ret_known->highest = -1;
	for (size_t i = 0; i < profile->n_names; i++) {
		int syscall = seccomp_syscall_find(profile->names[i]);
		uint16_t number =
			syscall < 0 ? SECCOMP_NUMBER_NONE : seccomp_syscall_number(syscall, arch);

		if (number == SECCOMP_NUMBER_NONE)
			continue;
		ret_known->named[number] = true;
		if (seccomp_syscall_resolve_name(profile->names[i]) == __NR_SCMP_ERROR)
			ret_known->newer[number] = true;
		if (number < SECCOMP_PRIVATE && number > ret_known->highest)
			ret_known->highest = number;
	}
}

/* A filter, libseccomp's, and what the comparison needs to know. */
struct comparison {
	const struct seccomp_profile *profile;
	enum seccomp_arch_index native;
	uint32_t arches;
	struct seccomp_filter filter;
	struct sock_filter *reference;
	size_t n_reference;
	uint64_t values[MAX_VALUES];
	size_t n_values;
	bool is_random; /* rules that nobody would write */
	size_t n_compared, n_skipped, n_wrong, n_ambiguous;
	unsigned int steps, max_steps;
};

/*
 * The verdict that a filter of ours must give where libseccomp's gives @reference.
 *
 * 1. Numbers above all that the profile names get ENOSYS where the default is no permission (runc's
 *    rule, which libseccomp alone has not; s390's number 0 too). On ARM, whose private calls have
 *    numbers far above, runc takes these for the highest where the profile has them; we do not.
 * 2. Calls newer than libseccomp's tables get what the profile says (*@ret_any: not compared).
 */
static uint32_t expected(const struct comparison *comparison, enum seccomp_arch_index arch,
			 const struct known_numbers *known, uint32_t number, uint32_t reference,
			 bool *ret_any)
{
	uint32_t verdict = comparison->profile->default_verdict;
	uint32_t behind = number - seccomp_arches[arch].first_number;
	uint32_t private = number - SECCOMP_PRIVATE_BASE;
	bool unknowing = known->highest >= 0;

	*ret_any = false;
	switch (verdict & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		unknowing = false;
	}
	if (unknowing && behind == 0 && seccomp_arches[arch].zero_is_unknown)
		return SECCOMP_RET_ERRNO | 38;
	if (number >= seccomp_arches[arch].first_number && behind < SECCOMP_PRIVATE &&
	    known->named[behind]) {
		*ret_any = known->newer[behind];
		return reference;
	}
	if (private < SECCOMP_N_NUMBERS - SECCOMP_PRIVATE &&
	    known->named[SECCOMP_PRIVATE + private])
		return reference;
	if (unknowing && number >= seccomp_arches[arch].first_number &&
	    behind > (uint32_t)known->highest)
		return SECCOMP_RET_ERRNO | (uint32_t)seccomp_arch_enosys(arch);
	return reference;
}

/* Is the condition met? 32-bit architectures have the low halves of both sides. */
static bool is_met(const struct seccomp_condition *condition, const struct seccomp_arch *arch,
		   uint64_t argument)
{
	uint64_t all = arch->wide ? UINT64_MAX : UINT32_MAX;
	uint64_t value = condition->value & all;

	argument &= all;
	switch ((enum seccomp_operator)condition->operator) {
	case SECCOMP_EQUAL:
		return argument == value;
	case SECCOMP_NOT_EQUAL:
		return argument != value;
	case SECCOMP_LESS:
		return argument < value;
	case SECCOMP_LESS_OR_EQUAL:
		return argument <= value;
	case SECCOMP_GREATER:
		return argument > value;
	case SECCOMP_GREATER_OR_EQUAL:
		return argument >= value;
	default:
		return (argument & condition->mask & all) == value;
	}
}

static bool all_met(const struct comparison *comparison, const struct seccomp_rule *rule,
		    enum seccomp_arch_index arch, unsigned int code, const struct bpf_call *call)
{
	if (code && (uint32_t)call->arguments[0] != code % SECCOMP_CALL_IPC)
		return false;
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct seccomp_condition *condition =
			&comparison->profile->conditions[rule->first_condition + i];

		if (code && condition->argument == 0)
			continue;
		if (!is_met(condition, &seccomp_arches[arch], call->arguments[condition->argument]))
			return false;
	}
	return true;
}

/* What the rules say, one by one, of a number that the profile names. */
struct opinion {
	uint32_t verdicts[64]; /* any of them, where rules with different ones are met */
	size_t n_verdicts;
	bool decided;
};

/* An empty mask is none. */
static bool has_no_condition(const struct seccomp_profile *profile, const struct seccomp_rule *rule,
			     const struct seccomp_arch *arch)
{
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct seccomp_condition *condition =
			&profile->conditions[rule->first_condition + i];
		uint64_t mask = arch->wide ? condition->mask : (uint32_t)condition->mask;

		if (condition->operator!= SECCOMP_MASKED_EQUAL || mask != 0)
			return false;
	}
	return true;
}

static void hear_rule(const struct comparison *comparison, const struct seccomp_rule *rule,
		      const char *name, enum seccomp_arch_index arch, const struct bpf_call *call,
		      struct opinion *opinion)
{
	const struct seccomp_arch *it = &seccomp_arches[arch];
	uint32_t behind = call->number - it->first_number;
	int syscall = seccomp_syscall_find(name);
	unsigned int code = seccomp_call_code(name);
	uint16_t number = syscall < 0 ? SECCOMP_NUMBER_NONE : seccomp_syscall_number(syscall, arch);
	uint16_t carrier = code >= SECCOMP_CALL_IPC ? it->ipc : code ? it->socketcall : 0;
	bool direct = number != SECCOMP_NUMBER_NONE &&
		      seccomp_number_expand(number, arch) == call->number;

	if (opinion->decided || rule->verdict == comparison->profile->default_verdict)
		return;
	if (direct && has_no_condition(comparison->profile, rule, it)) {
		opinion->n_verdicts = 0;
		opinion->decided = true;
	}
	if ((direct && all_met(comparison, rule, arch, 0, call)) ||
	    (carrier != 0 && carrier == behind && all_met(comparison, rule, arch, code, call)))
		opinion->verdicts[opinion->n_verdicts++ % 64] = rule->verdict;
}

static bool agrees(const struct comparison *comparison, enum seccomp_arch_index arch,
		   const struct bpf_call *call, uint32_t verdict, bool *ret_ambiguous)
{
	struct opinion opinion = {};
	bool found = false;

	*ret_ambiguous = false;
	for (size_t i = 0; i < comparison->profile->n_rules; i++) {
		const struct seccomp_rule *rule = &comparison->profile->rules[i];

		for (size_t j = 0; j < rule->n_names; j++)
			hear_rule(comparison, rule,
				  comparison->profile->names[rule->first_name + j], arch, call,
				  &opinion);
	}
	if (opinion.n_verdicts == 0)
		return verdict == comparison->profile->default_verdict;
	for (size_t i = 0; i < opinion.n_verdicts && i < 64; i++) {
		found |= opinion.verdicts[i] == verdict;
		*ret_ambiguous |= opinion.verdicts[i] != opinion.verdicts[0];
	}
	return found;
}

static void compare_call(struct comparison *comparison, enum seccomp_arch_index arch,
			 const struct known_numbers *known, const struct bpf_call *call)
{
	uint32_t reference = bpf_run(comparison->reference, call, NULL);
	unsigned int steps;
	uint32_t ours = bpf_run(comparison->filter.program.filter, call, &steps);
	bool any, ambiguous;
	uint32_t wanted = expected(comparison, arch, known, call->number, reference, &any);

	if (any) {
		comparison->n_skipped++;
		return;
	}
	comparison->n_compared++;
	comparison->steps += steps;
	if (steps > comparison->max_steps)
		comparison->max_steps = steps;
	if (ours == wanted)
		return;
	/*
	 * libseccomp 2.5's code generator takes an argument for loaded that isn't, where several
	 * rules of a call have several conditions (its pseudo code, seccomp_export_pfc(), is
	 * right). Real profiles have no such rules; random ones do, so the rules themselves say
	 * whose verdict is theirs.
	 */
	if (comparison->is_random && agrees(comparison, arch, call, ours, &ambiguous) &&
	    ((ambiguous && true) || !agrees(comparison, arch, call, reference, &ambiguous))) {
		comparison->n_wrong += !ambiguous;
		comparison->n_ambiguous += ambiguous;
		return;
	}
	fail_msg("%s (native %s), number %#x, arguments %#lx %#lx %#lx %#lx %#lx %#lx: %#x,"
		 " libseccomp %#x, expected %#x",
		 seccomp_arches[arch].name, seccomp_arches[comparison->native].name, call->number,
		 call->arguments[0], call->arguments[1], call->arguments[2], call->arguments[3],
		 call->arguments[4], call->arguments[5], ours, reference, wanted);
}

/* All values that the rules compare with, and their neighbours. */
static void find_values(struct comparison *comparison)
{
	static const uint64_t always[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		comparison->values[n++] = always[i];
	for (size_t i = 0; i < comparison->profile->n_conditions; i++) {
		const struct seccomp_condition *condition = &comparison->profile->conditions[i];
		const uint64_t around[] = { condition->value, condition->value - 1,
					    condition->value + 1,
					    condition->value ^ UINT64_C(1) << 32,
					    condition->value | ~condition->mask };

		for (size_t j = 0; j < sizeof(around) / sizeof(around[0]); j++) {
			size_t k = 0;

			while (k < n && comparison->values[k] != around[j])
				k++;
			if (k == n && n < MAX_VALUES)
				comparison->values[n++] = around[j];
		}
	}
	comparison->n_values = n;
}

static bool has_conditions(const struct seccomp_profile *profile, enum seccomp_arch_index arch,
			   uint32_t behind)
{
	const struct seccomp_arch *it = &seccomp_arches[arch];

	if (behind != 0 && (behind == it->socketcall || behind == it->ipc))
		return true;
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct seccomp_rule *rule = &profile->rules[i];

		for (size_t j = 0; rule->n_conditions > 0 && j < rule->n_names; j++) {
			int syscall = seccomp_syscall_find(profile->names[rule->first_name + j]);

			if (syscall >= 0 && seccomp_syscall_number(syscall, arch) == behind)
				return true;
		}
	}
	return false;
}

static void compare_number(struct comparison *comparison, enum seccomp_arch_index arch,
			   const struct known_numbers *known, uint32_t number, uint64_t *seed)
{
	struct bpf_call call = {
		.number = number,
		.audit = seccomp_arches[arch].audit,
		.big_endian = seccomp_arches[arch].big_endian,
	};
	bool deep = has_conditions(comparison->profile, arch,
				   number - seccomp_arches[arch].first_number);

	compare_call(comparison, arch, known, &call);
	memset(call.arguments, 0xff, sizeof(call.arguments));
	compare_call(comparison, arch, known, &call);
	if (!deep)
		return;
	/* Each value alone, then mixed. socketcall(2)'s and ipc(2)'s codes are small numbers. */
	for (size_t i = 0; i < 6 * comparison->n_values; i++) {
		memset(call.arguments, 0, sizeof(call.arguments));
		call.arguments[i / comparison->n_values] =
			comparison->values[i % comparison->n_values];
		compare_call(comparison, arch, known, &call);
	}
	for (size_t i = 0; i < 300; i++) {
		for (size_t j = 0; j < 6; j++)
			call.arguments[j] =
				comparison->values[random_next(seed) % comparison->n_values];
		if (i % 3 == 0)
			call.arguments[0] = random_next(seed) % 64;
		compare_call(comparison, arch, known, &call);
	}
}

static void compare_arch(struct comparison *comparison, enum seccomp_arch_index arch)
{
	static const uint32_t odd[] = { 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff,
					0xc0000000, 0xc0000001, 0xfffffffe, 0xffffffff, 0x000f0000,
					0x000effff, 0x000f000f, 0x000f0010, 5000,	6000 };
	bool has_x32 = comparison->arches & UINT32_C(1) << SECCOMP_ARCH_X32;
	bool has_x86_64 = comparison->arches & UINT32_C(1) << SECCOMP_ARCH_X86_64;
	struct known_numbers known;
	uint64_t seed = 42;

	find_known(comparison->profile, arch, &known);
	for (uint32_t i = 0; i < SECCOMP_N_NUMBERS; i++) {
		uint32_t number = seccomp_number_expand((uint16_t)i, arch);

		if (arch == SECCOMP_ARCH_X32 && number < X32_BIT)
			continue;
		compare_number(comparison, arch, &known, number, &seed);
		if (seccomp_arches[arch].first_number != 0 && arch != SECCOMP_ARCH_X32)
			compare_number(comparison, arch, &known, i, &seed);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		/* One half of the numbers is x32's, the other x86_64's. */
		if (arch == SECCOMP_ARCH_X32 && odd[i] < X32_BIT)
			continue;
		if (arch == SECCOMP_ARCH_X86_64 && odd[i] >= X32_BIT)
			continue;
		compare_number(comparison, arch, &known, odd[i], &seed);
	}
	/* A half that the profile does not have is libseccomp's to say. */
	memset(&known, 0, sizeof(known));
	known.highest = -1;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if ((arch == SECCOMP_ARCH_X86_64 && !has_x32 && odd[i] >= X32_BIT) ||
		    (arch == SECCOMP_ARCH_X32 && !has_x86_64 && odd[i] < X32_BIT))
			compare_number(comparison, arch, &known, odd[i], &seed);
	}
}

struct totals {
	size_t n_compared, n_wrong, n_ambiguous;
};

/* Compile with both and compare; false where the rules contradict each other. */
static bool compare_profile(const struct seccomp_profile *profile, enum seccomp_arch_index native,
			    const char *title, struct totals *totals)
{
	struct comparison comparison = {
		.profile = profile,
		.native = native,
		.arches = profile->arches | UINT32_C(1) << native,
		.is_random = totals != NULL,
	};
	struct bpf_call call = { .number = 1, .audit = 0x12345678 };
	struct error error;
	int r;

	error_init(&error);
	comparison.reference = reference_compile(profile, native, &comparison.n_reference);
	r = seccomp_profile_compile(profile, native, &comparison.filter, &error);
	/* Contradictions: libseccomp refuses most of them (EEXIST), we all (EINVAL). */
	if (!comparison.reference || (totals && r == -EINVAL)) {
		free(comparison.reference);
		seccomp_filter_deinit(&comparison.filter);
		return false;
	}
	if (r < 0)
		fail_msg("%s", error.message);
	assert_true(bpf_check(comparison.filter.program.filter, comparison.filter.program.len));
	find_values(&comparison);
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		if (comparison.arches & UINT32_C(1) << arch)
			compare_arch(&comparison, arch);
	}
	/* Another architecture. */
	assert_int_equal(bpf_run(comparison.filter.program.filter, &call, NULL),
			 bpf_run(comparison.reference, &call, NULL));
	if (title)
		print_message("# %s: %u instructions, libseccomp %zu; %zu verdicts equal, %zu of"
			      " newer calls left out; %u run on average, %u at most\n",
			      title, comparison.filter.program.len, comparison.n_reference,
			      comparison.n_compared, comparison.n_skipped,
			      (unsigned int)(comparison.steps / comparison.n_compared),
			      comparison.max_steps);
	if (totals) {
		totals->n_compared += comparison.n_compared;
		totals->n_wrong += comparison.n_wrong;
		totals->n_ambiguous += comparison.n_ambiguous;
	}
	free(comparison.reference);
	seccomp_filter_deinit(&comparison.filter);
	return true;
}

/* Parse and compare. */
static bool compare_text(const char *text, size_t n_bytes, enum seccomp_arch_index native,
			 const char *title, struct totals *totals)
{
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	_cleanup_json_ struct json_document document = {};
	struct error error;

	error_init(&error);
	if (json_parse(&document, text, n_bytes, &error) < 0 ||
	    seccomp_profile_parse(json_root(&document), &profile, &error) < 0)
		fail_msg("%s", error.message);
	return compare_profile(&profile, native, title, totals);
}

static void the_default_profile_is_libseccomps_on_every_architecture(void **state)
{
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		_cleanup_json_writer_ struct json_writer writer = {};

		seccomp_default_format(&writer, NULL, SECCOMP_DEFAULT_CAPABILITIES, arch);
		assert_int_equal(json_writer_status(&writer), 0);
		assert_true(compare_text(writer.buffer.bytes, writer.buffer.n_bytes, arch,
					 seccomp_arches[arch].name, NULL));
	}
}

static void the_default_profile_is_libseccomps_with_each_capability(void **state)
{
	for (unsigned int i = 0; i <= 41; i++) {
		_cleanup_json_writer_ struct json_writer writer = {};
		uint64_t capabilities = i == 41 ? UINT64_MAX : UINT64_C(1) << i;

		if (!(capabilities & seccomp_default_capabilities()))
			continue;
		seccomp_default_format(&writer, NULL, capabilities, SECCOMP_ARCH_X86_64);
		assert_true(compare_text(writer.buffer.bytes, writer.buffer.n_bytes,
					 SECCOMP_ARCH_X86_64, NULL, NULL));
	}
}

static void podmans_profile_is_libseccomps(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct error error;
	size_t n_bytes;

	error_init(&error);
	if (file_read_at(AT_FDCWD, "/usr/share/containers/seccomp.json", 1 << 20, &text,
			 &n_bytes) == -ENOENT ||
	    seccomp_native_arch() != SECCOMP_ARCH_X86_64)
		skip();
	for (unsigned int with = 0; with < 2; with++) {
		_cleanup_json_writer_ struct json_writer writer = {};

		if (seccomp_option_write(text, n_bytes, with ? SECCOMP_DEFAULT_CAPABILITIES : 0,
					 &writer, &error) < 0)
			fail_msg("%s", error.message);
		assert_true(compare_text(writer.buffer.bytes, writer.buffer.n_bytes,
					 SECCOMP_ARCH_X86_64,
					 with ? "podman's" : "podman's, no capabilities", NULL));
	}
}

/* Random profiles: JSON, as it comes from outside. */

static const char *pick(uint64_t *seed, const char *const *list, size_t n)
{
	return list[random_next(seed) % n];
}

#define PICK(seed, list) pick(seed, list, sizeof(list) / sizeof((list)[0]))

static const char *random_name(uint64_t *seed)
{
	/* Often the same ones, and those that are called through another call. */
	static const char *const often[] = { "socket", "semop",	     "ioctl",
					     "clone",  "shmat",	     "recv",
					     "accept", "semtimedop", "personality" };

	if (random_next(seed) % 2)
		return PICK(seed, often);
	return seccomp_table_names +
	       seccomp_table_offsets[random_next(seed) % seccomp_table_n_names];
}

static uint64_t random_value(uint64_t *seed)
{
	static const uint64_t values[] = { 0,
					   1,
					   2,
					   5,
					   6,
					   7,
					   0x80000000,
					   0xffffffff,
					   UINT64_C(0x100000000),
					   UINT64_C(0x100000005),
					   UINT64_C(0x500000000),
					   UINT64_C(0xfffffffffffffffe),
					   UINT64_MAX };

	if (random_next(seed) % 8 == 0)
		return random_next(seed);
	return values[random_next(seed) % (sizeof(values) / sizeof(values[0]))];
}

/* What profiles may be made of. */
struct kind {
	bool many_actions; /* of one call */
	bool one_condition;
	bool low_words; /* values below 2^32 */
	uint32_t arches;
};

static void random_conditions(struct json_writer *writer, uint64_t *seed, const struct kind *kind)
{
	static const char *const operators[] = { "SCMP_CMP_EQ",	      "SCMP_CMP_NE", "SCMP_CMP_LT",
						 "SCMP_CMP_LE",	      "SCMP_CMP_GT", "SCMP_CMP_GE",
						 "SCMP_CMP_MASKED_EQ" };
	size_t n = kind->one_condition ? 1 : random_next(seed) % 4;

	json_write_array_begin(writer, "args");
	for (size_t i = 0; i < n; i++) {
		uint64_t mask = kind->low_words ? UINT32_MAX : UINT64_MAX;

		json_write_object_begin(writer, NULL);
		json_write_uint(writer, "index", random_next(seed) % 6);
		json_write_uint(writer, "value", random_value(seed) & mask);
		json_write_uint(writer, "valueTwo", random_value(seed) & mask);
		json_write_string(writer, "op", PICK(seed, operators));
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void random_profile(struct json_writer *writer, uint64_t *seed, const struct kind *kind)
{
	static const char *const defaults[] = { "SCMP_ACT_ERRNO",	 "SCMP_ACT_ERRNO",
						"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP",
						"SCMP_ACT_LOG",		 "SCMP_ACT_TRACE" };
	static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",
					       "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL",
					       "SCMP_ACT_NOTIFY" };
	const char *action = PICK(seed, actions);
	size_t n_rules = 1 + random_next(seed) % 24;

	json_write_object_begin(writer, NULL);
	json_write_string(writer, "defaultAction", PICK(seed, defaults));
	json_write_string(writer, "listenerPath", "/nosuch");
	json_write_array_begin(writer, "architectures");
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		if (kind->arches & UINT32_C(1) << arch && random_next(seed) % 2)
			json_write_string(writer, NULL, seccomp_arches[arch].name);
	}
	json_write_array_end(writer);
	json_write_array_begin(writer, "syscalls");
	for (size_t i = 0; i < n_rules; i++) {
		size_t n_names = 1 + random_next(seed) % 6;

		json_write_object_begin(writer, NULL);
		json_write_array_begin(writer, "names");
		for (size_t j = 0; j < n_names; j++)
			json_write_string(writer, NULL, random_name(seed));
		json_write_array_end(writer);
		json_write_string(writer, "action",
				  kind->many_actions ? PICK(seed, actions) : action);
		random_conditions(writer, seed, kind);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	json_write_object_end(writer);
	assert_int_equal(json_writer_status(writer), 0);
}

static void compare_random(const struct kind *kind, enum seccomp_arch_index native, uint64_t seed,
			   unsigned int n_profiles)
{
	struct totals totals = {};
	unsigned int n_refused = 0;

	for (unsigned int i = 0; i < n_profiles; i++) {
		_cleanup_json_writer_ struct json_writer writer = {};

		random_profile(&writer, &seed, kind);
		if (getenv("SECCOMP_TEST_PRINT"))
			fprintf(stderr, "%s\n", writer.buffer.bytes);
		if (!compare_text(writer.buffer.bytes, writer.buffer.n_bytes, native, NULL,
				  &totals))
			n_refused++;
	}
	print_message(
		"# %u random profiles, of which %u contradict themselves; %zu verdicts, of which"
		" libseccomp had %zu wrong, and %zu in another order\n",
		n_profiles, n_refused, totals.n_compared, totals.n_wrong, totals.n_ambiguous);
	assert_true(n_refused < n_profiles);
	assert_true(totals.n_wrong < totals.n_compared / 50);
	/*
	 * Rules of different verdicts that are met at once: libseccomp compares high words first
	 * and makes one node of equal ones, so that what came first wins some ties.
	 */
	assert_true(totals.n_ambiguous < totals.n_compared / 1000);
}

#define LITTLE_ENDIAN_ARCHES                                                                       \
	(1U << SECCOMP_ARCH_X86_64 | 1U << SECCOMP_ARCH_X86 | 1U << SECCOMP_ARCH_X32 |             \
	 1U << SECCOMP_ARCH_AARCH64 | 1U << SECCOMP_ARCH_ARM | 1U << SECCOMP_ARCH_RISCV64 |        \
	 1U << SECCOMP_ARCH_MIPSEL | 1U << SECCOMP_ARCH_PPC64LE)

static void random_profiles_with_one_action_are_libseccomps(void **state)
{
	const struct kind kind = { .arches = LITTLE_ENDIAN_ARCHES };

	compare_random(&kind, SECCOMP_ARCH_X86_64, 0x5eed, 40);
}

static void random_profiles_with_many_actions_are_libseccomps(void **state)
{
	const struct kind kind = { .arches = LITTLE_ENDIAN_ARCHES, .many_actions = true };

	compare_random(&kind, SECCOMP_ARCH_X86_64, 0x5eed, 40);
}

static void random_profiles_with_one_condition_are_tried_in_libseccomps_order(void **state)
{
	const struct kind kind = { .many_actions = true, .one_condition = true, .low_words = true };

	compare_random(&kind, SECCOMP_ARCH_X86_64, 0x5eed, 60);
	compare_random(&kind, SECCOMP_ARCH_X86, 0x5eed, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_profile_is_libseccomps_on_every_architecture),
		cmocka_unit_test(the_default_profile_is_libseccomps_with_each_capability),
		cmocka_unit_test(podmans_profile_is_libseccomps),
		cmocka_unit_test(random_profiles_with_one_action_are_libseccomps),
		cmocka_unit_test(random_profiles_with_many_actions_are_libseccomps),
		cmocka_unit_test(random_profiles_with_one_condition_are_tried_in_libseccomps_order),
	};

	return cmocka_run_group_tests_name("seccomp-equivalence", tests, NULL, NULL);
}
