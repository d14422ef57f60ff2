/* SPDX-License-Identifier: MIT */
#include "launch/namespace.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/syscalls.h"
#include "base/trace.h"

#define NS_GET_NSTYPE_REQUEST _IO(0xb7, 0x3) /* linux/nsfs.h, Linux 4.11 */

int namespaces_open(struct namespaces *namespaces, const struct config *config, struct error *error)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		const struct config_namespace *wanted = &config->namespaces[i];
		int type;

		if (!wanted->path || !*wanted->path)
			continue;
		if (wanted->flag == CLONE_NEWNS)
			return error_say(
				error, -EOPNOTSUPP,
				"linux.namespaces: joining a mount namespace is not supported");
		namespaces->join_fds[i] = open(wanted->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (namespaces->join_fds[i] < 0)
			return error_set(error, -errno, "linux.namespaces: %s '%s'", wanted->type,
					 wanted->path);
		type = ioctl(namespaces->join_fds[i], NS_GET_NSTYPE_REQUEST);
		if (type != wanted->flag)
			return error_say(error, -EINVAL,
					 "linux.namespaces: '%s' is not a %s namespace",
					 wanted->path, wanted->type);
	}
	return 0;
}

void namespaces_close(struct namespaces *namespaces)
{
	for (size_t i = 0; i < CONFIG_MAX_NAMESPACES; i++) {
		cleanup_close(&namespaces->join_fds[i]);
		namespaces->join_fds[i] = -EBADF;
	}
}

uint64_t namespaces_clone_flags(const struct config *config)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < config->n_namespaces; i++) {
		const struct config_namespace *wanted = &config->namespaces[i];

		if ((!wanted->path || !*wanted->path) && wanted->flag != CLONE_NEWCGROUP)
			flags |= (uint64_t)(unsigned int)wanted->flag;
	}
	return flags;
}

/* An ioctl is cheaper than netlink for the one flag that a new namespace needs. */
static int loopback_up(struct error *error)
{
	TRACE_PHASE("net.lo");
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return error_set(error, -errno, "cannot bring up the loopback interface");
	return 0;
}

int namespaces_enter(const struct namespaces *namespaces, const struct config *config,
		     struct error *error)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		const struct config_namespace *wanted = &config->namespaces[i];

		/* The parent joined the pid namespace: it is for children only. */
		if (namespaces->join_fds[i] >= 0 && wanted->flag != CLONE_NEWPID &&
		    setns(namespaces->join_fds[i], wanted->flag) < 0)
			return error_set(error, -errno,
					 "linux.namespaces: cannot join the %s namespace '%s'",
					 wanted->type, wanted->path);
		if (wanted->flag == CLONE_NEWCGROUP && namespaces->join_fds[i] < 0 &&
		    unshare(CLONE_NEWCGROUP) < 0)
			return error_set(error, -errno,
					 "linux.namespaces: cannot make a cgroup namespace");
		if (wanted->flag == CLONE_NEWNET && namespaces->join_fds[i] < 0) {
			int r = loopback_up(error);

			if (r < 0)
				return r;
		}
	}
	if (config->hostname && *config->hostname &&
	    sethostname(config->hostname, strlen(config->hostname)) < 0)
		return error_set(error, -errno, "hostname: cannot be set to '%s'",
				 config->hostname);
	if (config->domainname && *config->domainname &&
	    setdomainname(config->domainname, strlen(config->domainname)) < 0)
		return error_set(error, -errno, "domainname: cannot be set to '%s'",
				 config->domainname);
	return 0;
}
