/* SPDX-License-Identifier: MIT */
/* layerfs create: bundles from an image. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/overlay.h"
#include "base/stream.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "fs/rootfs/create.h"
#include "fs/rootfs/remove.h"
#include "tools/layerfs/verbs.h"

struct create_options {
	const char *name;
	const char *id;
	const char *count;
	const char *ephemeral;
	const char *cidfile;
	uint64_t max_depth;
	bool rm;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct create_options, field)

static const struct command_option options[] = {
	{ .name = "name",
	  .type = OPTION_STRING,
	  OPTION(name),
	  .argument = "NAME",
	  .help = "the container's name" },
	{ .name = "id",
	  .type = OPTION_STRING,
	  OPTION(id),
	  .argument = "ID",
	  .help = "its id (default: 64 random hex digits)" },
	{ .name = "count",
	  .letter = 'n',
	  .type = OPTION_STRING,
	  OPTION(count),
	  .argument = "COUNT",
	  .help = "make COUNT bundles" },
	{ .name = "ephemeral",
	  .type = OPTION_OPTIONAL,
	  OPTION(ephemeral),
	  .argument = "SIZE",
	  .help = "keep the read-write layer in memory, SIZE at most" },
	{ .name = "cidfile",
	  .type = OPTION_STRING,
	  OPTION(cidfile),
	  .argument = "FILE",
	  .help = "write the id to FILE, which must not exist" },
	{ .name = "rm",
	  .type = OPTION_FLAG,
	  OPTION(rm),
	  .help = "it is to be removed at its end: a sweep takes it when nobody holds it" },
	{ .name = "max-depth",
	  .type = OPTION_UINT,
	  OPTION(max_depth),
	  .argument = "N",
	  .help = "refuse images of more than N layers (default: 127, at most 500)" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "end paths with NUL, not with a line break" },
};

/* What the command line means, checked before anything is made. */
struct create_plan {
	struct bundle_request request;
	const char *name;
	const char *id;
	const char *cidfile;
	uint64_t n_bundles;
	char separator;
};

static int count_parse(const struct create_options *given, struct create_plan *plan,
		       struct error *error)
{
	plan->n_bundles = 1;
	if (given->count && (string_to_uint64(given->count, UINT32_MAX, &plan->n_bundles) < 0 ||
			     plan->n_bundles == 0))
		return error_usage(error, "option '--count' takes a number from 1 on, not '%s'",
				   given->count);
	if (plan->n_bundles > 1 && (given->name || given->id || given->cidfile))
		return error_usage(error, "option '--%s' is for one bundle, not for %s",
				   given->name ? "name"
				   : given->id ? "id"
					       : "cidfile",
				   given->count);
	return 0;
}

static int plan_make(const struct command_call *call, struct create_plan *plan, struct error *error)
{
	TRACE_PHASE("cli.parse");
	const struct create_options *given = call->options;
	int r = count_parse(given, plan, error);

	if (r < 0)
		return r;
	if (given->name && !container_name_is_valid(given->name))
		return error_say(error, -EINVAL,
				 "bad name '%s': it takes [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most %d "
				 "bytes",
				 given->name, CONTAINER_NAME_MAX_BYTES);
	if (given->id && !container_id_is_valid(given->id))
		return error_say(
			error, -EINVAL,
			"bad id '%s': it takes [a-zA-Z0-9_][a-zA-Z0-9_.-]*, at most %d bytes",
			given->id, CONTAINER_ID_MAX_BYTES);
	if (given->max_depth > OVERLAY_MAX_LOWERS)
		return error_usage(error, "option '--max-depth' is at most %d, overlayfs's limit",
				   OVERLAY_MAX_LOWERS);
	if (given->ephemeral && *given->ephemeral &&
	    string_to_bytes(given->ephemeral, &plan->request.ephemeral_bytes) < 0)
		return error_usage(error, "option '--ephemeral' takes a size such as 64m, not '%s'",
				   given->ephemeral);
	plan->request.ephemeral = given->ephemeral;
	plan->request.auto_remove = given->rm;
	plan->request.max_depth = given->max_depth;
	plan->request.reference = call->argv[0];
	plan->name = given->name;
	plan->id = given->id;
	plan->cidfile = given->cidfile;
	plan->separator = given->nul ? '\0' : '\n';
	return 0;
}

/* Docker's words (cli/command/container/create.go). */
static int cidfile_refuse(const char *cidfile, struct error *error)
{
	return error_say(error, -EEXIST,
			 "container ID file found, make sure the other container isn't running or "
			 "delete %s",
			 cidfile);
}

static int cidfile_check(const char *cidfile, struct error *error)
{
	if (cidfile && faccessat(AT_FDCWD, cidfile, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return cidfile_refuse(cidfile, error);
	return 0;
}

/* Whole or not there, and never over a file that is there: without a line break, as Docker's. */
static int cidfile_write(const char *cidfile, const char *id, struct error *error)
{
	char aside[PATH_MAX];
	int r = snprintf(aside, sizeof(aside), "%s.%d.tmp", cidfile, (int)getpid());

	if (r < 0 || (size_t)r >= sizeof(aside))
		return error_set(error, -ENAMETOOLONG, "cannot write '%s'", cidfile);
	r = file_write_at(AT_FDCWD, aside, id, strlen(id), 0644);
	if (r < 0)
		return error_set(error, r, "cannot write '%s'", cidfile);
	r = sys_renameat2(AT_FDCWD, aside, AT_FDCWD, cidfile, RENAME_NOREPLACE) < 0 ? -errno : 0;
	/* File systems without RENAME_NOREPLACE have links. */
	if (r == -EINVAL && linkat(AT_FDCWD, aside, AT_FDCWD, cidfile, 0) == 0) {
		(void)unlink(aside);
		return 0;
	}
	if (r == 0)
		return 0;
	(void)unlink(aside);
	return r == -EEXIST ? cidfile_refuse(cidfile, error)
			    : error_set(error, r, "cannot write '%s'", cidfile);
}

/* A bundle that nobody will ever hear of. It is unlocked already, and may be gone. */
static void bundle_withdraw(const struct store *store, const char *id)
{
	_cleanup_strings_ struct string_list trash = {};
	struct error ignored;

	error_init(&ignored);
	if (bundle_remove(store, id, BUNDLE_REMOVE_INCOMPLETE, &trash, &ignored) == 0)
		(void)bundle_delete(store, trash.items[0]);
}

/*
 * One bundle, and its path on the stream. The store's lock is not held over the write, which may
 * wait for a slow reader for long: until then the bundle's `layers` hold the image.
 */
static int bundle_create(struct bundle_maker *maker, const struct create_plan *plan,
			 struct error *error)
{
	TRACE_PHASE("bundle.create");
	char id[CONTAINER_ID_MAX_BYTES + 1];
	_cleanup_free_ char *path = NULL;
	int r = bundle_make(maker, plan->id, plan->name, id, error);

	if (r < 0)
		return r;
	path = string_format("%s/containers/%s", maker->store->path, id);
	r = path ? 0 : error_set(error, -ENOMEM, "cannot make a bundle");
	if (r == 0 && plan->cidfile)
		r = cidfile_write(plan->cidfile, id, error);
	lock_release(maker->store->lock_fd);
	if (r == 0) {
		r = path_stream_write(STDOUT_FILENO, path, plan->separator);
		if (r < 0 && plan->cidfile)
			(void)unlink(plan->cidfile);
		if (r < 0)
			error_set(error, r, "cannot write out '%s'", path);
	}
	if (r < 0)
		bundle_withdraw(maker->store, id);
	return r;
}

static int create(const struct command_call *call, struct error *error)
{
	struct create_plan plan = {};
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_bundle_maker_ struct bundle_maker maker = BUNDLE_MAKER_EMPTY;
	int r = plan_make(call, &plan, error);

	if (r == 0)
		r = cidfile_check(plan.cidfile, error);
	if (r == 0)
		r = layerfs_store_open(call, &store, STORE_USE, error);
	if (r == 0)
		r = bundle_maker_init(&maker, &store, &plan.request, error);
	if (r < 0)
		return r;
	/* A reader that goes away (`| head -1`) is an error that is cleaned up after. */
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	for (uint64_t i = 0; i < plan.n_bundles; i++) {
		if (i > 0) {
			r = lock_take(store.lock_fd, LOCK_MODE_SHARED);
			if (r < 0)
				return error_set(error, r, "cannot lock the store '%s'",
						 store.path);
			if (!bundle_maker_image_is_there(&maker))
				return error_say(error, -ENOENT,
						 "the image '%s' was removed meanwhile",
						 plan.request.reference);
		}
		r = bundle_create(&maker, &plan, error);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct command create_command = {
	.name = "create",
	.arguments = "IMAGE",
	.summary = "Make bundles from an image, and print the path of each.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct create_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = create,
};
