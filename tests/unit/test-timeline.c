/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "tools/trace/load.h"
#include "tools/trace/sampler.h"
#include "tools/trace/statistics.h"

/* One line of a trace, in microseconds; a duration of 0 is an event. */
struct line {
	const char *process;
	int pid;
	const char *phase;
	unsigned int start, duration, cpu;
};

static const struct line end = {};

static void lines_add(struct buffer *text, const struct line *lines)
{
	for (; lines->process; lines++) {
		buffer_add_format(text, "{\"process\":\"%s\",\"pid\":%d,\"phase\":\"%s\",",
				  lines->process, lines->pid, lines->phase);
		buffer_add_format(text, "\"start\":%u,\"duration\":%u", 1000 * lines->start,
				  1000 * lines->duration);
		if (lines->duration > 0 && strcmp(lines->phase, "run") != 0)
			buffer_add_format(text, ",\"cpu\":%u", 1000 * lines->cpu);
		buffer_add_string(text, strcmp(lines->process, "layerfs") != 0 &&
							strcmp(lines->process, "run") != 0
						? ",\"container\":\"c\"}\n"
						: "}\n");
	}
}

static void analyse(struct trace *trace, const struct line *lines, const char *more)
{
	_cleanup_buffer_ struct buffer text = {};

	setenv("LAMINA_FLOORS", "/nowhere/floors.jsonl", 1);
	lines_add(&text, lines);
	buffer_add_string(&text, more);
	assert_int_equal(trace_load(trace, "text", text.bytes, text.n_bytes, NULL), 0);
}

/* The path of the only group, as "START-END NAME, ...", in microseconds. */
static char *path_of(const struct trace *trace)
{
	struct buffer text = {};

	assert_int_equal(trace->timeline.n_groups, 1);
	for (size_t i = 0; i < trace->analysis.n_segments; i++) {
		const struct segment *segment = &trace->analysis.segments[i];

		buffer_add_format(&text, "%s%" PRIu64 "-%" PRIu64 " %s", i > 0 ? ", " : "",
				  segment->start_ns / 1000, segment->end_ns / 1000,
				  segment_name(&trace->timeline, segment));
	}
	assert_int_equal(buffer_status(&text), 0);
	return text.bytes;
}

static void assert_path(const struct trace *trace, const char *expected)
{
	_cleanup_free_ char *path = path_of(trace);

	assert_string_equal(path, expected);
}

static const struct facts *facts_of(const struct trace *trace, const char *name)
{
	for (size_t i = 0; i < trace->timeline.n_phases; i++)
		if (!strcmp(trace->timeline.phases[i].name, name))
			return &trace->analysis.facts[i];
	fail_msg("no phase %s", name);
	return NULL;
}

static const struct phase *phase_of(const struct trace *trace, const char *name)
{
	return &trace->timeline.phases[facts_of(trace, name) - trace->analysis.facts];
}

static void what_no_phase_has_is_other_and_what_no_process_has_is_the_shells(void **state)
{
	static const struct line lines[] = {
		{ "run", 1, "run", 100, 1000, 0 },
		{ "layerfs", 2, "layerfs", 200, 300, 300 },
		{ "layerfs", 2, "image.resolve", 250, 50, 50 },
		{ "nslaunch", 3, "nslaunch", 600, 400, 400 },
		{ "nslaunch", 3, "spec.parse", 600, 400, 400 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "100-200 shell, 200-250 (other), 250-300 image.resolve, "
			    "300-500 (other), 500-600 shell, 600-1000 spec.parse, 1000-1100 shell");
	assert_true(trace.analysis.groups[0].is_measured);
	assert_int_equal(trace.analysis.groups[0].leaves_ns[LEAF_PHASE], 450000);
	assert_int_equal(trace.analysis.groups[0].leaves_ns[LEAF_OTHER], 250000);
	assert_int_equal(trace.analysis.groups[0].leaves_ns[LEAF_SHELL], 300000);
}

static void the_exec_of_a_tool_is_a_phase_before_its_life(void **state)
{
	static const struct line lines[] = {
		{ "layerfs", 2, "tool.exec", 0, 40, 40 },
		{ "layerfs", 2, "layerfs", 40, 60, 60 },
		{ "layerfs", 2, "ovl.mkdir", 50, 50, 50 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-40 tool.exec, 40-50 (other), 50-100 ovl.mkdir");
	assert_false(trace.analysis.groups[0].is_measured);
}

static void what_a_shell_did_before_it_became_a_tool_is_not_the_tools(void **state)
{
	static const struct line lines[] = {
		{ "layerfs", 2, "layerfs", 200, 300, 300 },
		/* The shell has computed for 100 before it executed layerfs, and 120 after that. */
		{ "nslaunch", 1, "tool.exec", 430, 220, 220 },
		{ "nslaunch", 1, "nslaunch", 650, 100, 100 },
		{ "layerfs", 3, "layerfs", 500, 90, 90 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "200-500 (other), 500-590 (other), 590-650 tool.exec, 650-750 (other)");
	assert_int_equal(facts_of(&trace, "tool.exec")->critical_ns, 60000);
}

static void the_path_goes_through_the_container_where_its_launcher_waits(void **state)
{
	static const struct line lines[] = {
		{ "nslaunch", 3, "nslaunch", 0, 1000, 300 },
		{ "nslaunch", 3, "spec.parse", 0, 100, 100 },
		{ "nslaunch", 3, "ns.clone", 100, 200, 0 },
		{ "container", 4, "cgroup.attach", 250, 50, 50 },
		{ "container", 4, "mnt.proc", 300, 200, 200 },
		{ "container", 4, "exec", 520, 80, 80 },
		{ "nslaunch", 3, "exec.done", 600, 0, 0 },
		{ "nslaunch", 3, "state.write", 600, 100, 100 },
		{ "nslaunch", 3, "exit.wait", 700, 300, 0 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-100 spec.parse, 100-250 ns.clone, 250-300 cgroup.attach, "
			    "300-500 mnt.proc, 500-520 (other), 520-600 exec, "
			    "600-700 state.write, 700-1000 exit.wait");
	assert_int_equal(trace.analysis.groups[0].first_instruction_ns, 600000);
	assert_int_equal(facts_of(&trace, "ns.clone")->critical_ns, 150000);
	assert_int_equal(facts_of(&trace, "ns.clone")->elsewhere_ns, 50000);
	assert_true(facts_of(&trace, "nslaunch")->is_critical);
}

static void work_of_the_launcher_beside_the_container_stays_on_the_path(void **state)
{
	static const struct line lines[] = {
		{ "nslaunch", 3, "nslaunch", 0, 400, 400 },
		{ "nslaunch", 3, "cgroup.apply", 100, 200, 200 },
		{ "container", 4, "mnt.proc", 50, 300, 300 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-50 (other), 50-100 mnt.proc, 100-300 cgroup.apply, "
			    "300-350 mnt.proc, 350-400 (other)");
}

static void in_a_pipeline_the_path_goes_through_the_tool_that_the_next_reads_from(void **state)
{
	static const struct line lines[] = {
		{ "layerfs", 2, "layerfs", 0, 300, 290 },
		{ "layerfs", 2, "ovl.mkdir", 100, 150, 150 },
		/* It reads until 310, then works. */
		{ "initlayer", 3, "initlayer", 20, 480, 180 },
		{ "initlayer", 3, "stream.wait", 30, 280, 5 },
		{ "initlayer", 3, "layer.open", 320, 150, 150 },
		/* It would read what comes of that. */
		{ "nslaunch", 4, "nslaunch", 40, 500, 10 },
		{ "nslaunch", 4, "stream.wait", 45, 450, 5 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-20 (other), 20-30 (other), 30-40 (other), 40-45 (other), "
			    "45-100 (other), 100-250 ovl.mkdir, 250-300 (other), 300-310 "
			    "stream.wait, 310-320 (other), 320-470 layer.open, "
			    "470-495 (other), 495-540 (other)");
	/* Each begins with what is its own; then the first is what all wait for. */
	assert_int_equal(trace.analysis.segments[4].process, trace.analysis.segments[5].process);
	assert_int_equal(trace.analysis.segments[6].process, trace.analysis.segments[5].process);
}

static void what_a_working_tool_does_is_its_own_whatever_runs_beside_it(void **state)
{
	static const struct line lines[] = {
		{ "nslaunch", 2, "nslaunch", 0, 300, 290 },
		{ "initlayer", 3, "initlayer", 100, 100, 100 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-300 (other)");
	assert_false(facts_of(&trace, "initlayer")->is_critical);
}

static void a_container_that_nothing_is_known_of_around_has_a_path_too(void **state)
{
	static const struct line lines[] = {
		{ "container", 4, "mnt.proc", 0, 100, 100 },
		{ "container", 4, "exec", 120, 80, 0 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-100 mnt.proc, 100-120 (other), 120-200 exec");
}

static void what_ends_behind_the_command_is_not_on_its_path(void **state)
{
	static const struct line lines[] = {
		{ "run", 1, "run", 0, 500, 0 },
		{ "nslaunch", 3, "nslaunch", 100, 900, 200 },
		{ "nslaunch", 3, "spec.parse", 100, 200, 200 },
		{ "nslaunch", 3, "exit.wait", 300, 700, 0 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-100 shell, 100-300 spec.parse, 300-500 exit.wait");
}

static void what_is_left_running_is_not_what_the_command_waited_for(void **state)
{
	static const struct line lines[] = {
		{ "run", 1, "run", 0, 1000, 0 },
		{ "nslaunch", 3, "nslaunch", 100, 800, 100 },
		{ "nslaunch", 3, "exit.wait", 100, 600, 0 },
		{ "nslaunch", 3, "remover.wait", 700, 150, 0 },
		{ "nslaunch", 3, "launch.close", 850, 50, 50 },
		/* It removes a container, and goes on with what nobody waits for. */
		{ "layerfs", 4, "layerfs", 200, 1300, 100 },
		{ "layerfs", 4, "free.wait", 200, 520, 0 },
		{ "layerfs", 4, "ovl.remove", 720, 120, 120 },
		{ "layerfs", 4, "trash.delete", 840, 660, 660 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-100 shell, 100-700 exit.wait, 700-720 free.wait, "
			    "720-840 ovl.remove, 840-850 trash.delete, 850-900 launch.close, "
			    "900-1000 shell");
}

static void what_the_command_has_become_is_what_its_end_waits_for(void **state)
{
	static const struct line lines[] = {
		{ "run", 1, "run", 0, 1000, 0 },
		{ "initlayer", 2, "initlayer", 50, 50, 50 },
		/* The script has become it, so that it has its number. */
		{ "nslaunch", 1, "nslaunch", 200, 600, 600 },
		{ "nslaunch", 1, "state.remove", 700, 100, 100 },
		/* Left behind, it has ended before the recorder woke up. */
		{ "layerfs", 4, "layerfs", 600, 350, 350 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_path(&trace, "0-50 shell, 50-100 (other), 100-200 shell, 200-700 (other), "
			    "700-800 state.remove, 800-1000 shell");
	assert_false(facts_of(&trace, "layerfs")->is_critical);
}

static void the_path_has_no_gap_and_no_overlap(void **state)
{
	static const struct line lines[] = {
		{ "run", 1, "run", 10, 990, 0 },
		{ "layerfs", 2, "layerfs", 0, 300, 10 },
		{ "initlayer", 3, "initlayer", 20, 480, 18 },
		{ "nslaunch", 4, "nslaunch", 30, 900, 20 },
		{ "nslaunch", 4, "exit.wait", 300, 500, 0 },
		{ "nslaunch", 5, "nslaunch", 350, 700, 20 },
		{ "container", 6, "mnt.proc", 200, 500, 20 },
		{ "container", 6, "mnt.dev", 600, 300, 20 },
		{ "container", 7, "exec", 400, 50, 20 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};
	const struct segment *segments;

	analyse(&trace, lines, "");
	segments = trace.analysis.segments;
	assert_int_equal(segments[0].start_ns, 10000);
	for (size_t i = 1; i < trace.analysis.n_segments; i++)
		assert_int_equal(segments[i].start_ns, segments[i - 1].end_ns);
	assert_int_equal(segments[trace.analysis.n_segments - 1].end_ns, 1000000);
}

static void a_phase_is_inside_the_shortest_one_around_it(void **state)
{
	static const struct line lines[] = {
		{ "container", 4, "mounts", 0, 100, 100 },
		{ "container", 4, "mnt.dev", 10, 80, 80 },
		{ "container", 4, "mnt.devpts", 20, 10, 10 },
		{ "container", 4, "mask", 100, 50, 50 },
		/* Half in, half out: of another thread. */
		{ "container", 4, "net.lo", 120, 60, 60 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_int_equal(phase_of(&trace, "mounts")->parent, TIMELINE_NONE);
	assert_ptr_equal(&trace.timeline.phases[phase_of(&trace, "mnt.dev")->parent],
			 phase_of(&trace, "mounts"));
	assert_ptr_equal(&trace.timeline.phases[phase_of(&trace, "mnt.devpts")->parent],
			 phase_of(&trace, "mnt.dev"));
	assert_int_equal(phase_of(&trace, "mnt.devpts")->depth, 2);
	assert_int_equal(phase_of(&trace, "net.lo")->parent, TIMELINE_NONE);
	assert_path(&trace, "0-10 mounts, 10-20 mnt.dev, 20-30 mnt.devpts, 30-90 mnt.dev, "
			    "90-100 mounts, 100-150 mask, 150-180 net.lo");
}

static void what_neither_works_nor_is_explained_is_blocked(void **state)
{
	static const struct line lines[] = {
		{ "nslaunch", 3, "nslaunch", 0, 20000, 1000 },
		{ "nslaunch", 3, "lock.wait", 0, 3000, 10 },
		{ "nslaunch", 3, "cgroup.create", 3000, 1500, 600 },
		{ "nslaunch", 3, "ns.clone", 5000, 2000, 0 },
		{ "container", 4, "cgroup.attach", 7000, 3000, 3000 },
		{ "container", 4, "exec", 10000, 2000, 0 },
		{ "nslaunch", 3, "exit.wait", 12000, 5000, 0 },
		{ "nslaunch", 3, "cgroup.remove", 17000, 3000, 500 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines, "");
	assert_int_equal(facts_of(&trace, "lock.wait")->blocked_ns, 2990000);
	assert_int_equal(facts_of(&trace, "cgroup.remove")->blocked_ns, 2500000);
	/* 0.9 ms: not worth a word. */
	assert_int_equal(facts_of(&trace, "cgroup.create")->blocked_ns, 0);
	/* Those wait for another process, and nslaunch in its phases or for its child. */
	assert_int_equal(facts_of(&trace, "ns.clone")->blocked_ns, 0);
	assert_int_equal(facts_of(&trace, "exec")->blocked_ns, 0);
	assert_int_equal(facts_of(&trace, "exit.wait")->blocked_ns, 0);
	assert_int_equal(facts_of(&trace, "nslaunch")->blocked_ns, 0);
}

static void a_blocked_phase_slept_where_its_process_was_seen_longest(void **state)
{
	static const struct line lines[] = {
		{ "nslaunch", 3, "cgroup.create", 0, 5000, 5000 },
		{ "nslaunch", 3, "cgroup.remove", 5000, 5000, 500 },
		end,
	};
	_cleanup_trace_ struct trace trace = {};

	analyse(&trace, lines,
		"{\"pid\":3,\"sample\":100000,\"wait\":\"before\",\"until\":4900000}\n"
		"{\"pid\":3,\"sample\":5500000,\"wait\":\"once\"}\n"
		"{\"pid\":3,\"sample\":6000000,\"wait\":\"synchronize_rcu\",\"until\":9000000}\n"
		"{\"pid\":3,\"sample\":9500000,\"wait\":\"long\",\"until\":99000000}\n"
		"{\"pid\":4,\"sample\":5000000,\"wait\":\"other\",\"until\":9900000}\n");
	assert_string_equal(facts_of(&trace, "cgroup.remove")->wait, "synchronize_rcu");
	assert_null(facts_of(&trace, "cgroup.create")->wait);
}

static void floors_come_from_the_file_that_the_environment_names(void **state)
{
	static const struct line lines[] = {
		{ "container", 4, "mnt.proc", 0, 100, 100 },
		{ "container", 4, "mnt.dev", 100, 100, 100 },
		end,
	};
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "floors");
	_cleanup_buffer_ struct buffer text = {};
	_cleanup_trace_ struct trace trace = {};

	scratch_write(
		&scratch, "floors",
		"{\"phase\":\"mnt.proc\",\"floor\":9}\n"
		"{\"phase\":\"mnt.proc\",\"floor\":48000}\n{\"phase\":\"mask\",\"floor\":1}\n");
	setenv("LAMINA_FLOORS", path, 1);
	lines_add(&text, lines);
	assert_int_equal(trace_load(&trace, "text", text.bytes, text.n_bytes, NULL), 0);
	assert_int_equal(facts_of(&trace, "mnt.proc")->floor_ns, 48000);
	assert_int_equal(facts_of(&trace, "mnt.dev")->floor_ns, 0);
	assert_true(trace.analysis.has_floors);
}

static void floors_that_are_none_are_refused_by_their_line(void **state)
{
	static const char *const bad[] = { "[]", "{\"phase\":\"a\"}", "{\"floor\":1}",
					   "{\"phase\":\"a\",\"floor\":-1}", "floor" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_floors_ struct floors floors = {};
		struct error error = {};

		assert_int_equal(floors_parse(&floors, bad[i], strlen(bad[i]), &error), -EBADMSG);
		assert_memory_equal(error.message, "line 1: ", 8);
	}
}

static void a_command_with_several_containers_is_none_of_theirs(void **state)
{
	static const char text[] =
		"{\"process\":\"run\",\"pid\":1,\"phase\":\"run\",\"start\":0,\"duration\":900}\n"
		"{\"process\":\"nslaunch\",\"pid\":2,\"phase\":\"nslaunch\",\"start\":100,"
		"\"duration\":100,\"cpu\":100,\"container\":\"a\"}\n"
		"{\"process\":\"nslaunch\",\"pid\":3,\"phase\":\"nslaunch\",\"start\":300,"
		"\"duration\":100,\"cpu\":100,\"container\":\"b\"}\n";
	_cleanup_trace_ struct trace trace = {};

	setenv("LAMINA_FLOORS", "/nowhere/floors.jsonl", 1);
	assert_int_equal(trace_load(&trace, "text", text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(trace.timeline.n_groups, 3);
	assert_string_equal(trace.timeline.groups[phase_of(&trace, "run")->group].id, "");
}

static void a_command_that_was_recorded_keeps_its_tools_from_the_next(void **state)
{
	static const char text[] =
		"{\"process\":\"run\",\"pid\":1,\"phase\":\"run\",\"start\":0,\"duration\":900}\n"
		"{\"process\":\"nslaunch\",\"pid\":2,\"phase\":\"nslaunch\",\"start\":100,"
		"\"duration\":100,\"cpu\":100,\"container\":\"a\"}\n"
		"{\"process\":\"layerfs\",\"pid\":3,\"phase\":\"ovl.remove\",\"start\":800,"
		"\"duration\":50,\"cpu\":50}\n"
		"{\"process\":\"run\",\"pid\":4,\"phase\":\"run\",\"start\":1000,\"duration\":900}"
		"\n"
		"{\"process\":\"nslaunch\",\"pid\":5,\"phase\":\"nslaunch\",\"start\":1100,"
		"\"duration\":100,\"cpu\":100,\"container\":\"b\"}\n";
	_cleanup_trace_ struct trace trace = {};

	setenv("LAMINA_FLOORS", "/nowhere/floors.jsonl", 1);
	assert_int_equal(trace_load(&trace, "text", text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(trace.timeline.n_groups, 2);
	assert_string_equal(trace.timeline.groups[phase_of(&trace, "ovl.remove")->group].id, "a");
}

static void a_stack_is_told_by_its_innermost_function_that_is_not_the_schedulers(void **state)
{
	static const struct {
		const char *stack, *function;
	} stacks[] = {
		{ "[<0>] do_wait+0x5b/0x110\n[<0>] kernel_wait4+0xb2/0x180\n", "do_wait" },
		{ "[<0>] schedule_timeout+0x1/0x2\n[<0>] wait_for_completion_state+0x1/0x2\n"
		  "[<0>] __wait_rcu_gp+0x10a/0x120\n[<0>] synchronize_rcu+0x1/0x2\n",
		  "__wait_rcu_gp" },
		{ "[<0>] poll_schedule_timeout.constprop.0+0x37/0x90\n", "poll_schedule_timeout" },
		{ "[<0>] __schedule+0x1/0x2\n", NULL },
		{ "", NULL },
		{ "\n", NULL },
	};

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		char text[256];
		const char *function;

		snprintf(text, sizeof(text), "%s", stacks[i].stack);
		function = stack_function(text);
		if (stacks[i].function)
			assert_string_equal(function, stacks[i].function);
		else
			assert_null(function);
	}
}

static void starts_become_quantiles_of_each_phase(void **state)
{
	_cleanup_statistics_ struct statistics statistics = {};
	const struct phase_statistics *parse = NULL, *bind = NULL;

	/* 100 starts, the longest first: spec.parse takes 100, 99... 1 us, of 200 us each. */
	for (unsigned int i = 100; i > 0; i--) {
		const struct line lines[] = {
			{ "run", 1, "run", 1000 * i, 200, 0 },
			{ "nslaunch", 3, "nslaunch", 1000 * i, 150, 150 },
			{ "nslaunch", 3, "spec.parse", 1000 * i, i, i },
			{ "nslaunch", 3, "mnt.bind", 1000 * i + 110, 10, 10 },
			{ "nslaunch", 3, "mnt.bind", 1000 * i + 120, 20, 20 },
			{ "nslaunch", 3, "exec.done", 1000 * i + 140, 0, 0 },
			{ "nslaunch", 5, "nslaunch", 1000 * i + 150, 50, 50 },
			end,
		};
		_cleanup_trace_ struct trace trace = {};

		analyse(&trace, lines, "");
		assert_int_equal(statistics_add(&statistics, &trace), 0);
	}
	statistics_finish(&statistics);
	for (size_t i = 0; i < statistics.n_phases; i++) {
		if (!strcmp(statistics.phases[i].phase, "spec.parse"))
			parse = &statistics.phases[i];
		if (!strcmp(statistics.phases[i].phase, "mnt.bind"))
			bind = &statistics.phases[i];
	}
	assert_non_null(parse);
	assert_int_equal(parse->durations.n, 100);
	assert_int_equal(durations_quantile(&parse->durations, 0), 1000);
	assert_int_equal(durations_quantile(&parse->durations, 50), 50000);
	assert_int_equal(durations_quantile(&parse->durations, 90), 90000);
	assert_int_equal(durations_quantile(&parse->durations, 99), 99000);
	assert_int_equal(durations_quantile(&parse->durations, 100), 100000);
	assert_int_equal(parse->critical_ns, 5050000);
	assert_non_null(bind);
	assert_int_equal(bind->durations.n, 200);
	assert_int_equal(durations_quantile(&bind->durations, 50), 10000);
	assert_int_equal(durations_quantile(&bind->durations, 51), 20000);
	/* The second nslaunch is another than the first. */
	assert_int_equal(statistics.n_phases, 4);
	assert_int_equal(statistics.phases[3].ordinal, 2);
	assert_int_equal(durations_quantile(&statistics.whole, 50), 200000);
	assert_int_equal(durations_quantile(&statistics.first_instruction, 99), 140000);
	assert_int_equal(statistics.whole_ns, 20000000);
}

static void no_durations_have_no_quantiles(void **state)
{
	const struct durations none = {};

	assert_int_equal(durations_quantile(&none, 50), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_phase_has_is_other_and_what_no_process_has_is_the_shells),
		cmocka_unit_test(the_exec_of_a_tool_is_a_phase_before_its_life),
		cmocka_unit_test(what_a_shell_did_before_it_became_a_tool_is_not_the_tools),
		cmocka_unit_test(the_path_goes_through_the_container_where_its_launcher_waits),
		cmocka_unit_test(work_of_the_launcher_beside_the_container_stays_on_the_path),
		cmocka_unit_test(
			in_a_pipeline_the_path_goes_through_the_tool_that_the_next_reads_from),
		cmocka_unit_test(what_a_working_tool_does_is_its_own_whatever_runs_beside_it),
		cmocka_unit_test(a_container_that_nothing_is_known_of_around_has_a_path_too),
		cmocka_unit_test(what_ends_behind_the_command_is_not_on_its_path),
		cmocka_unit_test(what_is_left_running_is_not_what_the_command_waited_for),
		cmocka_unit_test(what_the_command_has_become_is_what_its_end_waits_for),
		cmocka_unit_test(the_path_has_no_gap_and_no_overlap),
		cmocka_unit_test(a_phase_is_inside_the_shortest_one_around_it),
		cmocka_unit_test(what_neither_works_nor_is_explained_is_blocked),
		cmocka_unit_test(a_blocked_phase_slept_where_its_process_was_seen_longest),
		cmocka_unit_test(floors_come_from_the_file_that_the_environment_names),
		cmocka_unit_test(floors_that_are_none_are_refused_by_their_line),
		cmocka_unit_test(a_command_with_several_containers_is_none_of_theirs),
		cmocka_unit_test(starts_become_quantiles_of_each_phase),
		cmocka_unit_test(no_durations_have_no_quantiles),
		cmocka_unit_test(
			a_stack_is_told_by_its_innermost_function_that_is_not_the_schedulers),
		cmocka_unit_test(a_command_that_was_recorded_keeps_its_tools_from_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
