/* SPDX-License-Identifier: MIT */
/*
 * Filters that were compiled earlier, kept by the text of their profile: STATE/@seccomp/HASH.
 *
 * A file has the whole text in it, which must be the one that is looked for byte by byte, so the
 * hash in its name needs to be fast and nothing more: a profile from outside can't pass for another
 * one. (SHA-256 without the processor's instructions, which is what a static musl program has,
 * takes as long as half a compilation.) It has a check over what else is in it, and its
 * instructions are looked at one by one. What can't be used for any reason is compiled as if there
 * were no cache; nothing here is ever an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "launch/seccomp/compile.h"

#define SECCOMP_CACHE_DIRECTORY                                                                    \
	"@seccomp"			  /* in the state directory; no container has this name    \
					   */
#define SECCOMP_CACHE_MAX_FILES 64	  /* one more takes the place of the oldest */
#define SECCOMP_CACHE_MAX_BYTES (1 << 20) /* of a file: larger profiles are not kept */

/* Generated: of the compiler's sources and its table of numbers; filters of another are not used.
 */
extern const uint64_t seccomp_compiler_id;

/**
 * seccomp_cache_find() - the filter of a profile that was kept
 * @state_path: the state directory; its cache must be the caller's, and nobody else's to write
 * @text: of the profile, as it stands in its config.json
 *
 * Return: true, and @ret_filter is the caller's to deinit.
 */
bool seccomp_cache_find(const char *state_path, const char *text, size_t n_text,
			struct seccomp_filter *ret_filter);

/** seccomp_cache_keep() - keep @filter, which was compiled from @text, for the next start */
void seccomp_cache_keep(const char *state_path, const char *text, size_t n_text,
			const struct seccomp_filter *filter);
