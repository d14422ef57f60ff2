/* SPDX-License-Identifier: MIT */
/*
 * The names of a config.json's members: what nobody here knows is not ignored silently.
 *
 * The table is the specification's (1.3, schema/config-schema.json and config-linux.json), with
 * what it has of other platforms; docs/spec.md says what becomes of each.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

/**
 * known_check() - refuse members that a container would be less isolated without, or not itself
 * @root: the whole document
 *
 * Return: 0, or -EOPNOTSUPP: @error names the member.
 */
int known_check(struct json_value root, struct error *error);

/** known_process_check() - the same for a `process` by itself, as `exec --process FILE` gets it */
int known_process_check(struct json_value process, struct error *error);

/**
 * known_report() - tell of each member that is left out and harmless
 * @tell: gets a sentence and @argument
 */
void known_report(struct json_value root, void (*tell)(const char *message, void *argument),
		  void *argument);

/** known_process_report() - the same for a `process` by itself */
void known_process_report(struct json_value process,
			  void (*tell)(const char *message, void *argument), void *argument);
