/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "launch/config/config.h"
#include "launch/seccomp/default_profile.h"

/* A folder of documents, each as the config.json of a bundle in turn. */
static void folder_visit(const char *folder,
			 void (*visit)(const char *name, int r, const struct config *config,
				       const struct error *error))
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	const char *source = getenv("TESTS_SOURCE");
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/%s", source, folder);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		_cleanup_config_ struct config config = {};
		_cleanup_free_ char *text = NULL;
		struct error error;
		size_t n_bytes;

		if (entry->d_name[0] == '.')
			continue;
		error_init(&error);
		assert_int_equal(file_read_at(dirfd(directory), entry->d_name, CONFIG_MAX_BYTES,
					      &text, &n_bytes),
				 0);
		assert_int_equal(file_replace_at(scratch.fd, "config.json", text, n_bytes, 0600, 0),
				 0);
		visit(entry->d_name, config_parse(&config, scratch.fd, &error), &config, &error);
		n++;
	}
	assert_true(n > 2);
}

static void refused(const char *name, int r, const struct config *config, const struct error *error)
{
	if (r >= 0 || !strstr(error->message, "config.json"))
		fail_msg("%s: %d, '%s'", name, r, error->message);
}

static void each_document_that_must_be_refused_is_and_the_file_is_named(void **state)
{
	folder_visit("refuse/config", refused);
}

static void accepted(const char *name, int r, const struct config *config,
		     const struct error *error)
{
	if (r < 0)
		fail_msg("%s: %d, '%s'", name, r, error->message);
}

static void each_document_that_must_be_taken_is(void **state)
{
	folder_visit("accept/config", accepted);
}

static int accepted_open(const char *name, struct config *config)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/accept/config/%s", getenv("TESTS_SOURCE"), name);
	assert_int_equal(file_read_at(AT_FDCWD, path, CONFIG_MAX_BYTES, &text, NULL), 0);
	scratch_write(&scratch, "config.json", text);
	return config_parse(config, scratch.fd, NULL);
}

static void what_isnt_said_is_dockers_default_or_nothing(void **state)
{
	_cleanup_config_ struct config config = {};

	assert_int_equal(accepted_open("least.json", &config), 0);
	assert_string_equal(config.process.args[0], "true");
	assert_null(config.process.args[1]);
	assert_null(config.process.env[0]);
	assert_int_equal(config.process.uid, 0);
	assert_int_equal(config.process.gid, 0);
	assert_int_equal(config.process.n_additional_gids, 0);
	assert_int_equal(config.process.umask, -1);
	assert_int_equal(config.process.capabilities.bounding, 0);
	assert_int_equal(config.process.capabilities.effective, 0);
	assert_false(config.process.no_new_privileges);
	assert_false(config.process.terminal);
	assert_false(config.process.has_oom_score_adj);
	assert_false(config.root_read_only);
	assert_null(config.hostname);
	assert_null(config.cgroups_path);
	assert_int_equal(config.n_mounts, 0);
	assert_int_equal(config.n_devices, 0);
	assert_int_equal(config.root_propagation, MS_PRIVATE | MS_REC);
	assert_false(config_has_own_namespace(&config, CLONE_NEWPID));
	assert_true(config_has_own_namespace(&config, CLONE_NEWNS));
}

static void the_process_is_what_the_document_says(void **state)
{
	_cleanup_config_ struct config config = {};
	const struct config_process *process = &config.process;

	assert_int_equal(accepted_open("rich.json", &config), 0);
	assert_string_equal(process->env[0], "PATH=/bin");
	assert_string_equal(process->env[1], "TERM=xterm");
	assert_string_equal(process->cwd, "/");
	assert_int_equal(process->uid, 1000);
	assert_int_equal(process->gid, 1001);
	assert_int_equal(process->umask, 022);
	assert_int_equal(process->n_additional_gids, 2);
	assert_int_equal(process->additional_gids[1], 4294967294);
	assert_int_equal(process->capabilities.bounding, 0xa80425fb);
	assert_int_equal(process->capabilities.inheritable, 1);
	assert_int_equal(process->capabilities.ambient, 1);
	assert_int_equal(process->n_rlimits, 2);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(process->rlimits[0].limit.rlim_cur, 1);
	assert_true(process->rlimits[0].limit.rlim_max == RLIM_INFINITY);
	assert_true(process->no_new_privileges);
	assert_true(process->terminal);
	assert_int_equal(process->console_rows, 24);
	assert_int_equal(process->console_columns, 80);
	assert_true(process->has_oom_score_adj);
	assert_int_equal(process->oom_score_adj, -5);
}

static void the_rest_is_what_the_document_says(void **state)
{
	_cleanup_config_ struct config config = {};
	const struct config_mount *mount;

	assert_int_equal(accepted_open("rich.json", &config), 0);
	assert_string_equal(config.root_path, "rootfs");
	assert_true(config.root_read_only);
	assert_string_equal(config.hostname, "box");
	assert_string_equal(config.domainname, "dom");
	assert_string_equal(config.cgroups_path, "/lamina/x");
	assert_int_equal(config.root_propagation, MS_SLAVE | MS_REC);
	assert_string_equal(config.masked_paths[0], "/proc/keys");
	assert_string_equal(config.read_only_paths[0], "/proc/sys");
	assert_int_equal(json_count(config.sysctl), 1);
	assert_int_equal(json_count(config.resources), 1);
	assert_int_equal(json_count(config.annotations), 1);
	mount = &config.mounts[config.n_mounts - 1];
	assert_string_equal(mount->destination, "/b/c");
	assert_true(mount->is_bind && mount->recursive);
	assert_int_equal(mount->recursive_set, MOUNT_ATTR_RDONLY);
	assert_false(config_has_own_namespace(&config, CLONE_NEWNET));
	assert_string_equal(config_find_namespace(&config, CLONE_NEWNET)->path, "/proc/1/ns/net");
	assert_null(config_find_namespace(&config, CLONE_NEWUSER));
}

static void devices_have_their_kind_number_mode_and_owner(void **state)
{
	_cleanup_config_ struct config config = {};

	assert_int_equal(accepted_open("rich.json", &config), 0);
	assert_int_equal(config.n_devices, 4);
	assert_int_equal(config.devices[0].mode, S_IFCHR | 0666);
	assert_int_equal(config.devices[0].device, makedev(1, 3));
	assert_int_equal(config.devices[0].uid, 1);
	assert_int_equal(config.devices[0].gid, 2);
	assert_int_equal(config.devices[1].mode, S_IFBLK | 0666);
	assert_int_equal(config.devices[1].device, makedev(8, 1048575));
	assert_int_equal(config.devices[2].mode, S_IFIFO | 0666);
	assert_int_equal(config.devices[3].mode, S_IFCHR | 0666);
}

static void a_document_over_the_limit_is_not_read(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_config_ struct config config = {};
	_cleanup_close_ int fd =
		openat(scratch.fd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, CONFIG_MAX_BYTES + 1), 0);
	assert_int_equal(config_parse(&config, scratch.fd, NULL), -EFBIG);
}

static void a_bundle_without_a_config_is_told(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_config_ struct config config = {};

	assert_int_equal(config_parse(&config, scratch.fd, NULL), -ENOENT);
}

/* A config.json with the default profile at @where ("%s"), as `nslaunch spec` writes it. */
static int with_profile(const char *where, struct config *config, struct error *error)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *text =
		string_format(where, (int)seccomp_prebuilt_n_bytes, seccomp_prebuilt_text);

	assert_non_null(text);
	error_init(error);
	assert_int_equal(file_replace_at(scratch.fd, "config.json", text, strlen(text), 0600, 0),
			 0);
	return config_parse(config, scratch.fd, error);
}

#define DOCUMENT_OF(more)                                                                          \
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},"                                     \
	"\"process\":{\"args\":[\"true\"],\"cwd\":\"/\"}," more "}"

static void the_default_profile_is_known_by_its_text_where_it_counts(void **state)
{
	static const struct {
		const char *document;
		bool is_default;
	} cases[] = {
		{ DOCUMENT_OF("\"linux\":{\"seccomp\":%.*s,\"maskedPaths\":[\"/m\"]}"), true },
		{ DOCUMENT_OF("\"linux\":{\"seccomp\": %.*s}"), false },
		{ DOCUMENT_OF("\"x\":{\"seccomp\":%.*s},\"linux\":{\"seccomp\":{}}"), false },
		{ DOCUMENT_OF("\"a\\\"seccomp\":%.*s"), false },
		{ DOCUMENT_OF("\"seccomp\":%.*s"), false },
	};

	if (seccomp_prebuilt_arch == SECCOMP_N_ARCHES)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_config_ struct config config = {};
		struct error error;
		size_t n_bytes;

		if (with_profile(cases[i].document, &config, &error) < 0)
			fail_msg("%zu: %s", i, error.message);
		assert_int_equal(config.has_default_seccomp, cases[i].is_default);
		/* What isn't known by its text is there as it was. */
		assert_true(config.document.n_bytes > seccomp_prebuilt_n_bytes ||
			    cases[i].is_default);
		assert_true(!cases[i].is_default || json_raw(config.seccomp, &n_bytes));
	}
}

static void a_mistake_beside_the_default_profile_is_where_the_file_has_it(void **state)
{
	_cleanup_config_ struct config config = {};
	struct error error;
	char place[64];

	if (seccomp_prebuilt_arch == SECCOMP_N_ARCHES)
		skip();
	assert_int_equal(with_profile("{\"linux\":{\"seccomp\":%.*s,}}", &config, &error),
			 -EBADMSG);
	snprintf(place, sizeof(place), "column %zu", 21 + seccomp_prebuilt_n_bytes);
	assert_non_null(strstr(error.message, place));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_document_that_must_be_refused_is_and_the_file_is_named),
		cmocka_unit_test(each_document_that_must_be_taken_is),
		cmocka_unit_test(what_isnt_said_is_dockers_default_or_nothing),
		cmocka_unit_test(the_process_is_what_the_document_says),
		cmocka_unit_test(the_rest_is_what_the_document_says),
		cmocka_unit_test(devices_have_their_kind_number_mode_and_owner),
		cmocka_unit_test(a_document_over_the_limit_is_not_read),
		cmocka_unit_test(the_default_profile_is_known_by_its_text_where_it_counts),
		cmocka_unit_test(a_mistake_beside_the_default_profile_is_where_the_file_has_it),
		cmocka_unit_test(a_bundle_without_a_config_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
