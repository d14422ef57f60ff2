/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share. Nobody else includes this.
 */
#pragma once

#include "fs/volume/volume.h"

#define VOLUME_PATH_BYTES     (VOLUME_NAME_MAX_BYTES + 9)
#define VOLUME_JSON_MAX_BYTES (1u << 20)

/** volume_path() - "volumes/NAME", below the store */
void volume_path(const char *name, char ret_path[VOLUME_PATH_BYTES]);

/** volume_name_check() - 0, or -EINVAL and the rule */
int volume_name_check(const char *name, struct error *error);

/** volume_reference_add() - note that the container @id uses the volume; sets @volume->was_noted */
int volume_reference_add(struct volume *volume, const char *id, struct error *error);
