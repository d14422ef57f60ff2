/* SPDX-License-Identifier: MIT */
/*
 * CRIU, the program that writes running processes into files and makes them again: its command
 * line (criu(8), 3.17), and a call of it.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "launch/config/config.h"

/* runc's options of `checkpoint` and `restore`, which are handed on. */
struct criu_options {
	const char *program;	/* NULL: "criu" in PATH */
	const char *image_path; /* directory of the images */
	const char *work_path;	/* of logs; NULL: image_path */
	const char *parent_path;
	const char *page_server; /* ADDRESS:PORT */
	const char *manage_cgroups;
	const char *empty_namespaces; /* "network" */
	const char *lsm_profile, *lsm_mount_context;
	const char *status_fd;
	bool leave_running, tcp_established, ext_unix_sockets, shell_job, lazy_pages, file_locks;
	bool pre_dump, auto_dedup;
};

/* Which side of an external mount's name is said: its place, or what is to come there. */
enum criu_side {
	CRIU_DUMP,
	CRIU_RESTORE,
};

/** criu_argument_add() - one more argument, by a format; 0 or -ENOMEM with @error */
int criu_argument_add(struct string_list *arguments, struct error *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * criu_arguments_begin() - the program, @command, and what both sides have in common
 * @log_name: of the log in the work directory
 *
 * Return: 0 or a negative errno (-EINVAL: an option's value is wrong).
 */
int criu_arguments_begin(struct string_list *arguments, const struct criu_options *options,
			 const char *command, const char *log_name, struct error *error);

/**
 * criu_mounts_add() - what of the container's mounts isn't its own: binds, masked files, and the
 * host's cgroups; CRIU doesn't look into them, and is told at a restore what to put there
 */
int criu_mounts_add(struct string_list *arguments, const struct config *config, enum criu_side side,
		    struct error *error);

/** criu_directory_check() - @options' image directory is there; @make: make it where it isn't */
int criu_directory_check(const struct criu_options *options, bool make, struct error *error);

/**
 * criu_run() - run it to its end
 * @arguments: a NULL is put behind them
 * @prepare: called in the child, before the exec; or NULL. 0 or -errno with @error, of which the
 * message is printed.
 * @keep_fd: a descriptor that stays open over the exec, or -1
 *
 * Return: 0 or a negative errno (-ENOENT: there is no criu, -EIO: it failed; @error names its log).
 */
int criu_run(const struct criu_options *options, struct string_list *arguments,
	     const char *log_name, const sigset_t *signal_mask,
	     int (*prepare)(void *argument, struct error *error), void *argument, int keep_fd,
	     struct error *error);
