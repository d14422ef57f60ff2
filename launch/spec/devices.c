/* SPDX-License-Identifier: MIT */
#include "launch/spec/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MAX_DEPTH 16

/* What a container has of its own, or must not have (moby, libcontainer's devices.HostDevices). */
static const char *const host_skipped[] = { "pts",  "shm",	   "fd",    "mqueue",
					    ".lxc", ".lxd-mounts", ".udev", "console" };

static int device_add(struct spec_devices *devices, const char *path, const struct stat *st,
		      const char *access, struct error *error)
{
	struct spec_device device = {
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
	struct spec_device *items =
		reallocarray(devices->items, devices->n_items + 1, sizeof(*items));

	if (items)
		devices->items = items;
	device.path = items ? strdup(path) : NULL;
	if (!device.path)
		return error_set(error, -ENOMEM, "cannot take device '%s'", path);
	strcpy(device.access, access);
	items[devices->n_items++] = device;
	return 0;
}

/* All devices below a directory of the host's, at @container_path. Links are not followed. */
static int directory_add(struct spec_devices *devices, int parent_fd, const char *name,
			 const char *container_path, const char *access, bool is_host_dev,
			 unsigned int depth, struct error *error)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return error_set(error, r, "cannot read directory '%s'", name);
	}
	while ((entry = readdir(directory))) {
		_cleanup_free_ char *path = NULL;
		bool skipped = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
		struct stat st;
		int r = 0;

		for (size_t i = 0; is_host_dev && i < sizeof(host_skipped) / sizeof(*host_skipped);
		     i++)
			skipped |= depth == 0 && !strcmp(entry->d_name, host_skipped[i]);
		/* A device may go away meanwhile. */
		if (skipped || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		path = string_format("%s/%s", container_path, entry->d_name);
		if (!path)
			return error_set(error, -ENOMEM, "cannot read devices");
		if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
			r = directory_add(devices, fd, entry->d_name, path, access, is_host_dev,
					  depth + 1, error);
		else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			r = device_add(devices, path, &st, access, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool access_is_valid(const char *access)
{
	size_t n = strlen(access);

	if (n == 0 || n > 3 || strspn(access, "rwm") != n)
		return false;
	return !(n > 1 && strchr(access + 1, access[0])) && !(n > 2 && access[1] == access[2]);
}

static bool path_is_clean(const char *path)
{
	return *path == '/' && path[1] && !strstr(path, "/../") && !strstr(path, "/./") &&
	       !strstr(path, "//") && strcmp(path + strlen(path) - 1, "/") &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/.."));
}

static int device_parse(struct spec_devices *devices, const char *text, struct error *error)
{
	_cleanup_free_ char *copy = strdup(text);
	char *container, *access = NULL;
	struct stat st;

	if (!copy)
		return error_set(error, -ENOMEM, "cannot take device '%s'", text);
	container = strchr(copy, ':');
	if (container) {
		*container++ = '\0';
		access = strchr(container, ':');
		if (access)
			*access++ = '\0';
		else if (access_is_valid(container)) {
			access = container;
			container = NULL;
		}
	}
	if (!container || !*container)
		container = copy;
	if (access && !access_is_valid(access))
		return error_usage(error, "'--device %s': bad access '%s', it is of r, w and m",
				   text, access);
	if (!path_is_clean(container))
		return error_usage(error, "'--device %s': '%s' is not an absolute, clean path",
				   text, container);
	if (stat(copy, &st) < 0)
		return error_set(error, -errno, "cannot find device '%s'", copy);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return device_add(devices, container, &st, access ? access : "rwm", error);
	if (S_ISDIR(st.st_mode)) {
		size_t n_before = devices->n_items;
		int r = directory_add(devices, AT_FDCWD, copy, container, access ? access : "rwm",
				      false, 0, error);

		if (r < 0 || devices->n_items > n_before)
			return r;
	}
	return error_say(error, -ENODEV, "'%s' is not a device", copy);
}

/* A number, or '*'; moves *@cursor behind it. */
static int rule_number(const char **cursor, int64_t *ret_number)
{
	const char *p = *cursor;
	int64_t number = 0;

	if (*p == '*') {
		*ret_number = -1;
		*cursor = p + 1;
		return 0;
	}
	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (*p - '0');
		if (number > INT32_MAX)
			return -EINVAL;
	}
	*ret_number = number;
	*cursor = p;
	return 0;
}

static int rule_parse(struct spec_devices *devices, const char *text, struct error *error)
{
	struct spec_device_rule rule = { .type = text[0] }, *rules;
	const char *p = text + 2;

	if (!text[0] || !strchr("abc", text[0]) || text[1] != ' ' ||
	    rule_number(&p, &rule.major) < 0 || *p++ != ':' || rule_number(&p, &rule.minor) < 0 ||
	    *p++ != ' ' || !access_is_valid(p))
		return error_usage(
			error, "option '--device-cgroup-rule' takes \"c 1:3 rwm\", not '%s'", text);
	strcpy(rule.access, p);
	rules = reallocarray(devices->rules, devices->n_rules + 1, sizeof(*rules));
	if (!rules)
		return error_set(error, -ENOMEM, "cannot take a device rule");
	devices->rules = rules;
	rules[devices->n_rules++] = rule;
	return 0;
}

int devices_parse(const struct string_list *texts, const struct string_list *rules, bool all,
		  struct spec_devices *ret_devices, struct error *error)
{
	_cleanup_spec_devices_ struct spec_devices devices = {};
	int r = 0;

	if (all)
		r = directory_add(&devices, AT_FDCWD, "/dev", "/dev", "", true, 0, error);
	for (size_t i = 0; r == 0 && i < texts->n_items; i++)
		r = device_parse(&devices, texts->items[i], error);
	for (size_t i = 0; r == 0 && i < rules->n_items; i++)
		r = rule_parse(&devices, rules->items[i], error);
	if (r < 0)
		return r;
	*ret_devices = devices;
	devices = (struct spec_devices){};
	return 0;
}

void spec_devices_deinit(struct spec_devices *devices)
{
	for (size_t i = 0; i < devices->n_items; i++)
		free(devices->items[i].path);
	free(devices->items);
	free(devices->rules);
	*devices = (struct spec_devices){};
}
