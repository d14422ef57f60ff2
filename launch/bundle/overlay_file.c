/* SPDX-License-Identifier: MIT */
#include "launch/bundle/overlay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"

/* 500 lowers of PATH_MAX, and the two of the read-write layer. */
#define OVERLAY_FILE_MAX_BYTES (2 * 1024 * 1024 + 64 * 1024)

static int line_add(struct buffer *buffer, const char *word, const char *path, struct error *error)
{
	if (*path != '/' || strchr(path, '\n'))
		return error_say(error, -EINVAL,
				 "'%s' can't be a layer: not an absolute path on one line", path);
	buffer_add_format(buffer, "%s %s\n", word, path);
	return 0;
}

int overlay_file_write(int bundle_fd, const struct overlay_file *overlay, struct error *error)
{
	_cleanup_buffer_ struct buffer buffer = {};
	int r = 0;

	STRING_LIST_FOR_EACH (&overlay->lowers, i) {
		r = line_add(&buffer, "lower", overlay->lowers.items[i], error);
		if (r < 0)
			return r;
	}
	if (overlay->is_ephemeral) {
		buffer_add_format(&buffer, "ephemeral %" PRIu64 "\n", overlay->ephemeral_bytes);
	} else if (overlay->upper) {
		r = line_add(&buffer, "upper", overlay->upper, error);
		if (r == 0)
			r = line_add(&buffer, "work", overlay->work, error);
		if (r < 0)
			return r;
	}
	r = buffer_status(&buffer);
	if (r == 0)
		r = file_put_at(bundle_fd, OVERLAY_FILE_NAME, buffer.bytes, buffer.n_bytes, 0600);
	return r < 0 ? error_set(error, r, "cannot write '%s'", OVERLAY_FILE_NAME) : 0;
}

static int path_take(char **field, const char *path, struct error *error)
{
	if (*field || *path != '/')
		return error_say(error, -EBADMSG, "'%s' twice, or not absolute", path);
	*field = strdup(path);
	return *field ? 0 : error_set(error, -ENOMEM, "cannot read layers");
}

static int line_parse(struct overlay_file *overlay, const char *line, struct error *error)
{
	const char *rest;

	rest = string_has_prefix(line, "lower ");
	if (rest) {
		if (*rest != '/')
			return error_say(error, -EBADMSG, "'%s' is not absolute", rest);
		return string_list_add(&overlay->lowers, rest) < 0
			       ? error_set(error, -ENOMEM, "cannot read layers")
			       : 0;
	}
	rest = string_has_prefix(line, "upper ");
	if (rest)
		return path_take(&overlay->upper, rest, error);
	rest = string_has_prefix(line, "work ");
	if (rest)
		return path_take(&overlay->work, rest, error);
	rest = string_has_prefix(line, "ephemeral ");
	if (rest && !overlay->is_ephemeral &&
	    string_to_uint64(rest, UINT64_MAX, &overlay->ephemeral_bytes) == 0) {
		overlay->is_ephemeral = true;
		return 0;
	}
	return error_say(error, -EBADMSG, "don't understand the line '%s'", line);
}

static int text_parse(struct overlay_file *overlay, char *text, size_t n_bytes, struct error *error)
{
	char *end = text + n_bytes;

	if (strlen(text) != n_bytes)
		return error_say(error, -EBADMSG, "a NUL in it");
	for (char *line = text; line < end;) {
		char *newline = strchr(line, '\n');
		int r;

		if (!newline)
			return error_say(error, -EBADMSG, "its last line is not whole");
		*newline = '\0';
		r = line_parse(overlay, line, error);
		if (r < 0)
			return r;
		line = newline + 1;
	}
	if (overlay->lowers.n_items == 0)
		return error_say(error, -EBADMSG, "no 'lower' in it");
	if (!overlay->upper != !overlay->work || (overlay->upper && overlay->is_ephemeral))
		return error_say(error, -EBADMSG,
				 "'upper' and 'work' together, or 'ephemeral', or neither");
	return 0;
}

int overlay_file_read(int bundle_fd, struct overlay_file *ret_overlay, struct error *error)
{
	_cleanup_overlay_file_ struct overlay_file overlay = {};
	_cleanup_close_ int fd = openat(bundle_fd, OVERLAY_FILE_NAME,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	struct stat st;
	int r;

	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s'", OVERLAY_FILE_NAME);
	if (fstat(fd, &st) < 0)
		return error_set(error, -errno, "cannot look at '%s'", OVERLAY_FILE_NAME);
	/* podman has a directory of this name in its bundles, for volumes with the option O. */
	if (S_ISDIR(st.st_mode))
		return error_say(error, -ENOENT, "'%s' is a directory", OVERLAY_FILE_NAME);
	if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & 022))
		return error_say(error, -EPERM,
				 "'%s' is not yours alone to write: it decides which root is "
				 "mounted",
				 OVERLAY_FILE_NAME);
	r = fd_read_all(fd, OVERLAY_FILE_MAX_BYTES, &text, &n_bytes);
	if (r < 0)
		return error_set(error, r, "cannot read '%s'", OVERLAY_FILE_NAME);
	r = text_parse(&overlay, text, n_bytes, error);
	if (r < 0)
		return error_prefix(error, r, "'%s'", OVERLAY_FILE_NAME);
	*ret_overlay = overlay;
	overlay = (struct overlay_file){};
	return 0;
}

void overlay_file_deinit(struct overlay_file *overlay)
{
	string_list_deinit(&overlay->lowers);
	free(overlay->upper);
	free(overlay->work);
	*overlay = (struct overlay_file){};
}
