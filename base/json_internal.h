/* SPDX-License-Identifier: MIT */
/*
 * What base/json.c and base/json_parse.c share.
 */
#pragma once

#include "base/json.h"

/* As large as jsmn's own: they are converted where they are. */
struct json_token {
	uint8_t type;
	bool is_key;	/* a member's name; the token behind it is the value */
	bool is_member; /* the token before it is its name */
	bool is_last;	/* of its container's elements, or values */
	uint32_t start; /* of the value's text; of a string, behind the quote */
	uint32_t end;
	uint32_t n_children; /* elements, or members */
	uint32_t next;	     /* the token behind this value and all within it */
};
