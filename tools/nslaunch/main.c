/* SPDX-License-Identifier: MIT */
/*
 * nslaunch: an OCI runtime that starts containers as fast as the kernel can.
 */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "launch/config/config.h"
#include "launch/attend.h"
#include "launch/self.h"
#include "tools/nslaunch/verbs.h"

static const struct command commands[] = {
	{ .name = "spec",
	  .arguments = "[--] [COMMAND...]",
	  .summary = "make a bundle's config.json from its image's config and options",
	  .options = spec_options,
	  .n_options = N_SPEC_OPTIONS,
	  .options_bytes = sizeof(struct spec_verb_options),
	  .flags = COMMAND_ARGUMENTS_LAST,
	  .max_arguments = -1,
	  .run = verb_spec },
	{ .name = "run",
	  .arguments = "[ID]",
	  .summary = "run a bundle, or every bundle that standard input names, in the foreground",
	  .options = run_options,
	  .n_options = N_RUN_OPTIONS,
	  .options_bytes = sizeof(struct run_options),
	  .flags = COMMAND_FAILS_125,
	  .max_arguments = 1,
	  .run = verb_run },
	{ .name = "create",
	  .arguments = "ID",
	  .summary = "make a container; its process waits for start",
	  .options = create_options,
	  .n_options = N_CREATE_OPTIONS,
	  .options_bytes = sizeof(struct run_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_create },
	{ .name = "start",
	  .arguments = "ID",
	  .summary = "let the process of a created container run its program",
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_start },
	{ .name = "state",
	  .arguments = "ID",
	  .summary = "show a container's state, as JSON",
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_state },
	{ .name = "kill",
	  .arguments = "ID [SIGNAL]",
	  .summary = "send a signal to a container; TERM if not said",
	  .options = kill_options,
	  .n_options = N_KILL_OPTIONS,
	  .options_bytes = sizeof(struct lifecycle_options),
	  .min_arguments = 1,
	  .max_arguments = 2,
	  .run = verb_kill },
	{ .name = "delete",
	  .arguments = "ID...",
	  .summary = "remove containers that have stopped, and all that is left of them",
	  .options = delete_options,
	  .n_options = N_DELETE_OPTIONS,
	  .options_bytes = sizeof(struct lifecycle_options),
	  .min_arguments = 1,
	  .max_arguments = -1,
	  .run = verb_delete },
	{ .name = "exec",
	  .arguments = "ID [COMMAND...]",
	  .summary = "run another process in a container that runs",
	  .options = exec_options,
	  .n_options = N_EXEC_OPTIONS,
	  .options_bytes = sizeof(struct exec_verb_options),
	  .flags = COMMAND_ARGUMENTS_LAST | COMMAND_FAILS_125,
	  .min_arguments = 1,
	  .max_arguments = -1,
	  .run = verb_exec },
	{ .name = "update",
	  .arguments = "ID",
	  .summary = "change the limits of a container",
	  .options = update_options,
	  .n_options = N_UPDATE_OPTIONS,
	  .options_bytes = sizeof(struct update_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_update },
	{ .name = "events",
	  .arguments = "ID",
	  .summary = "show what a container uses, and when it is out of memory, as JSON",
	  .options = events_options,
	  .n_options = N_EVENTS_OPTIONS,
	  .options_bytes = sizeof(struct events_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_events },
	{ .name = "ps",
	  .arguments = "ID [PS-OPTION...]",
	  .summary = "show a container's processes",
	  .options = ps_options,
	  .n_options = N_PS_OPTIONS,
	  .options_bytes = sizeof(struct ps_options),
	  .flags = COMMAND_ARGUMENTS_LAST,
	  .min_arguments = 1,
	  .max_arguments = -1,
	  .run = verb_ps },
	{ .name = "pause",
	  .arguments = "ID",
	  .summary = "stop all processes of a container where they are",
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_pause },
	{ .name = "resume",
	  .arguments = "ID",
	  .summary = "let a paused container go on",
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_resume },
	{ .name = "mounts",
	  .arguments = "add|remove ID MOUNT...",
	  .summary = "add mounts to a container that runs, or remove them",
	  .min_arguments = 3,
	  .max_arguments = -1,
	  .run = verb_mounts },
	{ .name = "pool",
	  .arguments = "fill|drain|status",
	  .summary = "make beforehand what starts need and takes long to make",
	  .options = pool_options,
	  .n_options = N_POOL_OPTIONS,
	  .options_bytes = sizeof(struct pool_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_pool },
	{ .name = "selftest",
	  .summary = "try the escapes that other runtimes had",
	  .options = selftest_options,
	  .n_options = N_SELFTEST_OPTIONS,
	  .options_bytes = sizeof(struct selftest_options),
	  .run = verb_selftest },
	{ .name = "checkpoint",
	  .arguments = "ID",
	  .summary = "write a container that runs into files, by CRIU",
	  .options = checkpoint_options,
	  .n_options = N_CHECKPOINT_OPTIONS,
	  .options_bytes = sizeof(struct checkpoint_options),
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_checkpoint },
	{ .name = "restore",
	  .arguments = "ID",
	  .summary = "make a container again from what checkpoint has written",
	  .options = restore_options,
	  .n_options = N_RESTORE_OPTIONS,
	  .options_bytes = sizeof(struct checkpoint_options),
	  .flags = COMMAND_FAILS_125,
	  .min_arguments = 1,
	  .max_arguments = 1,
	  .run = verb_restore },
	{ .name = "features",
	  .summary = "say what this nslaunch can do, as JSON",
	  .run = verb_features },
	{ .name = "list",
	  .summary = "list containers",
	  .options = list_options,
	  .n_options = N_LIST_OPTIONS,
	  .options_bytes = sizeof(struct list_options),
	  .run = verb_list },
};

/*
 * Verbs that make processes run in containers execute nslaunch once more, as a protected copy. What
 * has been read and allocated until then is thrown away by that: so do it before anything else.
 * That a word is an option's value costs time, nothing else; failures are told by the verb itself.
 */
static void protect_early(char *argv[])
{
	static const char *const verbs[] = { "create", "exec", "restore", "run" };
	struct error error;

	/* Only here it's certain that it is the verb. */
	if (argv[0] && argv[1] && !strcmp(argv[1], "run"))
		attend_signals_hold();

	for (size_t i = 1; argv[0] && argv[i] && strcmp(argv[i], "--"); i++) {
		for (size_t j = 0; j < sizeof(verbs) / sizeof(verbs[0]); j++) {
			if (strcmp(argv[i], verbs[j]))
				continue;
			error_init(&error);
			(void)self_protect(argv, &error);
			return;
		}
	}
}

int main(int argc, char *argv[])
{
	static const struct tool nslaunch = {
		.name = "nslaunch",
		.summary = "starts containers: an OCI runtime",
		.globals = global_options,
		.n_globals = N_GLOBAL_OPTIONS,
		.globals_bytes = sizeof(struct nslaunch_options),
		.commands = commands,
		.n_commands = sizeof(commands) / sizeof(commands[0]),
		.version = "spec: " OCI_VERSION_MAX,
		.begin = globals_begin,
	};

	/* Nothing here is made to be trusted by somebody with fewer rights. */
	if (getauxval(AT_SECURE)) {
		fprintf(stderr, "nslaunch: it must not be setuid, or have file capabilities\n");
		return 125;
	}
	protect_early(argv);
	return command_main(&nslaunch, argc, argv);
}
