/* SPDX-License-Identifier: MIT */
/*
 * Device rules against the specification's own words ("the last rule that matches"), and their
 * eBPF program against both, by an interpreter of the few instructions that it uses.
 */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "launch/cgroup/devices.h"
#include "launch/cgroup/limits.h"

/* An instruction of which the verifier knows no more than this would be a mistake of ours. */
static int64_t interpret(const struct bpf_insn *program, size_t n_instructions,
			 const struct bpf_cgroup_dev_ctx *context)
{
	uint64_t registers[MAX_BPF_REG] = { 0 };

	registers[BPF_REG_1] = (uintptr_t)context;
	for (size_t i = 0; i < n_instructions; i++) {
		const struct bpf_insn *p = &program[i];
		uint64_t *to = &registers[p->dst_reg];
		uint64_t value = (uint64_t)(int64_t)p->imm;

		switch (p->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_in_range(p->off, 0, sizeof(*context) - 4);
			assert_int_equal(p->src_reg, BPF_REG_1);
			*to = *(const uint32_t *)((const char *)context + p->off);
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*to = (uint32_t)registers[p->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*to = (uint32_t)p->imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*to = (uint32_t)*to & (uint32_t)p->imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*to = (uint32_t)*to >> p->imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			i += *to != value ? (size_t)p->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			i += *to & value ? (size_t)p->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			i += (size_t)p->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int64_t)registers[BPF_REG_0];
		default:
			fail_msg("instruction %zu: unknown code %#x", i, p->code);
		}
	}
	fail_msg("the program ran off its end");
	return -1;
}

static bool program_allows(const struct bpf_insn *program, size_t n_instructions, char type,
			   unsigned int access, uint32_t major, uint32_t minor)
{
	struct bpf_cgroup_dev_ctx context = {
		.access_type =
			access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major,
		.minor = minor,
	};
	int64_t verdict = interpret(program, n_instructions, &context);

	assert_in_range(verdict, 0, 1);
	return verdict == 1;
}

/* Word for word: of the rules, in order, the last that matches says what holds for each access. */
static bool naively_allowed(const struct device_rule *rules, size_t n_rules, char type,
			    unsigned int access, uint32_t major, uint32_t minor)
{
	for (unsigned int bit = 1; bit <= DEVICE_ALL; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < n_rules; i++) {
			const struct device_rule *rule = &rules[i];

			if ((rule->type == 'a' || rule->type == type) && (rule->access & bit) &&
			    (rule->major == DEVICE_ANY || rule->major == major) &&
			    (rule->minor == DEVICE_ANY || rule->minor == minor))
				allowed = rule->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static unsigned int random_below(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static struct device_rule random_rule(unsigned int *seed)
{
	struct device_rule rule = {
		.type = "abcc"[random_below(seed, 4)],
		.allow = random_below(seed, 2),
		.access = 1 + random_below(seed, DEVICE_ALL),
		.major = (int64_t)random_below(seed, 4) - 1,
		.minor = (int64_t)random_below(seed, 4) - 1,
	};

	/* Often the whole, which starts anew. */
	if (rule.type == 'a' && random_below(seed, 2)) {
		rule.major = rule.minor = DEVICE_ANY;
		rule.access = DEVICE_ALL;
	}
	return rule;
}

static void for_any_rules_the_last_that_matches_decides(void **state)
{
	unsigned int seed = 20260101;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		_cleanup_device_policy_ struct device_policy policy = {};
		_cleanup_free_ struct bpf_insn *program = NULL;
		struct device_rule rules[12];
		size_t n_rules = random_below(&seed, 13), n_instructions = 0;

		for (size_t i = 0; i < n_rules; i++) {
			rules[i] = random_rule(&seed);
			assert_int_equal(device_policy_add(&policy, rules[i]), 0);
		}
		assert_int_equal(device_policy_compile(&policy, &program, &n_instructions), 0);
		for (unsigned int i = 0; i < 2 * DEVICE_ALL * 9; i++) {
			char type = i & 1 ? 'b' : 'c';
			unsigned int access = 1 + i / 2 % DEVICE_ALL;
			uint32_t major = i / 14 % 3, minor = i / 42;
			bool expected = naively_allowed(rules, n_rules, type, access, major, minor);

			if (device_policy_allows(&policy, type, access, major, minor) != expected ||
			    program_allows(program, n_instructions, type, access, major, minor) !=
				    expected)
				fail_msg("round %u: %c %u:%u access %u isn't %d", round, type,
					 major, minor, access, expected);
		}
	}
}

static void parsed(struct device_policy *policy, const char *text)
{
	_cleanup_json_ struct json_document document = {};
	struct error error;

	error_init(&error);
	assert_int_equal(json_parse(&document, text, strlen(text), &error), 0);
	if (device_policy_parse(policy, json_root(&document), &error) < 0)
		fail_msg("%s: %s", text, error.message);
}

/* What Docker 20.10 and later write for a container with nothing said. */
#define DOCKER                                                                                     \
	"[{\"allow\":false,\"access\":\"rwm\"},"                                                   \
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"},"              \
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"},"              \
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":9,\"access\":\"rwm\"},"              \
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":8,\"access\":\"rwm\"},"              \
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":0,\"access\":\"rwm\"},"              \
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":1,\"access\":\"rwm\"},"              \
	"{\"allow\":false,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rwm\"}]"

static void docker_s_rules_become_a_list_without_exceptions_to_exceptions(void **state)
{
	_cleanup_device_policy_ struct device_policy policy = {};

	(void)state;
	parsed(&policy, DOCKER);
	assert_false(policy.allow_by_default);
	/* mknod of both types, eight devices, and 5:1: as few writes in v1. */
	assert_int_equal(policy.n_rules, 11);
	for (size_t i = 0; i < policy.n_rules; i++)
		assert_true(policy.rules[i].allow);
	assert_true(device_policy_allows(&policy, 'c', DEVICE_ALL, 1, 3));
	assert_true(device_policy_allows(&policy, 'c', DEVICE_READ | DEVICE_WRITE, 136, 7));
	assert_true(device_policy_allows(&policy, 'b', DEVICE_MKNOD, 8, 0));
	assert_false(device_policy_allows(&policy, 'b', DEVICE_READ, 8, 0));
	assert_false(device_policy_allows(&policy, 'c', DEVICE_READ, 10, 229));
	assert_false(device_policy_allows(&policy, 'b', DEVICE_READ, 1, 3));
}

static void everything_allowed_needs_no_rule_at_all(void **state)
{
	_cleanup_device_policy_ struct device_policy policy = {};

	(void)state;
	parsed(&policy, "[{\"allow\":true,\"access\":\"rwm\"}]");
	assert_true(policy.allow_by_default);
	assert_int_equal(policy.n_rules, 0);
}

static void no_rules_deny_all_but_the_default_devices(void **state)
{
	_cleanup_device_policy_ struct device_policy policy = {};

	(void)state;
	parsed(&policy, "[]");
	assert_true(device_policy_allows(&policy, 'c', DEVICE_ALL, 1, 9));
	assert_false(device_policy_allows(&policy, 'c', DEVICE_READ, 1, 1));
}

static void what_v1_cannot_say_is_refused_by_it(void **state)
{
	static const char *const cases[] = {
		"[{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rwm\"},"
		"{\"allow\":false,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rwm\"}]",
		"[{\"allow\":true},{\"allow\":false,\"type\":\"c\",\"major\":10,\"access\":\"r\"},"
		"{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"r\"}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_device_policy_ struct device_policy policy = {};
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();

		parsed(&policy, cases[i]);
		scratch_write(&scratch, "devices.deny", "");
		scratch_write(&scratch, "devices.allow", "");
		assert_int_equal(device_policy_write_v1(&policy, scratch.fd, NULL), -EOPNOTSUPP);
	}
}

static void too_many_rules_are_refused(void **state)
{
	_cleanup_device_policy_ struct device_policy policy = {};
	struct device_rule rule = { .type = 'c', .allow = true, .access = DEVICE_READ };
	int r = 0;

	(void)state;
	for (int64_t i = 0; r == 0 && i < 100000; i++) {
		rule.major = i % 4000;
		rule.minor = i;
		r = device_policy_add(&policy, rule);
	}
	assert_int_equal(r, -E2BIG);
	assert_true(policy.n_rules <= 4096);
}

/* What runc 1.3.2 and later make of them. */
static void shares_become_weights(void **state)
{
	static const struct {
		uint64_t shares, weight;
	} cases[] = { { 0, 1 },		 { 2, 1 },	    { 3, 2 },
		      { 512, 59 },	 { 1024, 100 },	    { 2048, 174 },
		      { 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(cgroup_shares_to_weight(cases[i].shares), cases[i].weight);
	for (uint64_t shares = 2; shares < 262144; shares += 97)
		assert_true(cgroup_shares_to_weight(shares) <=
			    cgroup_shares_to_weight(shares + 97));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(for_any_rules_the_last_that_matches_decides),
		cmocka_unit_test(docker_s_rules_become_a_list_without_exceptions_to_exceptions),
		cmocka_unit_test(everything_allowed_needs_no_rule_at_all),
		cmocka_unit_test(no_rules_deny_all_but_the_default_devices),
		cmocka_unit_test(what_v1_cannot_say_is_refused_by_it),
		cmocka_unit_test(too_many_rules_are_refused),
		cmocka_unit_test(shares_become_weights),
	};

	return cmocka_run_group_tests_name("cgroup-devices", tests, NULL, NULL);
}
