/* SPDX-License-Identifier: MIT */
#include "launch/landlock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/text.h"

/* include/uapi/linux/landlock.h; Debian 12's has nothing behind REFER. */
#define FS_EXECUTE    (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE  (UINT64_C(1) << 2)
#define FS_READ_DIR   (UINT64_C(1) << 3)
#define FS_CHANGE_DIR (UINT64_C(0x1ff) << 4) /* REMOVE_DIR to MAKE_SYM */
#define FS_REFER      (UINT64_C(1) << 13)
#define FS_TRUNCATE   (UINT64_C(1) << 14)
#define FS_IOCTL_DEV  (UINT64_C(1) << 15)

#define FS_WRITE (FS_WRITE_FILE | FS_CHANGE_DIR | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ	 (FS_READ_FILE | FS_READ_DIR)
#define FS_ALL	 (FS_READ | FS_WRITE | FS_EXECUTE)
/* A rule for what is no directory may have these only. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND_TCP	UINT64_C(1)
#define NET_CONNECT_TCP UINT64_C(2)

#define SCOPE_ABSTRACT_UNIX UINT64_C(1)
#define SCOPE_SIGNAL	    UINT64_C(2)

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH      1
#define RULE_NET_PORT	       2

struct ruleset_attributes {
	uint64_t handled_files, handled_ports, scopes;
};

struct path_attributes {
	uint64_t access;
	int32_t parent_fd;
} __attribute__((packed));

struct port_attributes {
	uint64_t access, port;
};

/* From which version of the interface on, and how it is called. */
static const struct {
	int abi;
	uint64_t files, ports, scopes;
	const char *what;
} abilities[] = {
	{ 1, FS_READ | FS_EXECUTE | FS_WRITE_FILE | FS_CHANGE_DIR, 0, 0, "any of it" },
	{ 2, FS_REFER, 0, 0, "moving files between directories" },
	{ 3, FS_TRUNCATE, 0, 0, "truncating files (Linux 6.2 can)" },
	{ 4, 0, NET_BIND_TCP | NET_CONNECT_TCP, 0, "TCP ports (Linux 6.7 can)" },
	{ 5, FS_IOCTL_DEV, 0, 0, "ioctls of devices (Linux 6.10 can)" },
	{ 6, 0, 0, SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL, "signals and sockets (Linux 6.12 can)" },
};

static const struct word {
	const char *word;
	enum { WORD_PATH, WORD_PORT, WORD_SCOPE } kind;
	uint64_t access;
} words[] = {
	{ "ro", WORD_PATH, FS_READ },
	{ "rx", WORD_PATH, FS_READ | FS_EXECUTE },
	{ "rw", WORD_PATH, FS_READ | FS_WRITE },
	{ "rwx", WORD_PATH, FS_ALL },
	{ "tcp-bind", WORD_PORT, NET_BIND_TCP },
	{ "tcp-connect", WORD_PORT, NET_CONNECT_TCP },
	{ "scope", WORD_SCOPE, 0 },
};

static const struct {
	const char *name;
	uint64_t scope;
} scopes[] = { { "abstract-unix", SCOPE_ABSTRACT_UNIX }, { "signal", SCOPE_SIGNAL } };

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

/* As in fstab(5): "\040" is a space. */
static void octal_decode(char *text)
{
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

static int rule_add(struct landlock *landlock, const struct landlock_rule *rule)
{
	struct landlock_rule *rules =
		realloc(landlock->rules, (landlock->n_rules + 1) * sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	rules[landlock->n_rules++] = *rule;
	landlock->rules = rules;
	return 0;
}

static int path_word(struct landlock *landlock, const struct word *word, const char *value)
{
	struct landlock_rule rule = { .access = word->access };
	int r;

	if (*value != '/')
		return -EINVAL;
	rule.path = strdup(value);
	if (!rule.path)
		return -ENOMEM;
	octal_decode(rule.path);
	landlock->handled_files = FS_ALL;
	r = rule_add(landlock, &rule);
	if (r < 0)
		free(rule.path);
	return r;
}

static int port_word(struct landlock *landlock, const struct word *word, const char *value)
{
	struct landlock_rule rule = { .access = word->access };

	landlock->handled_ports |= word->access;
	if (!strcmp(value, "none"))
		return 0;
	if (string_to_uint64(value, UINT16_MAX, &rule.port) < 0)
		return -EINVAL;
	return rule_add(landlock, &rule);
}

static int scope_word(struct landlock *landlock, const char *value)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		if (strcmp(scopes[i].name, value))
			continue;
		landlock->scopes |= scopes[i].scope;
		return 0;
	}
	return -EINVAL;
}

static int rule_parse(struct landlock *landlock, const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *value = string_has_prefix(text, words[i].word);

		if (!value || *value++ != ':')
			continue;
		switch (words[i].kind) {
		case WORD_PATH:
			return path_word(landlock, &words[i], value);
		case WORD_PORT:
			return port_word(landlock, &words[i], value);
		case WORD_SCOPE:
			return scope_word(landlock, value);
		}
	}
	return -EINVAL;
}

/* What of it this kernel can't do; that is taken out. */
static const char *reduce(struct landlock *landlock, int abi)
{
	const char *without = NULL;

	for (size_t i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		if (abi >= abilities[i].abi)
			continue;
		if (!without && (landlock->handled_files & abilities[i].files ||
				 landlock->handled_ports & abilities[i].ports ||
				 landlock->scopes & abilities[i].scopes))
			without = abilities[i].what;
		landlock->handled_files &= ~abilities[i].files;
		landlock->handled_ports &= ~abilities[i].ports;
		landlock->scopes &= ~abilities[i].scopes;
	}
	return without;
}

int landlock_parse(struct landlock *landlock, const char *text, int abi, const char **ret_without,
		   struct error *error)
{
	static const char blanks[] = " \t\n";
	bool is_best_effort = false;

	*landlock = (struct landlock){ .is_asked = true };
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t n = strcspn(text, blanks);
		_cleanup_free_ char *rule = strndup(text, n);
		int r;

		if (!rule)
			return error_set(error, -ENOMEM, LANDLOCK_ANNOTATION);
		text += n;
		if (!strcmp(rule, "best-effort")) {
			is_best_effort = true;
			continue;
		}
		r = rule_parse(landlock, rule);
		if (r == -EINVAL)
			return error_say(error, r, LANDLOCK_ANNOTATION ": '%s' is no rule", rule);
		if (r < 0)
			return error_set(error, r, LANDLOCK_ANNOTATION);
	}
	if (!landlock->handled_files && !landlock->handled_ports && !landlock->scopes)
		return error_say(error, -EINVAL, LANDLOCK_ANNOTATION ": it has no rule");
	*ret_without = reduce(landlock, abi);
	if (*ret_without && !is_best_effort)
		return error_say(error, -EOPNOTSUPP,
				 LANDLOCK_ANNOTATION ": this kernel can't restrict %s: the word "
						     "'best-effort' lets it be left out",
				 *ret_without);
	return 0;
}

/* A misspelt name would be a container that nobody restricts: "lamina." is for this runtime alone.
 */
static int names_check(struct json_value annotations, struct error *error)
{
	JSON_FOR_EACH (annotation, annotations) {
		const char *name = json_key(annotation);

		if (name && string_has_prefix(name, "lamina.") && strcmp(name, LANDLOCK_ANNOTATION))
			return error_say(
				error, -EOPNOTSUPP,
				"annotations: '%.128s' is not supported: there is only '%s'", name,
				LANDLOCK_ANNOTATION);
	}
	return 0;
}

int landlock_prepare(struct landlock *landlock, struct json_value annotations, struct error *error)
{
	struct json_value value = json_get(annotations, LANDLOCK_ANNOTATION);
	const char *text = json_string(value), *without = NULL;
	int r = names_check(annotations, error);

	if (r < 0 || !json_exists(value))
		return r;
	if (!text)
		return error_say(error, -EINVAL, LANDLOCK_ANNOTATION ": it must be a string");
	r = landlock_parse(landlock, text, landlock_abi(), &without, error);
	if (r == 0 && without)
		log_warning(LANDLOCK_ANNOTATION ": this kernel can't restrict %s", without);
	return r;
}

void landlock_deinit(struct landlock *landlock)
{
	for (size_t i = 0; i < landlock->n_rules; i++)
		free(landlock->rules[i].path);
	free(landlock->rules);
	*landlock = (struct landlock){};
}

static int path_allow(int ruleset_fd, int root_fd, const struct landlock *landlock,
		      const struct landlock_rule *rule)
{
	_cleanup_close_ int fd = path_open_in_root(root_fd, rule->path, O_PATH, 0);
	struct path_attributes attributes = { .access = rule->access & landlock->handled_files,
					      .parent_fd = fd };
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		attributes.access &= FS_OF_FILES;
	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &attributes, 0) < 0
		       ? -errno
		       : 0;
}

static int port_allow(int ruleset_fd, const struct landlock *landlock,
		      const struct landlock_rule *rule)
{
	struct port_attributes attributes = { .access = rule->access & landlock->handled_ports,
					      .port = rule->port };

	if (!attributes.access)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_NET_PORT, &attributes, 0) < 0
		       ? -errno
		       : 0;
}

static int rules_add(int ruleset_fd, const struct landlock *landlock, struct error *error)
{
	_cleanup_close_ int root_fd = fd_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root_fd < 0)
		return error_set(error, -errno, LANDLOCK_ANNOTATION ": cannot open the root");
	for (size_t i = 0; i < landlock->n_rules; i++) {
		const struct landlock_rule *rule = &landlock->rules[i];
		int r;

		if (!rule->path) {
			r = port_allow(ruleset_fd, landlock, rule);
			if (r < 0)
				return error_set(error, r, LANDLOCK_ANNOTATION ": port %u",
						 (unsigned int)rule->port);
		} else if (landlock->handled_files) {
			r = path_allow(ruleset_fd, root_fd, landlock, rule);
			if (r < 0)
				return error_set(error, r, LANDLOCK_ANNOTATION ": '%s'",
						 rule->path);
		}
	}
	return 0;
}

int landlock_restrict(const struct landlock *landlock, struct error *error)
{
	struct ruleset_attributes attributes = {
		.handled_files = landlock->handled_files,
		.handled_ports = landlock->handled_ports,
		.scopes = landlock->scopes,
	};
	_cleanup_close_ int fd = -EBADF;
	int r;

	/* Nothing is left of it on this kernel. */
	if (!attributes.handled_files && !attributes.handled_ports && !attributes.scopes)
		return 0;
	/* An older kernel takes the longer structure: what it doesn't know is 0. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (fd < 0)
		return error_set(error, -errno, LANDLOCK_ANNOTATION ": cannot make a ruleset");
	r = rules_add(fd, landlock, error);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return error_set(error, -errno, LANDLOCK_ANNOTATION ": cannot be put on");
	return 0;
}
