/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <string.h>

bool digest_hex_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == 64 && text[64] == '\0';
}

bool digest_is_valid(const char *text)
{
	return !strncmp(text, "sha256:", 7) && digest_hex_is_valid(text + 7);
}

void hex_encode(const uint8_t *bytes, size_t n_bytes, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n_bytes; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[2 * n_bytes] = '\0';
}

void digest_to_text(const uint8_t bytes[DIGEST_SHA256_BYTES], char ret_text[DIGEST_TEXT_BYTES])
{
	memcpy(ret_text, "sha256:", 7);
	hex_encode(bytes, DIGEST_SHA256_BYTES, ret_text + 7);
}
