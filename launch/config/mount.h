/* SPDX-License-Identifier: MIT */
/*
 * The words of a mount's options (mount(8), and the OCI runtime spec's "Linux mount options").
 */
#pragma once

#include "launch/config/config.h"

/**
 * config_mount_parse() - fill @mount from one element of config.json's `mounts`
 *
 * Return: 0 or a negative errno; @error names the mount and the option.
 */
int config_mount_parse(struct config_mount *mount, struct json_value value, struct error *error);

/** config_mount_word() - the options that are not a file system's own, one by one, then NULL */
const char *config_mount_word(size_t i);

/** config_mount_deinit() - free what it owns; an empty one, or one that failed halfway, too */
void config_mount_deinit(struct config_mount *mount);
