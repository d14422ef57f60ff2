/* SPDX-License-Identifier: MIT */
/*
 * linux.resources of an OCI config.json (runtime-spec config-linux.md), field by field.
 */
#pragma once

#include "launch/cgroup/internal.h"

struct limits {
	struct cgroup *cgroup;
	struct error *error;
	bool is_update;	   /* of a container that runs: a 0 that is a value may undo another */
	char ignored[512]; /* what was left out, for CGROUP_IGNORED */
};

/**
 * limit_keys_check() - refuse a member that lamina doesn't know: a limit that isn't kept
 * @field: of @object, below linux.resources; "" for that itself
 * @known: the names, each with a space behind it
 *
 * What asks for nothing (null, 0, false, an empty string, list or object) is fine.
 */
int limit_keys_check(struct limits *limits, struct json_value object, const char *field,
		     const char *known);

/**
 * limit_number() - a number of a section
 * @field: "memory.limit": the member's name is what is behind the last '.'
 *
 * Return: 1 (it is there), 0 (it isn't, or is null) or a negative errno with words.
 */
int limit_number(struct limits *limits, struct json_value section, const char *field,
		 int64_t *ret_number);

/** limit_asked() - limit_number() where 0 means "not said", as Docker writes what nobody asked */
int limit_asked(struct limits *limits, struct json_value section, const char *field,
		int64_t *ret_number);

/** limit_is_v1() - is @controller in a v1 hierarchy here? */
bool limit_is_v1(const struct limits *limits, enum cgroup_controller controller);

/** limit_has_file() - does the cgroup have this control file of @controller? */
bool limit_has_file(struct limits *limits, enum cgroup_controller controller, const char *file);

/**
 * limit_write() - write a control file of @controller, wherever that lives
 *
 * In v2 a controller that the cgroup hasn't got yet is enabled down the path first.
 *
 * Return: 0 or a negative errno; @field, the file and the reason are said (-EOPNOTSUPP: no such
 * controller, or no such file).
 */
int limit_write(struct limits *limits, const char *field, enum cgroup_controller controller,
		const char *file, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** limit_write_number() - the same with the words of @value; -1 (and less) is unlimited */
int limit_write_number(struct limits *limits, const char *field, enum cgroup_controller controller,
		       const char *file, int64_t value);

/* A number for a control file, one of a set. */
struct limit_value {
	const char *field, *file;
	bool is_said;
	char text[48];
};

/** limit_value_set() - say it, with the words of limit_write_number() */
void limit_value_set(struct limits *limits, enum cgroup_controller controller,
		     struct limit_value *value, int64_t number);

/**
 * limit_write_all() - write those that are said, of files that the kernel holds against each other
 *
 * memory <= memory+swap, burst <= quota, no weight for what is idle: what it refuses (EINVAL) is
 * tried again once another is written, so that raising and lowering both work whatever they were.
 */
int limit_write_all(struct limits *limits, enum cgroup_controller controller,
		    struct limit_value *values, size_t n_values);

/** limit_unsupported() - @field can't be set here and matters: -EOPNOTSUPP */
int limit_unsupported(struct limits *limits, const char *field, const char *reason);

/** limit_ignore() - @field has no counterpart here and only tunes: noted; 0 */
int limit_ignore(struct limits *limits, const char *field, const char *reason);

/** limit_device() - the "MAJOR:MINOR" of an element of a blockIO list, 32 bytes */
int limit_device(struct limits *limits, struct json_value element, const char *field,
		 char ret_device[32]);

#define LIMIT_N_THROTTLES                                                                          \
	4 /* blockIO.throttle*: rates of reading and writing, bytes and requests */

struct limit_throttle {
	const char *field;
	char device[32]; /* "MAJOR:MINOR" */
	uint64_t rate;
};

/** limit_throttle_key() - the member of blockIO, in the order above */
const char *limit_throttle_key(size_t i);

int limit_throttle_parse(struct limits *limits, size_t i, struct json_value element,
			 struct limit_throttle *ret_throttle);

/** limits_cpu_values() - take the numbers of the cpu section that @values' fields name */
int limits_cpu_values(struct limits *limits, struct json_value cpu, struct limit_value *values,
		      size_t n_values);

/* The sections where v1 and v2 differ. */
int limits_memory_v1(struct limits *limits, struct json_value memory);
int limits_memory_v2(struct limits *limits, struct json_value memory);
int limits_cpu_v1(struct limits *limits, struct json_value cpu);
int limits_cpu_v2(struct limits *limits, struct json_value cpu);
int limits_block_io_v1(struct limits *limits, struct json_value block_io);
int limits_block_io_v2(struct limits *limits, struct json_value block_io);
int limits_devices(struct limits *limits, struct json_value devices);

/* The sections that are the same in both, or of one only: limits_other.c. */
int limits_pids(struct limits *limits, struct json_value pids);
int limits_hugepages(struct limits *limits, struct json_value list);
int limits_network(struct limits *limits, struct json_value network);
int limits_rdma(struct limits *limits, struct json_value rdma);
int limits_unified(struct limits *limits, struct json_value unified);

/** cgroup_shares_to_weight() - cpu.shares (2 to 262144) as a cpu.weight (1 to 10000) */
uint64_t cgroup_shares_to_weight(uint64_t shares);

/**
 * limits_swap_is_on() - has the host any swap? Where it has none, a kernel that does not account
 * for it needs no limit
 */
bool limits_swap_is_on(void);
