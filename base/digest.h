/* SPDX-License-Identifier: MIT */
/*
 * Digests as text: "sha256:" and 64 lower-case hex digits (OCI image spec 1.1, descriptor.md,
 * "Digests"). sha512 is valid there too, but no image in use has it; it is refused with a clear
 * word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA256_BYTES 32
#define DIGEST_HEX_BYTES    65 /* 64 hex digits and the NUL */
#define DIGEST_TEXT_BYTES   72 /* "sha256:", the hex digits and the NUL */

/** digest_is_valid() - is @text "sha256:" and 64 lower-case hex digits? */
bool digest_is_valid(const char *text);

/** digest_hex_is_valid() - is @text 64 lower-case hex digits? */
bool digest_hex_is_valid(const char *text);

/** digest_to_text() - "sha256:" and the hex digits of @bytes, in @ret_text */
void digest_to_text(const uint8_t bytes[DIGEST_SHA256_BYTES], char ret_text[DIGEST_TEXT_BYTES]);

/** hex_encode() - 2 * @n_bytes lower-case hex digits and a NUL, in @ret_hex */
void hex_encode(const uint8_t *bytes, size_t n_bytes, char *ret_hex);
