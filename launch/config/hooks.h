/* SPDX-License-Identifier: MIT */
/*
 * `hooks`: programs that run at certain moments of a container's life (OCI runtime spec, config.md,
 * "POSIX-platform Hooks").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/* In the order of a container's life. */
enum hook_kind {
	HOOK_PRESTART,	       /* deprecated; run as createRuntime's are, before them */
	HOOK_CREATE_RUNTIME,   /* all is mounted, the root isn't switched; launcher's namespaces */
	HOOK_CREATE_CONTAINER, /* right after those, in the container's namespaces */
	HOOK_START_CONTAINER,  /* as the container's user, in its root, before its program */
	HOOK_POSTSTART,	       /* its program runs; launcher's namespaces */
	HOOK_POSTSTOP,	       /* it is gone; launcher's namespaces */
	N_HOOK_KINDS,
};

struct config_hook {
	const char *path;	/* absolute */
	char **args;		/* NULL-terminated, args[0] included; NULL: the path alone */
	char **env;		/* NULL-terminated: all that it gets */
	unsigned int timeout_s; /* 0: none */
};

/* All zero: no hooks. Strings are borrowed from the document. */
struct config_hooks {
	struct {
		struct config_hook *hooks;
		size_t n;
	} lists[N_HOOK_KINDS];
};

/**
 * config_hooks_parse() - read the `hooks` object; a missing one is fine
 * @hooks: all zero; to be given to config_hooks_deinit(), also after a failure
 *
 * Return: 0 or a negative errno; @error names the field.
 */
int config_hooks_parse(struct config_hooks *hooks, struct json_value value, struct error *error);

void config_hooks_deinit(struct config_hooks *hooks);
#define _cleanup_config_hooks_ _cleanup_(config_hooks_deinit)

/** config_hooks_kind_name() - "prestart" */
const char *config_hooks_kind_name(enum hook_kind kind);

/** config_hooks_have() - is there one of kind @first to @last? */
bool config_hooks_have(const struct config_hooks *hooks, enum hook_kind first, enum hook_kind last);
