/* SPDX-License-Identifier: MIT */
#include "launch/config/mount.h"

#include <stdlib.h>
#include <string.h>

#include "base/syscalls.h"
#include "base/text.h"
#include "launch/config/value.h"

struct mount_word {
	const char *word;
	enum {
		WORD_SET,
		WORD_CLEAR,
		WORD_PROPAGATION,
		WORD_BIND,
		WORD_ATIME,
		WORD_REMOUNT,
		WORD_COPY_UP,
		WORD_IDLE,
		WORD_NOTHING
	} kind;
	uint64_t value;
	bool recursive;
};

static const struct mount_word mount_words[] = {
	{ "ro", WORD_SET, MOUNT_ATTR_RDONLY, false },
	{ "rw", WORD_CLEAR, MOUNT_ATTR_RDONLY, false },
	{ "nosuid", WORD_SET, MOUNT_ATTR_NOSUID, false },
	{ "suid", WORD_CLEAR, MOUNT_ATTR_NOSUID, false },
	{ "nodev", WORD_SET, MOUNT_ATTR_NODEV, false },
	{ "dev", WORD_CLEAR, MOUNT_ATTR_NODEV, false },
	{ "noexec", WORD_SET, MOUNT_ATTR_NOEXEC, false },
	{ "exec", WORD_CLEAR, MOUNT_ATTR_NOEXEC, false },
	{ "nosymfollow", WORD_SET, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "symfollow", WORD_CLEAR, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "noatime", WORD_SET, MOUNT_ATTR_NOATIME, false },
	{ "atime", WORD_CLEAR, MOUNT_ATTR_NOATIME, false },
	{ "strictatime", WORD_SET, MOUNT_ATTR_STRICTATIME, false },
	{ "nostrictatime", WORD_CLEAR, MOUNT_ATTR_STRICTATIME, false },
	{ "nodiratime", WORD_SET, MOUNT_ATTR_NODIRATIME, false },
	{ "diratime", WORD_CLEAR, MOUNT_ATTR_NODIRATIME, false },
	{ "relatime", WORD_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "norelatime", WORD_NOTHING, 0, false }, /* relatime is the kernel's default */
	{ "rro", WORD_SET, MOUNT_ATTR_RDONLY, true },
	{ "rrw", WORD_CLEAR, MOUNT_ATTR_RDONLY, true },
	{ "rnosuid", WORD_SET, MOUNT_ATTR_NOSUID, true },
	{ "rsuid", WORD_CLEAR, MOUNT_ATTR_NOSUID, true },
	{ "rnodev", WORD_SET, MOUNT_ATTR_NODEV, true },
	{ "rdev", WORD_CLEAR, MOUNT_ATTR_NODEV, true },
	{ "rnoexec", WORD_SET, MOUNT_ATTR_NOEXEC, true },
	{ "rexec", WORD_CLEAR, MOUNT_ATTR_NOEXEC, true },
	{ "rnosymfollow", WORD_SET, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "rsymfollow", WORD_CLEAR, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "rnoatime", WORD_SET, MOUNT_ATTR_NOATIME, true },
	{ "ratime", WORD_CLEAR, MOUNT_ATTR_NOATIME, true },
	{ "rnodiratime", WORD_SET, MOUNT_ATTR_NODIRATIME, true },
	{ "rdiratime", WORD_CLEAR, MOUNT_ATTR_NODIRATIME, true },
	{ "rstrictatime", WORD_SET, MOUNT_ATTR_STRICTATIME, true },
	{ "rnostrictatime", WORD_CLEAR, MOUNT_ATTR_STRICTATIME, true },
	{ "rrelatime", WORD_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rnorelatime", WORD_NOTHING, 0, true },
	{ "private", WORD_PROPAGATION, MS_PRIVATE, false },
	{ "rprivate", WORD_PROPAGATION, MS_PRIVATE, true },
	{ "slave", WORD_PROPAGATION, MS_SLAVE, false },
	{ "rslave", WORD_PROPAGATION, MS_SLAVE, true },
	{ "shared", WORD_PROPAGATION, MS_SHARED, false },
	{ "rshared", WORD_PROPAGATION, MS_SHARED, true },
	{ "unbindable", WORD_PROPAGATION, MS_UNBINDABLE, false },
	{ "runbindable", WORD_PROPAGATION, MS_UNBINDABLE, true },
	{ "bind", WORD_BIND, 0, false },
	{ "rbind", WORD_BIND, 0, true },
	{ "remount", WORD_REMOUNT, 0, false },
	{ "tmpcopyup", WORD_COPY_UP, 0, false },
	/* mount(8)'s own words, and what the mount API has no flag for. */
	{ "defaults", WORD_NOTHING, 0, false },
	{ "auto", WORD_NOTHING, 0, false },
	{ "noauto", WORD_NOTHING, 0, false },
	{ "nouser", WORD_NOTHING, 0, false },
	{ "async", WORD_NOTHING, 0, false },
	{ "silent", WORD_NOTHING, 0, false },
	{ "loud", WORD_NOTHING, 0, false },
	{ "iversion", WORD_IDLE, 0, false }, /* each file system's own decision */
	{ "noiversion", WORD_NOTHING, 0, false },
	{ "nolazytime", WORD_NOTHING, 0, false },
	{ "nomand", WORD_NOTHING, 0, false },
};

const char *config_mount_word(size_t i)
{
	return i < sizeof(mount_words) / sizeof(mount_words[0]) ? mount_words[i].word : NULL;
}

/* How access times are kept is one field of three bits, of which 0 is relatime. */
static void atime_apply(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	*set |= value;
	*clear |= MOUNT_ATTR__ATIME;
}

/* The last of a word and its opposite wins. */
static void attribute_apply(uint64_t *set, uint64_t *clear, uint64_t value, bool is_set)
{
	if (value & MOUNT_ATTR__ATIME) {
		/* "atime" is the opposite of "noatime" alone, and leaves "strictatime". */
		if (is_set || !(*set & MOUNT_ATTR__ATIME) || (*set & MOUNT_ATTR__ATIME) == value)
			atime_apply(set, clear, is_set ? value : MOUNT_ATTR_RELATIME);
		return;
	}
	if (is_set) {
		*set |= value;
		*clear &= ~value;
	} else {
		*clear |= value;
		*set &= ~value;
	}
}

static bool word_apply(struct config_mount *mount, const char *option)
{
	for (size_t i = 0; i < sizeof(mount_words) / sizeof(mount_words[0]); i++) {
		const struct mount_word *word = &mount_words[i];

		if (strcmp(word->word, option))
			continue;
		switch (word->kind) {
		case WORD_SET:
		case WORD_CLEAR:
			attribute_apply(word->recursive ? &mount->recursive_set
							: &mount->attributes,
					word->recursive ? &mount->recursive_clear
							: &mount->attributes_clear,
					word->value, word->kind == WORD_SET);
			break;
		case WORD_PROPAGATION:
			mount->propagation = word->value;
			mount->propagation_recursive = word->recursive;
			break;
		case WORD_BIND:
			mount->is_bind = true;
			mount->recursive = word->recursive;
			break;
		case WORD_ATIME:
			atime_apply(word->recursive ? &mount->recursive_set : &mount->attributes,
				    word->recursive ? &mount->recursive_clear
						    : &mount->attributes_clear,
				    word->value);
			break;
		case WORD_REMOUNT:
			mount->is_remount = true;
			break;
		case WORD_COPY_UP:
			mount->copies_up = true;
			break;
		case WORD_IDLE:
			mount->idle_option = option;
			break;
		case WORD_NOTHING:
			break;
		}
		return true;
	}
	return false;
}

/* A condition of idmap_apply(): it is another option. */
enum {
	OPTION_OTHER = 1,
};

/* "idmap" and "ridmap", also with crun's mappings behind them: "idmap=uids=0-1-10;gids=0-1-10" */
static int idmap_apply(struct config_mount *mount, const char *option, struct error *error)
{
	bool recursive = *option == 'r';
	const char *rest = string_has_prefix(option, recursive ? "ridmap" : "idmap");
	int r;

	if (!rest || (*rest && *rest != '='))
		return OPTION_OTHER;
	mount->is_idmapped = true;
	mount->is_idmapped_recursively = recursive;
	if (!*rest)
		return 0;
	if (mount->id_maps.uids.ranges || mount->id_maps.gids.ranges)
		return error_say(error, -EINVAL, "mount '%s': two options with mappings",
				 mount->destination);
	r = id_maps_parse_text(&mount->id_maps, rest + 1, error);
	return r < 0 ? error_prefix(error, r, "mount '%s': option '%s'", mount->destination, option)
		     : 0;
}

static int options_parse(struct config_mount *mount, struct json_value options, struct error *error)
{
	size_t n_data = 0;
	int r;

	if (json_exists(options) && json_type(options) != JSON_ARRAY)
		return error_say(error, -EINVAL, "mount '%s': options must be an array of strings",
				 mount->destination);
	mount->data = calloc(json_count(options) + 1, sizeof(*mount->data));
	if (!mount->data)
		return error_set(error, -ENOMEM, "mount '%s'", mount->destination);
	JSON_FOR_EACH (element, options) {
		const char *option = json_string(element);

		if (!option)
			return error_say(error, -EINVAL, "mount '%s': options must be strings",
					 mount->destination);
		/* buildah has an empty one in the binds of `run -v`; runc and crun take it for
		 * nothing. */
		if (!*option || word_apply(mount, option))
			continue;
		r = idmap_apply(mount, option, error);
		if (r < 0)
			return r;
		if (r == OPTION_OTHER)
			mount->data[n_data++] = (char *)option;
	}
	return 0;
}

/*
 * Clean and absolute, ".." taken by its letters, as runc does (filepath.Clean): what is told from
 * the name ("/dev", "/proc") must hold for every way to write it.
 */
static char *path_clean(const char *path)
{
	char *clean = malloc(strlen(path) + 2);
	size_t n = 0;

	if (!clean)
		return NULL;
	while (*path) {
		size_t n_component = strcspn(path, "/");

		if (n_component == 2 && !strncmp(path, "..", 2)) {
			while (n > 0 && clean[--n] != '/')
				;
		} else if (n_component > 0 && !(n_component == 1 && *path == '.')) {
			clean[n++] = '/';
			memcpy(clean + n, path, n_component);
			n += n_component;
		}
		path += n_component + (path[n_component] == '/');
	}
	clean[n] = '\0';
	return clean;
}

static int destination_parse(struct config_mount *mount, struct json_value value,
			     struct error *error)
{
	const char *destination = json_string(value);

	if (!destination || !*destination)
		return error_say(error, -EINVAL, "a mount without a destination");
	/* As runc takes it, with a warning. */
	mount->is_relative = *destination != '/';
	mount->destination = path_clean(destination);
	if (!mount->destination)
		return error_set(error, -ENOMEM, "mount '%s'", destination);
	if (!*mount->destination)
		return error_say(error, -EINVAL, "mount '%s': the root is what 'root' says",
				 destination);
	return 0;
}

/*
 * Mappings in the option are crun's; both ways at once would leave open which is meant. Without
 * the option, mappings ask for it, as with runc.
 */
static int id_maps_parse(struct config_mount *mount, struct json_value value, struct error *error)
{
	struct json_value uids = json_get(value, "uidMappings");
	struct json_value gids = json_get(value, "gidMappings");
	int r;

	if (json_count(uids) || json_count(gids)) {
		if (mount->id_maps.uids.n_ranges || mount->id_maps.gids.n_ranges)
			return error_say(error, -EINVAL,
					 "mount '%s': mappings in the option, and uidMappings",
					 mount->destination);
		mount->is_idmapped = true;
	}
	r = id_map_parse(&mount->id_maps.uids, uids, "uidMappings", error);
	if (r == 0)
		r = id_map_parse(&mount->id_maps.gids, gids, "gidMappings", error);
	if (r < 0)
		return error_prefix(error, r, "mount '%s'", mount->destination);
	if (!mount->id_maps.uids.n_ranges != !mount->id_maps.gids.n_ranges)
		return error_say(error, -EINVAL, "mount '%s': it has %s mappings and no others",
				 mount->destination, mount->id_maps.uids.n_ranges ? "uid" : "gid");
	return 0;
}

void config_mount_deinit(struct config_mount *mount)
{
	id_maps_deinit(&mount->id_maps);
	free(mount->destination);
	free(mount->data);
	*mount = (struct config_mount){};
}

/*
 * A bind has the options of the file system that it is of: these belong to that one's, and mount(8)
 * and runc take them all the same.
 */
static void bind_options_drop(struct config_mount *mount)
{
	static const char *const words[] = { "sync", "dirsync", "lazytime", "mand" };
	size_t n = 0;

	for (char **option = mount->data; *option; option++) {
		bool is_idle = false;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			is_idle |= !strcmp(*option, words[i]);
		if (is_idle)
			mount->idle_option = *option;
		else
			mount->data[n++] = *option;
	}
	mount->data[n] = NULL;
}

/* What the kinds of mounts have and may not have. */
static int kind_check(struct config_mount *mount, struct error *error)
{
	if (mount->is_bind || mount->is_remount)
		bind_options_drop(mount);
	if ((mount->is_bind || mount->is_remount) && mount->data[0])
		return error_say(error, -EINVAL, "mount '%s': unknown option '%s'",
				 mount->destination, mount->data[0]);
	if (mount->copies_up && (mount->is_bind || strcmp(mount->type, "tmpfs")))
		return error_say(error, -EINVAL, "mount '%s': tmpcopyup is for a tmpfs",
				 mount->destination);
	if (mount->is_remount)
		return 0;
	if (mount->is_bind && !*mount->source)
		return error_say(error, -EINVAL, "mount '%s': a bind without a source",
				 mount->destination);
	if (!mount->is_bind && !*mount->type)
		return error_say(error, -EINVAL, "mount '%s': it has no type", mount->destination);
	return 0;
}

int config_mount_parse(struct config_mount *mount, struct json_value value, struct error *error)
{
	int r = destination_parse(mount, json_get(value, "destination"), error);

	if (r < 0)
		return r;
	r = value_string(json_get(value, "type"), "mounts.type", &mount->type, error);
	if (r == 0)
		r = value_string(json_get(value, "source"), "mounts.source", &mount->source, error);
	if (r < 0)
		return error_prefix(error, r, "mount '%s'", mount->destination);
	mount->type = mount->type ? mount->type : "";
	mount->source = mount->source ? mount->source : "";
	r = options_parse(mount, json_get(value, "options"), error);
	if (r == 0)
		r = id_maps_parse(mount, value, error);
	if (r < 0)
		return r;
	/* Engines write type "bind" with the option, without it, and "none" with it. */
	if (!strcmp(mount->type, "bind") && !mount->is_bind)
		mount->is_bind = true;
	return kind_check(mount, error);
}
