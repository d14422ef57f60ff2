/* SPDX-License-Identifier: MIT */
/*
 * Devices that a container is given: --device, --device-cgroup-rule, and the host's for
 * --privileged.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct spec_device {
	char *path; /* in the container; owned */
	char type;  /* 'c' or 'b' */
	unsigned int major, minor;
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
	char access[4]; /* of "rwm"; "": no rule, the node only */
};

struct spec_device_rule {
	char type;	      /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1: any */
	char access[4];
};

/* All zero is a valid empty one. */
struct spec_devices {
	struct spec_device *items;
	size_t n_items;
	struct spec_device_rule *rules;
	size_t n_rules;
};

/**
 * devices_parse() - take the options
 * @texts: HOST[:CONTAINER[:ACCESS]] or HOST:ACCESS; a directory stands for all devices in it
 * @rules: "c 1:3 rwm", '*' for any number
 * @all: the host's /dev first, but what every container has of its own (pts, shm, mqueue, fd,
 * console); these are made without a rule, --privileged allows everything
 *
 * Return: 0 or a negative errno.
 */
int devices_parse(const struct string_list *texts, const struct string_list *rules, bool all,
		  struct spec_devices *ret_devices, struct error *error);

void spec_devices_deinit(struct spec_devices *devices);
#define _cleanup_spec_devices_ _cleanup_(spec_devices_deinit)
