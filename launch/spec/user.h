/* SPDX-License-Identifier: MIT */
/*
 * --user and --group-add: who the process is, by the image's own passwd and group.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* All zero is root without groups. */
struct spec_user {
	uint32_t uid, gid;
	uint32_t *groups; /* supplementary, the primary first, none twice; owned */
	size_t n_groups;
	char *home; /* of passwd; NULL: none there; owned */
};

/**
 * user_resolve() - turn "USER[:GROUP]" into numbers (runc's libcontainer/user, which Docker calls)
 * @user: "" or NULL: root. What looks like a number is one, even where passwd has a user of that
 * name (CVE-2016-3697)
 * @group_add: names and numbers
 * @passwd, @group: the text of the image's files; NULL: it has none
 *
 * Without GROUP the primary group is passwd's (0 for a number that passwd doesn't know), and the
 * groups that list the user are its supplementary ones; with GROUP that is the only one.
 *
 * Return: 0 or a negative errno (-EINVAL: an unknown name, or not a number from 0 to 4294967294;
 * 4294967295 means "unchanged" to setresuid).
 */
int user_resolve(const char *user, const struct string_list *group_add, const char *passwd,
		 const char *group, struct spec_user *ret_user, struct error *error);

void spec_user_deinit(struct spec_user *user);
#define _cleanup_spec_user_ _cleanup_(spec_user_deinit)
