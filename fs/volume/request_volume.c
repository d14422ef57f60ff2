/* SPDX-License-Identifier: MIT */
/* -v and --tmpfs. */
#include <string.h>

#include "base/cleanup.h"
#include "fs/volume/internal.h"
#include "fs/volume/request_internal.h"

bool propagation_is_valid(const char *word)
{
	static const char *const words[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i]))
			return true;
	}
	return false;
}

/* What the words of a mode are about; each may come once. */
enum mode_group {
	MODE_ACCESS = 1 << 0,
	MODE_LABEL = 1 << 1,
	MODE_CONSISTENCY = 1 << 2,
	MODE_COPY = 1 << 3,
	MODE_PROPAGATION = 1 << 4,
	MODE_BAD = 0,
};

static enum mode_group mode_group(const char *word)
{
	static const struct {
		const char *word;
		enum mode_group group;
	} words[] = {
		{ "ro", MODE_ACCESS },
		{ "rw", MODE_ACCESS },
		{ "readonly", MODE_ACCESS },
		/* SELinux: there is no policy that lamina would relabel for. */
		{ "z", MODE_LABEL },
		{ "Z", MODE_LABEL },
		/* Docker Desktop's; they mean nothing on Linux. */
		{ "consistent", MODE_CONSISTENCY },
		{ "cached", MODE_CONSISTENCY },
		{ "delegated", MODE_CONSISTENCY },
		{ "nocopy", MODE_COPY },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i].word))
			return words[i].group;
	}
	return propagation_is_valid(word) ? MODE_PROPAGATION : MODE_BAD;
}

static int mode_word_take(struct mount_request *request, const char *word, unsigned int *groups)
{
	enum mode_group group = mode_group(word);
	bool is_bind = request->kind == MOUNT_KIND_BIND;

	if (group == MODE_BAD || *groups & group || (group == MODE_COPY && is_bind) ||
	    (group == MODE_PROPAGATION && !is_bind))
		return -EINVAL;
	*groups |= group;
	if (group == MODE_ACCESS)
		request->is_read_only = strcmp(word, "rw");
	if (group == MODE_COPY)
		request->no_copy = true;
	return group == MODE_PROPAGATION ? string_list_add(&request->options, word) : 0;
}

static int mode_take(struct mount_request *request, char *mode, struct error *error)
{
	unsigned int groups = 0;

	for (char *word = strsep(&mode, ","); word; word = strsep(&mode, ",")) {
		int r = mode_word_take(request, word, &groups);

		if (r == -EINVAL)
			return error_usage(error, "bad option '%s' of a %s", word,
					   request->kind == MOUNT_KIND_BIND ? "bind" : "volume");
		if (r < 0)
			return error_set(error, r, "cannot take a mount");
	}
	return 0;
}

/* "/x", "./x", "..", but no name: Docker's command line has "." since 23.0. */
static bool is_host_path(const char *source)
{
	return *source == '/' || !strcmp(source, ".") || !strcmp(source, "..") ||
	       !strncmp(source, "./", 2) || !strncmp(source, "../", 3);
}

static int source_take(struct mount_request *request, const char *source, struct error *error)
{
	if (is_host_path(source)) {
		request->kind = MOUNT_KIND_BIND;
		request->make_source = true;
		return request_host_path(request, source, error);
	}
	request->kind = MOUNT_KIND_VOLUME;
	request->source = strdup(source);
	if (!request->source)
		return error_set(error, -ENOMEM, "cannot take a mount");
	if (volume_name_check(source, error) < 0) {
		error_prefix(error, -EINVAL, "a host directory is given as an absolute path, and");
		if (error)
			error->usage = true;
		return -EINVAL;
	}
	return 0;
}

static int volume_parse(struct mount_request *request, char *text, struct error *error)
{
	char *fields[3] = {};
	size_t n = 0;
	int r;

	for (char *field = strsep(&text, ":"); field; field = strsep(&text, ":")) {
		if (n == 3 || !*field)
			return error_usage(error, "it takes [NAME|HOST-PATH:]PATH[:OPTIONS]");
		fields[n++] = field;
	}
	if (n == 1) {
		request->kind = MOUNT_KIND_VOLUME;
		request->is_optional = true;
		return request_destination(request, fields[0], error);
	}
	if (n == 2 && *fields[1] != '/' && mode_group(fields[1]) != MODE_BAD)
		return error_usage(error, "options need a source: NAME:PATH:OPTIONS");
	r = source_take(request, fields[0], error);
	if (r == 0)
		r = request_destination(request, fields[1], error);
	return r == 0 && fields[2] ? mode_take(request, fields[2], error) : r;
}

int mount_requests_add_volume(struct mount_requests *requests, const char *text,
			      struct error *error)
{
	_cleanup_(mount_request_deinit) struct mount_request request = {};
	_cleanup_free_ char *copy = strdup(text);
	int r;

	if (!copy)
		return error_set(error, -ENOMEM, "cannot take a mount");
	r = volume_parse(&request, copy, error);
	if (r < 0)
		return error_prefix(error, r, "volume '%s'", text);
	return request_add(requests, &request, error);
}

/* Docker's (moby, volume/mounts and pkg mount flags): the words, and the names of values. */
static bool tmpfs_option_is_valid(const char *option)
{
	static const char words[] = " defaults ro rw suid nosuid dev nodev exec noexec sync async "
				    "dirsync atime noatime diratime nodiratime relatime norelatime "
				    "strictatime nostrictatime ";
	static const char names[] = " mode uid gid nr_inodes nr_blocks size mpol ";
	const char *equals = strchr(option, '=');
	size_t n = equals ? (size_t)(equals - option) : strlen(option);
	const char *list = equals ? names : words;
	const char *found = list;

	while (n && (found = strstr(found, " "))) {
		found++;
		if (!strncmp(found, option, n) && found[n] == ' ')
			return true;
	}
	return false;
}

static bool option_is_given(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; p && *p;) {
		size_t n_option = strcspn(p, ",");

		if (n_option == n && !strncmp(p, word, n))
			return true;
		p += n_option;
		p += *p == ',';
	}
	return false;
}

int tmpfs_options_add(struct mount_request *request, const char *text, struct error *error)
{
	static const char *const defaults[][2] = { { "noexec", "exec" },
						   { "nosuid", "suid" },
						   { "nodev", "dev" } };
	_cleanup_free_ char *copy = strdup(text ? text : "");
	char *rest = copy;
	int r = copy ? 0 : -ENOMEM;

	for (size_t i = 0; i < 3 && r == 0; i++) {
		if (!option_is_given(text, defaults[i][0]) &&
		    !option_is_given(text, defaults[i][1]))
			r = string_list_add(&request->options, defaults[i][0]);
	}
	for (char *option = strsep(&rest, ","); option && r == 0; option = strsep(&rest, ",")) {
		if (!*option)
			continue;
		if (!tmpfs_option_is_valid(option))
			return error_usage(error, "bad tmpfs option '%s'", option);
		if (!strcmp(option, "ro"))
			request->is_read_only = true;
		else if (strcmp(option, "rw") && strcmp(option, "defaults"))
			r = string_list_add(&request->options, option);
	}
	return r < 0 ? error_set(error, r, "cannot take a mount") : 0;
}

int mount_requests_add_tmpfs(struct mount_requests *requests, const char *text, struct error *error)
{
	_cleanup_(mount_request_deinit) struct mount_request request = { .kind = MOUNT_KIND_TMPFS };
	_cleanup_free_ char *copy = strdup(text);
	char *options = copy;
	const char *path;
	int r;

	if (!copy)
		return error_set(error, -ENOMEM, "cannot take a mount");
	path = strsep(&options, ":");
	r = request_destination(&request, path, error);
	if (r == 0)
		r = tmpfs_options_add(&request, options, error);
	if (r < 0)
		return error_prefix(error, r, "tmpfs '%s'", text);
	return request_add(requests, &request, error);
}
