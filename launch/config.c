/* SPDX-License-Identifier: MIT */
#include "launch/config.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "launch/capability.h"
#include "launch/config_mount.h"
#include "launch/seccomp/default_profile.h"

/*
 * What a container would be less isolated without, or not itself, and this version doesn't do.
 * A value that asks for nothing (null, empty) is fine.
 */
static const char *const unsupported_fields[][3] = {
	{ "hooks", NULL, NULL },
	{ "linux", "uidMappings", NULL },
	{ "linux", "gidMappings", NULL },
	{ "linux", "timeOffsets", NULL },
	{ "linux", "intelRdt", NULL },
	{ "linux", "mountLabel", NULL },
	{ "linux", "personality", NULL },
	{ "linux", "memoryPolicy", NULL },
	{ "linux", "netDevices", NULL },
	{ "process", "apparmorProfile", NULL },
	{ "process", "selinuxLabel", NULL },
	{ "process", "scheduler", NULL },
	{ "process", "ioPriority", NULL },
	{ "process", "execCPUAffinity", NULL },
	{ "vm", NULL, NULL },
};

static bool value_asks(struct json_value value)
{
	switch (json_type(value)) {
	case JSON_MISSING:
	case JSON_NULL:
		return false;
	case JSON_STRING:
		return *json_string(value);
	case JSON_ARRAY:
		return json_count(value) > 0;
	case JSON_OBJECT:
		/* {"prestart": null, "poststop": []} asks for nothing either. */
		JSON_FOR_EACH (member, value) {
			if (value_asks(member))
				return true;
		}
		return false;
	default:
		return true;
	}
}

static int unsupported_check(struct json_value root, struct error *error)
{
	for (size_t i = 0; i < sizeof(unsupported_fields) / sizeof(unsupported_fields[0]); i++) {
		const char *const *field = unsupported_fields[i];
		struct json_value value = json_get(root, field[0]);

		if (field[1])
			value = json_get(value, field[1]);
		if (value_asks(value))
			return error_say(error, -EOPNOTSUPP, "'%s%s%s' is not supported", field[0],
					 field[1] ? "." : "", field[1] ? field[1] : "");
	}
	return 0;
}

/* An array of strings as a NULL-terminated vector of borrowed strings. */
static int strings_parse(struct json_value array, const char *field, char ***ret_strings,
			 struct error *error)
{
	_cleanup_free_ char **strings = calloc(json_count(array) + 1, sizeof(*strings));
	size_t n = 0;

	if (!strings)
		return error_set(error, -ENOMEM, "'%s'", field);
	if (json_exists(array) && json_type(array) != JSON_ARRAY)
		return error_say(error, -EINVAL, "'%s' must be an array of strings", field);
	JSON_FOR_EACH (element, array) {
		strings[n] = (char *)json_string(element);
		if (!strings[n++])
			return error_say(error, -EINVAL, "'%s' must be an array of strings", field);
	}
	*ret_strings = take_ptr(strings);
	return 0;
}

/* Where something else stands in its place, what was asked for must not be taken for unsaid. */
static int string_parse(struct json_value value, const char *field, const char **ret_string,
			struct error *error)
{
	*ret_string = json_string(value);
	if (json_exists(value) && !*ret_string)
		return error_say(error, -EINVAL, "'%s' must be a string", field);
	return 0;
}

static int bool_parse(struct json_value value, const char *field, bool *ret_bool,
		      struct error *error)
{
	if (json_exists(value) && json_type(value) != JSON_BOOL)
		return error_say(error, -EINVAL, "'%s' must be true or false", field);
	*ret_bool = json_bool_or(value, false);
	return 0;
}

static int type_check(struct json_value value, const char *field, enum json_type type,
		      struct error *error)
{
	if (json_exists(value) && json_type(value) != type)
		return error_say(error, -EINVAL, "'%s' must be %s", field,
				 type == JSON_ARRAY ? "an array" : "an object");
	return 0;
}

static int number_parse(struct json_value value, const char *field, uint64_t max,
			uint64_t *ret_number, struct error *error)
{
	uint64_t number;

	if (json_uint64(value, &number) < 0 || number > max)
		return error_say(error, -EINVAL, "'%s' must be a number from 0 to %llu", field,
				 (unsigned long long)max);
	*ret_number = number;
	return 0;
}

/* An id is at most 4294967294: -1 means "leave it as it is" to setresuid(2). */
static int id_parse(struct json_value value, const char *field, uint32_t *ret_id,
		    struct error *error)
{
	uint64_t id = 0;
	int r = json_exists(value) ? number_parse(value, field, UINT32_MAX - 1, &id, error) : 0;

	*ret_id = (uint32_t)id;
	return r;
}

static int user_parse(struct config_process *process, struct json_value user, struct error *error)
{
	struct json_value groups = json_get(user, "additionalGids");
	uint64_t mask = 0;
	int r;

	r = id_parse(json_get(user, "uid"), "process.user.uid", &process->uid, error);
	if (r == 0)
		r = id_parse(json_get(user, "gid"), "process.user.gid", &process->gid, error);
	if (r < 0)
		return r;
	process->umask = -1;
	if (json_exists(json_get(user, "umask"))) {
		r = number_parse(json_get(user, "umask"), "process.user.umask", 0777, &mask, error);
		if (r < 0)
			return r;
		process->umask = (int)mask;
	}
	r = type_check(groups, "process.user.additionalGids", JSON_ARRAY, error);
	if (r < 0)
		return r;
	process->additional_gids = calloc(json_count(groups) + 1, sizeof(gid_t));
	if (!process->additional_gids)
		return error_set(error, -ENOMEM, "'process.user.additionalGids'");
	JSON_FOR_EACH (group, groups) {
		r = id_parse(group, "process.user.additionalGids",
			     &process->additional_gids[process->n_additional_gids], error);
		if (r < 0)
			return r;
		process->n_additional_gids++;
	}
	return 0;
}

static int capability_set_parse(struct json_value array, uint64_t *ret_set, struct error *error)
{
	int r = type_check(array, "process.capabilities", JSON_ARRAY, error);

	if (r < 0)
		return r;
	JSON_FOR_EACH (element, array) {
		const char *name = json_string(element);
		int number = name ? capability_from_name(name) : -EINVAL;

		if (number < 0)
			return error_say(error, -EINVAL,
					 "'process.capabilities': unknown capability '%s'",
					 name ? name : "");
		*ret_set |= UINT64_C(1) << number;
	}
	return 0;
}

static int capabilities_parse(struct config_capabilities *sets, struct json_value value,
			      struct error *error)
{
	struct {
		const char *name;
		uint64_t *set;
	} fields[] = {
		{ "bounding", &sets->bounding },   { "effective", &sets->effective },
		{ "permitted", &sets->permitted }, { "inheritable", &sets->inheritable },
		{ "ambient", &sets->ambient },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		int r = capability_set_parse(json_get(value, fields[i].name), fields[i].set, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *name;
	int resource;
} rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

/*
 * jq reads numbers as doubles, so that a config.json that went through it has this for "unlimited"
 * (RLIM_INFINITY, 2^64 - 1).
 */
static bool is_infinity_of_jq(struct json_value value)
{
	static const char *const forms[] = { "18446744073709552000", "1.8446744073709552e+19",
					     "1.8446744073709552e19" };
	size_t n_bytes;
	const char *raw = json_raw(value, &n_bytes);

	for (size_t i = 0; raw && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strlen(forms[i]) == n_bytes && !strncmp(raw, forms[i], n_bytes))
			return true;
	}
	return false;
}

static int rlimit_value_parse(struct json_value value, const char *field, uint64_t *ret_limit,
			      struct error *error)
{
	if (!is_infinity_of_jq(value))
		return number_parse(value, field, UINT64_MAX, ret_limit, error);
	*ret_limit = RLIM_INFINITY;
	return 0;
}

static int rlimit_parse(struct config_rlimit *rlimit, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	uint64_t soft = 0, hard = 0;
	int r;

	r = rlimit_value_parse(json_get(value, "soft"), "process.rlimits.soft", &soft, error);
	if (r == 0)
		r = rlimit_value_parse(json_get(value, "hard"), "process.rlimits.hard", &hard,
				       error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(rlimit_names) / sizeof(rlimit_names[0]); i++) {
		if (strcmp(rlimit_names[i].name, type))
			continue;
		*rlimit = (struct config_rlimit){ .resource = rlimit_names[i].resource,
						  .name = rlimit_names[i].name,
						  .limit = { .rlim_cur = soft, .rlim_max = hard } };
		return 0;
	}
	return error_say(error, -EINVAL, "'process.rlimits': unknown limit '%s'", type);
}

static int rlimits_parse(struct config_process *process, struct json_value array,
			 struct error *error)
{
	int r = type_check(array, "process.rlimits", JSON_ARRAY, error);

	if (r < 0)
		return r;
	process->rlimits = calloc(json_count(array) + 1, sizeof(*process->rlimits));
	if (!process->rlimits)
		return error_set(error, -ENOMEM, "'process.rlimits'");
	JSON_FOR_EACH (element, array) {
		struct config_rlimit rlimit;

		r = rlimit_parse(&rlimit, element, error);
		if (r < 0)
			return r;
		for (size_t i = 0; i < process->n_rlimits; i++) {
			if (process->rlimits[i].resource == rlimit.resource)
				return error_say(error, -EINVAL, "'process.rlimits': '%s' twice",
						 rlimit.name);
		}
		process->rlimits[process->n_rlimits++] = rlimit;
	}
	return 0;
}

int config_process_parse(struct config_process *process, struct json_value value,
			 struct error *error)
{
	struct json_value console = json_get(value, "consoleSize");
	struct json_value score = json_get(value, "oomScoreAdj");
	uint64_t rows = 0, columns = 0;
	int64_t number;
	int r;

	if (!json_exists(value))
		return error_say(error, -EINVAL, "'process' is missing");
	r = strings_parse(json_get(value, "args"), "process.args", &process->args, error);
	if (r == 0)
		r = strings_parse(json_get(value, "env"), "process.env", &process->env, error);
	if (r == 0)
		r = user_parse(process, json_get(value, "user"), error);
	if (r == 0)
		r = capabilities_parse(&process->capabilities, json_get(value, "capabilities"),
				       error);
	if (r == 0)
		r = rlimits_parse(process, json_get(value, "rlimits"), error);
	if (r < 0)
		return r;
	if (!process->args[0] || !*process->args[0])
		return error_say(error, -EINVAL,
				 "'process.args' is empty: there is no command to run");
	process->cwd = json_string_or(json_get(value, "cwd"), "");
	if (*process->cwd != '/')
		return error_say(error, -EINVAL, "'process.cwd' must be an absolute path, not '%s'",
				 process->cwd);
	r = bool_parse(json_get(value, "noNewPrivileges"), "process.noNewPrivileges",
		       &process->no_new_privileges, error);
	if (r == 0)
		r = bool_parse(json_get(value, "terminal"), "process.terminal", &process->terminal,
			       error);
	if (r < 0)
		return r;
	if (json_exists(console)) {
		if (json_uint64(json_get(console, "height"), &rows) < 0 || rows > UINT16_MAX ||
		    json_uint64(json_get(console, "width"), &columns) < 0 || columns > UINT16_MAX)
			return error_say(error, -EINVAL, "'process.consoleSize' is not a size");
		process->console_rows = (unsigned short)rows;
		process->console_columns = (unsigned short)columns;
	}
	if (json_exists(score)) {
		if (json_int64(score, &number) < 0 || number < -1000 || number > 1000)
			return error_say(error, -EINVAL,
					 "'process.oomScoreAdj' must be from -1000 to 1000");
		process->has_oom_score_adj = true;
		process->oom_score_adj = (int)number;
	}
	return 0;
}

static int mounts_parse(struct config *config, struct json_value array, struct error *error)
{
	int r = type_check(array, "mounts", JSON_ARRAY, error);

	if (r < 0)
		return r;
	config->mounts = calloc(json_count(array) + 1, sizeof(*config->mounts));
	if (!config->mounts)
		return error_set(error, -ENOMEM, "'mounts'");
	JSON_FOR_EACH (element, array) {
		r = config_mount_parse(&config->mounts[config->n_mounts++], element, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *type;
	int flag;
} namespace_types[] = {
	{ "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },     { "cgroup", CLONE_NEWCGROUP },
};

static int namespace_parse(struct config *config, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	const char *path;
	int r = string_parse(json_get(value, "path"), "linux.namespaces.path", &path, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(namespace_types) / sizeof(namespace_types[0]); i++) {
		if (strcmp(namespace_types[i].type, type))
			continue;
		if (config_find_namespace(config, namespace_types[i].flag))
			return error_say(error, -EINVAL, "'linux.namespaces': '%s' twice", type);
		config->namespaces[config->n_namespaces++] = (struct config_namespace){
			.flag = namespace_types[i].flag,
			.type = namespace_types[i].type,
			.path = path && *path ? path : NULL,
		};
		return 0;
	}
	return error_say(error, -EOPNOTSUPP, "'linux.namespaces': type '%s' is not supported",
			 type);
}

static int device_parse(struct config_device *device, struct json_value value, struct error *error)
{
	const char *type = json_string_or(json_get(value, "type"), "");
	uint64_t major = 0, minor = 0, mode = 0666;
	int r = 0;

	device->path = json_string(json_get(value, "path"));
	if (!device->path || *device->path != '/')
		return error_say(error, -EINVAL,
				 "'linux.devices': a device without an absolute path");
	if (strcmp(type, "p")) {
		r = number_parse(json_get(value, "major"), "linux.devices.major", 0xfff, &major,
				 error);
		if (r == 0)
			r = number_parse(json_get(value, "minor"), "linux.devices.minor", 0xfffff,
					 &minor, error);
	}
	if (r == 0 && json_exists(json_get(value, "fileMode")))
		r = number_parse(json_get(value, "fileMode"), "linux.devices.fileMode", 0177777,
				 &mode, error);
	if (r == 0)
		r = id_parse(json_get(value, "uid"), "linux.devices.uid", &device->uid, error);
	if (r == 0)
		r = id_parse(json_get(value, "gid"), "linux.devices.gid", &device->gid, error);
	if (r < 0)
		return r;
	device->mode = (mode_t)mode & 07777;
	device->device = makedev((unsigned int)major, (unsigned int)minor);
	if (!strcmp(type, "c") || !strcmp(type, "u"))
		device->mode |= S_IFCHR;
	else if (!strcmp(type, "b"))
		device->mode |= S_IFBLK;
	else if (!strcmp(type, "p"))
		device->mode |= S_IFIFO;
	else
		return error_say(error, -EINVAL, "'linux.devices': '%s' has the unknown type '%s'",
				 device->path, type);
	return 0;
}

static int propagation_parse(struct config *config, struct json_value value, struct error *error)
{
	const char *word;
	int r = string_parse(value, "linux.rootfsPropagation", &word, error);

	if (r < 0)
		return r;
	if (!word || !*word || !strcmp(word, "private") || !strcmp(word, "rprivate"))
		config->root_propagation = MS_PRIVATE | MS_REC;
	else if (!strcmp(word, "slave") || !strcmp(word, "rslave"))
		config->root_propagation = MS_SLAVE | MS_REC;
	else if (!strcmp(word, "shared") || !strcmp(word, "rshared"))
		config->root_propagation = MS_SHARED | MS_REC;
	else
		return error_say(error, -EINVAL, "'linux.rootfsPropagation' is '%s'", word);
	return 0;
}

static int linux_parse(struct config *config, struct json_value value, struct error *error)
{
	static const struct {
		const char *name, *field;
		enum json_type type;
	} types[] = {
		{ "namespaces", "linux.namespaces", JSON_ARRAY },
		{ "devices", "linux.devices", JSON_ARRAY },
		{ "resources", "linux.resources", JSON_OBJECT },
		{ "seccomp", "linux.seccomp", JSON_OBJECT },
		{ "sysctl", "linux.sysctl", JSON_OBJECT },
	};
	struct json_value devices = json_get(value, "devices");
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(types) / sizeof(types[0]); i++)
		r = type_check(json_get(value, types[i].name), types[i].field, types[i].type,
			       error);
	if (r < 0)
		return r;
	JSON_FOR_EACH (element, json_get(value, "namespaces")) {
		r = namespace_parse(config, element, error);
		if (r < 0)
			return r;
	}
	config->devices = calloc(json_count(devices) + 1, sizeof(*config->devices));
	if (!config->devices)
		return error_set(error, -ENOMEM, "'linux.devices'");
	JSON_FOR_EACH (element, devices) {
		r = device_parse(&config->devices[config->n_devices++], element, error);
		if (r < 0)
			return r;
	}
	r = string_parse(json_get(value, "cgroupsPath"), "linux.cgroupsPath", &config->cgroups_path,
			 error);
	if (r < 0)
		return r;
	if (config->cgroups_path && !*config->cgroups_path)
		config->cgroups_path = NULL;
	config->resources = json_get(value, "resources");
	config->seccomp = json_get(value, "seccomp");
	config->sysctl = json_get(value, "sysctl");
	r = propagation_parse(config, json_get(value, "rootfsPropagation"), error);
	if (r == 0)
		r = strings_parse(json_get(value, "maskedPaths"), "linux.maskedPaths",
				  &config->masked_paths, error);
	if (r == 0)
		r = strings_parse(json_get(value, "readonlyPaths"), "linux.readonlyPaths",
				  &config->read_only_paths, error);
	return r;
}

static int version_check(struct json_value root, struct error *error)
{
	const char *version = json_string(json_get(root, "ociVersion"));

	if (!version)
		return error_say(error, -EINVAL, "'ociVersion' is missing");
	if (strncmp(version, "1.", 2))
		return error_say(error, -EINVAL, "'ociVersion' is '%s', not 1.x", version);
	return 0;
}

/* In the host's uts namespace, or another container's, they would rename that one. */
static int names_check(const struct config *config, struct error *error)
{
	if (config_has_own_namespace(config, CLONE_NEWUTS))
		return 0;
	if (config->hostname && *config->hostname)
		return error_say(error, -EINVAL, "'hostname' needs a uts namespace of its own");
	if (config->domainname && *config->domainname)
		return error_say(error, -EINVAL, "'domainname' needs a uts namespace of its own");
	return 0;
}

int config_fill(struct config *config, struct error *error)
{
	static const char *const objects[] = { "root", "process", "linux", "annotations" };
	struct json_value root, root_field;
	int r;

	root = json_root(&config->document);
	root_field = json_get(root, "root");
	config->root_path = json_string(json_get(root_field, "path"));
	config->annotations = json_get(root, "annotations");
	r = version_check(root, error);
	for (size_t i = 0; r == 0 && i < sizeof(objects) / sizeof(objects[0]); i++)
		r = type_check(json_get(root, objects[i]), objects[i], JSON_OBJECT, error);
	if (r == 0)
		r = bool_parse(json_get(root_field, "readonly"), "root.readonly",
			       &config->root_read_only, error);
	if (r == 0)
		r = string_parse(json_get(root, "hostname"), "hostname", &config->hostname, error);
	if (r == 0)
		r = string_parse(json_get(root, "domainname"), "domainname", &config->domainname,
				 error);
	if (r == 0 && (!config->root_path || !*config->root_path))
		r = error_say(error, -EINVAL, "'root.path' is missing");
	if (r == 0)
		r = unsupported_check(root, error);
	if (r == 0)
		r = config_process_parse(&config->process, json_get(root, "process"), error);
	if (r == 0)
		r = mounts_parse(config, json_get(root, "mounts"), error);
	if (r == 0)
		r = linux_parse(config, json_get(root, "linux"), error);
	if (r == 0)
		r = names_check(config, error);
	return r < 0 ? error_prefix(error, r, "config.json") : 0;
}

void config_process_deinit(struct config_process *process)
{
	free(process->args);
	free(process->env);
	free(process->additional_gids);
	free(process->rlimits);
	*process = (struct config_process){};
}

int config_parse(struct config *config, int bundle_fd, struct error *error)
{
	int r = json_parse_file_at(&config->document, bundle_fd, "config.json", CONFIG_MAX_BYTES,
				   error);

	return r < 0 ? r : config_fill(config, error);
}

void config_deinit(struct config *config)
{
	for (size_t i = 0; i < config->n_mounts; i++)
		config_mount_deinit(&config->mounts[i]);
	free(config->mounts);
	config_process_deinit(&config->process);
	free(config->devices);
	free(config->masked_paths);
	free(config->read_only_paths);
	json_document_deinit(&config->document);
	*config = (struct config){};
}

const struct config_namespace *config_find_namespace(const struct config *config, int flag)
{
	for (size_t i = 0; i < config->n_namespaces; i++) {
		if (config->namespaces[i].flag == flag)
			return &config->namespaces[i];
	}
	return NULL;
}

bool config_has_own_namespace(const struct config *config, int flag)
{
	const struct config_namespace *wanted = config_find_namespace(config, flag);

	return wanted && (!wanted->path || !*wanted->path);
}
