/* SPDX-License-Identifier: MIT */
#include "launch/spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/trace.h"
#include "launch/bundle/overlay_file.h"
#include "launch/spec/container.h"
#include "launch/spec/network_files.h"

#define LAYERS_MAX_BYTES (2 * 1024 * 1024 + 64 * 1024)
#define ID_MAX_BYTES	 255

static bool id_is_valid(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n <= ID_MAX_BYTES && strcmp(id, ".") && strcmp(id, "..") &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

/* The kernel's own name of the directory: absolute and without links, in one call. */
static int path_of_fd(int fd, char **ret_path, struct error *error)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		return error_set(error, -errno, "cannot find its path");
	if (n == sizeof(path) || path[0] != '/' || memchr(path, '\n', (size_t)n))
		return error_say(error, -EINVAL, "its path is too long, or has a line break in it");
	*ret_path = strndup(path, (size_t)n);
	return *ret_path ? 0 : error_set(error, -ENOMEM, "cannot open");
}

static int bundle_open(struct spec_container *container, const char *path, struct error *error)
{
	TRACE_PHASE("bundle.open");
	int r;

	container->bundle_fd = fd_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (container->bundle_fd < 0)
		return error_set(error, -errno, "cannot open");
	r = path_of_fd(container->bundle_fd, &container->path, error);
	if (r < 0)
		return r;
	container->id = strrchr(container->path, '/') + 1;
	if (!id_is_valid(container->id))
		return error_say(error, -EINVAL,
				 "its name can't be a container's id: '%s' is not of A-Z, a-z, "
				 "0-9, '_', '.' and '-'",
				 container->id);
	trace_set_ids(container->id, 0);
	return 0;
}

static int bundle_lock(struct spec_container *container, unsigned int flags, struct error *error)
{
	TRACE_PHASE("lock.wait");
	int r;

	container->lock_fd = openat(container->bundle_fd, "lock",
				    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (container->lock_fd < 0)
		return error_set(error, -errno, "cannot open 'lock'");
	r = lock_try(container->lock_fd, LOCK_MODE_EXCLUSIVE);
	if (r == -EWOULDBLOCK)
		return error_say(error, r,
				 "it is in use: another tool has it, or it runs or is "
				 "mounted");
	if (r < 0)
		return error_set(error, r, "cannot lock");
	if (!(flags & SPEC_AGAIN) &&
	    faccessat(container->bundle_fd, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_say(error, -EEXIST, "it has a config.json; --force replaces it");
	return 0;
}

/* Adds the lines of a file of the bundle; no such file: none. */
static int lines_add(const struct spec_container *container, const char *name,
		     struct string_list *list, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = file_read_at(container->bundle_fd, name, LAYERS_MAX_BYTES, &text, &n_bytes);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", name);
	/* What writes it may have been killed at it. */
	if (n_bytes == 0 || text[n_bytes - 1] != '\n' || strlen(text) != n_bytes)
		return error_say(error, -EBADMSG, "'%s' is not whole", name);
	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		char *next = line + n + (line[n] == '\n');

		line[n] = '\0';
		if (n > 0 && *line != '/')
			return error_say(error, -EBADMSG, "'%s': '%s' is not an absolute path",
					 name, line);
		if (n > 0 && string_list_add(list, line) < 0)
			return error_set(error, -ENOMEM, "cannot read '%s'", name);
		line = next;
	}
	return 0;
}

static int read_write_layer(const struct spec_container *container, struct overlay_file *overlay,
			    struct error *error)
{
	_cleanup_free_ char *size = NULL;
	int r = file_read_at(container->bundle_fd, "ephemeral", 64, &size, NULL);

	if (r == 0) {
		char *newline = strchr(size, '\n');

		overlay->is_ephemeral = true;
		if (newline && !newline[1])
			*newline = '\0';
		else
			r = -EBADMSG;
		if (r < 0 || string_to_uint64(size, INT64_MAX, &overlay->ephemeral_bytes) < 0)
			return error_say(error, -EBADMSG, "'ephemeral' is not a number of bytes");
		return 0;
	}
	if (r != -ENOENT)
		return error_set(error, r, "cannot read 'ephemeral'");
	if (faccessat(container->bundle_fd, "upper", F_OK, 0) < 0)
		return error_set(error, -errno, "no read-write layer: cannot find 'upper'");
	overlay->upper = string_format("%s/upper", container->path);
	overlay->work = string_format("%s/work", container->path);
	if (!overlay->upper || !overlay->work)
		return error_set(error, -ENOMEM, "cannot describe the root");
	return 0;
}

/* What is mounted as the root; a bundle without layers has its root in rootfs/ as it is. */
static int overlay_find(const struct spec_container *container, struct overlay_file *overlay,
			struct error *error)
{
	int r = lines_add(container, "init-layer", &overlay->lowers, error);

	if (r == 0)
		r = lines_add(container, "layers", &overlay->lowers, error);
	if (r < 0 || overlay->lowers.n_items == 0)
		return r;
	return read_write_layer(container, overlay, error);
}

static int inspect_file_write(const struct spec_container *container,
			      const struct json_writer *writer, struct error *error)
{
	int r = json_writer_status(writer);

	if (r == 0)
		r = file_put_at(container->bundle_fd, "container.json", writer->buffer.bytes,
				writer->buffer.n_bytes, 0600);
	return r < 0 ? error_set(error, r, "cannot write 'container.json'") : 0;
}

/* The last, and whole or not there: with it the bundle is complete. */
static int config_file_write(const struct spec_container *container,
			     const struct json_writer *writer, struct error *error)
{
	int r = json_writer_status(writer);

	if (r == 0)
		r = file_replace_at(container->bundle_fd, "config.json", writer->buffer.bytes,
				    writer->buffer.n_bytes, 0600, 0);
	return r < 0 ? error_set(error, r, "cannot write 'config.json'") : 0;
}

static int files_write(const struct spec_container *container, const struct overlay_file *overlay,
		       const struct json_writer *config, const struct json_writer *inspect,
		       struct error *error)
{
	TRACE_PHASE("state.write");
	int r = network_files_write(container, error);

	if (r == 0 && overlay->lowers.n_items > 0)
		r = overlay_file_write(container->bundle_fd, overlay, error);
	if (r == 0)
		r = inspect_file_write(container, inspect, error);
	if (r == 0)
		r = config_file_write(container, config, error);
	return r;
}

static int container_write(struct spec_container *container, struct error *error)
{
	TRACE_PHASE("spec.make");
	_cleanup_json_writer_ struct json_writer config = {};
	_cleanup_json_writer_ struct json_writer inspect = {};
	_cleanup_overlay_file_ struct overlay_file overlay = {};
	int r;

	{
		TRACE_PHASE("spec.build");
		r = spec_container_merge(container, error);
		if (r == 0)
			r = overlay_find(container, &overlay, error);
		if (r == 0)
			r = spec_config_write(container, &config, error);
		if (r < 0)
			return r;
		spec_inspect_write(container, &inspect);
	}
	return files_write(container, &overlay, &config, &inspect, error);
}

int spec_bundle(const char *path, const struct spec_request *request, unsigned int flags,
		struct error *error)
{
	_cleanup_(spec_container_deinit) struct spec_container container = {
		.request = request,
		.bundle_fd = -EBADF,
		.lock_fd = -EBADF,
	};
	int r = bundle_open(&container, path, error);

	if (r == 0)
		r = bundle_lock(&container, flags, error);
	if (r == 0)
		r = container_write(&container, error);
	return r < 0 ? error_prefix(error, r, "bundle '%s'", path) : 0;
}
