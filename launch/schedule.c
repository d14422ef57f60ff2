/* SPDX-License-Identifier: MIT */
#include "launch/schedule.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/number_list.h"

#define BITS_PER_LONG (sizeof(unsigned long) * CHAR_BIT)
#define WHO_PROCESS   1 /* IOPRIO_WHO_PROCESS */

/* include/uapi/linux/sched/types.h, its first version (Linux 3.14): all that the fields need. */
struct sched_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int schedule_pin(const char *cpus, const char *field, struct error *error)
{
	unsigned long bits[NUMBER_LIST_MAX_CPUS / BITS_PER_LONG];

	if (!cpus)
		return 0;
	if (number_list_parse(cpus, bits, NUMBER_LIST_MAX_CPUS) < 0)
		return error_say(error, -EINVAL, "%s: no list of processors: '%s'", field, cpus);
	/* The C library's would refuse more processors than it knows. */
	if (syscall(SYS_sched_setaffinity, 0, sizeof(bits), bits) < 0)
		return error_set(error, -errno, "%s: cannot run on processors '%s'", field, cpus);
	return 0;
}

int schedule_pin_for_child(const char *cpus, const char *field, struct schedule_cpus *ret_own,
			   struct error *error)
{
	long n;

	ret_own->n_bytes = 0;
	if (!cpus)
		return 0;
	n = syscall(SYS_sched_getaffinity, 0, sizeof(ret_own->bits), ret_own->bits);
	if (n < 0)
		return error_set(error, -errno, "%s: cannot read the launcher's own", field);
	ret_own->n_bytes = (size_t)n;
	return schedule_pin(cpus, field, error);
}

void schedule_unpin(const struct schedule_cpus *own)
{
	if (own->n_bytes)
		(void)syscall(SYS_sched_setaffinity, 0, own->n_bytes, own->bits);
}

static int scheduler_apply(const struct config_scheduler *scheduler, struct error *error)
{
	struct sched_attributes attributes = {
		.size = sizeof(attributes),
		.policy = scheduler->policy,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime = scheduler->runtime,
		.deadline = scheduler->deadline,
		.period = scheduler->period,
	};

	if (scheduler->is_said && syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
		return error_set(error, -errno, "process.scheduler: cannot be set");
	return 0;
}

static int memory_policy_apply(const struct config *config, struct error *error)
{
	unsigned long bits[NUMBER_LIST_MAX_NODES / BITS_PER_LONG];
	bool has_nodes = config->memory_nodes;

	if (config->memory_policy < 0)
		return 0;
	if (has_nodes && number_list_parse(config->memory_nodes, bits, NUMBER_LIST_MAX_NODES) < 0)
		return error_say(error, -EINVAL, "linux.memoryPolicy.nodes: no list of nodes: '%s'",
				 config->memory_nodes);
	/* It takes the number of bits for one too many (set_mempolicy(2), BUGS). */
	if (syscall(SYS_set_mempolicy, config->memory_policy, has_nodes ? bits : NULL,
		    has_nodes ? NUMBER_LIST_MAX_NODES + 1 : 0) < 0)
		return error_set(error, -errno, "linux.memoryPolicy: cannot be set");
	return 0;
}

int schedule_apply(const struct config_process *process, const struct config *config,
		   struct error *error)
{
	int r = scheduler_apply(&process->scheduler, error);

	if (r < 0)
		return r;
	if (process->io_priority >= 0 &&
	    syscall(SYS_ioprio_set, WHO_PROCESS, 0, process->io_priority) < 0)
		return error_set(error, -errno, "process.ioPriority: cannot be set");
	r = memory_policy_apply(config, error);
	if (r < 0)
		return r;
	if (config->personality >= 0 && personality((unsigned long)config->personality) < 0)
		return error_set(error, -errno, "linux.personality: cannot be set");
	return 0;
}
