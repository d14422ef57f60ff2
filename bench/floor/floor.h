/* SPDX-License-Identifier: MIT */
/*
 * The least that a container start as Docker's defaults want it can cost: its kernel operations.
 *
 * Every step is one function without conditions that the kernel doesn't force on it. Each returns 0
 * or -1 and errno; floor.c has them in their order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Docker's limit of layers, with room for the init layer. */
#define FLOOR_MAX_LOWERS 128

/* More than any kernel has. */
#define FLOOR_MAX_HIERARCHIES 24

/* The kinds of what a pool has, and the files of /etc that are the container's own. */
enum { N_POOLED = 3, N_ETC_FILES = 3 };

/* A cgroup v1 hierarchy, or the v2 one, and the container's directory in it. */
struct hierarchy {
	const char *name; /* below /sys/fs/cgroup; "" where that is the v2 hierarchy itself */
	bool is_v2;
	int directory_fd;
	int tasks_fd; /* v1: what the child writes itself into */
	int mount_fd; /* read-only, detached: what the container sees of it */
};

struct floor {
	/* What the command line says. */
	const char *lowers[FLOOR_MAX_LOWERS];
	size_t n_lowers;
	const char *upper, *work; /* NULL: ephemeral */
	bool host_network;
	bool no_reexec;
	const char *template, *pool; /* STATE/@pool/ready; or NULL: nothing is there beforehand */
	char **program;		     /* NULL-terminated */

	/* What the steps leave for later ones. */
	int root_fd; /* the overlay: detached in the parent, attached and current in the child */
	struct hierarchy hierarchies[FLOOR_MAX_HIERARCHIES];
	size_t n_hierarchies;
	int v2_fd;	 /* of the container's v2 cgroup, or -1 */
	char cgroup[32]; /* floor-PID, or what the pool gave */
	int template_fd, ready_fd, network_fd, dev_fd, etc_fds[N_ETC_FILES];
	char taken[N_POOLED][32]; /* names in the pool */
	const char *step;	  /* what was being done, and */
	int step_errno; /* why it failed; the vforked child sets them in the parent's memory */
};

/* root.c: the overlay, and making it the root */
int root_make(struct floor *floor);
int root_attach(struct floor *floor);
int root_switch(struct floor *floor);

/* cgroup.c */
int cgroup_make(struct floor *floor);
int cgroup_enter(struct floor *floor);
int cgroup_mount(struct floor *floor);
void cgroup_remove(struct floor *floor);

/* mounts.c: what a container finds under its root */
int mount_proc(struct floor *floor);
int write_sysctls(struct floor *floor);
int mount_dev(struct floor *floor);
int mount_dev_pts(struct floor *floor);
int mount_dev_shm(struct floor *floor);
int mount_dev_mqueue(struct floor *floor);
int mount_sys(struct floor *floor);
int mount_etc(struct floor *floor);
int mount_masks(struct floor *floor);
int mount_read_only_paths(struct floor *floor);

/* Clones the mount at a path, read-only and detached; its descriptor. */
int clone_read_only(int directory_fd, const char *path);

/* pooled.c: what takes the place of some of these with a template and a pool */
int template_open(struct floor *floor);
int template_enter(struct floor *floor);
int template_root_attach(struct floor *floor);
int template_root_switch(struct floor *floor);
int pool_take(struct floor *floor);
void pool_settle(struct floor *floor);
int network_enter(struct floor *floor);
int pooled_dev_attach(struct floor *floor);
int etc_take(struct floor *floor);
int etc_attach(struct floor *floor);

/* process.c: the calling process alone */
int process_protect(char **argv);
int process_loopback_up(struct floor *floor);
int process_hostname(struct floor *floor);
int process_keyring(struct floor *floor);
int process_session(struct floor *floor);
int process_identity(struct floor *floor);
int process_capabilities(struct floor *floor);
int process_seccomp(struct floor *floor);
int process_descriptors(struct floor *floor);
