/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, as flame graphs are made of: "process;phase;subphase MICROSECONDS". Of the
 * critical path alone, so that each moment is in it once and the graph is as wide as the command
 * took.
 */
#include <string.h>

#include "base/buffer.h"
#include "tools/trace/render.h"

struct stack {
	char *frames;
	uint64_t ns;
};

/* A name has no semicolon, which ends a frame, and no blank, which ends the stack. */
static void frame_add(struct buffer *buffer, const char *name)
{
	if (buffer->n_bytes > 0)
		buffer_add_char(buffer, ';');
	for (; *name; name++)
		buffer_add_char(buffer, *name == ';' || *name <= ' ' || *name > '~' ? '_' : *name);
}

/* The phases around, outermost first; a tool's whole life is the process's frame already. */
static void phases_add(struct buffer *buffer, const struct timeline *timeline, size_t phase)
{
	if (phase == TIMELINE_NONE || phase_is_tool(timeline, &timeline->phases[phase]))
		return;
	phases_add(buffer, timeline, timeline->phases[phase].parent);
	frame_add(buffer, timeline->phases[phase].name);
}

static char *frames_of(const struct timeline *timeline, const struct segment *segment)
{
	struct buffer buffer = {};

	if (segment->process != TIMELINE_NONE)
		frame_add(&buffer, timeline->processes[segment->process].name);
	phases_add(&buffer, timeline, segment->phase);
	if (segment->leaf != LEAF_PHASE)
		frame_add(&buffer, segment_name(timeline, segment));
	if (buffer_status(&buffer) == 0)
		return buffer.bytes;
	buffer_deinit(&buffer);
	return NULL;
}

static int compare_stacks(const void *left, const void *right)
{
	const struct stack *a = left, *b = right;

	return strcmp(a->frames, b->frames);
}

static void stacks_print(struct stack *stacks, size_t n, FILE *file)
{
	uint64_t ns = 0;

	qsort(stacks, n, sizeof(*stacks), compare_stacks);
	for (size_t i = 0; i < n; i++) {
		ns += stacks[i].ns;
		if (i + 1 < n && !strcmp(stacks[i].frames, stacks[i + 1].frames))
			continue;
		if (ns >= 500)
			fprintf(file, "%s %" PRIu64 "\n", stacks[i].frames, (ns + 500) / 1000);
		ns = 0;
	}
}

int render_folded(const struct view *view, FILE *file)
{
	const struct analysis *analysis = view->analysis;
	struct stack *stacks = calloc(analysis->n_segments + 1, sizeof(*stacks));
	size_t n = 0;

	if (!stacks)
		return -ENOMEM;
	for (; n < analysis->n_segments; n++) {
		const struct segment *segment = &analysis->segments[n];

		stacks[n].frames = frames_of(view->timeline, segment);
		stacks[n].ns = segment->end_ns - segment->start_ns;
		if (!stacks[n].frames)
			break;
	}
	if (n == analysis->n_segments)
		stacks_print(stacks, n, file);
	for (size_t i = 0; i < n; i++)
		free(stacks[i].frames);
	free(stacks);
	return n == analysis->n_segments ? 0 : -ENOMEM;
}
