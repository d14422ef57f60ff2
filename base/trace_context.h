/* SPDX-License-Identifier: MIT */
/*
 * W3C Trace Context (https://www.w3.org/TR/trace-context/, level 1): TRACEPARENT, and the ids of
 * the spans that a tool's phases are in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* "00-<32 hex digits>-<16 hex digits>-<2 hex digits>" with its NUL. */
#define TRACE_CONTEXT_BYTES 56

/** trace_context_is_valid() - is @text a traceparent that may be used? (section 3.2) */
bool trace_context_is_valid(const char *text);

/**
 * trace_context_span() - the id of a phase's span, 16 hex digits: the same from what the phase's
 * line in a trace file says, so that whoever reads the file later finds it
 */
void trace_context_span(pid_t pid, const char *phase, uint64_t start_ns, char ret_hex[17]);

/** trace_context_child() - a traceparent as @parent, valid, but of the span @span_hex */
void trace_context_child(const char *parent, const char *span_hex,
			 char ret_text[TRACE_CONTEXT_BYTES]);
