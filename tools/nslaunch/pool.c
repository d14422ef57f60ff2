/* SPDX-License-Identifier: MIT */
/*
 * nslaunch pool: network namespaces, cgroups and /dev instances that starts take, each once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/table.h"
#include "launch/pool_fill.h"
#include "launch/template.h"
#include "tools/nslaunch/container.h"

#define FIELD(field) offsetof(struct pool_options, field)

#define N_DEFAULT 8
/* More than a machine starts in seconds; a network namespace takes some 100 kB. */
#define N_MAX 4096

const struct command_option pool_options[] = {
	{ .letter = 'n',
	  .name = "number",
	  .type = OPTION_UINT,
	  .offset = FIELD(n),
	  .argument = "N",
	  .help = "fill: until there are N of each kind; 8 if not said" },
	{ .name = "net",
	  .type = OPTION_FLAG,
	  .offset = FIELD(network),
	  .help = "fill: network namespaces; all kinds where none is said" },
	{ .name = "cgroup", .type = OPTION_FLAG, .offset = FIELD(cgroup), .help = "fill: cgroups" },
	{ .name = "dev",
	  .type = OPTION_FLAG,
	  .offset = FIELD(dev),
	  .help = "fill: file systems for /dev with the default devices" },
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = FIELD(json),
	  .help = "status: JSON lines" },
	{ .name = "template",
	  .type = OPTION_FLAG,
	  .offset = FIELD(template),
	  .help = "drain: the template of the mounts too; see run's --template" },
};

static int fill(const struct command_call *call, const char *state_path, struct error *error)
{
	const struct pool_options *given = call->options;
	unsigned int kinds = 0;

	if (given->n > N_MAX)
		return error_usage(error, "option '--number' takes at most %d", N_MAX);
	if (given->network)
		kinds |= 1u << POOL_NETWORK;
	if (given->cgroup)
		kinds |= 1u << POOL_CGROUP;
	if (given->dev)
		kinds |= 1u << POOL_DEV;
	return pool_fill(state_path, kinds ? kinds : (1u << POOL_N_KINDS) - 1,
			 given->n ? given->n : N_DEFAULT, error);
}

static int row_add(struct table *table, const char *kind, size_t n_ready, size_t n_left)
{
	char ready[24], left[24];
	int r = table_add(table, kind);

	snprintf(ready, sizeof(ready), "%zu", n_ready);
	snprintf(left, sizeof(left), "%zu", n_left);
	if (r == 0)
		r = table_add(table, ready);
	return r == 0 ? table_add(table, left) : r;
}

static int line_print(const char *kind, size_t n_ready, size_t n_left)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "kind", kind);
	json_write_uint(&writer, "ready", n_ready);
	json_write_uint(&writer, "left", n_left);
	json_write_object_end(&writer);
	r = json_writer_status(&writer);
	if (r < 0)
		return r;
	return printf("%.*s\n", (int)writer.buffer.n_bytes, writer.buffer.bytes) < 0 ? -EIO : 0;
}

static int status(const struct command_call *call, const char *state_path, struct error *error)
{
	static const char *const columns[] = { "KIND", "READY", "LEFT" };
	const struct pool_options *given = call->options;
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 3 };
	struct pool_status found;
	int r = pool_count(state_path, &found, error);

	if (r < 0)
		return r;
	for (enum pool_kind kind = 0; r == 0 && kind < POOL_N_KINDS; kind++) {
		const char *name = pool_kind_name(kind);

		r = given->json ? line_print(name, found.n_ready[kind], found.n_left[kind])
				: row_add(&table, name, found.n_ready[kind], found.n_left[kind]);
	}
	if (r == 0 && !given->json)
		r = table_print(&table, stdout, isatty(STDOUT_FILENO));
	return r < 0 ? error_set(error, r, "cannot print") : 0;
}

static int drain(const struct command_call *call, const char *state_path, struct error *error)
{
	const struct pool_options *given = call->options;
	const char *template = getenv("LAMINA_TEMPLATE");
	int r = pool_drain(state_path, error);

	if (r < 0 || !given->template || (template && !strcmp(template, "no")))
		return r;
	return template_remove(template && *template ? template : TEMPLATE_PATH, error);
}

int verb_pool(const struct command_call *call, struct error *error)
{
	const char *state_path = container_state_path(call, error);
	const char *verb = call->argv[0];

	if (!state_path)
		return error->code;
	if (geteuid() != 0)
		return error_say(error, -EPERM, "only root's containers can take from a pool");
	if (!strcmp(verb, "fill"))
		return fill(call, state_path, error);
	if (!strcmp(verb, "drain"))
		return drain(call, state_path, error);
	if (!strcmp(verb, "status"))
		return status(call, state_path, error);
	return error_usage(error, "unknown word '%s': fill, drain or status", verb);
}
