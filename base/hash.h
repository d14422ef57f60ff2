/* SPDX-License-Identifier: MIT */
/*
 * XXH3-128: fast keys for what lamina itself made. Never for what comes from outside: it is not
 * collision resistant; digests are SHA-256 (base/sha256.h).
 */
#pragma once

#include <stddef.h>

#define HASH_HEX_BYTES 33 /* 32 hex digits and the NUL */

/** hash_hex() - the XXH3-128 of @bytes in lower-case hex, in @ret_hex */
void hash_hex(const void *bytes, size_t n_bytes, char ret_hex[HASH_HEX_BYTES]);
