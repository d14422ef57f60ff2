/* SPDX-License-Identifier: MIT */
#include "launch/spec/container.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT_OPTIONS 7
#define MAX_OWN		    4 /* resolv.conf, hostname, hosts, the host's shm */

/* Docker's mounts (moby, daemon/pkg/oci/defaults.go), in its order. */
static const struct default_mount {
	const char *destination, *type, *source;
	const char *options[MAX_DEFAULT_OPTIONS]; /* NULL-terminated */
	bool stays_writable;			  /* whatever --read-only says */
} default_mounts[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" }, true },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" }, true },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" },
	  true },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "ro", "nosuid", "noexec", "nodev" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" }, true },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777" }, true },
};

#define N_DEFAULTS (sizeof(default_mounts) / sizeof(default_mounts[0]))

/* Binds that lamina adds by itself: borrowed strings, and whether the source is in the bundle. */
struct own_mount {
	const char *destination, *source;
	bool in_bundle;
};

/* One entry behind the defaults, in the order in which they are mounted. */
struct added_mount {
	const struct bundle_mount *asked; /* or NULL */
	struct own_mount own;
	size_t depth, number;
};

static size_t path_depth(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int added_compare(const void *a, const void *b)
{
	const struct added_mount *left = a, *right = b;

	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static bool option_is_in(const struct string_list *options, const char *names)
{
	/* @names: separated by blanks */
	while (*names) {
		size_t n = strcspn(names, " ");

		STRING_LIST_FOR_EACH (options, i) {
			if (!strncmp(options->items[i], names, n) && !options->items[i][n])
				return true;
		}
		names += n + (names[n] == ' ');
	}
	return false;
}

/* What a line doesn't decide is as Docker has it; an option that is there stays where it is. */
static void asked_options_write(const struct bundle_mount *mount, struct json_writer *writer)
{
	static const char propagations[] =
		"private rprivate shared rshared slave rslave unbindable runbindable";
	static const struct {
		const char *option, *decided;
	} tmpfs[] = { { "noexec", "noexec exec" },
		      { "nosuid", "nosuid suid" },
		      { "nodev", "nodev dev" },
		      { "rprivate", propagations } };

	if (!strcmp(mount->type, "tmpfs")) {
		for (size_t i = 0; i < sizeof(tmpfs) / sizeof(tmpfs[0]); i++) {
			if (!option_is_in(&mount->options, tmpfs[i].decided))
				json_write_string(writer, NULL, tmpfs[i].option);
		}
	} else if (!strcmp(mount->type, "bind")) {
		if (!option_is_in(&mount->options, "bind rbind"))
			json_write_string(writer, NULL, "rbind");
		if (!option_is_in(&mount->options, propagations))
			json_write_string(writer, NULL, "rprivate");
	}
	STRING_LIST_FOR_EACH (&mount->options, i)
		json_write_string(writer, NULL, mount->options.items[i]);
}

static void mount_begin(struct json_writer *writer, const char *destination, const char *type,
			const char *source)
{
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "destination", destination);
	json_write_string(writer, "type", type);
	json_write_string(writer, "source", source);
	json_write_array_begin(writer, "options");
}

static void mount_end(struct json_writer *writer)
{
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void default_write(const struct spec_container *container, const struct default_mount *mount,
			  struct json_writer *writer)
{
	const struct spec_request *request = container->request;
	bool is_shm = !strcmp(mount->destination, "/dev/shm");
	/* /sys and the cgroups are the privileged's to write. */
	bool is_writable = request->options->privileged && !mount->stays_writable;
	bool has_ro = false;

	mount_begin(writer, mount->destination, mount->type, mount->source);
	for (size_t i = 0; mount->options[i]; i++) {
		bool is_ro = !strcmp(mount->options[i], "ro");

		has_ro |= is_ro;
		if (!is_ro || !is_writable)
			json_write_string(writer, NULL, mount->options[i]);
	}
	if (request->options->read_only && !mount->stays_writable && !has_ro && !is_writable)
		json_write_string(writer, NULL, "ro");
	if (is_shm) {
		char size[32];

		snprintf(size, sizeof(size), "size=%" PRIu64, request->limits.shm_bytes);
		json_write_string(writer, NULL, size);
	}
	mount_end(writer);
}

static void own_write(const struct spec_container *container, const struct own_mount *own,
		      struct json_writer *writer)
{
	_cleanup_free_ char *in_bundle = NULL;
	const char *source = own->source;

	if (own->in_bundle) {
		source = in_bundle = string_format("%s/%s", container->path, own->source);
		writer->buffer.failed |= !source;
	}
	mount_begin(writer, own->destination, "bind", source);
	json_write_string(writer, NULL, "rbind");
	if (own->in_bundle && container->request->options->read_only)
		json_write_string(writer, NULL, "ro");
	json_write_string(writer, NULL, "rprivate");
	mount_end(writer);
}

/* Does a mount that was asked for take the place of a default one? */
static bool default_is_replaced(const struct spec_container *container, const char *destination)
{
	if (!strcmp(destination, "/dev/shm") &&
	    (container->request->no_shm || container->request->host_ipc))
		return true;
	if (bundle_mounts_find(&container->mounts, destination))
		return true;
	return string_has_prefix(destination, "/dev/") &&
	       bundle_mounts_find(&container->mounts, "/dev");
}

static size_t own_mounts(const struct spec_container *container, struct own_mount own[MAX_OWN])
{
	static const struct own_mount files[] = { { "/etc/resolv.conf", "resolv.conf", true },
						  { "/etc/hostname", "hostname", true },
						  { "/etc/hosts", "hosts", true } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!bundle_mounts_find(&container->mounts, files[i].destination))
			own[n++] = files[i];
	}
	if (container->request->host_ipc && !bundle_mounts_find(&container->mounts, "/dev/shm"))
		own[n++] = (struct own_mount){ "/dev/shm", "/dev/shm", false };
	return n;
}

static void added_write(const struct spec_container *container, struct json_writer *writer)
{
	struct own_mount own[MAX_OWN];
	size_t n_own = own_mounts(container, own), n = 0;
	_cleanup_free_ struct added_mount *added =
		calloc(container->mounts.n_items + n_own, sizeof(*added));

	if (!added) {
		writer->buffer.failed = true;
		return;
	}
	for (size_t i = 0; i < container->mounts.n_items; i++, n++)
		added[n] = (struct added_mount){
			.asked = &container->mounts.items[i],
			.depth = path_depth(container->mounts.items[i].destination),
			.number = n,
		};
	for (size_t i = 0; i < n_own; i++, n++)
		added[n] = (struct added_mount){ .own = own[i],
						 .depth = path_depth(own[i].destination),
						 .number = n };
	/* Parents before what is mounted in them. */
	qsort(added, n, sizeof(*added), added_compare);
	for (size_t i = 0; i < n; i++) {
		const struct bundle_mount *asked = added[i].asked;

		if (!asked) {
			own_write(container, &added[i].own, writer);
			continue;
		}
		mount_begin(writer, asked->destination, asked->type, asked->source);
		asked_options_write(asked, writer);
		mount_end(writer);
	}
}

void spec_mounts_write(const struct spec_container *container, struct json_writer *writer)
{
	json_write_array_begin(writer, "mounts");
	for (size_t i = 0; i < N_DEFAULTS; i++) {
		if (!default_is_replaced(container, default_mounts[i].destination))
			default_write(container, &default_mounts[i], writer);
	}
	added_write(container, writer);
	if (container->request->init_path) {
		mount_begin(writer, "/sbin/docker-init", "bind", container->request->init_path);
		json_write_string(writer, NULL, "bind");
		json_write_string(writer, NULL, "ro");
		mount_end(writer);
	}
	json_write_array_end(writer);
}

const char *spec_mounts_propagation(const struct spec_container *container)
{
	const char *propagation = NULL;

	for (size_t i = 0; i < container->mounts.n_items; i++) {
		const struct string_list *options = &container->mounts.items[i].options;

		if (option_is_in(options, "shared rshared"))
			return "shared";
		if (option_is_in(options, "slave rslave"))
			propagation = "rslave";
	}
	return propagation;
}
