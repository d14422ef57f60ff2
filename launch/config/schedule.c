/* SPDX-License-Identifier: MIT */
/*
 * How the process is scheduled, where its memory lies, and which system it sees:
 * `process.scheduler`, `ioPriority`, `execCPUAffinity`, `linux.memoryPolicy` and `personality`.
 */
#include <errno.h>
#include <string.h>
#include <sys/personality.h>

#include "launch/config/sections.h"
#include "launch/config/value.h"
#include "launch/number_list.h"

struct word {
	const char *word;
	uint32_t value;
};

/* include/uapi/linux/sched.h; ISO is reserved there, and the kernel says so. */
static const struct word policies[] = {
	{ "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },	    { "SCHED_BATCH", 3 },
	{ "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 }, {},
};

static const struct word scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, {},
};

/* include/uapi/linux/ioprio.h */
static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", 1 },
	{ "IOPRIO_CLASS_BE", 2 },
	{ "IOPRIO_CLASS_IDLE", 3 },
	{},
};

/* include/uapi/linux/mempolicy.h; PREFERRED_MANY is Linux 5.15's, WEIGHTED_INTERLEAVE 6.9's. */
static const struct word memory_modes[] = {
	{ "MPOL_DEFAULT", 0 },
	{ "MPOL_PREFERRED", 1 },
	{ "MPOL_BIND", 2 },
	{ "MPOL_INTERLEAVE", 3 },
	{ "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED_MANY", 5 },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 },
	{},
};

static const struct word memory_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", 1u << 13 },
	{ "MPOL_F_RELATIVE_NODES", 1u << 14 },
	{ "MPOL_F_STATIC_NODES", 1u << 15 },
	{},
};

static const struct word domains[] = { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 }, {} };

static int word_parse(struct json_value value, const char *field, const struct word *words,
		      uint32_t *ret_value, struct error *error)
{
	const char *given = json_string_or(value, "");

	for (const struct word *word = words; word->word; word++) {
		if (!strcmp(word->word, given)) {
			*ret_value = word->value;
			return 0;
		}
	}
	return error_say(error, -EINVAL, "'%s' is '%s', none of its words", field, given);
}

static int flags_parse(struct json_value array, const char *field, const struct word *words,
		       uint32_t *ret_flags, struct error *error)
{
	int r = value_check_type(array, field, JSON_ARRAY, error);

	*ret_flags = 0;
	if (r < 0)
		return r;
	JSON_FOR_EACH (element, array) {
		uint32_t flag = 0;

		r = word_parse(element, field, words, &flag, error);
		if (r < 0)
			return r;
		*ret_flags |= flag;
	}
	return 0;
}

static int deadline_parse(struct config_scheduler *scheduler, struct json_value value,
			  struct error *error)
{
	struct {
		const char *name, *field;
		uint64_t *number;
	} numbers[] = {
		{ "runtime", "process.scheduler.runtime", &scheduler->runtime },
		{ "deadline", "process.scheduler.deadline", &scheduler->deadline },
		{ "period", "process.scheduler.period", &scheduler->period },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct json_value number = json_get(value, numbers[i].name);
		int r = 0;

		if (json_exists(number))
			r = value_uint(number, numbers[i].field, UINT64_MAX, numbers[i].number,
				       error);
		if (r < 0)
			return r;
		if (*numbers[i].number && scheduler->policy != CONFIG_SCHED_DEADLINE)
			return error_say(error, -EINVAL, "'%s' is for SCHED_DEADLINE only",
					 numbers[i].field);
	}
	return 0;
}

static int scheduler_parse(struct config_scheduler *scheduler, struct json_value value,
			   struct error *error)
{
	struct json_value nice = json_get(value, "nice"), priority = json_get(value, "priority");
	int64_t number = 0;
	int r = value_check_type(value, "process.scheduler", JSON_OBJECT, error);

	if (r < 0 || !value_asks(value))
		return r;
	scheduler->is_said = true;
	r = word_parse(json_get(value, "policy"), "process.scheduler.policy", policies,
		       &scheduler->policy, error);
	if (r == 0)
		r = flags_parse(json_get(value, "flags"), "process.scheduler.flags",
				scheduler_flags, &scheduler->flags, error);
	if (r == 0 && json_exists(nice))
		r = value_int(nice, "process.scheduler.nice", -20, 19, &number, error);
	if (r < 0)
		return r;
	scheduler->nice = (int32_t)number;
	number = 0;
	if (json_exists(priority))
		r = value_int(priority, "process.scheduler.priority", 0, 99, &number, error);
	if (r < 0)
		return r;
	scheduler->priority = (uint32_t)number;
	if (number && scheduler->policy != CONFIG_SCHED_FIFO &&
	    scheduler->policy != CONFIG_SCHED_RR)
		return error_say(error, -EINVAL,
				 "'process.scheduler.priority' is for SCHED_FIFO and SCHED_RR "
				 "only: 'nice' is what others have");
	return deadline_parse(scheduler, value, error);
}

static int io_priority_parse(int *ret_priority, struct json_value value, struct error *error)
{
	struct json_value level = json_get(value, "priority");
	uint64_t number = 0;
	uint32_t class = 0;
	int r = value_check_type(value, "process.ioPriority", JSON_OBJECT, error);

	*ret_priority = -1;
	if (r < 0 || !value_asks(value))
		return r;
	r = word_parse(json_get(value, "class"), "process.ioPriority.class", io_classes, &class,
		       error);
	if (r == 0 && json_exists(level))
		r = value_uint(level, "process.ioPriority.priority", 7, &number, error);
	if (r == 0)
		*ret_priority = (int)(class << 13 | number);
	return r;
}

static int cpus_parse(struct json_value value, const char *field, const char **ret_cpus,
		      struct error *error)
{
	int r = value_string(value, field, ret_cpus, error);

	if (r < 0 || !*ret_cpus)
		return r;
	if (!**ret_cpus)
		*ret_cpus = NULL;
	else if (number_list_parse(*ret_cpus, NULL, NUMBER_LIST_MAX_CPUS) < 0)
		return error_say(error, -EINVAL, "'%s' is no list of processors: '%s'", field,
				 *ret_cpus);
	return 0;
}

int config_schedule_parse(struct config_process *process, struct json_value value,
			  struct error *error)
{
	struct json_value affinity = json_get(value, "execCPUAffinity");
	int r = scheduler_parse(&process->scheduler, json_get(value, "scheduler"), error);

	if (r == 0)
		r = io_priority_parse(&process->io_priority, json_get(value, "ioPriority"), error);
	if (r == 0)
		r = value_check_type(affinity, "process.execCPUAffinity", JSON_OBJECT, error);
	if (r == 0)
		r = cpus_parse(json_get(affinity, "initial"), "process.execCPUAffinity.initial",
			       &process->exec_cpus_initial, error);
	if (r == 0)
		r = cpus_parse(json_get(affinity, "final"), "process.execCPUAffinity.final",
			       &process->exec_cpus_final, error);
	return r;
}

static int nodes_check(struct config *config, struct error *error)
{
	enum { DEFAULT = 0, PREFERRED = 1, LOCAL = 4 };
	const char *nodes = config->memory_nodes;
	int mode = config->memory_policy & 0xff;

	if (nodes && number_list_parse(nodes, NULL, NUMBER_LIST_MAX_NODES) < 0)
		return error_say(error, -EINVAL,
				 "'linux.memoryPolicy.nodes' is no list of nodes: '%s'", nodes);
	if (nodes && (mode == DEFAULT || mode == LOCAL))
		return error_say(error, -EINVAL,
				 "'linux.memoryPolicy.nodes': its mode takes no nodes");
	if (!nodes && mode != DEFAULT && mode != LOCAL && mode != PREFERRED)
		return error_say(error, -EINVAL, "'linux.memoryPolicy.nodes': its mode needs some");
	return 0;
}

static int memory_policy_parse(struct config *config, struct json_value value, struct error *error)
{
	uint32_t mode = 0, flags = 0;
	int r = value_check_type(value, "linux.memoryPolicy", JSON_OBJECT, error);

	config->memory_policy = -1;
	if (r < 0 || !value_asks(value))
		return r;
	r = word_parse(json_get(value, "mode"), "linux.memoryPolicy.mode", memory_modes, &mode,
		       error);
	if (r == 0)
		r = flags_parse(json_get(value, "flags"), "linux.memoryPolicy.flags", memory_flags,
				&flags, error);
	if (r == 0)
		r = value_string(json_get(value, "nodes"), "linux.memoryPolicy.nodes",
				 &config->memory_nodes, error);
	if (r < 0)
		return r;
	if (config->memory_nodes && !*config->memory_nodes)
		config->memory_nodes = NULL;
	config->memory_policy = (int)(mode | flags);
	return nodes_check(config, error);
}

static int personality_parse(struct config *config, struct json_value value, struct error *error)
{
	uint32_t domain = 0;
	int r = value_check_type(value, "linux.personality", JSON_OBJECT, error);

	config->personality = -1;
	if (r < 0 || !value_asks(value))
		return r;
	/* "Additional flags ... none are currently defined". */
	if (value_asks(json_get(value, "flags")))
		return error_say(error, -EOPNOTSUPP,
				 "'linux.personality.flags': the specification defines none");
	r = word_parse(json_get(value, "domain"), "linux.personality.domain", domains, &domain,
		       error);
	if (r == 0)
		config->personality = (int)domain;
	return r;
}

int config_placement_parse(struct config *config, struct json_value value, struct error *error)
{
	int r = memory_policy_parse(config, json_get(value, "memoryPolicy"), error);

	return r == 0 ? personality_parse(config, json_get(value, "personality"), error) : r;
}
