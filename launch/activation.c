/* SPDX-License-Identifier: MIT */
#include "launch/activation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/trace.h"
#include "launch/config/mount.h"
#include "launch/notify.h"

#define PID_DIGITS 10

/* "NAME=" of @variable is one of @added's. */
static bool is_replaced(const char *variable, const struct string_list *added)
{
	STRING_LIST_FOR_EACH (added, i) {
		const char *own = added->items[i];

		if (!strncmp(own, variable, strcspn(own, "=") + 1))
			return true;
	}
	return false;
}

/* A new vector, with the added strings behind its pointers in the same memory. */
static int environment_add(struct config_process *process, const struct string_list *added)
{
	size_t n = 0, n_bytes = 0;
	char **env, *place;

	while (process->env[n])
		n++;
	STRING_LIST_FOR_EACH (added, i)
		n_bytes += strlen(added->items[i]) + 1;
	env = calloc(1, (n + added->n_items + 1) * sizeof(*env) + n_bytes);
	if (!env)
		return -ENOMEM;
	place = (char *)(env + n + added->n_items + 1);
	n = 0;
	for (char **variable = process->env; *variable; variable++) {
		if (!is_replaced(*variable, added))
			env[n++] = *variable;
	}
	STRING_LIST_FOR_EACH (added, i) {
		env[n++] = strcpy(place, added->items[i]);
		place += strlen(place) + 1;
	}
	free(process->env);
	process->env = env;
	return 0;
}

int activation_trace_add(struct config_process *process)
{
	_cleanup_strings_ struct string_list added = {};
	struct trace_variables trace;
	size_t n = trace_variables(&trace);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = string_list_add(&added, trace.items[i]);
	return r == 0 && n ? environment_add(process, &added) : r;
}

static int variables_set(struct activation *activation, const struct activation_request *request,
			 struct config_process *process)
{
	_cleanup_strings_ struct string_list added = {};
	int r = 0;

	if (request->n_listen_fds) {
		r = string_list_take(&added, string_format("LISTEN_FDS=%u", request->n_listen_fds));
		if (r == 0)
			r = string_list_take(&added,
					     string_format("LISTEN_PID=%0*d", PID_DIGITS, 0));
		if (r == 0 && request->listen_names)
			r = string_list_take(
				&added, string_format("LISTEN_FDNAMES=%s", request->listen_names));
	}
	if (r == 0 && request->notify_socket)
		r = string_list_add(&added, "NOTIFY_SOCKET=" NOTIFY_PLACE "/" NOTIFY_NAME);
	if (r == 0)
		r = environment_add(process, &added);
	if (r == 0 && request->has_trace)
		r = activation_trace_add(process);
	for (char **variable = process->env; r == 0 && *variable; variable++) {
		if (request->n_listen_fds && string_has_prefix(*variable, "LISTEN_PID="))
			activation->listen_pid = *variable + strlen("LISTEN_PID=");
	}
	return r;
}

/* As one of config.json's own, so that it is checked and made like these. */
static int mount_describe(struct json_writer *writer, const struct state *state)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro" };
	_cleanup_free_ char *root = realpath(state->root_path, NULL);
	_cleanup_free_ char *source =
		root ? string_format("%s/%s/" ACTIVATION_NOTIFY_DIRECTORY, root, state->id) : NULL;

	if (!source)
		return -ENOMEM;
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "destination", NOTIFY_PLACE);
	json_write_string(writer, "type", "bind");
	json_write_string(writer, "source", source);
	json_write_array_begin(writer, "options");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		json_write_string(writer, NULL, options[i]);
	json_write_array_end(writer);
	json_write_object_end(writer);
	return json_writer_status(writer);
}

static int mount_add(struct activation *activation, const struct state *state,
		     struct config *config, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	struct config_mount *mounts;
	int r = mount_describe(&writer, state);

	if (r == 0)
		r = json_parse(&activation->document, writer.buffer.bytes, writer.buffer.n_bytes,
			       error);
	if (r < 0)
		return r;
	mounts = realloc(config->mounts, (config->n_mounts + 1) * sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	config->mounts = mounts;
	mounts[config->n_mounts] = (struct config_mount){};
	return config_mount_parse(&mounts[config->n_mounts++], json_root(&activation->document),
				  error);
}

int activation_prepare(struct activation *activation, const struct activation_request *request,
		       const struct state *state, struct config *config, struct error *error)
{
	int r;

	if (!request->n_listen_fds && !request->notify_socket && !request->has_trace)
		return 0;
	r = variables_set(activation, request, &config->process);
	if (r < 0)
		return error_set(error, r,
				 "cannot set the variables of the service manager or the trace");
	if (!request->notify_socket)
		return 0;
	if (mkdirat(state->directory_fd, ACTIVATION_NOTIFY_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make a directory for NOTIFY_SOCKET");
	/* Whatever the umask is: the container's users must reach the socket. */
	if (fchmodat(state->directory_fd, ACTIVATION_NOTIFY_DIRECTORY, 0755, 0) < 0)
		return error_set(error, -errno, "cannot make a directory for NOTIFY_SOCKET");
	r = mount_add(activation, state, config, error);
	return r < 0 ? error_prefix(error, r, "NOTIFY_SOCKET") : 0;
}

void activation_pid_set(char *listen_pid)
{
	snprintf(listen_pid, PID_DIGITS + 1, "%d", (int)getpid());
}

void activation_deinit(struct activation *activation)
{
	json_document_deinit(&activation->document);
	*activation = (struct activation){};
}
