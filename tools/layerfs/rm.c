/* SPDX-License-Identifier: MIT */
/* layerfs rm: remove bundles. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/process.h"
#include "base/stream.h"
#include "base/trace.h"
#include "fs/rootfs/remove.h"
#include "fs/volume/attach.h"
#include "fs/volume/lines.h"
#include "tools/layerfs/verbs.h"

struct rm_options {
	bool incomplete;
	bool force;
	bool wait;
	bool when_free;
	bool volumes;
	bool nul;
};

#define OPTION(field) .offset = offsetof(struct rm_options, field)

static const struct command_option options[] = {
	{ .name = "incomplete",
	  .type = OPTION_FLAG,
	  OPTION(incomplete),
	  .help = "only those without a config.json, or made with --rm; without arguments, all "
		  "such in the store" },
	{ .name = "force",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  OPTION(force),
	  .help = "unmount what is mounted, and don't mind what isn't there" },
	{ .name = "wait",
	  .type = OPTION_FLAG,
	  OPTION(wait),
	  .help = "return when all is deleted, not when it is in the trash" },
	{ .name = "when-free",
	  .type = OPTION_FLAG,
	  OPTION(when_free),
	  .help = "wait until nothing runs in it or has it mounted, however long that takes" },
	{ .name = "volumes",
	  .letter = 'v',
	  .type = OPTION_FLAG,
	  OPTION(volumes),
	  .help = "its volumes that nobody named and nothing else uses go too" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

struct removal {
	const struct command_call *call;
	const struct rm_options *given;
	struct store store;
	struct string_list trash;
	char separator;
	int n_failed;
};

static void failure_print(struct removal *removal, const struct error *error)
{
	fprintf(stderr, "%s: rm: %s\n", removal->call->tool->name, error->message);
	removal->n_failed++;
}

/* The store's lock, which rmi waits for, is not held meanwhile. */
static int free_wait(struct removal *removal, const char *id, struct error *error)
{
	int r;

	lock_release(removal->store.lock_fd);
	r = bundle_wait(&removal->store, id, error);
	if (r < 0)
		return r;
	r = lock_take(removal->store.lock_fd, LOCK_MODE_SHARED);
	return r < 0 ? error_set(error, r, "cannot lock the store '%s'", removal->store.path) : 0;
}

static int volumes_remove(const struct removal *removal, const char *id, unsigned int flags,
			  struct error *error)
{
	const struct store *store = &removal->store;
	_cleanup_free_ char *path = string_format("%s/containers/%s", store->path, id);
	_cleanup_free_ char *mounts = string_format("containers/%s/" MOUNTS_FILE, id);
	int r;

	if (!path || !mounts)
		return error_set(error, -ENOMEM, "cannot remove volumes");
	/* Mostly there are none. */
	if (faccessat(store->fd, mounts, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = bundle_check_free(store, id, flags, error);
	return r == 0 ? bundle_detach(store->path, path, BUNDLE_DETACH_RM_ANONYMOUS, NULL, error)
		      : r;
}

static int bundle_take_out(struct removal *removal, const char *id, unsigned int flags,
			   struct error *error)
{
	int r = removal->given->when_free ? free_wait(removal, id, error) : 0;

	if (r == 0 && removal->given->volumes)
		r = volumes_remove(removal, id, flags, error);
	if (r == 0)
		r = bundle_remove(&removal->store, id, flags, &removal->trash, error);
	/* Another was faster. */
	if (r == -ENOENT && removal->given->when_free) {
		error_init(error);
		return 0;
	}
	return r;
}

/* One argument or line. Printed as it was given, once the bundle is in the trash. */
static int word_remove(struct removal *removal, const char *word, struct error *error)
{
	TRACE_PHASE("bundle.remove");
	unsigned int flags = (removal->given->incomplete ? BUNDLE_REMOVE_INCOMPLETE : 0) |
			     (removal->given->force ? BUNDLE_REMOVE_UMOUNT : 0);
	char id[CONTAINER_ID_MAX_BYTES + 1];
	int r = bundle_find(&removal->store, word, id, error);

	if (r == 0)
		r = bundle_take_out(removal, id, flags, error);
	if (r == BUNDLE_REMOVE_COMPLETE)
		return 0;
	if (r == -ENOENT && removal->given->force)
		return 0;
	if (r < 0) {
		failure_print(removal, error);
		error_init(error);
		return 0;
	}
	r = path_stream_write(STDOUT_FILENO, word, removal->separator);
	return r < 0 ? error_set(error, r, "cannot write the output") : 0;
}

/* The store's lock is not held while a line is waited for. */
static int stream_remove(struct removal *removal, struct error *error)
{
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator = removal->separator };
	const char *path;
	int r;

	for (;;) {
		lock_release(removal->store.lock_fd);
		r = path_stream_next(&stream, &path, error);
		if (r <= 0)
			return r;
		r = lock_take(removal->store.lock_fd, LOCK_MODE_SHARED);
		if (r < 0)
			return error_set(error, r, "cannot lock the store '%s'",
					 removal->store.path);
		r = word_remove(removal, path, error);
		if (r < 0)
			return r;
	}
}

static int sweep(struct removal *removal, struct error *error)
{
	_cleanup_strings_ struct string_list ids = {};
	int r = bundle_sweep(&removal->store, &ids, &removal->trash, error);

	STRING_LIST_FOR_EACH (&ids, i) {
		_cleanup_free_ char *path =
			string_format("%s/containers/%s", removal->store.path, ids.items[i]);

		if (r == 0)
			r = path ? path_stream_write(STDOUT_FILENO, path, removal->separator)
				 : -ENOMEM;
		if (r < 0 && !error->message[0])
			error_set(error, r, "cannot write the output");
	}
	return r;
}

static int trash_delete(struct removal *removal, struct error *error)
{
	int first = 0;

	STRING_LIST_FOR_EACH (&removal->trash, i) {
		int r = bundle_delete(&removal->store, removal->trash.items[i]);

		if (r < 0 && first == 0)
			first = error_set(error, r, "cannot delete '%s/%s'", removal->store.path,
					  removal->trash.items[i]);
	}
	return first;
}

/* Whoever reads the output must see its end now. */
static void streams_drop(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null_fd >= 0; fd++)
		(void)dup2(null_fd, fd);
}

/*
 * All of it is out of the way by now. What takes longer than a fork is deleted by one; should that
 * be killed, the next sweep finds the rest in the trash.
 */
static int trash_empty(struct removal *removal, struct error *error)
{
	TRACE_PHASE("trash.delete");
	struct string_list *trash = &removal->trash;
	pid_t pid;

	if (trash->n_items == 0)
		return 0;
	/* Who waits for a container's end is in nobody's way. */
	if (removal->given->when_free && !removal->given->wait)
		streams_drop();
	if (removal->given->wait || removal->given->when_free ||
	    (trash->n_items == 1 && bundle_is_small(&removal->store, trash->items[0])))
		return trash_delete(removal, error);
	pid = process_fork(0, -1, NULL);
	if (pid < 0)
		return trash_delete(removal, error);
	if (pid == 0) {
		streams_drop();
		(void)setsid();
		(void)chdir("/");
		/* Nor does the trash need the store's lock, which rmi waits for. */
		cleanup_close(&removal->store.lock_fd);
		(void)trash_delete(removal, error);
		_exit(0);
	}
	return 0;
}

static int rm(const struct command_call *call, struct error *error)
{
	_cleanup_(store_close) struct store store = STORE_EMPTY;
	_cleanup_strings_ struct string_list trash = {};
	struct removal removal = { .call = call, .given = call->options };
	int r, deleted;

	if (removal.given->volumes && removal.given->incomplete)
		return error_usage(error, "'--volumes' and '--incomplete' exclude each other");
	r = layerfs_store_open(call, &store, STORE_USE, error);
	if (r < 0)
		return r;
	removal.store = store;
	removal.separator = removal.given->nul ? '\0' : '\n';
	if (call->argc == 0 && removal.given->incomplete)
		r = sweep(&removal, error);
	else if (call->argc == 0 || (call->argc == 1 && !strcmp(call->argv[0], "-")))
		r = stream_remove(&removal, error);
	for (int i = 0; i < call->argc && r == 0 && strcmp(call->argv[0], "-"); i++)
		r = word_remove(&removal, call->argv[i], error);
	trash = removal.trash;
	/* Also after a failure: what has been moved is gone for everybody. */
	deleted = trash_empty(&removal, error);
	if (r < 0 || deleted < 0)
		return r < 0 ? r : deleted;
	return removal.n_failed > 0 ? 1 : 0;
}

const struct command rm_command = {
	.name = "rm",
	.arguments = "[BUNDLE|NAME|ID...]",
	.summary = "Remove bundles, those named or those whose paths come on standard input.",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.options_bytes = sizeof(struct rm_options),
	.max_arguments = -1,
	.run = rm,
};
