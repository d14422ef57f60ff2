/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/load.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "base/syscalls.h"
#include "launch/seccomp/default_profile.h"

_Static_assert(SECCOMP_PREBUILT_FLAGS == SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	       "what a profile without flags gets");

int seccomp_compile(struct json_value section, struct seccomp_filter *ret_filter,
		    struct error *error)
{
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	const struct sock_fprog *prebuilt;
	size_t n_bytes = 0;
	const char *raw = json_raw(section, &n_bytes);
	int r;

	prebuilt = seccomp_prebuilt_find(raw, n_bytes);
	if (prebuilt) {
		*ret_filter = (struct seccomp_filter){
			.program = *prebuilt,
			.flags = SECCOMP_PREBUILT_FLAGS,
		};
		return 0;
	}
	r = seccomp_profile_parse(section, &profile, error);
	if (r < 0)
		return r;
	return seccomp_profile_compile(&profile, seccomp_native_arch(), ret_filter, error);
}

int seccomp_load(const struct sock_fprog *program, unsigned int flags)
{
	int r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, (void *)program);

	if (r < 0 && errno == EINVAL && flags & SECCOMP_FILTER_FLAG_SPEC_ALLOW) {
		flags &= ~SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, (void *)program);
	}
	if (r < 0 && errno == ENOSYS && flags == 0)
		r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0);
	if (r < 0)
		return -errno;
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return r;
	/* With TSYNC, the id of the thread that could not be brought along. */
	return r > 0 ? -ESRCH : 0;
}
