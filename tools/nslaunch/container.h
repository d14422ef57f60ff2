/* SPDX-License-Identifier: MIT */
/*
 * What the verbs share: the tool's own options, and from an argument to a container.
 */
#pragma once

#include "base/command.h"
#include "launch/state.h"
#include "tools/nslaunch/verbs.h"

/** container_state_path() - the state directory: what was said, else /run/lamina, or
 * $XDG_RUNTIME_DIR/lamina for others than root; NULL with @error: nothing was said and there is
 * none */
const char *container_state_path(const struct command_call *call, struct error *error);

/**
 * container_resolve() - the id that an argument means: a name (where the store is known), else a
 * whole id, else the unambiguous beginning of an id of 64 hexadecimal digits (lamina's, Docker's)
 *
 * Of no others: an engine that deletes "web" once more must not hit "web2".
 * @ret_id: STATE_ID_MAX_BYTES + 1 bytes
 */
int container_resolve(const struct command_call *call, const char *argument, char *ret_id,
		      struct error *error);

/** container_open() - resolve, open and read; @lock as state_open()'s */
int container_open(const struct command_call *call, const char *argument, bool lock,
		   struct state *state, struct state_record *record, struct error *error);

/** container_start() - let a created container run its program */
int container_start(const struct command_call *call, const char *argument, struct error *error);

/** container_delete() - remove a container that has stopped; @force: in any state, or none */
int container_delete(const struct command_call *call, const char *argument, bool force,
		     struct error *error);

/**
 * container_match() - the ids of all containers that @pattern, an extended regular expression (as
 * crun's), fits anywhere; added to @ids
 */
int container_match(const struct command_call *call, const char *pattern, struct string_list *ids,
		    struct error *error);

/** container_status() - state_status(), and whether it is paused */
enum state_status container_status(const struct state *state, const struct state_record *record);
