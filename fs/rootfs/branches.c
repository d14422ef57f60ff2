/* SPDX-License-Identifier: MIT */
#include "fs/rootfs/branches.h"

#include <errno.h>
#include <string.h>

/* The text up to one of @ends that no backslash stands before; *@text moves there. Backslashes
 * stay, since what is in between may be split once more. */
static char *piece_take(const char **text, const char *ends)
{
	const char *start = *text, *p = start;

	while (*p && !strchr(ends, *p))
		p += *p == '\\' && p[1] ? 2 : 1;
	*text = p;
	return strndup(start, (size_t)(p - start));
}

static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

enum permission { PERMISSION_NONE, PERMISSION_RW, PERMISSION_RO };

/* Cuts "=rw", "=ro" or "=rr" off a branch; a '=' before anything else is part of the path. */
static int permission_cut(char *branch, enum permission *ret, struct error *error)
{
	char *equals = strrchr(branch, '=');
	const char *mode = equals ? equals + 1 : "";
	enum permission permission = PERMISSION_NONE;

	if (!strncmp(mode, "rw", 2))
		permission = PERMISSION_RW;
	else if (!strncmp(mode, "ro", 2) || !strncmp(mode, "rr", 2))
		permission = PERMISSION_RO;
	if (permission != PERMISSION_NONE && mode[2] == '+')
		return error_usage(error, "branch '%s': overlayfs has no attribute '%s'", branch,
				   mode + 2);
	if (permission != PERMISSION_NONE && mode[2])
		permission = PERMISSION_NONE;
	if (permission != PERMISSION_NONE)
		*equals = '\0';
	*ret = permission;
	return 0;
}

static int branch_add(struct branches *branches, char *branch, struct error *error)
{
	bool is_first = branches->lowers.n_items == 0 && !branches->upper;
	enum permission permission = PERMISSION_NONE;
	int r = permission_cut(branch, &permission, error);

	if (r < 0)
		return r;
	unescape(branch);
	if (!*branch)
		return error_usage(error, "a branch without a path");
	if (permission == PERMISSION_RW && !is_first)
		return error_usage(error,
				   "branch '%s' can't be rw: overlayfs writes to the first only",
				   branch);
	if (is_first && permission != PERMISSION_RO) {
		branches->upper = strdup(branch);
		return branches->upper ? 0 : error_set(error, -ENOMEM, "cannot take branches");
	}
	r = string_list_add(&branches->lowers, branch);
	return r < 0 ? error_set(error, r, "cannot take branches") : 0;
}

static int branches_add(struct branches *branches, const char *text, struct error *error)
{
	for (;;) {
		_cleanup_free_ char *branch = piece_take(&text, ":");
		int r = branch ? branch_add(branches, branch, error)
			       : error_set(error, -ENOMEM, "cannot take branches");

		if (r < 0 || !*text)
			return r;
		text++;
	}
}

static bool option_is_aufs_only(const char *option)
{
	static const char *const names[] = { "xino",	"noxino",   "trunc_xino", "udba", "plink",
					     "noplink", "dirperm1", "nodirperm1", "sum",  "nosum" };
	size_t n = strcspn(option, "=");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == n && !strncmp(names[i], option, n))
			return true;
	}
	return false;
}

int branches_parse(const char *text, struct branches *branches, struct error *error)
{
	static const char *const prefixes[] = { "br:", "br=", "dirs=" };

	for (;;) {
		_cleanup_free_ char *option = piece_take(&text, ",");
		const char *list = NULL;
		int r = 0;

		if (!option)
			return error_set(error, -ENOMEM, "cannot take branches");
		for (size_t i = 0; i < 3 && !list; i++)
			list = string_has_prefix(option, prefixes[i]);
		if (list)
			r = branches_add(branches, list, error);
		else if (!option_is_aufs_only(option))
			r = error_usage(error, "option -o takes br:BRANCH[:BRANCH...], not '%s'",
					option);
		if (r < 0 || !*text)
			return r;
		text++;
	}
}

void branches_deinit(struct branches *branches)
{
	string_list_deinit(&branches->lowers);
	free(branches->upper);
	*branches = (struct branches){};
}

char *branches_work_path(const char *upper)
{
	const char *name = strrchr(upper, '/');

	name = name ? name + 1 : upper;
	return string_format("%.*s.lamina-work-%s", (int)(name - upper), upper, name);
}
