/* SPDX-License-Identifier: MIT */
/* initlayer: adds the layer with the files that a runtime must find under every root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/stream.h"
#include "base/trace.h"
#include "fs/rootfs/init_layer.h"

struct globals {
	const char *store;
};

struct options {
	struct string_list bundles;
	const char *rootfs;
	const char *owner;
	bool list;
	bool nul;
};

static const struct command_option global_options[] = {
	{ .name = "store",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct globals, store),
	  .argument = "DIR",
	  .help = "the store of bundles that are in none (default: /var/lib/lamina)",
	  .environment = "LAMINA_STORE" },
};

#define OPTION(field) .offset = offsetof(struct options, field)

static const struct command_option command_options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPTION_LIST,
	  OPTION(bundles),
	  .argument = "BUNDLE",
	  .help = "the bundle, as an argument" },
	{ .name = "rootfs",
	  .type = OPTION_STRING,
	  OPTION(rootfs),
	  .argument = "DIR",
	  .help = "make the files in a plain directory" },
	{ .name = "owner",
	  .type = OPTION_STRING,
	  OPTION(owner),
	  .argument = "UID:GID",
	  .help = "the host's ids of the container's root (default: the caller's)" },
	{ .name = "list",
	  .type = OPTION_FLAG,
	  OPTION(list),
	  .help = "print what is made: path, type, and a link's target" },
	{ .name = "null",
	  .letter = '0',
	  .type = OPTION_FLAG,
	  OPTION(nul),
	  .help = "paths end with NUL, read and printed" },
};

struct run {
	const struct command_call *call;
	const struct options *given;
	struct root_identity identity;
	struct store store; /* of the bundle before */
	struct init_layer_cache cache;
	char separator;
	bool failed;
};

static int list_print(void)
{
	static const char *const types[] = { "directory", "file", "link" };

	for (size_t i = 0; i < init_layer_table_entries; i++) {
		const struct init_layer_entry *entry = &init_layer_table[i];

		printf("%s\t%s%s%s\n", entry->path, types[entry->type], entry->target ? "\t" : "",
		       entry->target ? entry->target : "");
	}
	return 0;
}

static int owner_parse(const char *text, struct root_identity *ret, struct error *error)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	_cleanup_free_ char *left = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	uint64_t uid, gid;

	if (!text) {
		*ret = (struct root_identity){ geteuid(), getegid() };
		return 0;
	}
	/* 4294967295 is -1, which chown(2) takes for "leave it". */
	if (!left || string_to_uint64(left, UINT32_MAX - 1, &uid) < 0 ||
	    string_to_uint64(colon + 1, UINT32_MAX - 1, &gid) < 0)
		return error_usage(error, "option '--owner' takes UID:GID, not '%s'", text);
	*ret = (struct root_identity){ (uid_t)uid, (gid_t)gid };
	return 0;
}

static int rootfs_apply(const char *rootfs, struct root_identity identity, struct error *error)
{
	_cleanup_close_ int fd = fd_open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s'", rootfs);
	r = init_layer_apply(fd, identity, error);
	return r < 0 ? error_prefix(error, r, "'%s'", rootfs) : 0;
}

/* "STORE/containers/ID" is in STORE, whatever --store says; other bundles use that. */
static char *store_path_of(const struct run *run, const struct bundle *bundle)
{
	static const char middle[] = "/containers/";
	const struct globals *globals = run->call->globals;
	size_t n_middle = sizeof(middle) - 1;
	size_t n = (size_t)(bundle->id - bundle->path);

	if (n > n_middle && !strncmp(bundle->id - n_middle, middle, n_middle))
		return strndup(bundle->path, n - n_middle);
	return globals->store && *globals->store ? strdup(globals->store) : store_default_path();
}

/* The store's lock is held for one bundle at a time, never while a line is waited for. */
static int store_enter(struct run *run, const struct bundle *bundle, struct error *error)
{
	_cleanup_free_ char *path = store_path_of(run, bundle);
	int r;

	if (!path)
		return error_say(error, -ENOENT, "there is no default for the store: use --store");
	if (run->store.path && !strcmp(run->store.path, path)) {
		r = lock_take(run->store.lock_fd, LOCK_MODE_SHARED);
		return r < 0 ? error_set(error, r, "cannot lock the store '%s'", path) : 0;
	}
	store_close(&run->store);
	init_layer_cache_deinit(&run->cache);
	return store_open(&run->store, path, STORE_USE, error);
}

static int bundle_add(struct run *run, const char *path, struct error *error)
{
	_cleanup_bundle_ struct bundle bundle = BUNDLE_EMPTY;
	int r = bundle_open(&bundle, path, LOCK_MODE_EXCLUSIVE, error);

	if (r == 0)
		r = store_enter(run, &bundle, error);
	if (r < 0)
		return r;
	r = init_layer_add(&run->store, &bundle, run->identity, &run->cache, error);
	lock_release(run->store.lock_fd);
	return r;
}

/* The bundle is unlocked before its path is out: whoever reads that locks it next. */
static int bundle_visit(struct run *run, const char *path, struct error *error)
{
	TRACE_PHASE("layer.add");
	int r = bundle_add(run, path, error);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", run->call->tool->name, error->message);
		error_init(error);
		run->failed = true;
		return 0;
	}
	r = path_stream_write(STDOUT_FILENO, path, run->separator);
	return r < 0 ? error_set(error, r, "cannot write out '%s'", path) : 0;
}

static int bundles_visit(struct run *run, struct error *error)
{
	const struct command_call *call = run->call;
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator = run->separator };
	const char *path;
	int r = 0;

	STRING_LIST_FOR_EACH (&run->given->bundles, i) {
		if (r == 0)
			r = bundle_visit(run, run->given->bundles.items[i], error);
	}
	for (int i = 0; i < call->argc && r == 0; i++)
		r = bundle_visit(run, call->argv[i], error);
	if (run->given->bundles.n_items > 0 || call->argc > 0)
		return r;
	while (r == 0 && (r = path_stream_next(&stream, &path, error)) > 0)
		r = bundle_visit(run, path, error);
	return r;
}

static int initlayer(const struct command_call *call, struct error *error)
{
	struct run run = { .call = call, .given = call->options, .store = STORE_EMPTY };
	int r;

	if (run.given->list)
		return list_print();
	r = owner_parse(run.given->owner, &run.identity, error);
	if (r < 0)
		return r;
	if (run.given->rootfs && (call->argc > 0 || run.given->bundles.n_items > 0))
		return error_usage(error, "option '--rootfs' takes no bundles");
	if (run.given->rootfs)
		return rootfs_apply(run.given->rootfs, run.identity, error);
	run.separator = run.given->nul ? '\0' : '\n';
	r = bundles_visit(&run, error);
	init_layer_cache_deinit(&run.cache);
	store_close(&run.store);
	return r < 0 ? r : run.failed;
}

static const struct command command = {
	.arguments = "[BUNDLE...]",
	.summary = "Add the layer with the files that a runtime must find under every root.",
	.options = command_options,
	.n_options = sizeof(command_options) / sizeof(command_options[0]),
	.options_bytes = sizeof(struct options),
	.max_arguments = -1,
	.run = initlayer,
};

int main(int argc, char *argv[])
{
	static const struct tool tool = {
		.name = "initlayer",
		.globals = global_options,
		.n_globals = sizeof(global_options) / sizeof(global_options[0]),
		.globals_bytes = sizeof(struct globals),
		.commands = &command,
		.n_commands = 1,
	};

	return command_main(&tool, argc, argv);
}
