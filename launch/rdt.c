/* SPDX-License-Identifier: MIT */
#include "launch/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"

#define RESCTRL_PATH  "/sys/fs/resctrl"
#define RESCTRL_MAGIC 0x7655821 /* linux/magic.h, RDTGROUP_SUPER_MAGIC */
#define RECORD_FILE   "rdt"	/* in the state: a directory that was made, a line */

#define FILE_MAX_BYTES (1u << 20)
#define PATH_MAX_BYTES 512

int rdt_open(struct error *error)
{
	_cleanup_close_ int fd =
		open(RESCTRL_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs st;

	if (fd < 0 || fstatfs(fd, &st) < 0 || st.f_type != RESCTRL_MAGIC)
		return error_say(error, -EOPNOTSUPP,
				 "linux.intelRdt: there is no resctrl at '" RESCTRL_PATH
				 "': the processor lacks it, or it isn't mounted");
	return take_fd(&fd);
}

/* The container's class, below the root; "": the default one, which is all that monitoring needs.
 */
static const char *class_of(const struct config_rdt *rdt, const char *id)
{
	if (rdt->class_id)
		return rdt->class_id;
	return rdt->n_schemata ? id : "";
}

static void path_format(char path[PATH_MAX_BYTES], const struct config_rdt *rdt, const char *id,
			bool is_monitor, const char *file)
{
	const char *class = class_of(rdt, id);

	snprintf(path, PATH_MAX_BYTES, "%s%s%s%s%s", class, *class ? "/" : "",
		 is_monitor ? "mon_groups/" : "", is_monitor ? id : "",
		 is_monitor && *file ? "/" : "");
	snprintf(path + strlen(path), PATH_MAX_BYTES - strlen(path), "%s", file);
	/* A directory's has no slash at its end. */
	if (!*file && *path && path[strlen(path) - 1] == '/')
		path[strlen(path) - 1] = '\0';
}

/* The kernel says in words why it refused. */
static int write_error(int resctrl_fd, int r, const char *path, struct error *error)
{
	_cleanup_free_ char *status = NULL;

	if (file_read_at(resctrl_fd, "info/last_cmd_status", 4096, &status, NULL) < 0 ||
	    !strncmp(status, "ok", 2))
		return error_set(error, r, "linux.intelRdt: '%s'", path);
	status[strcspn(status, "\n")] = '\0';
	return error_say(error, r, "linux.intelRdt: '%s': %s", path, status);
}

static int text_write(int resctrl_fd, const char *path, const char *text, size_t n_bytes,
		      struct error *error)
{
	_cleanup_close_ int fd =
		openat(resctrl_fd, path, O_WRONLY | O_NOFOLLOW | O_TRUNC | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd_write_full(fd, text, n_bytes);

	return r < 0 ? write_error(resctrl_fd, r, path, error) : 0;
}

/* In the state before it is there: a launcher that is killed in between leaves nothing unknown. */
static int directory_make(int resctrl_fd, int state_fd, const char *path, bool *ret_is_new,
			  struct error *error)
{
	_cleanup_close_ int record_fd = -EBADF;
	char line[PATH_MAX_BYTES + 1];
	struct stat st;
	int n, r;

	*ret_is_new = false;
	if (fstatat(resctrl_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode)
			       ? 0
			       : error_set(error, -ENOTDIR, "linux.intelRdt: '%s'", path);
	record_fd = openat(state_fd, RECORD_FILE,
			   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	n = snprintf(line, sizeof(line), "%s\n", path);
	r = record_fd < 0 ? -errno : fd_write_full(record_fd, line, (size_t)n);
	if (r < 0)
		return error_set(error, r, "linux.intelRdt: cannot note '%s'", path);
	if (mkdirat(resctrl_fd, path, 0755) < 0)
		return write_error(resctrl_fd, -errno, path, error);
	*ret_is_new = true;
	return 0;
}

/* The value of "ID=" in the line of a resource ("L3:0=ff;1=ff"), or NULL. */
static const char *value_find(const char *text, const char *resource, size_t n_resource,
			      const char *id, size_t n_id)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		line += strspn(line, " ");
		if (strncmp(line, resource, n_resource) || line[n_resource] != ':')
			continue;
		for (const char *p = line + n_resource; *p == ':' || *p == ';';
		     p += strcspn(p, ";\n")) {
			p++;
			if (!strncmp(p, id, n_id) && p[n_id] == '=')
				return p + n_id + 1;
		}
	}
	return NULL;
}

static bool value_equals(const char *a, const char *b)
{
	size_t n_a, n_b;

	a += strspn(a, "0");
	b += strspn(b, "0");
	n_a = strcspn(a, ";\n");
	n_b = strcspn(b, ";\n");
	return n_a == n_b && !strncasecmp(a, b, n_a);
}

/* Has the class each value that the line asks for? */
static bool line_matches(const char *text, const char *line)
{
	size_t n_resource = strcspn(line, ":");

	for (const char *p = line + n_resource; *p; p += strcspn(p, ";")) {
		size_t n_id = strcspn(++p, "=");
		const char *value =
			p[n_id] == '=' ? value_find(text, line, n_resource, p, n_id) : NULL;

		if (!value || !value_equals(value, p + n_id + 1))
			return false;
	}
	return true;
}

static int schemata_compare(int resctrl_fd, const char *path, const struct config_rdt *rdt,
			    struct error *error)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_at(resctrl_fd, path, FILE_MAX_BYTES, &text, NULL);

	if (r < 0)
		return error_set(error, r, "linux.intelRdt: '%s'", path);
	for (size_t i = 0; i < rdt->n_schemata; i++) {
		if (!line_matches(text, rdt->schemata[i]))
			return error_say(error, -EEXIST,
					 "linux.intelRdt: the class '%s' is there already, and "
					 "hasn't '%s'",
					 rdt->class_id, rdt->schemata[i]);
	}
	return 0;
}

static int schemata_write(int resctrl_fd, const char *path, const struct config_rdt *rdt,
			  struct error *error)
{
	_cleanup_buffer_ struct buffer text = {};

	for (size_t i = 0; i < rdt->n_schemata; i++) {
		buffer_add_string(&text, rdt->schemata[i]);
		buffer_add_char(&text, '\n');
	}
	if (buffer_status(&text) < 0)
		return error_set(error, buffer_status(&text), "linux.intelRdt");
	return text_write(resctrl_fd, path, text.bytes, text.n_bytes, error);
}

int rdt_make(int resctrl_fd, int state_fd, const struct config_rdt *rdt, const char *id,
	     struct error *error)
{
	char path[PATH_MAX_BYTES];
	bool is_new = false;
	struct stat st;
	int r = 0;

	path_format(path, rdt, id, false, "");
	if (!rdt->n_schemata && rdt->class_id && fstatat(resctrl_fd, path, &st, 0) < 0)
		return error_say(error, -ENOENT,
				 "linux.intelRdt: there is no class '%s', and no schema to make it "
				 "with",
				 rdt->class_id);
	if (rdt->n_schemata) {
		r = directory_make(resctrl_fd, state_fd, path, &is_new, error);
		path_format(path, rdt, id, false, "schemata");
		if (r == 0 && is_new)
			r = schemata_write(resctrl_fd, path, rdt, error);
		else if (r == 0)
			r = schemata_compare(resctrl_fd, path, rdt, error);
	}
	if (r == 0 && rdt->is_monitored) {
		path_format(path, rdt, id, true, "");
		r = directory_make(resctrl_fd, state_fd, path, &is_new, error);
	}
	return r;
}

/* Of /proc/self/cpu_resctrl_groups (Linux 5.6): "res:/CLASS", "mon:GROUP", a line each. */
static void place_read(struct rdt_place *place)
{
	_cleanup_free_ char *text = NULL;
	const char *class = "", *monitor = "";

	place->path[0] = '\0';
	if (file_read_at(AT_FDCWD, "/proc/self/cpu_resctrl_groups", 4096, &text, NULL) == 0) {
		char *line = text;

		while (line) {
			char *next = strchr(line, '\n');

			if (next)
				*next++ = '\0';
			if (!strncmp(line, "res:/", 5))
				class = line + 5;
			else if (!strncmp(line, "mon:", 4))
				monitor = line + 4;
			line = next;
		}
	}
	snprintf(place->path, sizeof(place->path), "%s%s%s%s%stasks", class, *class ? "/" : "",
		 *monitor ? "mon_groups/" : "", monitor, *monitor ? "/" : "");
}

int rdt_join(int resctrl_fd, const struct config_rdt *rdt, const char *id,
	     struct rdt_place *ret_earlier, struct error *error)
{
	char path[PATH_MAX_BYTES];
	int r;

	place_read(ret_earlier);
	path_format(path, rdt, id, false, "tasks");
	/* 0 is who writes. */
	r = text_write(resctrl_fd, path, "0", 1, error);
	if (r == 0 && rdt->is_monitored) {
		path_format(path, rdt, id, true, "tasks");
		r = text_write(resctrl_fd, path, "0", 1, error);
	}
	return r;
}

void rdt_leave(int resctrl_fd, const struct rdt_place *earlier)
{
	if (*earlier->path)
		(void)text_write(resctrl_fd, earlier->path, "0", 1, NULL);
}

int rdt_remove_below(int resctrl_fd, int state_fd, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n;
	int r = file_read_at(state_fd, RECORD_FILE, FILE_MAX_BYTES, &text, &n);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(error, r, "linux.intelRdt: cannot read what was made");
	/* From the last line on: the monitoring group is in its class. */
	while (n > 0) {
		char *line;

		if (text[n - 1] == '\n')
			text[--n] = '\0';
		line = memrchr(text, '\n', n);
		line = line ? line + 1 : text;
		n = (size_t)(line - text);
		if (*line && unlinkat(resctrl_fd, line, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return error_set(error, -errno, "linux.intelRdt: cannot remove '%s'", line);
	}
	(void)unlinkat(state_fd, RECORD_FILE, 0);
	return 0;
}

int rdt_remove(int state_fd, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;

	if (faccessat(state_fd, RECORD_FILE, F_OK, 0) < 0)
		return 0;
	fd = rdt_open(error);
	return fd < 0 ? fd : rdt_remove_below(fd, state_fd, error);
}
