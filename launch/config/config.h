/* SPDX-License-Identifier: MIT */
/*
 * A bundle's config.json (OCI runtime spec 1.0.2 to 1.3) as plain data.
 *
 * Every string is borrowed from the parsed document, which must outlive the struct. What lamina
 * doesn't know is refused where ignoring it would weaken the isolation that was asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "launch/config/hooks.h"
#include "launch/config/id_map.h"

/* The versions of the specification that are carried out; any 1.x is accepted. */
#define OCI_VERSION_MIN "1.0.0"
#define OCI_VERSION_MAX "1.3.0"

/* Bigger files are refused: engines' configs are some 10 kB. */
#define CONFIG_MAX_BYTES (8u << 20)

/* The bits of the five capability sets, CAP_CHOWN is bit 0. */
struct config_capabilities {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct config_rlimit {
	int resource; /* RLIMIT_* */
	const char *name;
	struct rlimit limit;
};

/* As sched_setattr(2) takes it. */
struct config_scheduler {
	bool is_said;
	uint32_t policy; /* CONFIG_SCHED_* and the others of linux/sched.h */
	uint32_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
};

enum { CONFIG_SCHED_FIFO = 1, CONFIG_SCHED_RR = 2, CONFIG_SCHED_DEADLINE = 6 };

struct config_process {
	char **args; /* NULL-terminated, at least one */
	char **env;  /* NULL-terminated */
	const char *cwd;
	uid_t uid;
	gid_t gid;
	gid_t *additional_gids;
	size_t n_additional_gids;
	int umask; /* -1: not said */
	struct config_capabilities capabilities;
	bool has_unknown_capabilities; /* which are left out: less is safe */
	struct config_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	bool terminal;
	unsigned short console_rows, console_columns;
	bool has_oom_score_adj;
	int oom_score_adj;
	struct config_scheduler scheduler;
	int io_priority;			      /* as ioprio_set(2) takes it; -1: not said */
	const char *apparmor_profile, *selinux_label; /* or NULL */
	const char *exec_cpus_initial; /* an exec's processors before it is in the container's */
	const char *exec_cpus_final;   /* cgroups, and from then on; NULL: not said */
};

/* How a mount's options, as mount(8) writes them, are carried out. */
struct config_mount {
	char *destination; /* absolute in the container and clean: no "//", ".", ".."; owned */
	bool is_remount;   /* what is mounted there already gets the options */
	bool copies_up;	   /* a tmpfs that begins with what it lies over */
	bool is_relative;  /* the document's was not absolute */
	const char *type;  /* file system type, "bind" for binds */
	const char *source;
	bool is_bind;
	bool recursive;		   /* rbind */
	uint64_t attributes;	   /* MOUNT_ATTR_* to set */
	uint64_t attributes_clear; /* MOUNT_ATTR_* to clear */
	uint64_t recursive_set;	   /* rro, rnosuid...: the same for all mounts below */
	uint64_t recursive_clear;
	unsigned long propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE, or 0 */
	bool propagation_recursive;
	const char *idle_option; /* one that has no effect, or NULL */
	char **data;		 /* NULL-terminated: what is left, the file system's own options */
	bool is_idmapped, is_idmapped_recursively; /* idmap, ridmap */
	struct id_maps id_maps;			   /* empty: the container's own */
	/* Set for what the bundle's `mounts` file names (x-lamina.subpath). */
	const char *subpath;
};

struct config_device {
	const char *path;
	mode_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO and the permissions */
	dev_t device;
	uid_t uid;
	gid_t gid;
};

struct config_namespace {
	int flag;	  /* CLONE_NEW* */
	const char *type; /* "pid", "network", ... */
	const char *path; /* to join, or NULL: a new one */
};

struct config_rdt {
	bool is_asked;
	bool is_monitored;
	const char *class_id; /* closID, or NULL */
	char **schemata;      /* all lines, in the order that they are written in */
	size_t n_schemata;
	char *cache_schema; /* what some of them lie in */
};

#define CONFIG_MAX_NAMESPACES 8

/* An element of linux.timeOffsets, as /proc/PID/timens_offsets takes it. */
struct config_time_offset {
	const char *clock; /* "monotonic", "boottime" */
	int64_t seconds;
	uint32_t nanoseconds;
};

#define CONFIG_MAX_TIME_OFFSETS 2

/* An interface of the host's that becomes the container's. */
struct config_net_device {
	const char *host_name;
	const char *name; /* in the container */
};

struct config {
	struct json_document document;
	struct config_process process;
	const char *root_path;
	bool root_read_only;
	const char *hostname, *domainname;
	struct config_mount *mounts;
	size_t n_mounts;
	struct config_namespace namespaces[CONFIG_MAX_NAMESPACES];
	size_t n_namespaces;
	struct id_maps id_maps; /* of a new user namespace */
	struct config_time_offset
		time_offsets[CONFIG_MAX_TIME_OFFSETS]; /* of a new time namespace */
	size_t n_time_offsets;
	struct config_net_device *net_devices;
	size_t n_net_devices;
	struct config_device *devices;
	size_t n_devices;
	const char *cgroups_path; /* NULL: not said */
	struct json_value resources;
	struct config_rdt rdt;
	struct json_value seccomp;
	bool has_default_seccomp; /* linux.seccomp is the default profile, and @seccomp only stands
				     for it */
	const char *mount_label;  /* or NULL */
	struct json_value sysctl;
	struct json_value annotations;
	int memory_policy;	  /* mode and flags of set_mempolicy(2); -1: not said */
	const char *memory_nodes; /* its list of nodes, or NULL */
	int personality;	  /* personality(2); -1: not said */
	struct config_hooks hooks;
	char **masked_paths, **read_only_paths; /* NULL-terminated, or NULL */
	unsigned long root_propagation;		/* MS_* of rootfsPropagation */
};

/**
 * config_parse() - read and check the config.json below @bundle_fd
 * @config: all zero; to be given to config_deinit(), also after a failure
 *
 * Return: 0 or a negative errno; @error names the field.
 */
int config_parse(struct config *config, int bundle_fd, struct error *error);

/** config_parse_file() - the same of another file than config.json */
int config_parse_file(struct config *config, int bundle_fd, const char *name, struct error *error);

/** config_fill() - the same from @config's document, which is parsed already */
int config_fill(struct config *config, struct error *error);

/**
 * config_process_parse() - a `process` object by itself, as `exec --process FILE` gets it
 * @process: all zero; to be given to config_process_deinit(), also after a failure
 */
int config_process_parse(struct config_process *process, struct json_value value,
			 struct error *error);

/** config_report() - warn of what is left out, in the container @id; once a start */
void config_report(const struct config *config, const char *id);

/** config_process_report() - the same for @process, that @value was parsed to, of an exec */
void config_process_report(const struct config_process *process, struct json_value value,
			   const char *id);

void config_process_deinit(struct config_process *process);

void config_deinit(struct config *config);
#define _cleanup_config_ _cleanup_(config_deinit)

/** config_find_namespace() - the namespace of this kind that is asked for, new or joined, or NULL
 */
const struct config_namespace *config_find_namespace(const struct config *config, int flag);

/** config_has_own_namespace() - is a new one of this kind made, that nobody else is in? */
bool config_has_own_namespace(const struct config *config, int flag);
