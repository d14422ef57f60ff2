/* SPDX-License-Identifier: MIT */
/*
 * nslaunch update: change the limits of a container that exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/log.h"
#include "launch/group.h"
#include "tools/nslaunch/container.h"

#define FIELD(field)	    offsetof(struct update_options, field)
#define RESOURCES_MAX_BYTES (1u << 20)

#define VALUE(NAME, MEMBER, ARGUMENT, HELP)                                                        \
	{                                                                                          \
		.name = NAME, .type = OPTION_STRING, .offset = FIELD(MEMBER),                      \
		.argument = ARGUMENT, .help = HELP                                                 \
	}

const struct command_option update_options[] = {
	{ .name = "resources",
	  .letter = 'r',
	  .type = OPTION_STRING,
	  .offset = FIELD(resources),
	  .argument = "FILE",
	  .help = "what changes, as linux.resources of a config.json; - is standard input" },
	VALUE("memory", memory, "BYTES", "memory limit; -1 is none"),
	VALUE("memory-reservation", memory_reservation, "BYTES", "what reclaim leaves alone"),
	VALUE("memory-swap", memory_swap, "BYTES", "limit of memory and swap together; -1 is none"),
	VALUE("kernel-memory", kernel_memory, "BYTES", "ignored: kernels no longer limit it"),
	VALUE("kernel-memory-tcp", kernel_memory_tcp, "BYTES", "memory of TCP buffers (cgroup v1)"),
	VALUE("cpu-period", cpu_period, "US", "microseconds that a quota is for"),
	VALUE("cpu-quota", cpu_quota, "US",
	      "microseconds of processor time a period; -1 is no limit"),
	VALUE("cpu-burst", cpu_burst, "US", "unused time that may be caught up in a period"),
	VALUE("cpu-share", cpu_share, "N", "weight against other containers, 2 to 262144"),
	VALUE("cpu-rt-period", cpu_rt_period, "US", "period of the real-time budget (cgroup v1)"),
	VALUE("cpu-rt-runtime", cpu_rt_runtime, "US", "real-time budget a period (cgroup v1)"),
	VALUE("cpu-idle", cpu_idle, "0|1", "1: only what nobody else wants"),
	VALUE("cpuset-cpus", cpuset_cpus, "LIST", "processors, such as 0-2,7"),
	VALUE("cpuset-mems", cpuset_mems, "LIST", "memory nodes"),
	VALUE("blkio-weight", blkio_weight, "N", "weight of disk access, 10 to 1000"),
	VALUE("pids-limit", pids_limit, "N", "most processes and threads; -1 is no limit"),
	VALUE("l3-cache-schema", l3_cache_schema, "TEXT",
	      "Intel RDT: a line of the L3 cache's schemata"),
	VALUE("mem-bw-schema", mem_bw_schema, "TEXT",
	      "Intel RDT: a line of the memory bandwidth's schemata"),
};

enum value_kind {
	VALUE_BYTES, /* Docker's sizes, or -1 */
	VALUE_NUMBER,
	VALUE_TEXT,
};

static const struct {
	const char *section, *member, *option;
	size_t offset;
	enum value_kind kind;
} values[] = {
	{ "memory", "limit", "memory", FIELD(memory), VALUE_BYTES },
	{ "memory", "reservation", "memory-reservation", FIELD(memory_reservation), VALUE_BYTES },
	{ "memory", "swap", "memory-swap", FIELD(memory_swap), VALUE_BYTES },
	{ "memory", "kernel", "kernel-memory", FIELD(kernel_memory), VALUE_BYTES },
	{ "memory", "kernelTCP", "kernel-memory-tcp", FIELD(kernel_memory_tcp), VALUE_BYTES },
	{ "cpu", "period", "cpu-period", FIELD(cpu_period), VALUE_NUMBER },
	{ "cpu", "quota", "cpu-quota", FIELD(cpu_quota), VALUE_NUMBER },
	{ "cpu", "burst", "cpu-burst", FIELD(cpu_burst), VALUE_NUMBER },
	{ "cpu", "shares", "cpu-share", FIELD(cpu_share), VALUE_NUMBER },
	{ "cpu", "realtimePeriod", "cpu-rt-period", FIELD(cpu_rt_period), VALUE_NUMBER },
	{ "cpu", "realtimeRuntime", "cpu-rt-runtime", FIELD(cpu_rt_runtime), VALUE_NUMBER },
	{ "cpu", "idle", "cpu-idle", FIELD(cpu_idle), VALUE_NUMBER },
	{ "cpu", "cpus", "cpuset-cpus", FIELD(cpuset_cpus), VALUE_TEXT },
	{ "cpu", "mems", "cpuset-mems", FIELD(cpuset_mems), VALUE_TEXT },
	{ "blockIO", "weight", "blkio-weight", FIELD(blkio_weight), VALUE_NUMBER },
	{ "pids", "limit", "pids-limit", FIELD(pids_limit), VALUE_NUMBER },
};

static int number_parse(const char *text, enum value_kind kind, int64_t *ret_number)
{
	const char *digits = text + (*text == '-');
	uint64_t number;
	int r;

	/* A size below 0 is no limit. */
	r = kind == VALUE_BYTES && *text != '-' ? string_to_bytes(text, &number)
						: string_to_uint64(digits, INT64_MAX, &number);
	if (r < 0 || number > INT64_MAX)
		return -EINVAL;
	*ret_number = *text == '-' ? -(int64_t)number : (int64_t)number;
	return 0;
}

static int value_write(struct json_writer *writer, size_t i, const char *text, struct error *error)
{
	int64_t number;

	if (values[i].kind == VALUE_TEXT) {
		json_write_string(writer, values[i].member, text);
		return 0;
	}
	if (number_parse(text, values[i].kind, &number) < 0)
		return error_usage(error, "option '--%s' takes a %s, not '%s'", values[i].option,
				   values[i].kind == VALUE_BYTES ? "size" : "number", text);
	json_write_int(writer, values[i].member, number);
	return 0;
}

/* The options as linux.resources. */
static int options_to_json(const struct update_options *options, struct json_document *document,
			   struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	const char *open = NULL;
	int r = 0;

	json_write_object_begin(&writer, NULL);
	for (size_t i = 0; r == 0 && i < sizeof(values) / sizeof(values[0]); i++) {
		const char *text = *(const char *const *)((const char *)options + values[i].offset);

		if (!text)
			continue;
		if (!open || strcmp(open, values[i].section) != 0) {
			if (open)
				json_write_object_end(&writer);
			open = values[i].section;
			json_write_object_begin(&writer, open);
		}
		r = value_write(&writer, i, text, error);
	}
	if (r < 0)
		return r;
	if (open)
		json_write_object_end(&writer);
	json_write_object_end(&writer);
	r = json_writer_status(&writer);
	if (r < 0)
		return error_set(error, r, "cannot update");
	return json_parse(document, writer.buffer.bytes, writer.buffer.n_bytes, error);
}

static int resources_read(const char *path, struct json_document *document, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r;

	if (strcmp(path, "-") != 0) {
		r = json_parse_file_at(document, AT_FDCWD, path, RESOURCES_MAX_BYTES, error);
	} else {
		r = fd_read_all(STDIN_FILENO, RESOURCES_MAX_BYTES, &text, &n_bytes);
		if (r < 0)
			return error_set(error, r, "cannot read standard input");
		r = json_parse(document, text, n_bytes, error);
		if (r < 0)
			return error_prefix(error, r, "standard input");
	}
	if (r == 0 && json_type(json_root(document)) != JSON_OBJECT)
		return error_say(error, -EINVAL, "'%s' isn't a JSON object", path);
	return r;
}

/* A line of the schemata of the container's group (Documentation/arch/x86/resctrl.rst). */
static int schema_write(const struct state *state, const char *option, const char *schema,
			struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	_cleanup_close_ int fd = -EBADF;
	const char *group = state->id;
	char path[PATH_MAX], line[1024];
	int n;

	if (!schema)
		return 0;
	/* The whole config was checked when the container was made. */
	if (json_parse_file_at(&document, state->directory_fd, "config.json", 16u << 20, NULL) == 0)
		group = json_string_or(
			json_get(json_get(json_get(json_root(&document), "linux"), "intelRdt"),
				 "closID"),
			group);
	snprintf(path, sizeof(path), "/sys/fs/resctrl/%s/schemata", group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "--%s: cannot open '%s'", option, path);
	n = snprintf(line, sizeof(line), "%s\n", schema);
	if (n >= (int)sizeof(line) || write(fd, line, (size_t)n) != n)
		return error_set(error, n >= (int)sizeof(line) ? -E2BIG : -errno,
				 "--%s: cannot write '%s' to '%s'", option, schema, path);
	return 0;
}

static int limits_update(const struct command_call *call, const struct state_record *record,
			 struct json_value resources, struct error *error)
{
	int r = group_record_update(call->process_argv[0], record, resources, error);

	if (r != CGROUP_IGNORED)
		return r;
	log_warning("container '%s': %s", record->id, error->message);
	error_init(error);
	return 0;
}

int verb_update(const struct command_call *call, struct error *error)
{
	const struct update_options *options = call->options;
	_cleanup_json_ struct json_document document = {};
	_cleanup_state_ struct state state = STATE_EMPTY;
	_cleanup_state_record_ struct state_record record = {};
	int r = options->resources ? resources_read(options->resources, &document, error)
				   : options_to_json(options, &document, error);

	if (r < 0)
		return r;
	r = container_open(call, call->argv[0], true, &state, &record, error);
	if (r < 0)
		return r;
	if (state_status(&state, &record) == STATE_STOPPED)
		return error_say(error, -ESRCH, "container '%s' is not running", state.id);
	r = limits_update(call, &record, json_root(&document), error);
	if (r == 0)
		r = schema_write(&state, "l3-cache-schema", options->l3_cache_schema, error);
	if (r == 0)
		r = schema_write(&state, "mem-bw-schema", options->mem_bw_schema, error);
	return r < 0 ? error_prefix(error, r, "container '%s'", state.id) : 0;
}
