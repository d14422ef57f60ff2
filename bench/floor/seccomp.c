/* SPDX-License-Identifier: MIT */
#include "bench/floor/floor.h"

#include <linux/seccomp.h>

#include "base/syscalls.h"
#include "launch/seccomp/default_profile.h"

/* The filter that nslaunch has for Docker's default profile, compiled when lamina is built. */
int process_seccomp(struct floor *floor)
{
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_PREBUILT_FLAGS,
			   (void *)&seccomp_prebuilt_program);
}
