/* SPDX-License-Identifier: MIT */
#include "launch/namespace.h"

#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/trace.h"

#define NS_GET_NSTYPE_REQUEST _IO(0xb7, 0x3) /* linux/nsfs.h, Linux 4.11 */

int namespaces_open(struct namespaces *namespaces, const struct config *config, struct error *error)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		const struct config_namespace *wanted = &config->namespaces[i];
		int type;

		if (!wanted->path)
			continue;
		namespaces->join_fds[i] = fd_open(wanted->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
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

		if (!wanted->path && !(wanted->flag & (CLONE_NEWCGROUP | CLONE_NEWTIME)))
			flags |= (uint64_t)(unsigned int)wanted->flag;
	}
	return flags;
}

bool namespaces_need_bridge(const struct config *config)
{
	const struct config_namespace *user = config_find_namespace(config, CLONE_NEWUSER);

	if (config_find_namespace(config, CLONE_NEWTIME) || (user && user->path))
		return true;
	for (size_t i = 0; i < config->n_namespaces; i++) {
		/* A child that is born in its user namespace has no right to the host's. */
		if (config->namespaces[i].path &&
		    (user || config->namespaces[i].flag == CLONE_NEWNS))
			return true;
	}
	return false;
}

static int join_one(const struct namespaces *namespaces, const struct config *config, size_t i,
		    struct error *error)
{
	const struct config_namespace *wanted = &config->namespaces[i];

	if (setns(namespaces->join_fds[i], wanted->flag) < 0)
		return error_set(error, -errno,
				 "linux.namespaces: cannot join the %s namespace '%s'",
				 wanted->type, wanted->path);
	return 0;
}

/*
 * All but the user namespace, mounts last. @joined: bits by index of what is joined already; with
 * @may_fail what the kernel refuses stays out of it.
 */
static int join_others(const struct namespaces *namespaces, const struct config *config,
		       bool may_fail, unsigned int *joined, struct error *error)
{
	for (int mounts = 0; mounts < 2; mounts++) {
		for (size_t i = 0; i < config->n_namespaces; i++) {
			int flag = config->namespaces[i].flag;
			int r;

			if (namespaces->join_fds[i] < 0 || *joined & 1u << i ||
			    flag == CLONE_NEWUSER || (flag == CLONE_NEWNS) != mounts)
				continue;
			r = join_one(namespaces, config, i, may_fail ? NULL : error);
			if (r == -EPERM && may_fail)
				continue;
			if (r < 0)
				return may_fail ? join_one(namespaces, config, i, error) : r;
			*joined |= 1u << i;
		}
	}
	return 0;
}

int namespaces_join(const struct namespaces *namespaces, const struct config *config,
		    struct error *error)
{
	unsigned int joined = 0;
	size_t user = 0;
	int r;

	while (user < config->n_namespaces &&
	       (config->namespaces[user].flag != CLONE_NEWUSER || namespaces->join_fds[user] < 0))
		user++;
	r = join_others(namespaces, config, user < config->n_namespaces, &joined, error);
	if (r < 0 || user == config->n_namespaces)
		return r;
	r = join_one(namespaces, config, user, error);
	return r == 0 ? join_others(namespaces, config, false, &joined, error) : r;
}

int namespaces_make_time(const struct config *config, int offsets_fd, struct error *error)
{
	char text[128];
	int n = 0;

	if (unshare(CLONE_NEWTIME) < 0)
		return error_set(error, -errno, "linux.namespaces: cannot make a time namespace");
	if (config->n_time_offsets == 0)
		return 0;
	for (size_t i = 0; i < config->n_time_offsets; i++) {
		const struct config_time_offset *offset = &config->time_offsets[i];

		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %" PRId64 " %u\n",
			      offset->clock, offset->seconds, offset->nanoseconds);
	}
	/* In one write: the kernel takes a whole line and no part of it. */
	if (write(offsets_fd, text, (size_t)n) != n)
		return error_set(error, -errno, "linux.timeOffsets: cannot be set");
	return 0;
}

/* An ioctl is cheaper than netlink for the one flag that a new namespace needs. */
int namespaces_loopback_up(struct error *error)
{
	TRACE_PHASE("net.lo");
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return error_set(error, -errno, "cannot bring up the loopback interface");
	return 0;
}

static int network_enter(int network_fd, struct error *error)
{
	if (network_fd < 0)
		return namespaces_loopback_up(error);
	if (setns(network_fd, CLONE_NEWNET) < 0)
		return error_set(error, -errno, "cannot join the pool's network namespace");
	return 0;
}

int namespaces_enter(const struct namespaces *namespaces, const struct config *config,
		     int network_fd, struct error *error)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		const struct config_namespace *wanted = &config->namespaces[i];
		int r = 0;

		/* The parent joined the pid namespace: it is for children only. */
		if (wanted->path) {
			if (namespaces && wanted->flag != CLONE_NEWPID)
				r = join_one(namespaces, config, i, error);
		} else if (wanted->flag == CLONE_NEWNET) {
			r = network_enter(network_fd, error);
		} else if (wanted->flag == CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0) {
			r = error_set(error, -errno,
				      "linux.namespaces: cannot make a cgroup namespace");
		}
		if (r < 0)
			return r;
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
