/* SPDX-License-Identifier: MIT */
#include "tools/nslaunch/container.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/cgroup/cgroup.h"

const char *container_state_path(const struct command_call *call, struct error *error)
{
	struct nslaunch_options *globals = call->globals;
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (globals->state)
		return globals->state;
	if (geteuid() == 0)
		return "/run/lamina";
	if (!runtime || *runtime != '/') {
		error_say(error, -ENOENT,
			  "no state directory: XDG_RUNTIME_DIR isn't set; say --root DIRECTORY");
		return NULL;
	}
	if (snprintf(globals->default_state, sizeof(globals->default_state), "%s/lamina",
		     runtime) >= (int)sizeof(globals->default_state)) {
		error_set(error, -ENAMETOOLONG, "state directory '%s/lamina'", runtime);
		return NULL;
	}
	return globals->default_state;
}

/* STORE/names/NAME is a link to ../containers/ID. */
static int name_resolve(const struct command_call *call, const char *name, char *ret_id)
{
	const struct nslaunch_options *globals = call->globals;
	char path[PATH_MAX], target[PATH_MAX];
	const char *id;
	ssize_t n;

	if (!globals->store || strchr(name, '/') ||
	    snprintf(path, sizeof(path), "%s/names/%s", globals->store, name) >= (int)sizeof(path))
		return -ENOENT;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	id = strrchr(target, '/');
	id = id ? id + 1 : target;
	if (!state_id_is_valid(id))
		return -EINVAL;
	strcpy(ret_id, id);
	return 0;
}

static bool id_is_hexadecimal(const char *id)
{
	return strspn(id, "0123456789abcdef") == 64 && !id[64];
}

static int prefix_resolve(const char *state_path, const char *prefix, char *ret_id,
			  struct error *error)
{
	_cleanup_strings_ struct string_list ids = {};
	const char *found = NULL;
	int r = state_list(state_path, &ids, error);

	if (r < 0)
		return r;
	STRING_LIST_FOR_EACH (&ids, i) {
		if (!string_has_prefix(ids.items[i], prefix) || !id_is_hexadecimal(ids.items[i]))
			continue;
		if (found)
			return error_say(error, -ENOTUNIQ, "'%s' is the beginning of several ids",
					 prefix);
		found = ids.items[i];
	}
	if (!found)
		return error_say(error, -ENOENT, "container '%s' does not exist", prefix);
	strcpy(ret_id, found);
	return 0;
}

int container_resolve(const struct command_call *call, const char *argument, char *ret_id,
		      struct error *error)
{
	const char *state_path = container_state_path(call, error);
	char path[PATH_MAX];
	struct stat st;

	if (!state_path)
		return error->code;
	if (!state_id_is_valid(argument))
		return error_say(error, -EINVAL, "bad container id '%s'", argument);
	if (name_resolve(call, argument, ret_id) == 0)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", state_path, argument) >= (int)sizeof(path))
		return error_set(error, -ENAMETOOLONG, "container '%s'", argument);
	if (lstat(path, &st) == 0) {
		strcpy(ret_id, argument);
		return 0;
	}
	if (errno != ENOENT)
		return error_set(error, -errno, "cannot look for container '%s'", argument);
	return prefix_resolve(state_path, argument, ret_id, error);
}

int container_open(const struct command_call *call, const char *argument, bool lock,
		   struct state *state, struct state_record *record, struct error *error)
{
	char id[STATE_ID_MAX_BYTES + 1];
	int r = container_resolve(call, argument, id, error);

	if (r == 0)
		r = state_open(state, container_state_path(call, error), id, lock, error);
	return r < 0 ? r : state_read(state, record, error);
}

int container_match(const struct command_call *call, const char *pattern, struct string_list *ids,
		    struct error *error)
{
	const char *state_path = container_state_path(call, error);
	_cleanup_strings_ struct string_list all = {};
	regex_t regex;
	int r;

	if (!state_path)
		return error->code;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return error_usage(error, "'%s' is not a regular expression", pattern);
	r = state_list(state_path, &all, error);
	STRING_LIST_FOR_EACH (&all, i) {
		if (r == 0 && regexec(&regex, all.items[i], 0, NULL, 0) == 0 &&
		    string_list_add(ids, all.items[i]) < 0)
			r = error_set(error, -ENOMEM, "cannot list containers");
	}
	regfree(&regex);
	return r;
}

enum state_status container_status(const struct state *state, const struct state_record *record)
{
	_cleanup_cgroup_ struct cgroup cgroup;
	enum state_status status = state_status(state, record);

	cgroup_init(&cgroup);
	if ((status == STATE_RUNNING || status == STATE_CREATED) && record->cgroup_path &&
	    cgroup_open(&cgroup, record->cgroup_path, NULL) == 0 && cgroup_is_frozen(&cgroup))
		return STATE_PAUSED;
	return status;
}
