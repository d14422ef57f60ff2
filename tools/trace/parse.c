/* SPDX-License-Identifier: MIT */
#include "tools/trace/timeline.h"

#include <string.h>

#include "base/json.h"

static int grow(void *array, size_t *n_allocated, size_t n, size_t n_bytes)
{
	void **pointer = array;
	size_t n_new = *n_allocated ? *n_allocated * 2 : 64;
	void *grown;

	if (n < *n_allocated)
		return 0;
	grown = reallocarray(*pointer, n_new, n_bytes);
	if (!grown)
		return -ENOMEM;
	*pointer = grown;
	*n_allocated = n_new;
	return 0;
}

/* Lines of one process, and of one container, come together: the last is looked at first. */
static int process_find(struct timeline *timeline, const char *name, int64_t pid, size_t *ret)
{
	struct process *process;

	for (size_t i = timeline->n_processes; i-- > 0;) {
		process = &timeline->processes[i];
		if (process->pid == pid && !strcmp(process->name, name)) {
			*ret = i;
			return 0;
		}
	}
	if (grow(&timeline->processes, &timeline->n_processes_allocated, timeline->n_processes,
		 sizeof(*process)) < 0)
		return -ENOMEM;
	process = &timeline->processes[timeline->n_processes];
	*process = (struct process){ .name = strdup(name),
				     .pid = pid,
				     .is_container = !strcmp(name, "container"),
				     .is_run = !strcmp(name, TIMELINE_RUN),
				     .container = TIMELINE_NONE,
				     .start_ns = UINT64_MAX };
	if (!process->name)
		return -ENOMEM;
	*ret = timeline->n_processes++;
	return 0;
}

static int group_find(struct timeline *timeline, const char *id, size_t *ret)
{
	struct group *group;

	for (size_t i = timeline->n_groups; i-- > 0;) {
		if (!strcmp(timeline->groups[i].id, id)) {
			*ret = i;
			return 0;
		}
	}
	if (grow(&timeline->groups, &timeline->n_groups_allocated, timeline->n_groups,
		 sizeof(*group)) < 0)
		return -ENOMEM;
	group = &timeline->groups[timeline->n_groups];
	*group = (struct group){ .id = strdup(id), .start_ns = UINT64_MAX };
	if (!group->id)
		return -ENOMEM;
	*ret = timeline->n_groups++;
	return 0;
}

static int text_take(struct json_value line, const char *key, const char **ret, struct error *error)
{
	*ret = json_string(json_get(line, key));
	if (*ret && **ret)
		return 0;
	return error_say(error, -EBADMSG, "'%s' is missing or not a string", key);
}

static int number_take(struct json_value line, const char *key, uint64_t *ret, struct error *error)
{
	/* Below the half of what fits: sums of two can't wrap. */
	if (json_uint64(json_get(line, key), ret) == 0 && *ret <= INT64_MAX)
		return 0;
	return error_say(error, -EBADMSG, "'%s' is missing or not a number of nanoseconds", key);
}

static int container_take(struct timeline *timeline, struct json_value line, struct phase *phase)
{
	struct process *process = &timeline->processes[phase->process];
	const char *id = json_string(json_get(line, "container"));
	int r;

	phase->container = TIMELINE_NONE;
	if (!id || !*id)
		return 0;
	r = group_find(timeline, id, &phase->container);
	if (r < 0)
		return r;
	if (process->container == TIMELINE_NONE)
		process->container = phase->container;
	else if (process->container != phase->container)
		process->has_several = true;
	return 0;
}

/* What is said once a process: the context that it was called in, and the clock on the wall. */
static int process_take(struct timeline *timeline, struct json_value line, size_t index)
{
	struct process *process = &timeline->processes[index];
	const char *traceparent = json_string(json_get(line, "traceparent"));

	(void)json_uint64(json_get(line, "unix"), &process->unix_ns);
	if (!traceparent || process->traceparent)
		return 0;
	process->traceparent = strdup(traceparent);
	return process->traceparent ? 0 : -ENOMEM;
}

static int sample_parse(struct timeline *timeline, struct json_value line, int64_t pid,
			struct error *error)
{
	struct sample sample = { .pid = pid };
	const char *wait;
	int r = number_take(line, "sample", &sample.start_ns, error);

	if (r < 0 || (r = text_take(line, "wait", &wait, error)) < 0)
		return r;
	sample.end_ns = sample.start_ns;
	if (json_type(json_get(line, "until")) != JSON_MISSING &&
	    (r = number_take(line, "until", &sample.end_ns, error)) < 0)
		return r;
	sample.wait = strdup(wait);
	if (!sample.wait || grow(&timeline->samples, &timeline->n_samples_allocated,
				 timeline->n_samples, sizeof(sample)) < 0) {
		free(sample.wait);
		return error_set(error, -ENOMEM, "cannot keep the sample");
	}
	timeline->samples[timeline->n_samples++] = sample;
	return 0;
}

static int phase_parse(struct timeline *timeline, struct json_value line, int64_t pid,
		       struct error *error)
{
	_cleanup_free_ char *name = NULL;
	struct phase phase = { .parent = TIMELINE_NONE };
	const char *process, *phase_name;
	int r;

	phase.has_cpu = json_type(json_get(line, "cpu")) != JSON_MISSING;
	if ((r = text_take(line, "process", &process, error)) < 0 ||
	    (r = text_take(line, "phase", &phase_name, error)) < 0 ||
	    (r = number_take(line, "start", &phase.start_ns, error)) < 0 ||
	    (r = number_take(line, "duration", &phase.duration_ns, error)) < 0 ||
	    (phase.has_cpu && (r = number_take(line, "cpu", &phase.cpu_ns, error)) < 0))
		return r;
	name = strdup(phase_name);
	if (!name || process_find(timeline, process, pid, &phase.process) < 0 ||
	    process_take(timeline, line, phase.process) < 0 ||
	    container_take(timeline, line, &phase) < 0 ||
	    grow(&timeline->phases, &timeline->n_phases_allocated, timeline->n_phases,
		 sizeof(phase)) < 0)
		return error_set(error, -ENOMEM, "cannot keep the phase");
	phase.name = take_ptr(name);
	timeline->phases[timeline->n_phases++] = phase;
	return 0;
}

static int line_parse(struct timeline *timeline, const char *text, size_t n_bytes,
		      struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	struct json_value line;
	int64_t pid;
	int r;

	/* Its own words would count lines from this one. */
	r = json_parse(&document, text, n_bytes, NULL);
	if (r < 0)
		return error_say(error, r, "not JSON");
	line = json_root(&document);
	if (json_type(line) != JSON_OBJECT)
		return error_say(error, -EBADMSG, "not an object");
	if (json_int64(json_get(line, "pid"), &pid) < 0)
		return error_say(error, -EBADMSG, "'pid' is missing or not a number");
	if (json_type(json_get(line, "sample")) != JSON_MISSING)
		return sample_parse(timeline, line, pid, error);
	return phase_parse(timeline, line, pid, error);
}

int timeline_parse(struct timeline *timeline, const char *text, size_t n_bytes, struct error *error)
{
	const char *end = text + n_bytes;

	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n_line = (size_t)((newline ? newline : end) - text);
		int r = n_line ? line_parse(timeline, text, n_line, error) : 0;

		if (r < 0)
			return error_prefix(error, r, "line %zu", number);
		text += n_line + 1;
	}
	return 0;
}

void timeline_deinit(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_phases; i++)
		free(timeline->phases[i].name);
	for (size_t i = 0; i < timeline->n_processes; i++) {
		free(timeline->processes[i].name);
		free(timeline->processes[i].traceparent);
	}
	for (size_t i = 0; i < timeline->n_samples; i++)
		free(timeline->samples[i].wait);
	for (size_t i = 0; i < timeline->n_groups; i++)
		free(timeline->groups[i].id);
	free(timeline->phases);
	free(timeline->processes);
	free(timeline->groups);
	free(timeline->samples);
	*timeline = (struct timeline){};
}
