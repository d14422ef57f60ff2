/* SPDX-License-Identifier: MIT */
/*
 * cgroup v2 has no device controller: an eBPF program says yes or no to each access
 * (Documentation/admin-guide/cgroup-v2.rst, Device controller).
 *
 * The program keeps the bits of access that are still undecided and asks the rules from the last
 * to the first: a rule that denies any of them ends it with 0, one that allows takes its bits
 * away, and when none is left it ends with 1; at the end the default decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/cgroup/devices.h"

/* At most: type, major, minor, the decision (4 instructions). */
#define RULE_INSTRUCTIONS  7
#define FRAME_INSTRUCTIONS 8

/* What an update knows its predecessor by: systemd attaches programs of its own. */
#define PROGRAM_NAME "nslaunch"
#define ATTACHED_MAX 64 /* the kernel's BPF_CGROUP_MAX_PROGS */

enum {
	RESULT = BPF_REG_0,
	CONTEXT = BPF_REG_1, /* struct bpf_cgroup_dev_ctx */
	TYPE = BPF_REG_2,
	ACCESS = BPF_REG_3,
	MAJOR = BPF_REG_4,
	MINOR = BPF_REG_5,
};

static struct bpf_insn instruction(uint8_t code, uint8_t to, uint8_t from, int16_t offset,
				   int32_t value)
{
	return (struct bpf_insn){
		.code = code, .dst_reg = to, .src_reg = from, .off = offset, .imm = value
	};
}

static struct bpf_insn load(uint8_t to, size_t offset)
{
	return instruction(BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT, (int16_t)offset, 0);
}

static struct bpf_insn calculate(uint8_t operation, uint8_t to, int32_t value)
{
	return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}

static struct bpf_insn jump(uint8_t operation, uint8_t if_register, int32_t is_value, size_t skip)
{
	return instruction(BPF_JMP | operation | BPF_K, if_register, 0, (int16_t)skip, is_value);
}

static struct bpf_insn leave(void)
{
	return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Appends the rule's instructions; a check that fails jumps behind them. */
static size_t rule_compile(const struct device_rule *rule, struct bpf_insn *p)
{
	size_t n_checks = 1 + (rule->major != DEVICE_ANY) + (rule->minor != DEVICE_ANY);
	size_t n_all = n_checks + 4, n = 0;

	/* A jump counts from behind itself. */
	p[n] = jump(BPF_JNE, TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
		    n_all - n - 1);
	n++;
	if (rule->major != DEVICE_ANY) {
		p[n] = jump(BPF_JNE, MAJOR, (int32_t)rule->major, n_all - n - 1);
		n++;
	}
	if (rule->minor != DEVICE_ANY) {
		p[n] = jump(BPF_JNE, MINOR, (int32_t)rule->minor, n_all - n - 1);
		n++;
	}
	if (rule->allow) {
		p[n++] = calculate(BPF_AND, ACCESS, (int32_t)(DEVICE_ALL & ~rule->access));
		p[n++] = jump(BPF_JNE, ACCESS, 0, 2);
		p[n++] = instruction(BPF_ALU | BPF_MOV | BPF_K, RESULT, 0, 0, 1);
	} else {
		p[n++] = jump(BPF_JSET, ACCESS, (int32_t)rule->access, 1);
		p[n++] = instruction(BPF_JMP | BPF_JA, 0, 0, 2, 0);
		p[n++] = instruction(BPF_ALU | BPF_MOV | BPF_K, RESULT, 0, 0, 0);
	}
	p[n++] = leave();
	return n;
}

int device_policy_compile(const struct device_policy *policy, struct bpf_insn **ret_instructions,
			  size_t *ret_n_instructions)
{
	size_t n = 0;
	struct bpf_insn *program =
		calloc(policy->n_rules * RULE_INSTRUCTIONS + FRAME_INSTRUCTIONS, sizeof(*program));

	if (!program)
		return -ENOMEM;
	program[n++] = load(ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	program[n++] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	program[n++] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	/* access_type is (access << 16) | type */
	program[n++] = instruction(BPF_ALU | BPF_MOV | BPF_X, TYPE, ACCESS, 0, 0);
	program[n++] = calculate(BPF_AND, TYPE, 0xffff);
	program[n++] = calculate(BPF_RSH, ACCESS, 16);
	for (size_t i = policy->n_rules; i-- > 0;)
		n += rule_compile(&policy->rules[i], program + n);
	program[n++] =
		instruction(BPF_ALU | BPF_MOV | BPF_K, RESULT, 0, 0, policy->allow_by_default);
	program[n++] = leave();
	*ret_instructions = program;
	*ret_n_instructions = n;
	return 0;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int program_load(const struct bpf_insn *program, size_t n_instructions)
{
	union bpf_attr attributes;
	struct rlimit earlier, unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int fd;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attributes.insns = (uintptr_t)program;
	attributes.insn_cnt = (uint32_t)n_instructions;
	attributes.license = (uintptr_t) "Dual MIT/GPL";
	memcpy(attributes.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	fd = bpf(BPF_PROG_LOAD, &attributes);
	if (fd >= 0 || errno != EPERM || getrlimit(RLIMIT_MEMLOCK, &earlier) < 0)
		return fd < 0 ? -errno : fd;
	/* Before Linux 5.11 programs count as locked memory. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
		return -EPERM;
	fd = bpf(BPF_PROG_LOAD, &attributes);
	if (fd < 0)
		fd = -errno;
	(void)setrlimit(RLIMIT_MEMLOCK, &earlier);
	return fd;
}

static int program_attach(int program_fd, int cgroup_fd)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.target_fd = (uint32_t)cgroup_fd;
	attributes.attach_bpf_fd = (uint32_t)program_fd;
	attributes.attach_type = BPF_CGROUP_DEVICE;
	/* Beside what others attach above and below: all of them must say yes. */
	attributes.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &attributes) < 0 ? -errno : 0;
}

/* The descriptor of an attached program where it is one of ours, else -EBADF. */
static int own_program_open(uint32_t id)
{
	_cleanup_close_ int fd = -EBADF;
	struct bpf_prog_info info;
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
	if (fd < 0)
		return -EBADF;
	memset(&info, 0, sizeof(info));
	memset(&attributes, 0, sizeof(attributes));
	attributes.info.bpf_fd = (uint32_t)fd;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0 || strcmp(info.name, PROGRAM_NAME) != 0)
		return -EBADF;
	return take_fd(&fd);
}

/* The programs attached to this very cgroup; how many, or a negative errno. */
static int attached_list(int cgroup_fd, uint32_t ids[ATTACHED_MAX])
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.query.target_fd = (uint32_t)cgroup_fd;
	attributes.query.attach_type = BPF_CGROUP_DEVICE;
	attributes.query.prog_ids = (uintptr_t)ids;
	attributes.query.prog_cnt = ATTACHED_MAX;
	return bpf(BPF_PROG_QUERY, &attributes) < 0 ? -errno : (int)attributes.query.prog_cnt;
}

static int own_programs_detach(int cgroup_fd, const uint32_t *ids, int n_ids)
{
	for (int i = 0; i < n_ids; i++) {
		_cleanup_close_ int fd = own_program_open(ids[i]);
		union bpf_attr attributes;

		if (fd < 0)
			continue;
		memset(&attributes, 0, sizeof(attributes));
		attributes.target_fd = (uint32_t)cgroup_fd;
		attributes.attach_bpf_fd = (uint32_t)fd;
		attributes.attach_type = BPF_CGROUP_DEVICE;
		if (bpf(BPF_PROG_DETACH, &attributes) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int compile_and_attach(const struct device_policy *policy, int cgroup_fd,
			      struct error *error)
{
	_cleanup_free_ struct bpf_insn *program = NULL;
	_cleanup_close_ int program_fd = -EBADF;
	size_t n_instructions;
	int r = device_policy_compile(policy, &program, &n_instructions);

	if (r < 0)
		return error_set(error, r, "linux.resources.devices: cannot compile the rules");
	program_fd = program_load(program, n_instructions);
	if (program_fd < 0)
		return error_set(error, program_fd,
				 "linux.resources.devices: cannot load the eBPF program");
	r = program_attach(program_fd, cgroup_fd);
	if (r < 0)
		return error_set(error, r,
				 "linux.resources.devices: cannot attach the eBPF program to the "
				 "cgroup");
	return 0;
}

int device_policy_attach_v2(const struct device_policy *policy, int directory_fd, bool replace,
			    struct error *error)
{
	/* bpf(2) takes no O_PATH descriptor of a cgroup. */
	_cleanup_close_ int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t earlier[ATTACHED_MAX];
	int n_earlier = 0, r = 0;

	if (fd < 0)
		return error_set(error, -errno, "linux.resources.devices: cannot open the cgroup");
	if (replace)
		n_earlier = attached_list(fd, earlier);
	if (n_earlier < 0)
		return error_set(error, n_earlier,
				 "linux.resources.devices: cannot list the cgroup's programs");
	if (!policy->allow_by_default || policy->n_rules > 0)
		r = compile_and_attach(policy, fd, error);
	if (r == 0 && n_earlier > 0) {
		r = own_programs_detach(fd, earlier, n_earlier);
		if (r < 0)
			return error_set(error, r,
					 "linux.resources.devices: cannot detach the earlier "
					 "program");
	}
	return r;
}
