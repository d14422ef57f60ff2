/* SPDX-License-Identifier: MIT */
/*
 * On the hierarchies of the machine it runs on, below /lamina-test-PID only; in a virtual machine
 * with nothing but cgroup v2 as well (tests/qemu).
 */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "launch/cgroup/internal.h"
#include "launch/cgroup/mount.h"
#include "launch/cgroup/stats.h"

static char test_parent[64];

struct fixture {
	struct cgroup cgroup;
	char path[128];
	struct error error;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	cgroup_init(&fixture->cgroup);
	error_init(&fixture->error);
	snprintf(fixture->path, sizeof(fixture->path), "%s/test", test_parent);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	/* Whatever a failed test has left. */
	if (cgroup_open(&fixture->cgroup, fixture->path, NULL) == 0) {
		cgroup_kill(&fixture->cgroup, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		cgroup_remove(&fixture->cgroup, NULL);
	}
	cgroup_close(&fixture->cgroup);
	free(fixture);
	return 0;
}

static int parent_remove(void **state)
{
	struct cgroup cgroup;
	int r;

	(void)state;
	r = cgroup_open(&cgroup, test_parent, NULL);
	if (r == 0)
		r = cgroup_remove(&cgroup, NULL);
	cgroup_close(&cgroup);
	return r;
}

static void create(struct fixture *fixture)
{
	int r = cgroup_create(&fixture->cgroup, fixture->path, &fixture->error);

	if (r == -EACCES || r == -EROFS || r == -EPERM) {
		print_message("not allowed to make cgroups: %s\n", fixture->error.message);
		skip();
	}
	if (r < 0)
		fail_msg("%s", fixture->error.message);
	if (fixture->cgroup.n_hierarchies == 0) {
		print_message("no cgroups on this machine\n");
		skip();
	}
}

static int apply(struct fixture *fixture, const char *text)
{
	_cleanup_json_ struct json_document document = {};

	assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
	error_init(&fixture->error);
	return cgroup_apply(&fixture->cgroup, json_root(&document), &fixture->error);
}

static void applied(struct fixture *fixture, const char *text)
{
	if (apply(fixture, text) < 0)
		fail_msg("%s: %s", text, fixture->error.message);
}

/* A control file of @controller, wherever it is here. */
static const char *control(struct fixture *fixture, enum cgroup_controller controller,
			   const char *v1_file, const char *v2_file)
{
	static char text[4096];
	struct cgroup_hierarchy *v1 = cgroup_v1(&fixture->cgroup, controller);
	int v1_fd = v1 ? cgroup_directory(&fixture->cgroup, v1) : -EBADF;
	ssize_t n =
		v1 ? cgroup_file_read(v1_fd, v1_file, text, sizeof(text))
		   : cgroup_file_read(cgroup_v2_fd(&fixture->cgroup), v2_file, text, sizeof(text));

	if (n < 0)
		fail_msg("%s: %s", v1 ? v1_file : v2_file, strerror((int)-n));
	return text;
}

static bool is_v1(struct fixture *fixture, enum cgroup_controller controller)
{
	return cgroup_v1(&fixture->cgroup, controller) != NULL;
}

struct child {
	const struct cgroup *cgroup;
	int (*function)(void *);
	void *argument;
	struct error error;
};

static int child_main(void *argument)
{
	struct child *child = argument;

	if (cgroup_enter(child->cgroup, &child->error) < 0)
		return 250;
	return child->function(child->argument);
}

/* A process in the cgroup, made as the launcher makes it but for the vfork. */
static pid_t child_start(struct fixture *fixture, int (*function)(void *), void *argument)
{
	struct child child = { &fixture->cgroup, function, argument };
	int ready[2];
	pid_t pid;
	char c;

	error_init(&child.error);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = process_fork(0, cgroup_v2_fd(&fixture->cgroup), NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		sys_close_range((unsigned int)ready[0], (unsigned int)ready[0], 0);
		if (cgroup_enter(child.cgroup, &child.error) < 0)
			_exit(250);
		close(ready[1]);
		_exit(function(argument));
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 0);
	close(ready[0]);
	return pid;
}

static int child_status(struct fixture *fixture, int (*function)(void *), void *argument)
{
	int status;
	pid_t pid = child_start(fixture, function, argument);

	assert_int_equal(process_wait(pid, &status), 0);
	return process_exit_status(status);
}

static int pause_forever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return 0;
}

static void a_path_is_cleaned_or_refused(void **state)
{
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{ "/lamina/abc", "lamina/abc" },
		{ "abc", "lamina/abc" },
		{ "//lamina///abc/", "lamina/abc" },
		{ "/./a/./b/.", "a/b" },
		{ "./abc", "lamina/abc" },
		{ "/a..b/...", "a..b/..." },
		{ "", NULL },
		{ "/", NULL },
		{ "/.", NULL },
		{ ".", NULL },
		{ "/lamina", NULL },
		{ "..", NULL },
		{ "/lamina/../x", NULL },
		{ "/lamina/x/..", NULL },
		{ "/a\nb", NULL },
	};
	char clean[CGROUP_MAX_PATH], longer[CGROUP_MAX_PATH + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = cgroup_path_clean(cases[i].path, clean, NULL);

		if ((r == 0) != (cases[i].clean != NULL))
			fail_msg("'%s': %d", cases[i].path, r);
		if (r == 0)
			assert_string_equal(clean, cases[i].clean);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(cgroup_path_clean(longer, clean, NULL), -ENAMETOOLONG);
	/* "a/a/...": what is left without the first slash just fits, with "lamina/" it doesn't. */
	for (size_t i = 0; i < sizeof(longer) - 1; i += 2)
		longer[i] = '/';
	assert_int_equal(cgroup_path_clean(longer, clean, NULL), 0);
	assert_int_equal(strlen(clean), CGROUP_MAX_PATH - 1);
	assert_int_equal(cgroup_path_clean(longer + 1, clean, NULL), -ENAMETOOLONG);
}

static void it_is_made_in_every_hierarchy_and_removed_from_each(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup again;

	create(fixture);
	assert_int_equal(cgroup_open(&again, fixture->path, NULL), 0);
	assert_true(cgroup_exists(&again));
	for (size_t i = 0; i < again.n_hierarchies; i++)
		assert_true(again.hierarchies[i].directory_fd >= 0);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
	cgroup_close(&again);
	assert_int_equal(cgroup_open(&again, fixture->path, NULL), 0);
	assert_false(cgroup_exists(&again));
	assert_int_equal(cgroup_remove(&again, NULL), 0);
	cgroup_close(&again);
}

/* /proc/self/cgroup of a child that has entered; every line but excluded ones ends in the path. */
static int membership_check(void *argument)
{
	struct fixture *fixture = argument;
	_cleanup_fclose_ FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];
	size_t n = 0;

	while (file && fgets(line, sizeof(line), file)) {
		const char *path = strchr(strchr(line, ':') + 1, ':') + 1;

		line[strcspn(line, "\n")] = '\0';
		n += !strcmp(path, fixture->path);
	}
	return (int)n;
}

static void a_child_is_in_all_of_them_once_it_has_entered(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	assert_int_equal(child_status(fixture, membership_check, fixture),
			 fixture->cgroup.n_hierarchies);
}

static void a_vforked_child_can_enter(void **state)
{
	struct fixture *fixture = *state;
	struct child child = { .function = membership_check, .argument = fixture };
	int status;
	pid_t pid;

	create(fixture);
	child.cgroup = &fixture->cgroup;
	pid = process_vfork(0, cgroup_v2_fd(&fixture->cgroup), NULL, child_main, &child);
	assert_true(pid > 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(process_exit_status(status), fixture->cgroup.n_hierarchies);
}

static void one_with_processes_is_refused_and_kept(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup second;
	pid_t pid;
	int status;

	create(fixture);
	pid = child_start(fixture, pause_forever, NULL);
	assert_int_equal(cgroup_create(&second, fixture->path, &fixture->error), -EBUSY);
	assert_non_null(strstr(fixture->error.message, "has processes in it already"));
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(cgroup_kill(&fixture->cgroup, &fixture->error), 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(process_exit_status(status), 128 + SIGKILL);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

static void an_empty_leftover_elsewhere_is_used(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup second;

	create(fixture);
	cgroup_close(&fixture->cgroup);
	assert_int_equal(cgroup_create(&second, fixture->path, &fixture->error), 0);
	assert_int_equal(cgroup_remove(&second, NULL), 0);
	cgroup_close(&second);
}

static void a_frozen_one_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup second;
	int r;

	create(fixture);
	r = cgroup_freeze(&fixture->cgroup, true, &fixture->error);
	if (r == -EOPNOTSUPP)
		skip();
	assert_int_equal(r, 0);
	assert_true(cgroup_is_frozen(&fixture->cgroup));
	assert_int_equal(cgroup_create(&second, fixture->path, &fixture->error), -EBUSY);
	assert_non_null(strstr(fixture->error.message, "is frozen"));
	assert_int_equal(cgroup_freeze(&fixture->cgroup, false, &fixture->error), 0);
	assert_false(cgroup_is_frozen(&fixture->cgroup));
}

/* Below /lamina a leftover is made anew: the limits of the one before are gone with it. */
static void a_leftover_of_lamina_is_made_anew(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_hierarchy *pids;

	snprintf(fixture->path, sizeof(fixture->path), "/lamina%s", test_parent);
	create(fixture);
	applied(fixture, "{\"pids\":{\"limit\":7}}");
	cgroup_close(&fixture->cgroup);
	create(fixture);
	pids = cgroup_v1(&fixture->cgroup, CGROUP_PIDS);
	if (pids)
		assert_string_equal(control(fixture, CGROUP_PIDS, "pids.max", NULL), "max");
	applied(fixture, "{\"pids\":{\"limit\":9}}");
	assert_string_equal(control(fixture, CGROUP_PIDS, "pids.max", "pids.max"), "9");
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

static void cgroups_made_inside_are_killed_and_removed_too(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ pid_t *pids = NULL;
	size_t n_pids;
	struct cgroup inner;
	char path[512];
	pid_t pid;
	int status;

	create(fixture);
	snprintf(path, sizeof(path), "%s/a/b/c", fixture->path);
	assert_int_equal(cgroup_create(&inner, path, &fixture->error), 0);
	pid = process_fork(0, cgroup_v2_fd(&inner), NULL);
	if (pid == 0) {
		cgroup_enter(&inner, NULL);
		pause_forever(NULL);
	}
	cgroup_close(&inner);
	while (cgroup_pids(&fixture->cgroup, &pids, &n_pids, NULL) == 0 && n_pids == 0) {
		free(take_ptr(pids));
		usleep(1000);
	}
	assert_int_equal(n_pids, 1);
	assert_int_equal(pids[0], pid);
	assert_int_equal(cgroup_kill(&fixture->cgroup, &fixture->error), 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(process_exit_status(status), 128 + SIGKILL);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

static void removing_one_with_processes_says_busy(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid;
	int status;

	create(fixture);
	pid = child_start(fixture, pause_forever, NULL);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), -EBUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

static void one_inside_with_processes_keeps_the_whole(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup inner;
	char path[512];
	int status, ready[2];
	pid_t pid;
	char c;

	create(fixture);
	snprintf(path, sizeof(path), "%s/a/b/c", fixture->path);
	assert_int_equal(cgroup_create(&inner, path, &fixture->error), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = process_fork(0, cgroup_v2_fd(&inner), NULL);
	if (pid == 0) {
		cgroup_enter(&inner, NULL);
		close(ready[0]);
		close(ready[1]);
		pause_forever(NULL);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 0);
	close(ready[0]);
	cgroup_close(&inner);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), -EBUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

/* Eight processes at once, none of which finds a parent. */
static void many_can_be_made_at_once_below_a_parent_that_is_missing(void **state)
{
	struct fixture *fixture = *state;
	pid_t pids[8];
	char parent[256];
	int go[2];

	snprintf(parent, sizeof(parent), "%s/new", test_parent);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct cgroup cgroup;
			char c;
			int r;

			close(go[1]);
			(void)!read(go[0], &c, 1);
			snprintf(fixture->path, sizeof(fixture->path), "%.80s/x/%d", parent, i);
			r = cgroup_create(&cgroup, fixture->path, NULL);
			if (r == -EACCES || r == -EROFS || r == -EPERM)
				_exit(77);
			/* A cpuset without processors wouldn't let it in. */
			if (r == 0)
				r = cgroup_enter(&cgroup, NULL);
			_exit(r < 0);
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < 8; i++) {
		int status;

		assert_int_equal(process_wait(pids[i], &status), 0);
		if (process_exit_status(status) == 77)
			skip();
		assert_int_equal(process_exit_status(status), 0);
	}
	assert_int_equal(cgroup_open(&fixture->cgroup, parent, NULL), 0);
	assert_int_equal(cgroup_remove(&fixture->cgroup, NULL), 0);
}

static void a_frozen_process_is_killed(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid;
	int status;

	create(fixture);
	pid = child_start(fixture, pause_forever, NULL);
	if (cgroup_freeze(&fixture->cgroup, true, &fixture->error) == -EOPNOTSUPP)
		skip();
	assert_int_equal(cgroup_kill(&fixture->cgroup, &fixture->error), 0);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_int_equal(cgroup_remove(&fixture->cgroup, &fixture->error), 0);
}

static int fork_three(void *argument)
{
	int n = 0;

	(void)argument;
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(pause_forever(NULL));
		n += pid > 0;
	}
	return n;
}

static void a_limit_of_processes_is_kept(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture, "{\"pids\":{\"limit\":3}}");
	assert_string_equal(control(fixture, CGROUP_PIDS, "pids.max", "pids.max"), "3");
	assert_int_equal(child_status(fixture, fork_three, NULL), 2);
	applied(fixture, "{\"pids\":{\"limit\":-1}}");
	assert_string_equal(control(fixture, CGROUP_PIDS, "pids.max", "pids.max"), "max");
	assert_int_equal(cgroup_kill(&fixture->cgroup, NULL), 0);
}

static int eat_64m(void *argument)
{
	/* volatile: the compiler mustn't see that nobody needs it. */
	volatile char *bytes = malloc(64 << 20);

	(void)argument;
	for (size_t i = 0; bytes && i < 64 << 20; i += 4096)
		bytes[i] = 1;
	return bytes ? 0 : 9;
}

static void a_limit_of_memory_is_kept(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture,
		"{\"memory\":{\"limit\":33554432,\"swap\":33554432,\"reservation\":16777216,"
		"\"disableOOMKiller\":false}}");
	assert_string_equal(control(fixture, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max"),
			    "33554432");
	assert_string_equal(
		control(fixture, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "memory.low"),
		"16777216");
	assert_string_equal(
		control(fixture, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max"),
		is_v1(fixture, CGROUP_MEMORY) ? "33554432" : "0");
	assert_int_equal(child_status(fixture, eat_64m, NULL), 128 + SIGKILL);
	/* Raised: memory+swap has to go first in v1. */
	applied(fixture, "{\"memory\":{\"limit\":134217728,\"swap\":268435456}}");
	assert_string_equal(control(fixture, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max"),
			    "134217728");
	assert_int_equal(child_status(fixture, eat_64m, NULL), 0);
	applied(fixture, "{\"memory\":{\"limit\":-1}}");
	if (!is_v1(fixture, CGROUP_MEMORY))
		assert_string_equal(control(fixture, CGROUP_MEMORY, NULL, "memory.swap.max"),
				    "max");
}

static void processor_limits_land_in_their_files(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture, "{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000,"
			 "\"burst\":10000,\"cpus\":\"0\",\"mems\":\"0\"}}");
	if (is_v1(fixture, CGROUP_CPU)) {
		assert_string_equal(control(fixture, CGROUP_CPU, "cpu.shares", NULL), "512");
		assert_string_equal(control(fixture, CGROUP_CPU, "cpu.cfs_quota_us", NULL),
				    "50000");
		assert_string_equal(control(fixture, CGROUP_CPU, "cpu.cfs_burst_us", NULL),
				    "10000");
	} else {
		assert_string_equal(control(fixture, CGROUP_CPU, NULL, "cpu.weight"), "59");
		assert_string_equal(control(fixture, CGROUP_CPU, NULL, "cpu.max"), "50000 100000");
		assert_string_equal(control(fixture, CGROUP_CPU, NULL, "cpu.max.burst"), "10000");
	}
	assert_string_equal(control(fixture, CGROUP_CPUSET, "cpuset.cpus", "cpuset.cpus"), "0");
	applied(fixture, "{\"cpu\":{\"quota\":-1}}");
	assert_string_equal(control(fixture, CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max"),
			    is_v1(fixture, CGROUP_CPU) ? "-1" : "max 100000");
}

static int update(struct fixture *fixture, const char *text)
{
	_cleanup_json_ struct json_document document = {};

	assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
	error_init(&fixture->error);
	return cgroup_update(&fixture->cgroup, json_root(&document), &fixture->error);
}

static void updated(struct fixture *fixture, const char *text)
{
	if (update(fixture, text) < 0)
		fail_msg("%s: %s", text, fixture->error.message);
}

static void an_update_raises_and_lowers_and_changes_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	bool memory_is_v1, cpu_is_v1;

	create(fixture);
	memory_is_v1 = is_v1(fixture, CGROUP_MEMORY);
	cpu_is_v1 = is_v1(fixture, CGROUP_CPU);
	applied(fixture, "{\"memory\":{\"limit\":67108864,\"swap\":67108864,"
			 "\"reservation\":4194304},\"pids\":{\"limit\":7},\"cpu\":{\"shares\":512,"
			 "\"quota\":50000,\"period\":100000,\"burst\":50000}}");
	/* Up and down: the kernel refuses one of the two orders each time. */
	updated(fixture, "{\"memory\":{\"limit\":134217728,\"swap\":134217728}}");
	assert_string_equal(control(fixture, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max"),
			    "134217728");
	updated(fixture, "{\"memory\":{\"limit\":33554432,\"swap\":33554432}}");
	assert_string_equal(control(fixture, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max"),
			    "33554432");
	assert_string_equal(
		control(fixture, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max"),
		memory_is_v1 ? "33554432" : "0");
	updated(fixture, "{\"memory\":{\"swap\":50331648}}");
	assert_string_equal(
		control(fixture, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max"),
		memory_is_v1 ? "50331648" : "16777216");
	assert_string_equal(
		control(fixture, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "memory.low"),
		"4194304");
	updated(fixture, "{\"cpu\":{\"quota\":20000,\"burst\":10000}}");
	updated(fixture, "{\"cpu\":{\"quota\":90000,\"burst\":80000}}");
	assert_string_equal(control(fixture, CGROUP_CPU, "cpu.cfs_burst_us", "cpu.max.burst"),
			    "80000");
	updated(fixture, "{\"cpu\":{\"period\":200000}}");
	assert_string_equal(control(fixture, CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max"),
			    cpu_is_v1 ? "90000" : "90000 200000");
	assert_string_equal(control(fixture, CGROUP_CPU, "cpu.shares", "cpu.weight"),
			    cpu_is_v1 ? "512" : "59");
	updated(fixture, "{\"cpu\":{\"idle\":1}}");
	updated(fixture, "{\"cpu\":{\"shares\":1024,\"idle\":0}}");
	assert_string_equal(control(fixture, CGROUP_CPU, "cpu.shares", "cpu.weight"),
			    cpu_is_v1 ? "1024" : "100");
	assert_string_equal(control(fixture, CGROUP_PIDS, "pids.max", "pids.max"), "7");
}

static void an_update_that_fails_names_the_field(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture, "{\"memory\":{\"limit\":67108864,\"swap\":67108864}}");
	assert_true(update(fixture, "{\"pids\":{\"limit\":9},\"cpu\":{\"cpus\":\"4000\"}}") < 0);
	assert_non_null(strstr(fixture->error.message, "linux.resources.cpu.cpus"));
	if (is_v1(fixture, CGROUP_MEMORY)) {
		assert_int_equal(update(fixture, "{\"memory\":{\"limit\":134217728}}"), -EINVAL);
		assert_non_null(strstr(fixture->error.message, "say both"));
	} else {
		assert_int_equal(update(fixture, "{\"memory\":{\"swap\":4096}}"), -EINVAL);
		assert_non_null(strstr(fixture->error.message, "memory.swap"));
	}
}

/* Reads the statistics of the cgroup it is in; what it uses itself is told by the status. */
static int stats_look(void *argument)
{
	struct fixture *fixture = argument;
	_cleanup_cgroup_stats_ struct cgroup_stats stats = {};
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_json_ struct json_document document = {};
	volatile uint64_t spin = 0;
	int64_t number;

	for (uint64_t i = 0; i < 20000000; i++)
		spin += i;
	if (cgroup_stats_read(&fixture->cgroup, &stats, NULL) < 0)
		return 1;
	if (stats.pids.current != 1 || stats.pids.limit != 7 || stats.cpu.total_ns == 0)
		return 2;
	if (stats.memory.usage.limit != 67108864 || stats.memory.usage.usage == 0 ||
	    stats.memory.n_raw < 10 || stats.memory.swap.limit < stats.memory.usage.limit)
		return 3;
	cgroup_stats_write(&stats, &writer, NULL);
	if (json_writer_status(&writer) < 0 ||
	    json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, NULL) < 0)
		return 4;
	if (json_int64(json_get(json_get(json_root(&document), "pids"), "limit"), &number) < 0 ||
	    number != 7)
		return 5;
	return 0;
}

static void what_is_used_can_be_read(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture,
		"{\"memory\":{\"limit\":67108864,\"swap\":100663296},\"pids\":{\"limit\":7},"
		"\"cpu\":{\"shares\":512}}");
	assert_int_equal(child_status(fixture, stats_look, fixture), 0);
}

static void what_is_gone_has_no_statistics(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_cgroup_stats_ struct cgroup_stats stats = {};

	create(fixture);
	assert_int_equal(cgroup_remove(&fixture->cgroup, NULL), 0);
	assert_int_equal(cgroup_stats_read(&fixture->cgroup, &stats, NULL), -ENOENT);
}

static void a_member_that_is_not_known_is_refused(void **state)
{
	static const char *const cases[] = {
		"{\"gpu\":{\"limit\":1}}",
		"{\"memory\":{\"limitt\":1}}",
		"{\"cpu\":{\"quotas\":-1}}",
		"{\"pids\":{\"max\":true}}",
		"{\"blockIO\":{\"rate\":[1]}}",
		"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":0,"
		"\"rate\":1,\"burst\":1}]}}",
		"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0,\"soft\":1}]}",
		"{\"devices\":[{\"allow\":true,\"accesss\":\"r\"}]}",
	};
	struct fixture *fixture = *state;

	create(fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (apply(fixture, cases[i]) != -EOPNOTSUPP)
			fail_msg("%s: %s", cases[i], fixture->error.message);
	}
	applied(fixture, "{\"gpu\":{},\"memory\":{\"limitt\":0},\"cpu\":{\"x\":null,\"y\":\"\"}}");
}

static void what_nobody_asked_for_is_not_set(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	/* What Docker writes for a container without limits. */
	assert_int_equal(apply(fixture, "{\"memory\":{\"disableOOMKiller\":false},"
					"\"cpu\":{\"shares\":0},\"pids\":{\"limit\":0},"
					"\"blockIO\":{\"weight\":0}}"),
			 0);
	assert_int_equal(apply(fixture, "{\"network\":null,\"unified\":{},\"rdma\":{}}"), 0);
	assert_int_equal(apply(fixture, "{}"), 0);
}

static void what_cannot_be_had_is_an_error_that_names_it(void **state)
{
	static const struct {
		const char *resources, *words;
		int code;
	} cases[] = {
		{ "{\"memory\":[]}", "linux.resources.memory isn't an object", -EINVAL },
		{ "{\"memory\":{\"limit\":\"64m\"}}", "linux.resources.memory.limit", -EINVAL },
		{ "{\"memory\":{\"limit\":1.5}}", "linux.resources.memory.limit", -EINVAL },
		{ "{\"cpu\":{\"cpus\":3}}", "linux.resources.cpu.cpus isn't a string", -EINVAL },
		{ "{\"cpu\":{\"cpus\":\"4000\"}}", "linux.resources.cpu.cpus", 0 },
		{ "{\"hugepageLimits\":[{\"pageSize\":\"../x\",\"limit\":1}]}",
		  "bad pageSize '../x'", -EINVAL },
		{ "{\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":1}]}", "hugepageLimits",
		  -EOPNOTSUPP },
		{ "{\"rdma\":{\"mlx5_0\":{\"hcaHandles\":3}}}", "rdma", 0 },
		{ "{\"rdma\":{\"mlx5_0\":{}}}", "rdma", -EINVAL },
		{ "{\"network\":{\"classID\":1048577}}", "'net_cls'", -EOPNOTSUPP },
		{ "{\"unified\":{\"cgroup.procs\":\"1\"}}", "unified", -EINVAL },
		{ "{\"unified\":{\"../memory.max\":\"1\"}}", "unified", -EINVAL },
		{ "{\"unified\":{\"nosuch.max\":\"1\"}}", "'nosuch.max'", -EOPNOTSUPP },
		{ "{\"unified\":{\"memory.max\":1}}", "unified", -EINVAL },
		{ "{\"devices\":{}}", "linux.resources.devices isn't a list", -EINVAL },
		{ "{\"devices\":[{\"type\":\"c\"}]}", "devices: rule 0", -EINVAL },
		{ "{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}", "devices: rule 0", -EINVAL },
		{ "{\"devices\":[{\"allow\":true},{\"allow\":true,\"access\":\"rx\"}]}", "rule 1",
		  -EINVAL },
		{ "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":-2}]}", "rule 0",
		  -EINVAL },
		{ "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":5000}]}", "rule 0",
		  -EINVAL },
	};
	struct fixture *fixture = *state;

	create(fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = apply(fixture, cases[i].resources);

		if (r >= 0 || (cases[i].code && r != cases[i].code) ||
		    !strstr(fixture->error.message, cases[i].words))
			fail_msg("%s: %d %s", cases[i].resources, r, fixture->error.message);
	}
}

static void what_only_tunes_is_left_out_and_told(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	assert_int_equal(apply(fixture, "{\"memory\":{\"kernel\":1048576}}"), CGROUP_IGNORED);
	assert_non_null(strstr(fixture->error.message, "linux.resources.memory.kernel"));
	assert_int_equal(fixture->error.code, 0);
	if (is_v1(fixture, CGROUP_MEMORY)) {
		assert_int_equal(apply(fixture, "{\"memory\":{\"swappiness\":0}}"), 0);
		assert_string_equal(control(fixture, CGROUP_MEMORY, "memory.swappiness", NULL),
				    "0");
	} else {
		assert_int_equal(apply(fixture, "{\"memory\":{\"swappiness\":0}}"), CGROUP_IGNORED);
	}
}

static void a_unified_limit_is_written_by_its_name(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	if (cgroup_v2_fd(&fixture->cgroup) < 0) {
		print_message("no cgroup v2 on this machine\n");
		skip();
	}
	applied(fixture, "{\"unified\":{\"cgroup.max.depth\":\"3\"}}");
	assert_string_equal(control(fixture, CGROUP_N_CONTROLLERS - 1, "", "cgroup.max.depth"),
			    "3");
}

struct device_case {
	const char *resources;
	dev_t device;
	mode_t type;
	int flags;
	int expected; /* errno */
};

/* Makes a node of the device and opens it; the errno of the first that failed. */
static int device_try(void *argument)
{
	const struct device_case *device = argument;
	char path[64];
	int fd, r = 0;

	snprintf(path, sizeof(path), "/dev/shm/lamina-test-%d.node", (int)getpid());
	if (mknod(path, device->type | 0600, device->device) < 0)
		return errno;
	if (device->flags >= 0) {
		fd = open(path, device->flags | O_CLOEXEC);
		r = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	unlink(path);
	return r;
}

#define NOTHING "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}"
#define ALL	"{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}"
#define KMSG(access)                                                                               \
	"{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"                                      \
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":11,\"access\":\"" access "\"}]}"
#define BUT_KMSG                                                                                   \
	"{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},"                                       \
	"{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":11,\"access\":\"rwm\"}]}"

static void device_rules_decide_what_can_be_opened(void **state)
{
	const struct device_case cases[] = {
		{ NOTHING, makedev(1, 3), S_IFCHR, O_RDWR, 0 },
		{ NOTHING, makedev(1, 9), S_IFCHR, O_RDONLY, 0 },
		{ NOTHING, makedev(1, 11), S_IFCHR, -1, 0 }, /* making a node is no access */
		{ NOTHING, makedev(1, 11), S_IFCHR, O_RDONLY, EPERM },
		{ NOTHING, makedev(7, 0), S_IFBLK, O_RDONLY, EPERM },
		{ "{}", makedev(1, 3), S_IFCHR, O_RDWR, 0 },
		{ "{}", makedev(1, 11), S_IFCHR, O_RDONLY, EPERM },
		{ ALL, makedev(1, 11), S_IFCHR, O_RDONLY, 0 },
		{ KMSG("rw"), makedev(1, 11), S_IFCHR, O_RDWR, 0 },
		{ KMSG("r"), makedev(1, 11), S_IFCHR, O_RDONLY, 0 },
		{ KMSG("r"), makedev(1, 11), S_IFCHR, O_RDWR, EPERM },
		{ KMSG("r"), makedev(1, 11), S_IFCHR, O_WRONLY, EPERM },
		{ BUT_KMSG, makedev(1, 3), S_IFCHR, O_RDWR, 0 },
		{ BUT_KMSG, makedev(1, 11), S_IFCHR, O_RDONLY, EPERM },
	};
	struct fixture *fixture = *state;

	create(fixture);
	cgroup_remove(&fixture->cgroup, NULL);
	cgroup_close(&fixture->cgroup);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_case one = cases[i];
		int status;

		create(fixture);
		applied(fixture, one.resources);
		status = child_status(fixture, device_try, &one);
		if (status != one.expected)
			fail_msg("case %zu, %s: '%s' instead of '%s'", i, one.resources,
				 strerror(status), strerror(one.expected));
		assert_int_equal(cgroup_remove(&fixture->cgroup, NULL), 0);
		cgroup_close(&fixture->cgroup);
	}
}

static void device_rules_change_only_where_an_update_has_some(void **state)
{
	const struct {
		const char *update;
		int kmsg_read, kmsg_write, null; /* errno of each */
	} cases[] = {
		{ "{}", EPERM, EPERM, 0 },
		{ KMSG("rw"), 0, 0, 0 },
		{ "{\"pids\":{\"limit\":99}}", 0, 0, 0 },
		{ KMSG("r"), 0, EPERM, 0 },
		{ KMSG("w"), EPERM, 0, 0 },
		{ BUT_KMSG, EPERM, EPERM, 0 },
		{ ALL, 0, 0, 0 },
		{ NOTHING, EPERM, EPERM, 0 },
		{ "{\"devices\":null}", EPERM, EPERM, 0 },
	};
	struct fixture *fixture = *state;

	create(fixture);
	applied(fixture, NOTHING);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_case one = { NULL, makedev(1, 11), S_IFCHR, O_RDONLY, 0 };

		updated(fixture, cases[i].update);
		if (child_status(fixture, device_try, &one) != cases[i].kmsg_read)
			fail_msg("case %zu, %s: reading", i, cases[i].update);
		one.flags = O_WRONLY;
		if (child_status(fixture, device_try, &one) != cases[i].kmsg_write)
			fail_msg("case %zu, %s: writing", i, cases[i].update);
		one.device = makedev(1, 3);
		if (child_status(fixture, device_try, &one) != cases[i].null)
			fail_msg("case %zu, %s: null", i, cases[i].update);
	}
}

/* /sys/fs/cgroup hidden by an empty tmpfs, in a mount namespace of the child's own. */
static int without_cgroups(void *argument)
{
	struct fixture *fixture = argument;
	_cleanup_json_ struct json_document document = {};
	static const char limit[] = "{\"pids\":{\"limit\":7}}";
	int r = -1;

	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sys_mount("none", CGROUP_ROOT, "tmpfs", 0, NULL) < 0)
		return 77;
	if (json_parse(&document, limit, strlen(limit), NULL) < 0 ||
	    cgroup_create(&fixture->cgroup, fixture->path, NULL) < 0)
		return 1;
	if (cgroup_exists(&fixture->cgroup) || cgroup_v2_fd(&fixture->cgroup) >= 0 ||
	    cgroup_enter(&fixture->cgroup, NULL) < 0)
		return 2;
	if (cgroup_apply(&fixture->cgroup, json_root(&document), NULL) != -EOPNOTSUPP)
		return 3;
	/* No limits: only the devices can't be guarded, which is told. */
	r = cgroup_apply(&fixture->cgroup, (struct json_value){}, NULL);
	if (r != CGROUP_IGNORED || cgroup_remove(&fixture->cgroup, NULL) < 0)
		return 4;
	return 0;
}

/* The same, and what is there can't be written. */
static int with_read_only_cgroups(void *argument)
{
	struct fixture *fixture = argument;
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sys_mount_setattr(AT_FDCWD, CGROUP_ROOT, AT_RECURSIVE, &attributes) < 0)
		return 77;
	if (cgroup_create(&fixture->cgroup, fixture->path, &fixture->error) != -EROFS)
		return 1;
	return strstr(fixture->error.message, "cannot make cgroup '/sys/fs/cgroup/") ? 0 : 2;
}

#define VIEW_ATTRIBUTES                                                                            \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

struct view {
	struct fixture *fixture;
	bool private_namespace;
	char target[64];
	struct error error;
};

/* The cgroup mounts below @target, or -1 where one isn't read-only or hasn't the root @root. */
static int mounts_count(const char *target, const char *root)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], in_root[1024], in_target[1024], options[256];
	int n = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %1023s %1023s %255s", in_root, in_target, options) !=
			    3 ||
		    !string_has_prefix(in_target, target) || !strstr(line, " - cgroup"))
			continue;
		if (strcmp(in_root, root) != 0 || !string_has_prefix(options, "ro,nosuid,nodev,"))
			return -1;
		n++;
	}
	return n;
}

/* Where the container's own cgroup is to be seen. */
static void own_directory(const struct view *view, bool is_pure_v2, char path[256])
{
	snprintf(path, 256, "%s%s%s", view->target, is_pure_v2 ? "" : "/memory",
		 is_pure_v2 && !view->private_namespace ? view->fixture->path : "");
}

/* Does its list of processes begin with the reader? */
static bool lists_me(const char *directory)
{
	char path[300], text[32];

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	return cgroup_file_read(AT_FDCWD, path, text, sizeof(text)) > 0 && atoi(text) == getpid();
}

/* What a launched container does: enters, takes its namespaces, and attaches what is prepared. */
static int view_check(void *argument)
{
	struct view *view = argument;
	struct cgroup *cgroup = &view->fixture->cgroup;
	bool is_pure_v2 = !strcmp(cgroup->hierarchies[0].name, ".");
	int n_expected = is_pure_v2 ? 1 : (int)cgroup->n_hierarchies - (cgroup_v2(cgroup) != NULL);
	const char *root = view->private_namespace || is_pure_v2 ? "/" : view->fixture->path;
	char path[256];
	int fd;

	if (unshare(CLONE_NEWNS | (view->private_namespace ? CLONE_NEWCGROUP : 0)) < 0 ||
	    sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 10;
	fd = open(view->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || cgroup_mount(cgroup, fd, VIEW_ATTRIBUTES, view->private_namespace, NULL,
				   &view->error) < 0)
		return 11;
	if (mounts_count(view->target, root) != n_expected)
		return 12;
	own_directory(view, is_pure_v2, path);
	if (!lists_me(path))
		return 13;
	strcat(path, "/new");
	if (mkdir(path, 0755) == 0 || errno != EROFS)
		return 14;
	snprintf(path, sizeof(path), "%s/new", view->target);
	return mkdir(path, 0755) < 0 && errno == EROFS ? 0 : 15;
}

static void the_container_sees_its_own_cgroup_read_only(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		struct view view = { .fixture = fixture, .private_namespace = i == 0 };

		create(fixture);
		snprintf(view.target, sizeof(view.target), "%.60s", scratch.path);
		assert_int_equal(child_status(fixture, view_check, &view), 0);
		assert_int_equal(cgroup_remove(&fixture->cgroup, NULL), 0);
		cgroup_close(&fixture->cgroup);
	}
}

static int in_child(int (*function)(void *), void *argument)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function(argument));
	assert_int_equal(process_wait(pid, &status), 0);
	return process_exit_status(status);
}

static void a_host_without_cgroups_is_fine_until_a_limit_is_asked(void **state)
{
	int status = in_child(without_cgroups, *state);

	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

static void read_only_hierarchies_are_an_error_that_names_the_directory(void **state)
{
	int status;

	create(*state);
	cgroup_remove(&((struct fixture *)*state)->cgroup, NULL);
	status = in_child(with_read_only_cgroups, *state);
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_cleaned_or_refused),
		with_fixture(it_is_made_in_every_hierarchy_and_removed_from_each),
		with_fixture(a_child_is_in_all_of_them_once_it_has_entered),
		with_fixture(a_vforked_child_can_enter),
		with_fixture(one_with_processes_is_refused_and_kept),
		with_fixture(an_empty_leftover_elsewhere_is_used),
		with_fixture(a_frozen_one_is_refused),
		with_fixture(a_leftover_of_lamina_is_made_anew),
		with_fixture(cgroups_made_inside_are_killed_and_removed_too),
		with_fixture(removing_one_with_processes_says_busy),
		with_fixture(one_inside_with_processes_keeps_the_whole),
		with_fixture(many_can_be_made_at_once_below_a_parent_that_is_missing),
		with_fixture(a_frozen_process_is_killed),
		with_fixture(a_limit_of_processes_is_kept),
		with_fixture(a_limit_of_memory_is_kept),
		with_fixture(processor_limits_land_in_their_files),
		with_fixture(an_update_raises_and_lowers_and_changes_nothing_else),
		with_fixture(an_update_that_fails_names_the_field),
		with_fixture(what_is_used_can_be_read),
		with_fixture(what_is_gone_has_no_statistics),
		with_fixture(a_member_that_is_not_known_is_refused),
		with_fixture(what_nobody_asked_for_is_not_set),
		with_fixture(what_cannot_be_had_is_an_error_that_names_it),
		with_fixture(what_only_tunes_is_left_out_and_told),
		with_fixture(a_unified_limit_is_written_by_its_name),
		with_fixture(device_rules_decide_what_can_be_opened),
		with_fixture(device_rules_change_only_where_an_update_has_some),
		with_fixture(the_container_sees_its_own_cgroup_read_only),
		with_fixture(a_host_without_cgroups_is_fine_until_a_limit_is_asked),
		with_fixture(read_only_hierarchies_are_an_error_that_names_the_directory),
	};

	snprintf(test_parent, sizeof(test_parent), "/lamina-test-%d", (int)getpid());
	return cmocka_run_group_tests_name("cgroup", tests, NULL, parent_remove);
}
