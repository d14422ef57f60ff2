/* SPDX-License-Identifier: MIT */
#include "fs/layer/chain_id.h"

#include <string.h>

#include "base/sha256.h"

void chain_id_next(char chain_id[DIGEST_TEXT_BYTES], const char *diff_id)
{
	char text[2 * DIGEST_TEXT_BYTES];

	if (!*chain_id) {
		memcpy(chain_id, diff_id, DIGEST_TEXT_BYTES);
		return;
	}
	memcpy(text, chain_id, DIGEST_TEXT_BYTES - 1);
	text[DIGEST_TEXT_BYTES - 1] = ' ';
	memcpy(text + DIGEST_TEXT_BYTES, diff_id, DIGEST_TEXT_BYTES);
	digest_of(text, 2 * DIGEST_TEXT_BYTES - 1, chain_id);
}
