/* SPDX-License-Identifier: MIT */
#include "base/trace_context.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* @n lower-case hex digits and @end, not all of them zero where @nonzero. */
static bool is_hex(const char *text, size_t n, bool nonzero)
{
	return strspn(text, "0123456789abcdef") == n && (!nonzero || strspn(text, "0") < n);
}

bool trace_context_is_valid(const char *text)
{
	/* A later version may have more behind a further dash; version ff is none. */
	return is_hex(text, 2, false) && strncmp(text, "ff", 2) && text[2] == '-' &&
	       is_hex(text + 3, 32, true) && text[35] == '-' && is_hex(text + 36, 16, true) &&
	       text[52] == '-' && is_hex(text + 53, 2, false) &&
	       (text[55] == '\0' || (text[55] == '-' && strncmp(text, "00", 2)));
}

void trace_context_span(pid_t pid, const char *phase, uint64_t start_ns, char ret_hex[17])
{
	/* FNV-1a, of 64 bits: ids must differ, nobody is to be kept from finding two that don't. */
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char text[192];

	snprintf(text, sizeof(text), "%d:%.128s:%" PRIu64, (int)pid, phase, start_ns);
	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	/* All zero is no id. */
	snprintf(ret_hex, 17, "%016" PRIx64, hash ? hash : 1);
}

void trace_context_child(const char *parent, const char *span_hex,
			 char ret_text[TRACE_CONTEXT_BYTES])
{
	snprintf(ret_text, TRACE_CONTEXT_BYTES, "00-%.32s-%.16s-%.2s", parent + 3, span_hex,
		 parent + 53);
}
