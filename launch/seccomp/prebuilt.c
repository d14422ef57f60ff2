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

size_t seccomp_prebuilt_cut(char *text, size_t *n_bytes)
{
	static const char name[] = "\"seccomp\":";
	const size_t n_name = sizeof(name) - 1, n_profile = seccomp_prebuilt_n_bytes;
	const char *end = text + *n_bytes;
	char *at = text;

	while (n_profile > 0 && (at = memmem(at, (size_t)(end - at), name, n_name))) {
		at += n_name;
		if ((size_t)(end - at) < n_profile || memcmp(at, seccomp_prebuilt_text, n_profile))
			continue;
		memcpy(at, "{}", 2);
		memmove(at + 2, at + n_profile, (size_t)(end - at) - n_profile);
		*n_bytes -= n_profile - 2;
		return (size_t)(at - text);
	}
	return 0;
}

const struct sock_fprog *seccomp_prebuilt_find(const char *raw, size_t n_bytes)
{
	if (n_bytes == 0 || n_bytes != seccomp_prebuilt_n_bytes ||
	    memcmp(raw, seccomp_prebuilt_text, n_bytes) != 0)
		return NULL;
	return &seccomp_prebuilt_program;
}
