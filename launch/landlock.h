/* SPDX-License-Identifier: MIT */
/*
 * Landlock: rules that a container's processes put on themselves, from the annotation
 * `lamina.landlock` (docs/landlock.md).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

#define LANDLOCK_ANNOTATION "lamina.landlock"

struct landlock_rule {
	char *path; /* in the container; NULL: a port */
	uint64_t access;
	uint64_t port;
};

/* All zero: nothing is restricted. */
struct landlock {
	bool is_asked;
	struct landlock_rule *rules;
	size_t n_rules;
	/* What is denied where no rule allows it (struct landlock_ruleset_attr). */
	uint64_t handled_files, handled_ports, scopes;
};

/**
 * landlock_parse() - the rules of an annotation, as far as @abi has them
 * @abi: landlock_abi(); 0: the kernel has no Landlock, or doesn't use it
 * @ret_without: what "best-effort" lets be left out on this kernel, in words, or NULL
 *
 * Return: 0; -EINVAL: a word that isn't known; -EOPNOTSUPP: the kernel can't do what is asked.
 */
int landlock_parse(struct landlock *landlock, const char *text, int abi, const char **ret_without,
		   struct error *error);

/**
 * landlock_prepare() - the same from a container's annotations, on this kernel; none is fine
 *
 * What is left out on this kernel is warned of.
 */
int landlock_prepare(struct landlock *landlock, struct json_value annotations, struct error *error);

void landlock_deinit(struct landlock *landlock);

/** landlock_abi() - the kernel's version of Landlock's interface, from 1; 0: none */
int landlock_abi(void);

/**
 * landlock_restrict() - put the rules on the caller and what it executes, for ever
 *
 * In the container's root, while the caller has CAP_SYS_ADMIN there or no_new_privs is set.
 */
int landlock_restrict(const struct landlock *landlock, struct error *error);
