/* SPDX-License-Identifier: MIT */
#include "launch/network_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define ADDRESSES_MAX 64

struct address {
	struct ifaddrmsg header;
	uint32_t flags;			   /* IFA_F_*, more of them than the header has place for */
	unsigned char local[16], peer[16]; /* of as many bytes as the family has */
	unsigned char broadcast[4];
	bool has_broadcast;
};

/* An interface as it is before it is moved. */
struct interface {
	int index;
	unsigned int flags;
	struct address addresses[ADDRESSES_MAX];
	size_t n_addresses;
	bool has_more; /* addresses than there is room for */
};

struct request {
	union {
		struct nlmsghdr header;
		char bytes[512];
	};
};

static void *request_begin(struct request *request, uint16_t type, uint16_t flags, size_t n_bytes)
{
	memset(request, 0, sizeof(*request));
	request->header = (struct nlmsghdr){ .nlmsg_type = type,
					     .nlmsg_flags = NLM_F_REQUEST | flags,
					     .nlmsg_seq = 1,
					     .nlmsg_len = (uint32_t)NLMSG_LENGTH(n_bytes) };
	return NLMSG_DATA(&request->header);
}

/* All that is added is short and of bounded number: two names, an address, a number. */
static void request_add(struct request *request, uint16_t type, const void *value, size_t n_bytes)
{
	struct rtattr *attribute =
		(struct rtattr *)(request->bytes + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(n_bytes);
	memcpy(RTA_DATA(attribute), value, n_bytes);
	request->header.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
}

static int socket_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* Sends it and gives each message of the answer to @take until its end; 0 or the kernel's -errno.
 */
static int request_do(int fd, const struct request *request,
		      void (*take)(const struct nlmsghdr *message, void *data), void *data)
{
	char answer[16384] __attribute__((aligned(NLMSG_ALIGNTO)));

	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		unsigned int left = n < 0 ? 0 : (unsigned int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		for (struct nlmsghdr *message = (struct nlmsghdr *)answer; NLMSG_OK(message, left);
		     message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
			if (message->nlmsg_type == NLMSG_DONE)
				return 0;
			if (take)
				take(message, data);
			if (!(message->nlmsg_flags & NLM_F_MULTI) &&
			    !(request->header.nlmsg_flags & NLM_F_ACK))
				return 0;
		}
	}
}

static void link_take(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	struct interface *interface = data;

	interface->index = link->ifi_index;
	interface->flags = link->ifi_flags;
}

static void address_take(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *header = NLMSG_DATA(message);
	struct interface *interface = data;
	struct address *address = &interface->addresses[interface->n_addresses];
	int left = (int)IFA_PAYLOAD(message);
	bool has_local = false;

	if ((int)header->ifa_index != interface->index || header->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(header->ifa_flags & IFA_F_PERMANENT))
		return;
	interface->has_more |= interface->n_addresses == ADDRESSES_MAX;
	if (interface->has_more)
		return;
	*address = (struct address){ .header = *header, .flags = header->ifa_flags };
	for (struct rtattr *a = IFA_RTA(header); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		size_t n = RTA_PAYLOAD(a);

		if (n > sizeof(address->local))
			continue;
		if (a->rta_type == IFA_LOCAL)
			memcpy(address->local, RTA_DATA(a), n);
		if (a->rta_type == IFA_ADDRESS)
			memcpy(address->peer, RTA_DATA(a), n);
		if (a->rta_type == IFA_FLAGS && n == sizeof(address->flags))
			memcpy(&address->flags, RTA_DATA(a), n);
		if (a->rta_type == IFA_BROADCAST && n == sizeof(address->broadcast)) {
			memcpy(address->broadcast, RTA_DATA(a), n);
			address->has_broadcast = true;
		}
		has_local |= a->rta_type == IFA_LOCAL;
	}
	/* IPv6 has it only where there is a peer. */
	if (!has_local)
		memcpy(address->local, address->peer, sizeof(address->local));
	interface->n_addresses++;
}

static int interface_find(int fd, const char *name, struct interface *interface)
{
	struct request request;

	request_begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	request_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return request_do(fd, &request, link_take, interface);
}

static int addresses_read(int fd, struct interface *interface)
{
	struct request request;
	int r;

	request_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	r = request_do(fd, &request, address_take, interface);
	return r == 0 && interface->has_more ? -E2BIG : r;
}

static int addresses_give(int fd, const struct interface *interface, int index)
{
	for (size_t i = 0; i < interface->n_addresses; i++) {
		const struct address *address = &interface->addresses[i];
		size_t n = address->header.ifa_family == AF_INET ? 4 : 16;
		struct request request;
		struct ifaddrmsg *header =
			request_begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
				      sizeof(*header));
		uint32_t flags = address->flags;
		int r;

		/* It was found to be nobody else's already. */
		if (address->header.ifa_family == AF_INET6)
			flags |= IFA_F_NODAD;
		*header = address->header;
		header->ifa_index = (unsigned int)index;
		header->ifa_flags = (unsigned char)flags;
		request_add(&request, IFA_FLAGS, &flags, sizeof(flags));
		request_add(&request, IFA_LOCAL, address->local, n);
		request_add(&request, IFA_ADDRESS, address->peer, n);
		if (address->has_broadcast)
			request_add(&request, IFA_BROADCAST, address->broadcast, n);
		r = request_do(fd, &request, NULL, NULL);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int up_set(int fd, int index)
{
	struct request request;
	struct ifinfomsg *link = request_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(*link));

	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	return request_do(fd, &request, NULL, NULL);
}

/* To the other namespace, under the other name. */
static int place_set(int fd, int index, int namespace_fd, const char *name)
{
	struct request request;
	struct ifinfomsg *link = request_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(*link));

	link->ifi_index = index;
	/* A name can be changed only while it is down (before Linux 6.4 anyway). */
	link->ifi_change = IFF_UP;
	request_add(&request, IFLA_NET_NS_FD, &namespace_fd, sizeof(namespace_fd));
	request_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return request_do(fd, &request, NULL, NULL);
}

static int own_namespace_open(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A socket belongs to the namespace that it is made in. */
static int sockets_open(struct network_devices *devices, int namespace_fd)
{
	_cleanup_close_ int own_fd = own_namespace_open();
	struct stat own, other;
	int r;

	if (own_fd < 0)
		return own_fd;
	if (fstat(own_fd, &own) < 0 || fstat(namespace_fd, &other) < 0)
		return -errno;
	/* Joined by path: it would be renamed, and stay the host's. */
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return -ELOOP;
	devices->host_fd = socket_open();
	if (devices->host_fd < 0)
		return devices->host_fd;
	if (setns(namespace_fd, CLONE_NEWNET) < 0)
		return -errno;
	devices->container_fd = socket_open();
	r = devices->container_fd < 0 ? devices->container_fd : 0;
	/* The launcher has things to do at home. */
	return setns(own_fd, CLONE_NEWNET) < 0 ? -errno : r;
}

/*
 * @interface: as it was on the host, or with flags alone: its addresses are those that it has
 */
static int device_return(const struct network_devices *devices, const char *name,
			 const char *host_name, struct interface *interface)
{
	_cleanup_close_ int own_fd = own_namespace_open();
	struct interface there = {}, back = {};
	int r = own_fd < 0 ? own_fd : interface_find(devices->container_fd, name, &there);

	if (r == 0 && interface->index == 0) {
		interface->index = there.index;
		r = addresses_read(devices->container_fd, interface);
	}
	if (r == 0)
		r = place_set(devices->container_fd, there.index, own_fd, host_name);
	if (r == 0)
		r = interface_find(devices->host_fd, host_name, &back);
	if (r == 0)
		r = addresses_give(devices->host_fd, interface, back.index);
	return r == 0 && interface->flags & IFF_UP ? up_set(devices->host_fd, back.index) : r;
}

static int device_move(struct network_devices *devices, const struct config_net_device *device,
		       int namespace_fd, struct error *error)
{
	struct interface interface = {}, moved = {};
	int r = interface_find(devices->host_fd, device->host_name, &interface);

	if (r < 0)
		return error_set(error, r, "no such interface");
	if (interface.flags & IFF_LOOPBACK)
		return error_say(error, -EINVAL, "a loopback can't be moved");
	r = addresses_read(devices->host_fd, &interface);
	if (r < 0)
		return error_set(error, r, "cannot read its addresses");
	r = place_set(devices->host_fd, interface.index, namespace_fd, device->name);
	if (r < 0) {
		/* Moved first and renamed then (net/core/rtnetlink.c, do_setlink()), it may be
		 * there under its old name. */
		if (interface_find(devices->host_fd, device->host_name, &moved) < 0)
			(void)device_return(devices, device->host_name, device->host_name,
					    &interface);
		return error_set(error, r, "cannot be moved to the container as '%s'",
				 device->name);
	}
	if (!(interface.flags & IFF_UP))
		devices->were_down |= UINT64_C(1) << devices->n_moved;
	devices->n_moved++;
	r = interface_find(devices->container_fd, device->name, &moved);
	if (r == 0)
		r = addresses_give(devices->container_fd, &interface, moved.index);
	if (r < 0)
		return error_set(error, r, "cannot give '%s' its addresses again", device->name);
	r = up_set(devices->container_fd, moved.index);
	return r < 0 ? error_set(error, r, "cannot bring up '%s'", device->name) : 0;
}

int network_devices_move(struct network_devices *devices, const struct config *config, pid_t pid,
			 struct error *error)
{
	_cleanup_close_ int namespace_fd = -EBADF;
	char path[64];
	int r;

	if (config->n_net_devices > NETWORK_DEVICES_MAX)
		return error_say(error, -E2BIG, "linux.netDevices: they are more than %d",
				 NETWORK_DEVICES_MAX);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
	r = namespace_fd < 0 ? -errno : sockets_open(devices, namespace_fd);
	if (r == -ELOOP)
		return error_say(
			error, -EINVAL,
			"linux.netDevices: the container is in the host's network namespace");
	if (r < 0)
		return error_set(error, r, "linux.netDevices: cannot reach the namespaces");
	for (size_t i = 0; i < config->n_net_devices; i++) {
		r = device_move(devices, &config->net_devices[i], namespace_fd, error);
		if (r < 0)
			return error_prefix(error, r, "linux.netDevices.%s",
					    config->net_devices[i].host_name);
	}
	return 0;
}

void network_devices_return(struct network_devices *devices, const struct config *config)
{
	for (; devices->n_moved > 0; devices->n_moved--) {
		const struct config_net_device *device = &config->net_devices[devices->n_moved - 1];
		bool was_down = devices->were_down >> (devices->n_moved - 1) & 1;
		struct interface interface = { .flags = was_down ? 0 : IFF_UP };
		int r = device_return(devices, device->name, device->host_name, &interface);

		if (r < 0)
			log_warning("linux.netDevices.%s: cannot be moved back: %s",
				    device->host_name, strerror(-r));
	}
}

void network_devices_close(struct network_devices *devices)
{
	cleanup_close(&devices->container_fd);
	cleanup_close(&devices->host_fd);
	*devices = NETWORK_DEVICES_EMPTY;
}
