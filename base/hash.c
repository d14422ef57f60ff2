/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void hash_hex(const void *bytes, size_t n_bytes, char ret_hex[HASH_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	XXH128_hash_t hash = XXH3_128bits(bytes, n_bytes);
	uint64_t halves[2] = { hash.high64, hash.low64 };

	for (int i = 0; i < 32; i++)
		ret_hex[i] = digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
	ret_hex[32] = '\0';
}
