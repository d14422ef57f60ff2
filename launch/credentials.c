/* SPDX-License-Identifier: MIT */
#include "launch/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trace.h"
#include "launch/capability.h"

int credentials_held(uint64_t *ret_held, struct error *error)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return error_set(error, -errno, "cannot tell the launcher's capabilities");
	*ret_held = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

/* "... or cannot be granted otherwise, MUST be logged as a warning" (config.md, capabilities) */
static void missing_report(uint64_t missing)
{
	char names[512] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < 64 && n < sizeof(names); i++) {
		if (missing & UINT64_C(1) << i && capability_name(i))
			n += (size_t)snprintf(names + n, sizeof(names) - n, " %s",
					      capability_name(i));
	}
	if (n)
		log_warning("process.capabilities: the launcher hasn't got%s, and can't give it",
			    names);
}

int credentials_limit(const struct config_process *process, uint64_t held, struct error *error)
{
	const struct config_capabilities *sets = &process->capabilities;
	uint64_t missing = (sets->effective | sets->permitted) & ~held;

	if (missing)
		missing_report(missing);
	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(error, -errno, "process.noNewPrivileges: cannot be set");
	return 0;
}

static int bounding_drop(uint64_t keep, struct error *error)
{
	/* The kernel says EINVAL behind its last capability. */
	for (int i = 0; i < 64; i++) {
		if (keep & UINT64_C(1) << i)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return errno == EINVAL
				       ? 0
				       : error_set(
						 error, -errno,
						 "process.capabilities: cannot drop capability %d",
						 i);
	}
	return 0;
}

static int sets_apply(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(effective >> 32 * i),
			.permitted = (uint32_t)(permitted >> 32 * i),
			.inheritable = (uint32_t)(inheritable >> 32 * i),
		};
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/*
 * Somebody who isn't root maps his own id alone, and only where the namespace's groups can't be
 * changed any more (user_namespaces(7), "setgroups"): what he is in stays, as with runc and crun.
 */
static bool groups_are_fixed(const struct config_process *process, uint64_t held)
{
	return errno == EPERM && held & UINT64_C(1) << CAP_SETGID &&
	       process->n_additional_gids == 0;
}

static int ids_set(const struct config_process *process, uint64_t held, struct error *error)
{
	TRACE_PHASE("id.ids");
	bool other_user = process->uid != 0;

	/* System calls, not the C library's: it would look for threads to do the same in. */
	if (syscall(SYS_setgroups, process->n_additional_gids, process->additional_gids) < 0 &&
	    !groups_are_fixed(process, held))
		return error_set(error, -errno, "process.user.additionalGids: cannot be set");
	if (syscall(SYS_setresgid, process->gid, process->gid, process->gid) < 0)
		return error_set(error, -errno, "process.user.gid: cannot become group %u",
				 process->gid);
	/* The permitted set must outlive the change of user until the sets are set below. */
	if (other_user && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot keep capabilities");
	if (syscall(SYS_setresuid, process->uid, process->uid, process->uid) < 0)
		return error_set(error, -errno, "process.user.uid: cannot become user %u",
				 process->uid);
	/* The change has made it what fs.suid_dumpable says: 1 would let its new user look in. */
	if ((other_user || process->gid) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot make the process undumpable");
	return 0;
}

int credentials_become(const struct config_process *process, uint64_t held, bool filter_follows,
		       struct error *error)
{
	const struct config_capabilities *sets = &process->capabilities;
	uint64_t extra;
	int r;

	{
		TRACE_PHASE("id.caps");
		r = bounding_drop(sets->bounding, error);
		if (r < 0)
			return r;
	}
	r = ids_set(process, held, error);
	if (r < 0)
		return r;
	extra = filter_follows && !process->no_new_privileges ? UINT64_C(1) << CAP_SYS_ADMIN : 0;
	/* What this process itself lacks can't be given (a machine without CAP_SYS_RESOURCE). */
	r = sets_apply((sets->effective | extra) & held,
		       (sets->permitted | sets->effective | extra) & held,
		       sets->inheritable & held);
	if (r < 0)
		return error_set(error, r, "process.capabilities: cannot be set");
	/*
	 * The kernel raises only what is inheritable too. `runc spec` writes sets where nothing is,
	 * and runc then runs without ambient capabilities: so does this.
	 */
	for (int i = 0; i < 64; i++) {
		if (sets->ambient & sets->inheritable & held & UINT64_C(1) << i &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return error_set(error, -errno,
					 "process.capabilities: cannot raise ambient capability %d",
					 i);
	}
	return 0;
}
