/* SPDX-License-Identifier: MIT */
/*
 * Stacks of directories as aufs users write them, `br:/rw=rw:/a=ro:/b=ro`, told as overlayfs needs
 * them (aufs(5), "Branch Syntax").
 *
 * The first branch is read-write where it doesn't say otherwise, all others read-only, as in aufs.
 * overlayfs writes to the topmost branch only, so a second `rw` is refused. `rr` is `ro`. `br:`,
 * `br=` and `dirs=` are the same. A backslash takes the meaning from the next character, so that a
 * path can have ':' ',' or '\' in it. Options that steer what only aufs has (xino, udba, plink,
 * dirperm1) are taken and mean nothing; others are refused.
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

/* All zero is a valid empty one. */
struct branches {
	struct string_list lowers; /* topmost first */
	char *upper;		   /* or NULL: all are read-only */
};

/**
 * branches_parse() - the value of -o, added to @branches
 *
 * Return: 0, -EINVAL (error_usage()) or -ENOMEM.
 */
int branches_parse(const char *text, struct branches *branches, struct error *error);

void branches_deinit(struct branches *branches);
#define _cleanup_branches_ _cleanup_(branches_deinit)

/**
 * branches_work_path() - the work directory beside @upper, for those who name none:
 * DIRNAME/.lamina-work-BASENAME
 * @upper: absolute
 *
 * Return: owned by the caller, or NULL when memory is gone.
 */
char *branches_work_path(const char *upper);
