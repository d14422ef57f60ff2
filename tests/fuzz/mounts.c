/* SPDX-License-Identifier: MIT */
/* Whatever stands in `mounts`: what is taken is absolute, clean, and there once. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "launch/bundle/mounts_file.h"

static void mount_check(const struct bundle_mounts *mounts, const struct bundle_mount *mount)
{
	if (mount->destination[0] != '/' || strstr(mount->destination, "/../") ||
	    strstr(mount->destination, "//") ||
	    bundle_mounts_find(mounts, mount->destination) != mount)
		abort();
	if (mount->subpath && (!mount->volume || mount->subpath[0] == '/'))
		abort();
	if (mount->volume && strchr(mount->volume, '/'))
		abort();
	STRING_LIST_FOR_EACH (&mount->options, i) {
		if (!strncmp(mount->options.items[i], "x-", 2))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_bundle_mounts_ struct bundle_mounts mounts = {};
	_cleanup_free_ char *text = strndup((const char *)bytes, n_bytes);
	struct error error;

	error_init(&error);
	if (!text)
		return 0;
	if (bundle_mounts_parse(&mounts, text, &error) < 0 && !error.message[0])
		abort();
	for (size_t i = 0; i < mounts.n_items; i++)
		mount_check(&mounts, &mounts.items[i]);
	return 0;
}
