/* SPDX-License-Identifier: MIT */
#include "launch/capability.h"

#include <errno.h>
#include <strings.h>
#include <sys/prctl.h>

static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* chown, dac_override, fsetid, fowner, mknod, net_raw, setgid, setuid, setfcap, setpcap,
 * net_bind_service, sys_chroot, kill, audit_write */
const uint64_t capability_docker_defaults =
	CAPABILITY_BIT(0) | CAPABILITY_BIT(1) | CAPABILITY_BIT(3) | CAPABILITY_BIT(4) |
	CAPABILITY_BIT(5) | CAPABILITY_BIT(6) | CAPABILITY_BIT(7) | CAPABILITY_BIT(8) |
	CAPABILITY_BIT(10) | CAPABILITY_BIT(13) | CAPABILITY_BIT(18) | CAPABILITY_BIT(27) |
	CAPABILITY_BIT(29) | CAPABILITY_BIT(31);

int capability_from_name(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (size_t i = 0; i < N_NAMES; i++) {
		if (!strcasecmp(names[i] + 4, name))
			return (int)i;
	}
	return -EINVAL;
}

const char *capability_name(unsigned int number)
{
	return number < N_NAMES ? names[number] : NULL;
}

uint64_t capability_bounding_set(void)
{
	uint64_t set = 0;

	/* EINVAL: past the kernel's last one. */
	for (unsigned int i = 0; i < N_NAMES; i++) {
		int r = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (r < 0)
			break;
		if (r > 0)
			set |= CAPABILITY_BIT(i);
	}
	return set;
}

static int set_from_names(const struct string_list *list, uint64_t *ret_set, bool *ret_all,
			  struct error *error)
{
	*ret_set = 0;
	*ret_all = false;
	STRING_LIST_FOR_EACH (list, i) {
		int number;

		if (!strcasecmp(list->items[i], "ALL") || !strcasecmp(list->items[i], "CAP_ALL")) {
			*ret_all = true;
			continue;
		}
		number = capability_from_name(list->items[i]);
		if (number < 0)
			return error_usage(error, "unknown capability '%s'", list->items[i]);
		*ret_set |= CAPABILITY_BIT(number);
	}
	return 0;
}

int capability_choose(const struct string_list *add, const struct string_list *drop,
		      uint64_t *ret_set, struct error *error)
{
	uint64_t added, dropped;
	bool add_all, drop_all;
	int r = set_from_names(add, &added, &add_all, error);

	if (r == 0)
		r = set_from_names(drop, &dropped, &drop_all, error);
	if (r < 0)
		return r;
	if (add_all)
		*ret_set = capability_bounding_set() & ~dropped;
	else if (drop_all)
		*ret_set = added;
	else
		*ret_set = (capability_docker_defaults & ~dropped) | added;
	return 0;
}
