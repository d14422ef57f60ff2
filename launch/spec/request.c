/* SPDX-License-Identifier: MIT */
#include "launch/spec/request.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/trace.h"
#include "launch/capability.h"
#include "launch/signal_name.h"
#include "launch/spec/environment.h"
#include "launch/spec/program.h"
#include "launch/spec/seccomp_option.h"

#define NAME_MAX_BYTES		  64 /* the kernel's __NEW_UTS_LEN */
#define SECCOMP_PROFILE_MAX_BYTES (4 * 1024 * 1024)

/* An option that is "private" or "host"; others belong to what isn't there (yet). */
static int namespace_parse(const char *name, const char *text, bool *ret_host, struct error *error)
{
	*ret_host = text && !strcmp(text, "host");
	if (!text || !*text || *ret_host || !strcmp(text, "private"))
		return 0;
	return error_usage(error, "option '--%s' takes private or host, not '%s'", name, text);
}

static int namespaces_parse(const struct spec_options *options, struct spec_request *request,
			    struct error *error)
{
	const char *ipc = options->ipc;
	bool host_user;
	int r;

	request->no_shm = ipc && !strcmp(ipc, "none");
	r = namespace_parse("ipc", request->no_shm ? NULL : ipc, &request->host_ipc, error);
	if (r == 0)
		r = namespace_parse("pid", options->pid, &request->host_pid, error);
	if (r == 0)
		r = namespace_parse("uts", options->uts, &request->host_uts, error);
	if (r == 0)
		r = namespace_parse("cgroupns", options->cgroupns, &request->host_cgroup, error);
	if (r < 0)
		return r;
	host_user = !options->userns || !*options->userns || !strcmp(options->userns, "host");
	if (!host_user)
		return error_usage(error,
				   "'--userns %s': there are no user namespaces yet, only "
				   "'host'",
				   options->userns);
	return spec_network_parse(options->network, &request->network, error);
}

static int name_check(const char *option, const char *name, struct error *error)
{
	size_t n = name ? strlen(name) : 0;

	if (n > NAME_MAX_BYTES)
		return error_usage(error, "'--%s': longer than %d bytes", option, NAME_MAX_BYTES);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '/')
			return error_usage(error, "'--%s %s': not a name", option, name);
	}
	return 0;
}

static int names_parse(const struct spec_options *options, const struct spec_request *request,
		       struct error *error)
{
	int r = name_check("hostname", options->hostname, error);

	if (r == 0)
		r = name_check("domainname", options->domainname, error);
	if (r < 0)
		return r;
	if (request->host_uts && (options->hostname || options->domainname))
		return error_usage(error, "'--uts host' can't go with '--%s'",
				   options->hostname ? "hostname" : "domainname");
	if (options->workdir && options->workdir[0] != '/')
		return error_usage(error, "'--workdir %s': not an absolute path", options->workdir);
	return 0;
}

/* The sysctls that belong to a namespace (docker/cli, opts/opts.go, ValidateSysctl). */
static int sysctl_check(const struct spec_request *request, const char *entry, struct error *error)
{
	static const char *const ipc_names[] = { "kernel.msgmax", "kernel.msgmnb",
						 "kernel.msgmni", "kernel.sem",
						 "kernel.shmall", "kernel.shmmax",
						 "kernel.shmmni", "kernel.shm_rmid_forced" };
	size_t n = strcspn(entry, "=");
	bool is_net = string_has_prefix(entry, "net.");
	bool is_ipc = string_has_prefix(entry, "fs.mqueue.");

	if (!entry[n] || n == 0)
		return error_usage(error, "option '--sysctl' takes NAME=VALUE, not '%s'", entry);
	/* Nothing that could be more than one name below /proc/sys (CVE-2022-0811). */
	if (strspn(entry, "abcdefghijklmnopqrstuvwxyz0123456789._/-") < n || strstr(entry, "..") ||
	    strstr(entry, "./") || strstr(entry, "/.") || entry[n - 1] == '.' ||
	    entry[n - 1] == '/' || strpbrk(entry + n, "\n\r"))
		return error_usage(error, "bad name or value in '--sysctl %s'", entry);
	for (size_t i = 0; i < sizeof(ipc_names) / sizeof(ipc_names[0]); i++)
		is_ipc |= strlen(ipc_names[i]) == n && !strncmp(ipc_names[i], entry, n);
	if (!is_net && !is_ipc)
		return error_usage(error, "sysctl '%.*s' does not belong to a namespace", (int)n,
				   entry);
	if (is_net ? request->network.kind == SPEC_NETWORK_HOST : request->host_ipc)
		return error_usage(error, "sysctl '%.*s' would be the host's with '--%s host'",
				   (int)n, entry, is_net ? "network" : "ipc");
	if (is_net && request->network.kind == SPEC_NETWORK_PATH)
		return error_usage(error,
				   "sysctl '%.*s' would be of the namespace that '--network ns:' "
				   "joins, which isn't this container's alone",
				   (int)n, entry);
	return 0;
}

static int option_is_true(const char *value, bool *ret_truth)
{
	bool is_true = !value || !strcmp(value, "true") || !strcmp(value, "1");

	if (!is_true && strcmp(value, "false") && strcmp(value, "0"))
		return -EINVAL;
	*ret_truth = is_true;
	return 0;
}

static bool apparmor_is_enabled(void)
{
	_cleanup_free_ char *text = NULL;

	return file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text, NULL) ==
		       0 &&
	       text[0] == 'Y';
}

static int security_value(struct spec_request *request, const char *name, size_t n_name,
			  const char *value, struct error *error)
{
	if (n_name == 7 && !strncmp(name, "seccomp", 7)) {
		request->seccomp_unconfined = !strcmp(value, "unconfined");
		request->seccomp_path = NULL;
		if (!request->seccomp_unconfined && strcmp(value, "builtin"))
			request->seccomp_path = value;
		return 0;
	}
	if (n_name == 8 && !strncmp(name, "apparmor", 8)) {
		request->apparmor_profile = strcmp(value, "unconfined") ? value : NULL;
		/* What was asked for and can't be had must not be dropped silently. */
		if (request->apparmor_profile && !apparmor_is_enabled())
			return error_say(error, -ENOTSUP,
					 "AppArmor profile '%s': this kernel has no AppArmor on",
					 value);
		return 0;
	}
	if (n_name == 5 && !strncmp(name, "label", 5)) {
		if (!strcmp(value, "disable"))
			return 0;
		return error_say(error, -ENOTSUP,
				 "SELinux label '%s': there are no labels, only 'disable'", value);
	}
	if (n_name == 11 && !strncmp(name, "systempaths", 11) && !strcmp(value, "unconfined")) {
		request->paths_unconfined = true;
		return 0;
	}
	return error_usage(error, "unknown '--security-opt %s'", name);
}

/* Docker takes NAME=VALUE, and still NAME:VALUE. */
static int security_parse(struct spec_request *request, const char *text, struct error *error)
{
	static const char no_new_privileges[] = "no-new-privileges";
	size_t n_name = strcspn(text, "=:");
	const char *value = text[n_name] ? text + n_name + 1 : NULL;

	if (n_name == sizeof(no_new_privileges) - 1 && !strncmp(text, no_new_privileges, n_name)) {
		if (option_is_true(value, &request->no_new_privileges) < 0)
			return error_usage(error, "'--security-opt %s': true or false", text);
		return 0;
	}
	if (!value || !*value)
		return error_usage(error, "unknown '--security-opt %s'", text);
	return security_value(request, text, n_name, value, error);
}

static int seccomp_read(struct spec_request *request, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r;

	if (!request->seccomp_path)
		return 0;
	r = file_read_at(AT_FDCWD, request->seccomp_path, SECCOMP_PROFILE_MAX_BYTES, &text,
			 &n_bytes);
	if (r < 0)
		return error_set(error, r, "cannot read seccomp profile '%s'",
				 request->seccomp_path);
	r = seccomp_option_write(text, n_bytes, request->capabilities, &writer, error);
	if (r < 0)
		return error_prefix(error, r, "seccomp profile '%s'", request->seccomp_path);
	request->seccomp_profile = take_ptr(writer.buffer.bytes);
	return 0;
}

static int stop_parse(const struct spec_options *options, struct spec_request *request,
		      struct error *error)
{
	const char *timeout = options->stop_timeout;
	uint64_t seconds = 0;

	request->stop_signal = options->stop_signal;
	if (options->stop_signal && signal_from_name(options->stop_signal) < 0)
		return error_usage(error, "unknown signal '%s'", options->stop_signal);
	if (timeout && strcmp(timeout, "-1") && string_to_uint64(timeout, INT32_MAX, &seconds) < 0)
		return error_usage(error, "option '--stop-timeout' takes seconds, not '%s'",
				   timeout);
	request->stop_timeout = timeout && *timeout == '-' ? -1 : (int64_t)seconds;
	return 0;
}

/* The cgroup's parent: a path without "..", so that no container lands outside of it. */
static int cgroup_parent_check(const char *parent, struct error *error)
{
	for (const char *p = parent; p && *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && !strncmp(p, "..", 2))
			return error_usage(error, "'--cgroup-parent %s': '..' in it", parent);
		p += n + (p[n] == '/');
	}
	return 0;
}

static int rest_parse(const struct spec_options *options, struct spec_request *request,
		      struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->sysctls.n_items; i++)
		r = sysctl_check(request, options->sysctls.items[i], error);
	for (size_t i = 0; r == 0 && i < options->security_opts.n_items; i++)
		r = security_parse(request, options->security_opts.items[i], error);
	if (r == 0)
		r = seccomp_read(request, error);
	if (r == 0)
		r = devices_parse(&options->devices, &options->device_cgroup_rules,
				  options->privileged, &request->devices, error);
	if (r == 0)
		r = stop_parse(options, request, error);
	if (r == 0)
		r = cgroup_parent_check(options->cgroup_parent, error);
	/* In the host's pid namespace it would not be pid 1: Docker ignores --init there. */
	if (r == 0 && options->init && !request->host_pid)
		r = spec_program_find("lamina-init", "--init", &request->init_path, error);
	return r;
}

int spec_request_parse(const struct spec_options *options, char *const *command,
		       struct spec_request *ret_request, struct error *error)
{
	TRACE_PHASE("cli.parse");
	_cleanup_spec_request_ struct spec_request request = { .options = options,
							       .command = command };
	int r = namespaces_parse(options, &request, error);

	if (r == 0)
		r = names_parse(options, &request, error);
	if (r == 0)
		r = limits_parse(options, &request.limits, error);
	if (r == 0)
		r = environment_from_options(&options->env_files, &options->env,
					     &request.environment, error);
	if (r == 0)
		r = labels_from_options(&options->label_files, &options->labels, &request.labels,
					error);
	if (r == 0)
		r = capability_choose(&options->cap_add, &options->cap_drop, &request.capabilities,
				      error);
	if (r == 0 && options->privileged)
		request.capabilities = capability_bounding_set();
	if (r == 0)
		r = rest_parse(options, &request, error);
	if (r < 0)
		return r;
	*ret_request = request;
	request = (struct spec_request){};
	return 0;
}

void spec_request_deinit(struct spec_request *request)
{
	string_list_deinit(&request->environment);
	string_list_deinit(&request->labels);
	spec_devices_deinit(&request->devices);
	free(request->seccomp_profile);
	free(request->init_path);
	spec_network_deinit(&request->network);
	*request = (struct spec_request){};
}
