/* SPDX-License-Identifier: MIT */
/*
 * The container's side of a start: what runs between the clone and the exec.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "base/error.h"
#include "launch/bundle.h"
#include "launch/cgroup/mount.h"
#include "launch/landlock.h"
#include "launch/mount_source.h"
#include "launch/namespace.h"
#include "launch/seccomp/compile.h"
#include "launch/seccomp/listener.h"

/*
 * All that the child needs, made by its parent before the clone. In a vforked child this is the
 * parent's own memory; in a forked one a copy, but for @report, which both share.
 */
struct child {
	const struct config_process *process;
	const struct config *config;	    /* the container's */
	const struct launch_bundle *bundle; /* NULL with join_pidfd */
	/* `exec`: the container's process, whose namespaces are joined; -EBADF: a new container */
	int join_pidfd;
	int join_flags; /* CLONE_NEW* that it has of its own, without the pid namespace */
	const struct namespaces *namespaces;
	const struct cgroup *cgroup;
	const struct seccomp_filter *filter; /* NULL: none */
	struct seccomp_listener *listener;   /* of a filter that notifies, or NULL */
	const struct landlock *landlock;     /* NULL: none */
	const char *id;
	const struct mount_sources *sources;
	int root_mount_fd; /* -EBADF: made by the child, whose launcher may not mount */
	/* The template (launch/template.h) and what is taken for who starts from it; or -EBADF, and
	 * NULL. */
	int template_fd, null_fd;
	const struct cgroup_clones *clones;
	int network_fd, dev_fd; /* of a pool (launch/pool.h); or -EBADF */
	int parent_pidfd;	/* readable when the parent has ended */
	int procfs_fd;		/* preparation's */
	int terminal_fd;	/* socket that gets the terminal's master; -EBADF: no terminal */
	int start_fd;		/* `create`: STATE/ID/start, where the socket of listen_fd is */
	int listen_fd;	 /* `create`: where `start` knocks; -EBADF: go on to the exec at once */
	int lock_fds[2]; /* the launcher's locks: a child that outlives it lets go of them */
	int state_fd;	 /* STATE/ID */
	int dialogue_fd; /* a forked child's, see launch/dialogue.h; -EBADF: vforked */
	bool is_unprivileged; /* the launcher isn't root where it is */
	bool is_bridged;      /* cgroups and what is joined are entered: see launch/bridge.h */
	bool ids_are_mapped;  /* of a new user namespace, by the bridge */
	int stdin_fd;	      /* to be standard input; -EBADF: the parent's */
	unsigned int n_preserved_fds; /* 3, 4, ... stay open over the exec */
	char *listen_pid;	      /* in the environment, for activation_pid_set(); or NULL */
	bool dies_with_parent;	      /* killed when the launcher is */
	bool strict;		      /* launch_options' */
	bool no_new_keyring;
	bool no_pivot;
	sigset_t signal_mask;	      /* the mask that the launcher was started with */
	const struct rlimit *n_files; /* RLIMIT_NOFILE likewise; NULL: as it is */
	struct child_report *report;
};

/* In shared memory. */
struct child_report {
	struct error error; /* code 0: none */
	int exit_status;    /* 125, 126 or 127, with an error */
	pid_t bridged_pid;  /* of the container's process, where a bridge made it; else 0 */
	unsigned int clone_slot,
		exec_slot; /* phases that begin in one process and end in the other */
};

/** child_bind_life() - a launcher that is killed takes this process along */
int child_bind_life(const struct child *child, struct error *error);

/**
 * child_map_ids() - in a new user namespace: have the launcher map its ids, and become its root
 */
int child_map_ids(const struct child *child, struct error *error);

/**
 * child_be_dumpable() - where the launcher isn't root, whose files in /proc nobody but root may
 * write while this process is undumpable: be it for a moment
 *
 * Only while nothing of a container's is joined: nobody there may look into this process.
 */
int child_be_dumpable(const struct child *child, bool dumpable, struct error *error);

/** child_main() - becomes the container's process; returns only to say why it couldn't */
int child_main(void *child);
