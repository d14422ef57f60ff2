/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "launch/seccomp/default_profile.h"

void seccomp_default_write(struct json_writer *writer, const char *key, uint64_t capabilities,
			   enum seccomp_arch_index arch)
{
	if (seccomp_default_is_prebuilt(capabilities, arch))
		json_write_raw(writer, key, seccomp_prebuilt_text, seccomp_prebuilt_n_bytes);
	else
		seccomp_default_format(writer, key, capabilities, arch);
}

bool seccomp_default_is_prebuilt(uint64_t capabilities, enum seccomp_arch_index arch)
{
	uint64_t mattering = seccomp_default_capabilities();

	return arch == seccomp_prebuilt_arch && seccomp_prebuilt_n_bytes > 0 &&
	       (capabilities & mattering) == (SECCOMP_DEFAULT_CAPABILITIES & mattering);
}

const struct sock_fprog *seccomp_prebuilt_find(const char *raw, size_t n_bytes)
{
	if (n_bytes == 0 || n_bytes != seccomp_prebuilt_n_bytes ||
	    memcmp(raw, seccomp_prebuilt_text, n_bytes) != 0)
		return NULL;
	return &seccomp_prebuilt_program;
}
