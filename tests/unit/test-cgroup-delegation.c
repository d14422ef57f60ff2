/* SPDX-License-Identifier: MIT */
/*
 * Cgroups of a user, on cgroup v2 alone: in the virtual machine (tests/qemu).
 */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "launch/cgroup/delegation.h"
#include "launch/cgroup/internal.h"

struct delegation {
	const char *expected; /* where a cgroup may be made; NULL: nowhere */
	struct error error;
};

/* As a user, in the test's cgroup. */
static int delegation_look(struct delegation *delegation)
{
	char path[CGROUP_MAX_PATH] = "untouched";
	struct cgroup cgroup;
	int r;

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 1;
	r = cgroup_delegated_path("box", path);
	if (!delegation->expected) {
		if (r != -ENOENT || strcmp(path, "untouched") != 0)
			return 2;
		error_say(&delegation->error, -EACCES, "no");
		return cgroup_delegation_explain(&delegation->error, -EACCES) == -EACCES &&
				       strstr(delegation->error.message, "no; ") &&
				       strstr(delegation->error.message,
					      "chown 65534 '" CGROUP_ROOT)
			       ? 0
			       : 3;
	}
	if (r < 0 || strcmp(path, delegation->expected) != 0)
		return 4;
	r = cgroup_create(&cgroup, path, NULL);
	if (r == 0)
		r = cgroup_remove(&cgroup, NULL);
	cgroup_close(&cgroup);
	return r < 0 ? 5 : 0;
}

/* What systemd's Delegate= gives to a user. */
static void give(const char *path)
{
	static const char *const files[] = { "", "/cgroup.procs", "/cgroup.subtree_control" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char file[PATH_MAX];

		snprintf(file, sizeof(file), CGROUP_ROOT "%s%s", path, files[i]);
		assert_int_equal(chown(file, 65534, 65534), 0);
	}
}

static char test_parent[64], test_path[128];
static struct cgroup test_cgroup;

static int setup(void **state)
{
	struct error error;

	(void)state;
	error_init(&error);
	if (cgroup_create(&test_cgroup, test_path, &error) < 0)
		fail_msg("%s", error.message);
	return 0;
}

static int teardown(void **state)
{
	struct cgroup cgroup;
	int r;

	(void)state;
	cgroup_close(&test_cgroup);
	r = cgroup_open(&cgroup, test_parent, NULL);
	if (r == 0)
		r = cgroup_remove(&cgroup, NULL);
	cgroup_close(&cgroup);
	return r;
}

/* Runs @function in the test's cgroup; its exit status. */
static int look(struct delegation *delegation)
{
	pid_t pid = process_fork(0, cgroup_v2_fd(&test_cgroup), NULL);
	int status;

	if (pid == 0)
		_exit(delegation_look(delegation));
	assert_true(pid > 0);
	assert_int_equal(process_wait(pid, &status), 0);
	return process_exit_status(status);
}

static void a_user_has_what_was_delegated(void **state)
{
	struct delegation delegation = {};
	char own[256], parent[256];

	(void)state;
	snprintf(own, sizeof(own), "%s/lamina/box", test_path);
	snprintf(parent, sizeof(parent), "%s/lamina/box", test_parent);
	error_init(&delegation.error);
	assert_int_equal(look(&delegation), 0);
	give(test_path);
	delegation.expected = own;
	assert_int_equal(look(&delegation), 0);
	/* Beside its own there are controllers to be had. */
	give(test_parent);
	delegation.expected = parent;
	assert_int_equal(look(&delegation), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_user_has_what_was_delegated, setup, teardown),
	};

	if (!cgroup_is_v2_alone() || geteuid() != 0) {
		puts("1..0 # SKIP not cgroup v2 alone, or not root");
		return 0;
	}
	snprintf(test_parent, sizeof(test_parent), "/lamina-test-%d", (int)getpid());
	snprintf(test_path, sizeof(test_path), "%s/test", test_parent);
	return cmocka_run_group_tests_name("cgroup-delegation", tests, NULL, NULL);
}
