/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "launch/checkpoint/checkpoint.h"

#define DUMP_LOG "dump.log"

/* ADDRESS:PORT; an IPv6 address has colons of its own. */
static int page_server_add(struct string_list *arguments, const char *page_server,
			   struct error *error)
{
	const char *port = strrchr(page_server, ':');
	int r;

	if (!port || port == page_server || !port[1])
		return error_usage(error, "option '--page-server' is ADDRESS:PORT, not '%s'",
				   page_server);
	r = criu_argument_add(arguments, error, "--page-server");
	if (r == 0)
		r = criu_argument_add(arguments, error, "--address=%.*s", (int)(port - page_server),
				      page_server);
	return r == 0 ? criu_argument_add(arguments, error, "--port=%s", port + 1) : r;
}

/* Stopping them by their cgroup is one step; CRIU's own way chases them one by one. */
static int freezer_add(struct string_list *arguments, const char *cgroup_path, struct error *error)
{
	static const struct {
		const char *root, *file;
	} freezers[] = { { "/sys/fs/cgroup/freezer", "freezer.state" },
			 { "/sys/fs/cgroup", "cgroup.freeze" } };
	char path[PATH_MAX];

	for (size_t i = 0; cgroup_path && i < sizeof(freezers) / sizeof(freezers[0]); i++) {
		if (snprintf(path, sizeof(path), "%s%s/%s", freezers[i].root, cgroup_path,
			     freezers[i].file) < (int)sizeof(path) &&
		    access(path, F_OK) == 0)
			return criu_argument_add(arguments, error, "--freeze-cgroup=%s%s",
						 freezers[i].root, cgroup_path);
	}
	return 0;
}

/* A network namespace that was joined is the host's to make: CRIU only knows it again. */
static int namespaces_add(struct string_list *arguments, const struct config *config,
			  struct error *error)
{
	const struct config_namespace *network = config_find_namespace(config, CLONE_NEWNET);
	struct stat st;
	int r;

	if (!network || !network->path || !*network->path)
		return 0;
	if (stat(network->path, &st) < 0)
		return error_set(error, -errno, "network namespace '%s'", network->path);
	r = criu_argument_add(arguments, error, "--external");
	return r < 0 ? r
		     : criu_argument_add(arguments, error, "net[%llu]:extRootNetNS",
					 (unsigned long long)st.st_ino);
}

/* By runc's name and shape: ["/dev/null","pipe:[123]","pipe:[124]"]. */
static int descriptors_write(const struct criu_options *options, pid_t pid, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	char path[PATH_MAX], target[PATH_MAX];
	int r;

	json_write_array_begin(&writer, NULL);
	for (int i = 0; i < 3; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, i);
		n = readlink(path, target, sizeof(target) - 1);
		/* Closed, which is an empty name to runc too. */
		target[n < 0 ? 0 : n] = '\0';
		json_write_string(&writer, NULL, target);
	}
	json_write_array_end(&writer);
	if (snprintf(path, sizeof(path), "%s/descriptors.json", options->image_path) >=
	    (int)sizeof(path))
		return error_set(error, -ENAMETOOLONG, "image directory '%s'", options->image_path);
	r = json_writer_status(&writer);
	if (r == 0)
		r = file_replace_at(AT_FDCWD, path, writer.buffer.bytes, writer.buffer.n_bytes,
				    0600, 0);
	return r < 0 ? error_set(error, r, "cannot write '%s'", path) : 0;
}

static int arguments_make(struct string_list *arguments, const struct criu_options *options,
			  const struct config *config, const struct state_record *record,
			  struct error *error)
{
	int r = criu_arguments_begin(arguments, options, options->pre_dump ? "pre-dump" : "dump",
				     DUMP_LOG, error);

	if (r == 0)
		r = criu_argument_add(arguments, error, "--tree=%d", (int)record->pid);
	if (r == 0 && options->leave_running)
		r = criu_argument_add(arguments, error, "--leave-running");
	if (r == 0 && options->pre_dump)
		r = criu_argument_add(arguments, error, "--track-mem");
	if (r == 0 && options->parent_path)
		r = criu_argument_add(arguments, error, "--prev-images-dir=%s",
				      options->parent_path);
	if (r == 0 && options->page_server)
		r = page_server_add(arguments, options->page_server, error);
	if (r == 0 && options->status_fd)
		r = criu_argument_add(arguments, error, "--status-fd=%s", options->status_fd);
	if (r == 0)
		r = freezer_add(arguments, record->cgroup_path, error);
	if (r == 0)
		r = namespaces_add(arguments, config, error);
	return r == 0 ? criu_mounts_add(arguments, config, CRIU_DUMP, error) : r;
}

/* CRIU takes the images of an earlier pre-dump relative to these. */
static int parent_check(const struct criu_options *options, struct error *error)
{
	if (options->parent_path && *options->parent_path == '/')
		return error_usage(error, "option '--parent-path' is relative to --image-path");
	return 0;
}

int checkpoint_dump(const struct criu_options *options, const struct state *state,
		    const struct state_record *record, struct error *error)
{
	_cleanup_strings_ struct string_list arguments = {};
	_cleanup_config_ struct config config = {};
	uint64_t status_fd = 0;
	int r = parent_check(options, error);

	if (r == 0 && options->status_fd &&
	    string_to_uint64(options->status_fd, INT_MAX, &status_fd) < 0)
		return error_usage(error, "option '--status-fd' is a number, not '%s'",
				   options->status_fd);
	if (r == 0)
		r = config_parse(&config, state->directory_fd, error);
	if (r == 0)
		r = arguments_make(&arguments, options, &config, record, error);
	if (r == 0)
		r = criu_directory_check(options, true, error);
	if (r == 0 && !options->pre_dump)
		r = descriptors_write(options, record->pid, error);
	if (r < 0)
		return r;
	return criu_run(options, &arguments, DUMP_LOG, NULL, NULL, NULL,
			options->status_fd ? (int)status_fd : -1, error);
}
