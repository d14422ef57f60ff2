/* SPDX-License-Identifier: MIT */
/*
 * Device rules: linux.resources.devices (OCI runtime-spec config-linux.md, Allowed Device list)
 * reduced to a default and its exceptions.
 *
 * The specification's order counts: for each kind of access (read, write, mknod) the last rule
 * that matches a device decides. That is what is kept here, exactly, on v1 and v2.
 */
#pragma once

#include "launch/cgroup/internal.h"

/* BPF_DEVCG_ACC_*, too. */
enum device_access {
	DEVICE_MKNOD = 1,
	DEVICE_READ = 2,
	DEVICE_WRITE = 4,
	DEVICE_ALL = 7,
};

#define DEVICE_ANY (-1)

struct device_rule {
	char type;	      /* 'b' or 'c' */
	bool allow;	      /* the same as the default's: an exception to earlier exceptions */
	unsigned int access;  /* enum device_access */
	int64_t major, minor; /* DEVICE_ANY: every */
};

/* All zero: everything is denied. */
struct device_policy {
	bool allow_by_default;
	struct device_rule *rules; /* what comes later wins */
	size_t n_rules, n_allocated;
};

void device_policy_deinit(struct device_policy *policy);
#define _cleanup_device_policy_ _cleanup_(device_policy_deinit)

/**
 * device_policy_parse() - the rules of a config, and behind them the devices that every container
 * has (runtime-spec config-linux.md, Default Devices; and, as runc and crun have it, mknod of
 * every node: to make one doesn't open it)
 *
 * Return: 0 or a negative errno.
 */
int device_policy_parse(struct device_policy *policy, struct json_value devices,
			struct error *error);

/** device_policy_add() - one more rule behind the others; type 'a' is 'b' and 'c' */
int device_policy_add(struct device_policy *policy, struct device_rule rule);

/** device_policy_allows() - what the policy says to all of @access of one device */
bool device_policy_allows(const struct device_policy *policy, char type, unsigned int access,
			  uint32_t major, uint32_t minor);

/**
 * device_policy_write_v1() - into devices.deny and devices.allow of a new v1 cgroup
 *
 * Return: 0 or a negative errno (-EOPNOTSUPP: v1 knows no exceptions to exceptions).
 */
int device_policy_write_v1(const struct device_policy *policy, int directory_fd,
			   struct error *error);

/**
 * device_policy_update_v1() - the same for a cgroup that has processes in it
 *
 * What is allowed before and after stays allowed all the while, as long as both deny by default:
 * the new rules are added before those that are no longer there are taken away.
 */
int device_policy_update_v1(const struct device_policy *policy, int directory_fd,
			    struct error *error);

/**
 * device_policy_attach_v2() - as an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE, Linux 4.15)
 * @directory_fd: the v2 cgroup, an O_PATH descriptor will do
 * @replace: it may have one of an earlier call, which is detached behind it; in between both decide
 *
 * Return: 0 or a negative errno.
 */
int device_policy_attach_v2(const struct device_policy *policy, int directory_fd, bool replace,
			    struct error *error);

/* An instruction of an eBPF program is 8 bytes: <linux/bpf.h>'s struct bpf_insn. */
struct bpf_insn;

/**
 * device_policy_compile() - the instructions alone
 * @ret_instructions: owned by the caller, to be freed
 *
 * Return: 0 or a negative errno.
 */
int device_policy_compile(const struct device_policy *policy, struct bpf_insn **ret_instructions,
			  size_t *ret_n_instructions);
