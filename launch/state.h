/* SPDX-License-Identifier: MIT */
/*
 * The state of containers: STATE/ID/, 0700, with state.json, lock, and the socket that `start`
 * knocks at.
 *
 * A process is known by its pid and the time it started, never by its pid alone.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define STATE_ID_MAX_BYTES 255
/* In a directory of its own, which is the container's root's: who waits there takes it away. */
#define STATE_START_DIRECTORY "start"
#define STATE_START_NAME      "socket"
#define STATE_START_SOCKET    STATE_START_DIRECTORY "/" STATE_START_NAME
#define STATE_LOCK_FILE	      "lock"
#define STATE_FILE	      "state.json"
#define STATE_FILE_NEW	      "state.json.new"
#define STATE_CONFIG_FILE     "config.json" /* the bundle's, as it was at the create */
#define STATE_CGROUP_FILE     "cgroup"	    /* linux.cgroupsPath, where it isn't the default */

enum state_status {
	STATE_CREATING, /* no process yet, or its launcher was killed */
	STATE_CREATED,	/* waits at its exec */
	STATE_RUNNING,
	STATE_STOPPED,
	STATE_PAUSED, /* created or running, in a frozen cgroup: state_status() doesn't look */
};

/* What state.json holds. Strings are owned. */
struct state_record {
	char *id;
	char *bundle;
	char *rootfs;
	char *cgroup_path;
	char *systemd_unit;   /* whose cgroup it is, or NULL: nslaunch's own */
	bool systemd_is_user; /* of the owner's own systemd */
	char *created;	      /* RFC 3339, UTC */
	char *annotations;    /* a JSON object, or NULL */
	pid_t pid;
	uint64_t start_time; /* of @pid: field 22 of /proc/PID/stat, clock ticks since boot */
	uid_t owner;
	/* linux.seccomp was the default profile: STATE/ID/config.json has "{}" in its place. */
	bool has_default_seccomp;
	bool keeps_keyring;  /* `--no-new-keyring`: what is executed in it makes none either */
	char *listener_path; /* the supervisor that `start` is to connect to, or NULL */
	bool has_hooks;	     /* STATE/ID/config.json has some for `start` or `delete` */
};

/* An open state directory. Start with STATE_EMPTY. */
struct state {
	char *root_path;
	int root_fd;	  /* STATE */
	int directory_fd; /* STATE/ID */
	int lock_fd;	  /* exclusive while something changes */
	char id[STATE_ID_MAX_BYTES + 1];
};

#define STATE_EMPTY ((struct state){ .root_fd = -EBADF, .directory_fd = -EBADF, .lock_fd = -EBADF })

/** state_id_is_valid() - [A-Za-z0-9_+.-]+, not "." or "..", at most STATE_ID_MAX_BYTES */
bool state_id_is_valid(const char *id);

/**
 * state_root_open() - open STATE itself, of which the same is required as by state_create()
 * @ret_fd: owned by the caller
 *
 * Return: 0 or a negative errno (-ENOENT: it isn't there, and not to be made).
 */
int state_root_open(const char *root_path, bool make, int *ret_fd, struct error *error);

/**
 * state_create() - make STATE/ID and lock it
 *
 * What a killed launcher has left of this id (no state.json, nobody holds its lock) is taken over.
 *
 * @root_path must belong to the caller (or root) and be writable by nobody else.
 *
 * Return: 0 or a negative errno (-EEXIST: a container with this id exists; -EPERM: @root_path is
 * not to be trusted).
 */
int state_create(struct state *state, const char *root_path, const char *id, struct error *error);

/**
 * state_open() - open STATE/ID
 * @lock: take its lock, waiting for who holds it
 *
 * Return: 0 or a negative errno (-ENOENT: no such container).
 */
int state_open(struct state *state, const char *root_path, const char *id, bool lock,
	       struct error *error);

/** state_unlock() - let others change it, and keep it open */
void state_unlock(const struct state *state);

/**
 * state_lock() - lock it again, waiting for who holds it
 *
 * Return: 0 or a negative errno (-ENOENT: it was removed meanwhile; one of the same name is not
 * this one).
 */
int state_lock(const struct state *state);

void state_close(struct state *state);
#define _cleanup_state_ _cleanup_(state_close)

/**
 * state_write() - write state.json, by rename; not synced: it doesn't outlive a reboot
 * @name: STATE_FILE; or STATE_FILE_NEW, which the container's process itself renames once it lives
 * without its launcher: one that is killed in between leaves neither a process nor a state
 */
int state_write(const struct state *state, const struct state_record *record, const char *name,
		struct error *error);

/** state_read() - read state.json; -ENOENT: none, its launcher is at work or was killed */
int state_read(const struct state *state, struct state_record *record, struct error *error);

/**
 * state_read_unpublished() - what a killed launcher has noted of a container that was not made to
 * its end; -ENOENT: nothing
 */
int state_read_unpublished(const struct state *state, struct state_record *record,
			   struct error *error);

/**
 * state_cgroup_write() - note where the container's cgroup is going to be, for who removes what a
 * killed launcher has left before it wrote a state
 */
int state_cgroup_write(const struct state *state, const char *path, struct error *error);

/**
 * state_cgroup_read() - what was noted, else the default /lamina/ID
 * @ret_path: owned by the caller
 */
int state_cgroup_read(const struct state *state, char **ret_path, struct error *error);

/**
 * state_has_process() - did the launcher come so far that there is, or was, a process? What it was
 * killed before is not the container's for sure: the cgroup that it was going to make may have been
 * there, and another's.
 */
bool state_has_process(const struct state *state);

void state_record_deinit(struct state_record *record);
#define _cleanup_state_record_ _cleanup_(state_record_deinit)

/** state_status() - how the container of @record is, now */
enum state_status state_status(const struct state *state, const struct state_record *record);

const char *state_status_name(enum state_status status);

/**
 * state_remove() - take the lock, waiting, and remove STATE/ID
 *
 * Return: 0 (also where another removed it meanwhile) or a negative errno.
 */
int state_remove(struct state *state);

/** state_list() - the ids below @root_path, sorted; no such directory: none */
int state_list(const char *root_path, struct string_list *ids, struct error *error);

/** state_process_open() - a pidfd of exactly the record's process, or -ESRCH when it has ended */
int state_process_open(const struct state_record *record);
