/* SPDX-License-Identifier: MIT */
/* layerfs copy: the copy engine, as cp -a. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/trace.h"
#include "fs/copy/copy.h"
#include "tools/layerfs/verbs.h"

struct copy_verb_options {
	const char *reflink;
	const char *reading;
	bool verbose;
};

#define OPTION(field) .offset = offsetof(struct copy_verb_options, field)

static const struct command_option options[] = {
	{ .name = "reflink",
	  .type = OPTION_OPTIONAL,
	  OPTION(reflink),
	  .argument = "WHEN",
	  .help = "share blocks: auto (where the file system can), always (alone: the same), "
		  "never" },
	{ .name = "reading", .type = OPTION_STRING, OPTION(reading), .argument = "HOW" },
	{ .name = "verbose",
	  .letter = 'v',
	  .type = OPTION_FLAG,
	  OPTION(verbose),
	  .help = "say on standard error how much was copied" },
};

/* One of the words of an option's value: its place among them. */
static int word_index(const char *option, const char *word, const char *const words[],
		      struct error *error)
{
	for (int i = 0; i < 3; i++) {
		if (!word || !strcmp(word, words[i]))
			return i;
	}
	return error_usage(error, "option '--%s' is %s, %s or %s, not '%s'", option, words[0],
			   words[1], words[2], word);
}

static int copy_options_parse(const struct copy_verb_options *given,
			      struct copy_options *copy_options, struct error *error)
{
	static const char *const reflinks[] = { "auto", "always", "never" };
	static const char *const readings[] = { "auto", "plain", "ahead" };
	const char *reflink = given->reflink && !*given->reflink ? "always" : given->reflink;
	int r = word_index("reflink", reflink, reflinks, error);

	if (r < 0)
		return r;
	copy_options->reflink = (enum copy_reflink)r;
	r = word_index("reading", given->reading, readings, error);
	if (r < 0)
		return r;
	copy_options->reading = (enum copy_reading)r;
	return 0;
}

/*
 * A path that the user typed, as the directory it is in and its last component. The last one is
 * "." where it can only be a directory: "a/", "a/.", "..", "/".
 */
static int parent_open(const char *path, char *name, size_t n_name, struct error *error)
{
	const char *last = strrchr(path, '/');
	_cleanup_close_ int fd = -EBADF;
	char parent[PATH_MAX];
	size_t n;

	last = last ? last + 1 : path;
	if (!*last || !strcmp(last, ".") || !strcmp(last, ".."))
		last = path + strlen(path);
	n = (size_t)(last - path);
	if (!*path || n >= sizeof(parent) || strlen(last) >= n_name)
		return error_set(error, *path ? -ENAMETOOLONG : -ENOENT, "cannot open '%s'", path);
	memcpy(parent, path, n);
	parent[n] = '\0';
	fd = open(n ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s'", n ? parent : ".");
	snprintf(name, n_name, "%s", *last ? last : ".");
	return take_fd(&fd);
}

static int copy_file_into(int source_fd, const char *source_name, const char *destination,
			  const struct copy_options *copy_options, struct copy_stats *stats,
			  struct error *error)
{
	_cleanup_close_ int directory_fd = open(destination, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	_cleanup_close_ int parent_fd = -EBADF;

	if (directory_fd >= 0)
		return copy_entry(source_fd, source_name, directory_fd, source_name, copy_options,
				  stats, error);
	parent_fd = parent_open(destination, name, sizeof(name), error);
	if (parent_fd < 0)
		return parent_fd;
	return copy_entry(source_fd, source_name, parent_fd, name, copy_options, stats, error);
}

static int copy_directory_to(int source_fd, const char *destination,
			     struct copy_options *copy_options, struct copy_stats *stats,
			     struct error *error)
{
	_cleanup_close_ int directory_fd = -EBADF;

	/* 0700 until everything is in it: nobody looks into what isn't complete. */
	if (mkdir(destination, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make '%s'", destination);
	directory_fd = open(destination, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return error_set(error, -errno, "cannot open '%s'", destination);
	copy_options->flags = COPY_ROOT_METADATA;
	return copy_tree(source_fd, directory_fd, copy_options, stats, error);
}

/* Neither hidden nor fatal. */
static void report(const struct copy_stats *stats, bool verbose)
{
	const struct {
		uint64_t n;
		const char *words;
	} dropped[] = {
		{ stats->n_owners_dropped, "owners are the caller's: not allowed to set them" },
		{ stats->n_xattrs_dropped, "extended attributes are gone: not allowed there" },
		{ stats->n_links_dropped, "hard links became files of their own" },
	};

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		if (dropped[i].n)
			fprintf(stderr, "layerfs: copy: %" PRIu64 " %s\n", dropped[i].n,
				dropped[i].words);
	}
	if (verbose)
		fprintf(stderr,
			"layerfs: copy: %" PRIu64 " directories, %" PRIu64 " files (%" PRIu64
			" bytes, %" PRIu64 " files cloned), %" PRIu64 " further links, %" PRIu64
			" others\n",
			stats->n_directories, stats->n_files, stats->n_bytes, stats->n_cloned,
			stats->n_links, stats->n_others);
}

static int copy_run(const struct command_call *call, struct error *error)
{
	TRACE_PHASE("copy");
	const struct copy_verb_options *given = call->options;
	const char *source = call->argv[0], *destination = call->argv[1];
	struct copy_options copy_options = {};
	struct copy_stats stats = {};
	_cleanup_close_ int parent_fd = -EBADF;
	char name[NAME_MAX + 1];
	struct stat st;
	int r = copy_options_parse(given, &copy_options, error);

	if (r < 0)
		return r;
	parent_fd = parent_open(source, name, sizeof(name), error);
	if (parent_fd < 0)
		return parent_fd;
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(error, -errno, "cannot open '%s'", source);
	if (S_ISDIR(st.st_mode)) {
		_cleanup_close_ int source_fd =
			openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (source_fd < 0)
			return error_set(error, -errno, "cannot open '%s'", source);
		r = copy_directory_to(source_fd, destination, &copy_options, &stats, error);
	} else {
		r = copy_file_into(parent_fd, name, destination, &copy_options, &stats, error);
	}
	report(&stats, given->verbose);
	return r < 0 ? error_prefix(error, r, "'%s' to '%s'", source, destination) : 0;
}

const struct command copy_command = {
	.name = "copy",
	.arguments = "SOURCE DESTINATION",
	.summary = "Copy a file or a tree with all that belongs to it, as cp -a.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct copy_verb_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = copy_run,
};
