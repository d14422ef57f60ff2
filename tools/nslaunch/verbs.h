/* SPDX-License-Identifier: MIT */
/*
 * The verbs of nslaunch, a file each: what main.c's table needs of them.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/command.h"
#include "launch/checkpoint/criu.h"
#include "launch/launch.h"
#include "launch/spec/options.h"

/* The tool's own options. */
struct nslaunch_options {
	const char *state;	      /* --root, --state, LAMINA_STATE; NULL: the default */
	const char *store;	      /* --store, LAMINA_STORE; NULL: the default */
	char default_state[PATH_MAX]; /* container_state_path()'s, for others than root */
	const char *log, *log_format, *cgroup_manager_name, *rootless_name;
	const char *criu; /* NULL: "criu" in PATH */
	bool debug, systemd_cgroup, strict;
	/* globals_begin()'s, of the names above */
	enum launch_cgroup_manager cgroup_manager;
	enum launch_rootless rootless;
};

#define N_GLOBAL_OPTIONS 11
extern const struct command_option global_options[N_GLOBAL_OPTIONS];
/** globals_begin() - check the tool's own options, and open the log */
int globals_begin(void *nslaunch_options, struct error *error);

struct spec_verb_options {
	struct spec_options spec;
	struct string_list bundles; /* empty: from standard input */
	const char *file;	    /* of a plain bundle; NULL: config.json */
	bool null, force, rootless;
};

#define N_SPEC_OPTIONS 49
extern const struct command_option spec_options[N_SPEC_OPTIONS];
int verb_spec(const struct command_call *call, struct error *error);

struct run_options {
	const char *bundle;
	const char *config;
	const char *pid_file;
	const char *console_socket;
	const char *template; /* LAMINA_TEMPLATE */
	uint64_t n_preserved_fds;
	bool no_template, no_pool, no_pivot, no_new_keyring, no_subreaper, trace_env;
	/* run only */
	const char *stdin_file;
	uint64_t n_jobs;
	const char *cidfile;
	bool null, interactive, terminal, keep, detach, rm, rm_on_failure;
};

#define N_RUN_OPTIONS 22
extern const struct command_option run_options[N_RUN_OPTIONS];
int verb_run(const struct command_call *call, struct error *error);

#define N_CREATE_OPTIONS 12
extern const struct command_option create_options[N_CREATE_OPTIONS];
int verb_create(const struct command_call *call, struct error *error);

struct lifecycle_options {
	bool force, all, regex;
};

int verb_start(const struct command_call *call, struct error *error);

#define N_KILL_OPTIONS 2
extern const struct command_option kill_options[N_KILL_OPTIONS];
int verb_kill(const struct command_call *call, struct error *error);

#define N_DELETE_OPTIONS 2
extern const struct command_option delete_options[N_DELETE_OPTIONS];
int verb_delete(const struct command_call *call, struct error *error);

struct selftest_options {
	bool by_cve;
	const char *inside; /* what a container of it looks for */
};

#define N_SELFTEST_OPTIONS 2
extern const struct command_option selftest_options[N_SELFTEST_OPTIONS];
int verb_selftest(const struct command_call *call, struct error *error);

struct list_options {
	bool quiet, json;
	const char *format;
};

#define N_LIST_OPTIONS 3
extern const struct command_option list_options[N_LIST_OPTIONS];
int verb_list(const struct command_call *call, struct error *error);

int verb_features(const struct command_call *call, struct error *error);

struct ps_options {
	const char *format;
};

#define N_PS_OPTIONS 1
extern const struct command_option ps_options[N_PS_OPTIONS];
int verb_ps(const struct command_call *call, struct error *error);

struct pool_options {
	uint64_t n;
	bool network, cgroup, dev; /* none: all */
	bool json, template;
};

#define N_POOL_OPTIONS 6
extern const struct command_option pool_options[N_POOL_OPTIONS];
int verb_pool(const struct command_call *call, struct error *error);

struct checkpoint_options {
	struct criu_options criu;
	/* restore only */
	const char *bundle, *pid_file, *console_socket;
	bool detach, no_subreaper, no_pivot;
};

#define N_CHECKPOINT_OPTIONS 15
extern const struct command_option checkpoint_options[N_CHECKPOINT_OPTIONS];
int verb_checkpoint(const struct command_call *call, struct error *error);

#define N_RESTORE_OPTIONS 18
extern const struct command_option restore_options[N_RESTORE_OPTIONS];
int verb_restore(const struct command_call *call, struct error *error);

int verb_mounts(const struct command_call *call, struct error *error);

int verb_pause(const struct command_call *call, struct error *error);
int verb_resume(const struct command_call *call, struct error *error);

int verb_state(const struct command_call *call, struct error *error);

struct exec_verb_options {
	const char *apparmor, *process_label;
	const char *process_file, *cwd, *user, *pid_file, *console_socket;
	struct string_list env, additional_gids, capabilities, cgroups;
	bool terminal, no_new_privileges, detach, ignore_paused, trace_env;
	uint64_t n_preserved_fds;
};

#define N_EXEC_OPTIONS 17
extern const struct command_option exec_options[N_EXEC_OPTIONS];
int verb_exec(const struct command_call *call, struct error *error);

struct update_options {
	const char *resources;
	/* Numbers and sizes stay text: what isn't said changes nothing, and 0 is a value. */
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpu_idle, *cpuset_cpus, *cpuset_mems, *blkio_weight, *pids_limit;
	const char *l3_cache_schema, *mem_bw_schema;
};

#define N_UPDATE_OPTIONS 19
extern const struct command_option update_options[N_UPDATE_OPTIONS];
int verb_update(const struct command_call *call, struct error *error);

struct events_options {
	const char *interval;
	bool stats;
};

#define N_EVENTS_OPTIONS 2
extern const struct command_option events_options[N_EVENTS_OPTIONS];
int verb_events(const struct command_call *call, struct error *error);
