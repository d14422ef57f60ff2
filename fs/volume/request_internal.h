/* SPDX-License-Identifier: MIT */
/*
 * What the parsers of -v, --mount and --tmpfs share. Nobody else includes this.
 */
#pragma once

#include "fs/volume/request.h"

/** request_destination() - check and clean a destination; 0 or -EINVAL */
int request_destination(struct mount_request *request, const char *path, struct error *error);

/** request_host_path() - an absolute, clean host path; "./x" and "../x" are the working directory's
 */
int request_host_path(struct mount_request *request, const char *path, struct error *error);

/** request_add() - append @request, which is taken over, on failure too */
int request_add(struct mount_requests *requests, struct mount_request *request,
		struct error *error);

/** tmpfs_options_add() - Docker's default options and @text's, which win; @text may be NULL */
int tmpfs_options_add(struct mount_request *request, const char *text, struct error *error);

/** propagation_is_valid() - is @word one of mount(8)'s propagation flags? */
bool propagation_is_valid(const char *word);
