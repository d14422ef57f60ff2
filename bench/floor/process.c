/* SPDX-License-Identifier: MIT */
#include "bench/floor/floor.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/syscalls.h"

#define PROTECTED_NAME "floor-start (protected)"

/*
 * A container can make the kernel execute the launcher's own file (an entrypoint
 * `#!/proc/self/exe`) and then open it for writing; through a read-only mount it can't. The second
 * time round the name says that it is done. CVE-2019-5736.
 */
int process_protect(char **argv)
{
	const struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	extern char **environ;
	int fd;

	if (!strcmp(argv[0], PROTECTED_NAME))
		return 0;
	argv[0] = (char *)PROTECTED_NAME;
	fd = sys_open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
		return -1;
	return (int)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
}

int process_loopback_up(struct floor *floor)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, r;

	if (floor->host_network)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &loopback);
	close(fd);
	return r;
}

int process_hostname(struct floor *floor)
{
	return sethostname("floor", 5);
}

int process_keyring(struct floor *floor)
{
	return (int)sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"_ses.floor", 0, 0, 0);
}

int process_session(struct floor *floor)
{
	return setsid();
}

/* The bare calls: the C library's would tell other threads, and here they are the parent's. */
int process_identity(struct floor *floor)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setgid, 0) < 0)
		return -1;
	return (int)syscall(SYS_setuid, 0);
}

/* Docker's fourteen. */
static const unsigned int kept[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	     CAP_FOWNER,
	CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
	CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
	CAP_KILL,    CAP_AUDIT_WRITE,
};

/*
 * CAP_SYS_ADMIN stays until the exec, which drops it since it is out of the bounding set: without
 * it, or no_new_privs (which Docker doesn't set), no filter can be loaded.
 */
int process_capabilities(struct floor *floor)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	uint64_t bounding = 0, permitted;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		bounding |= 1ULL << kept[i];
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++) {
		/* EINVAL: this kernel has fewer of them. */
		if (!(bounding & 1ULL << i) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return -1;
	}
	permitted = bounding | 1ULL << CAP_SYS_ADMIN;
	data[0].effective = data[0].permitted = (uint32_t)permitted;
	data[1].effective = data[1].permitted = (uint32_t)(permitted >> 32);
	return (int)syscall(SYS_capset, &header, data);
}

int process_descriptors(struct floor *floor)
{
	return sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}
