/* SPDX-License-Identifier: MIT */
#include "tools/nslaunch/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stream.h"
#include "base/trace.h"
#include "launch/spec/plain.h"
#include "launch/spec/spec.h"

#define AT(field)   offsetof(struct spec_verb_options, field)
#define SPEC(field) offsetof(struct spec_verb_options, spec.field)

const struct command_option spec_options[] = {
	{ "bundle", 'b', OPTION_LIST, AT(bundles), "DIR", "this bundle, not standard input's" },
	{ "null", '0', OPTION_FLAG, AT(null), NULL, "paths end with NUL, not a line break" },
	{ "force", 0, OPTION_FLAG, AT(force), NULL, "replace a config.json that is there" },

	{ "file", 'f', OPTION_STRING, AT(file), "FILE",
	  "a plain bundle's config.json by another name" },
	{ "rootless", 0, OPTION_FLAG, AT(rootless), NULL,
	  "a plain bundle's config.json for a user without privileges" },

	{ "env", 'e', OPTION_LIST, SPEC(env), "NAME[=VALUE]", "set a variable" },
	{ "env-file", 0, OPTION_LIST, SPEC(env_files), "FILE", "set the variables of a file" },
	{ "workdir", 'w', OPTION_STRING, SPEC(workdir), "DIR", "working directory" },
	{ "user", 'u', OPTION_STRING, SPEC(user), "USER[:GROUP]", "names or numbers" },
	{ "group-add", 0, OPTION_LIST, SPEC(group_add), "GROUP", "one more group" },
	{ "entrypoint", 0, OPTION_STRING, SPEC(entrypoint), "PROGRAM",
	  "in place of the image's; empty: none" },
	{ "init", 0, OPTION_FLAG, SPEC(init), NULL, "a small init as pid 1" },
	{ "tty", 't', OPTION_FLAG, SPEC(tty), NULL, "a terminal" },
	{ "interactive", 'i', OPTION_FLAG, SPEC(interactive), NULL, "keep standard input open" },
	{ "label", 'l', OPTION_LIST, SPEC(labels), "NAME[=VALUE]", "set a label" },
	{ "label-file", 0, OPTION_LIST, SPEC(label_files), "FILE", "set the labels of a file" },
	{ "stop-signal", 0, OPTION_STRING, SPEC(stop_signal), "SIGNAL", "what a stop sends" },
	{ "stop-timeout", 0, OPTION_STRING, SPEC(stop_timeout), "SECONDS",
	  "how long a stop waits before it kills" },

	{ "hostname", 'h', OPTION_STRING, SPEC(hostname), "NAME", "default: the id's beginning" },
	{ "domainname", 0, OPTION_STRING, SPEC(domainname), "NAME", "NIS domain name" },
	{ "network", 0, OPTION_STRING, SPEC(network), "none|host|ns:PATH|pasta[:OPTIONS]",
	  "default: none" },
	{ "net", 0, OPTION_STRING, SPEC(network), "NETWORK", NULL },
	{ "sysctl", 0, OPTION_LIST, SPEC(sysctls), "NAME=VALUE", "of a namespace" },

	{ "read-only", 0, OPTION_FLAG, SPEC(read_only), NULL, "mount the root read-only" },
	{ "privileged", 0, OPTION_FLAG, SPEC(privileged), NULL, "confine nothing" },
	{ "cap-add", 0, OPTION_LIST, SPEC(cap_add), "NAME", "add a capability, or ALL" },
	{ "cap-drop", 0, OPTION_LIST, SPEC(cap_drop), "NAME", "drop a capability, or ALL" },
	{ "security-opt", 0, OPTION_LIST, SPEC(security_opts), "OPTION",
	  "no-new-privileges, seccomp=, apparmor=, label=, systempaths=" },
	{ "ipc", 0, OPTION_STRING, SPEC(ipc), "private|host|none", "default: private" },
	{ "pid", 0, OPTION_STRING, SPEC(pid), "private|host", "default: private" },
	{ "uts", 0, OPTION_STRING, SPEC(uts), "private|host", "default: private" },
	{ "cgroupns", 0, OPTION_STRING, SPEC(cgroupns), "private|host", "default: private" },
	{ "userns", 0, OPTION_STRING, SPEC(userns), "host", "no other yet" },
	{ "device", 0, OPTION_LIST, SPEC(devices), "HOST[:PATH[:rwm]]", "give a device" },
	{ "device-cgroup-rule", 0, OPTION_LIST, SPEC(device_cgroup_rules), "RULE",
	  "allow devices: \"c 1:3 rwm\"" },

	{ "memory", 'm', OPTION_STRING, SPEC(memory), "SIZE", "limit" },
	{ "memory-swap", 0, OPTION_STRING, SPEC(memory_swap), "SIZE",
	  "limit of memory and swap together; -1: none" },
	{ "memory-reservation", 0, OPTION_STRING, SPEC(memory_reservation), "SIZE", "soft limit" },
	{ "cpus", 0, OPTION_STRING, SPEC(cpus), "NUMBER", "limit, such as 1.5" },
	{ "cpu-shares", 'c', OPTION_STRING, SPEC(cpu_shares), "N", "relative weight" },
	{ "cpu-period", 0, OPTION_STRING, SPEC(cpu_period), "USEC", "the scheduler's period" },
	{ "cpu-quota", 0, OPTION_STRING, SPEC(cpu_quota), "USEC", "its share of each period" },
	{ "cpuset-cpus", 0, OPTION_STRING, SPEC(cpuset_cpus), "LIST", "processors: 0-3,7" },
	{ "cpuset-mems", 0, OPTION_STRING, SPEC(cpuset_mems), "LIST", "memory nodes: 0,1" },
	{ "pids-limit", 0, OPTION_STRING, SPEC(pids_limit), "N", "-1: no limit" },
	{ "ulimit", 0, OPTION_LIST, SPEC(ulimits), "NAME=SOFT[:HARD]", "nofile=1024:2048" },
	{ "oom-score-adj", 0, OPTION_STRING, SPEC(oom_score_adj), "N", "from -1000 to 1000" },
	{ "shm-size", 0, OPTION_STRING, SPEC(shm_size), "SIZE", "of /dev/shm; default: 64m" },
	{ "cgroup-parent", 0, OPTION_STRING, SPEC(cgroup_parent), "PATH", "default: /lamina" },
};

struct spec_run {
	const struct spec_request *request;
	unsigned int flags;
	char separator;
};

static int bundle_do(const struct spec_run *run, const char *path, struct error *error)
{
	int r = spec_bundle(path, run->request, run->flags, error);

	if (r < 0)
		return r;
	r = path_stream_write(STDOUT_FILENO, path, run->separator);
	return r < 0 ? error_set(error, r, "cannot write the output") : 0;
}

/* One of many: what fails is said and left out, the rest go on. 1: it failed. */
static int bundle_do_or_say(const struct command_call *call, const struct spec_run *run,
			    const char *path, struct error *error)
{
	struct error own;
	int r;

	error_init(&own);
	r = spec_bundle(path, run->request, run->flags, &own);
	if (r < 0) {
		command_report(call, &own);
		return 1;
	}
	r = path_stream_write(STDOUT_FILENO, path, run->separator);
	return r < 0 ? error_set(error, r, "cannot write the output") : 0;
}

/*
 * Is it what `runc spec` is called for? Nothing is said that could go into a configuration, and the
 * bundle has no image's.
 */
static bool is_plain(const struct command_call *call, const char *bundle)
{
	static const struct spec_options none;
	const struct spec_verb_options *options = call->options;
	char path[PATH_MAX];

	return !call->argc && !memcmp(&options->spec, &none, sizeof(none)) &&
	       snprintf(path, sizeof(path), "%s/image-config.json", bundle) < (int)sizeof(path) &&
	       access(path, F_OK) < 0 && errno == ENOENT;
}

/* A stream comes from a pipe, a file or a socket; a terminal and /dev/null are none. */
static bool stdin_is_stream(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && !S_ISCHR(st.st_mode);
}

/* 1: it isn't a plain bundle. */
static int plain_do(const struct command_call *call, struct error *error)
{
	TRACE_PHASE("cli.parse");
	const struct spec_verb_options *options = call->options;
	bool is_asked = options->rootless || options->file;
	const char *bundle = options->bundles.n_items ? options->bundles.items[0] : ".";

	if (options->bundles.n_items > 1 ||
	    (!options->bundles.n_items && !is_asked && stdin_is_stream()) ||
	    !is_plain(call, bundle))
		return is_asked ? error_usage(error,
					      "options '--file' and '--rootless' are for one plain "
					      "bundle, without an image, a command or options")
				: 1;
	return spec_plain_write(
		bundle, options->file ? options->file : "config.json",
		(options->force ? SPEC_AGAIN : 0) | (options->rootless ? SPEC_ROOTLESS : 0), error);
}

int verb_spec(const struct command_call *call, struct error *error)
{
	const struct spec_verb_options *options = call->options;
	_cleanup_spec_request_ struct spec_request request = {};
	struct spec_run run = { .request = &request,
				.flags = options->force ? SPEC_AGAIN : 0,
				.separator = options->null ? '\0' : '\n' };
	_cleanup_path_stream_ struct path_stream stream = { .fd = STDIN_FILENO,
							    .separator = run.separator };
	int r, status = 0;
	const char *path;

	/* hosts and the like are read by whoever the container's user is. */
	umask(0022);
	r = plain_do(call, error);
	if (r <= 0)
		return r;
	r = spec_request_parse(&options->spec, call->argv, &request, error);
	if (r < 0)
		return r;
	if (options->bundles.n_items == 1)
		return bundle_do(&run, options->bundles.items[0], error);
	STRING_LIST_FOR_EACH (&options->bundles, i) {
		r = bundle_do_or_say(call, &run, options->bundles.items[i], error);
		if (r < 0)
			return r;
		status |= r;
	}
	if (options->bundles.n_items > 0)
		return status;
	while ((r = path_stream_next(&stream, &path, error)) > 0) {
		r = bundle_do_or_say(call, &run, path, error);
		if (r < 0)
			return r;
		status |= r;
	}
	return r < 0 ? r : status;
}
