/* SPDX-License-Identifier: MIT */
#include "launch/spec/user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX (UINT32_MAX - 1)
/* The kernel's NGROUPS_MAX since 2.6.4. */
#define MAX_GROUPS 65536

/* The colon-separated fields of one line of passwd or group; the text is left as it is. */
struct record {
	const char *fields[7];
	size_t lengths[7];
	size_t n_fields;
};

/* The next line of *@cursor. False at the end. */
static bool record_next(const char **cursor, struct record *ret_record)
{
	const char *p = *cursor, *end;

	if (!p || !*p)
		return false;
	end = p + strcspn(p, "\n");
	*cursor = end + (*end == '\n');
	ret_record->n_fields = 0;
	for (;;) {
		size_t n = 0;

		while (p + n < end && p[n] != ':')
			n++;
		ret_record->fields[ret_record->n_fields] = p;
		ret_record->lengths[ret_record->n_fields++] = n;
		p += n;
		if (p == end || ret_record->n_fields == 7)
			return true;
		p++;
	}
}

static bool field_is(const struct record *record, size_t field, const char *text, size_t n)
{
	return field < record->n_fields && record->lengths[field] == n &&
	       !strncmp(record->fields[field], text, n);
}

static int id_parse(const char *text, size_t n, uint32_t *ret_id)
{
	char number[24];
	uint64_t value;
	int r;

	if (n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	r = string_to_uint64(number, ID_MAX, &value);
	if (r == 0)
		*ret_id = (uint32_t)value;
	return r;
}

static bool looks_like_number(const char *text, size_t n)
{
	/* A sign too: "-1" is a bad number, not the name of a user. */
	if (n > 1 && (*text == '-' || *text == '+')) {
		text++;
		n--;
	}
	return n > 0 && strspn(text, "0123456789") >= n;
}

static int group_add(struct spec_user *user, uint32_t gid)
{
	uint32_t *groups;

	for (size_t i = 0; i < user->n_groups; i++) {
		if (user->groups[i] == gid)
			return 0;
	}
	if (user->n_groups == MAX_GROUPS)
		return -E2BIG;
	groups = reallocarray(user->groups, user->n_groups + 1, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	user->groups = groups;
	groups[user->n_groups++] = gid;
	return 0;
}

/* A group by name or number; a name must be in @group_text. */
static int group_find(const char *name, size_t n, const char *group_text, uint32_t *ret_gid,
		      struct error *error)
{
	struct record record;

	if (looks_like_number(name, n)) {
		if (id_parse(name, n, ret_gid) < 0)
			return error_usage(error, "'%.*s' is not a group id from 0 to %u", (int)n,
					   name, ID_MAX);
		return 0;
	}
	while (record_next(&group_text, &record)) {
		if (field_is(&record, 0, name, n) && record.n_fields > 2 &&
		    id_parse(record.fields[2], record.lengths[2], ret_gid) == 0)
			return 0;
	}
	return error_say(error, -EINVAL, "the image has no group '%.*s'", (int)n, name);
}

static bool members_contain(const struct record *record, const char *name, size_t n)
{
	const char *p, *end;

	if (record->n_fields < 4)
		return false;
	p = record->fields[3];
	end = p + record->lengths[3];
	while (p < end) {
		size_t n_member = 0;

		while (p + n_member < end && p[n_member] != ',')
			n_member++;
		if (n_member == n && !strncmp(p, name, n))
			return true;
		p += n_member + 1;
	}
	return false;
}

static int memberships_add(struct spec_user *user, const char *name, size_t n,
			   const char *group_text)
{
	struct record record;
	uint32_t gid = 0;
	int r;

	while (record_next(&group_text, &record)) {
		if (!members_contain(&record, name, n) ||
		    id_parse(record.fields[2], record.lengths[2], &gid) < 0)
			continue;
		r = group_add(user, gid);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The line of passwd for a name, or for a number. False: there is none. */
static bool passwd_find(const char *passwd, const char *name, size_t n, const uint32_t *uid,
			struct record *ret_record)
{
	while (record_next(&passwd, ret_record)) {
		uint32_t line_uid = 0, line_gid = 0;

		if (ret_record->n_fields < 4 || ret_record->lengths[0] == 0 ||
		    id_parse(ret_record->fields[2], ret_record->lengths[2], &line_uid) < 0 ||
		    id_parse(ret_record->fields[3], ret_record->lengths[3], &line_gid) < 0)
			continue;
		if (uid ? line_uid == *uid : field_is(ret_record, 0, name, n))
			return true;
	}
	return false;
}

static int passwd_apply(struct spec_user *user, const struct record *record)
{
	(void)id_parse(record->fields[2], record->lengths[2], &user->uid);
	(void)id_parse(record->fields[3], record->lengths[3], &user->gid);
	if (record->n_fields < 6 || record->lengths[5] == 0)
		return 0;
	user->home = strndup(record->fields[5], record->lengths[5]);
	return user->home ? 0 : -ENOMEM;
}

static int groups_fill(struct spec_user *user, const struct record *record,
		       const char *group_argument, const struct string_list *more,
		       const char *group_text, struct error *error)
{
	int r;

	if (group_argument) {
		r = group_find(group_argument, strlen(group_argument), group_text, &user->gid,
			       error);
		if (r < 0)
			return r;
	}
	r = group_add(user, user->gid);
	if (r == 0 && record && !group_argument)
		r = memberships_add(user, record->fields[0], record->lengths[0], group_text);
	for (size_t i = 0; r == 0 && i < more->n_items; i++) {
		uint32_t gid;

		r = group_find(more->items[i], strlen(more->items[i]), group_text, &gid, error);
		if (r < 0)
			return r;
		r = group_add(user, gid);
	}
	return r < 0 ? error_set(error, r, "cannot take the user's groups") : 0;
}

int user_resolve(const char *user, const struct string_list *more, const char *passwd,
		 const char *group, struct spec_user *ret_user, struct error *error)
{
	_cleanup_spec_user_ struct spec_user found = {};
	const char *colon = user ? strchr(user, ':') : NULL;
	const char *group_argument = colon && colon[1] ? colon + 1 : NULL;
	size_t n_name = !user ? 0 : colon ? (size_t)(colon - user) : strlen(user);
	struct record record;
	bool is_number = n_name == 0 || looks_like_number(user, n_name);
	bool is_known;
	int r;

	if (colon && strchr(colon + 1, ':'))
		return error_usage(error, "'%s' is not USER[:GROUP]", user);
	if (n_name > 0 && is_number && id_parse(user, n_name, &found.uid) < 0)
		return error_usage(error, "'%.*s' is not a user id from 0 to %u", (int)n_name, user,
				   ID_MAX);
	is_known = passwd_find(passwd, user, n_name, is_number ? &found.uid : NULL, &record);
	if (!is_known && !is_number)
		return error_say(error, -EINVAL, "the image has no user '%.*s'", (int)n_name, user);
	r = is_known ? passwd_apply(&found, &record) : 0;
	if (r < 0)
		return error_set(error, r, "cannot take the user");
	r = groups_fill(&found, is_known ? &record : NULL, group_argument, more, group, error);
	if (r < 0)
		return r;
	*ret_user = found;
	found = (struct spec_user){};
	return 0;
}

void spec_user_deinit(struct spec_user *user)
{
	free(user->groups);
	free(user->home);
	*user = (struct spec_user){};
}
