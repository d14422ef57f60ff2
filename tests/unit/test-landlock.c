/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch/landlock.h"

#define NEWEST_ABI 7

static int parse(struct landlock *landlock, const char *text, int abi, struct error *error)
{
	const char *without;

	error_init(error);
	return landlock_parse(landlock, text, abi, &without, error);
}

static void each_rule_becomes_what_the_kernel_takes(void **state)
{
	struct landlock landlock;
	struct error error;

	assert_int_equal(parse(&landlock,
			       " rx:/ rw:/tmp\trwx:/a\\040b\nro:/etc tcp-bind:8080 tcp-connect:443 "
			       "scope:signal ",
			       NEWEST_ABI, &error),
			 0);
	assert_true(landlock.is_asked);
	assert_int_equal(landlock.n_rules, 6);
	assert_string_equal(landlock.rules[0].path, "/");
	assert_int_equal(landlock.rules[0].access, 0xd);    /* EXECUTE, READ_FILE, READ_DIR */
	assert_int_equal(landlock.rules[1].access, 0xfffe); /* all but EXECUTE */
	assert_string_equal(landlock.rules[2].path, "/a b");
	assert_int_equal(landlock.rules[2].access, 0xffff);
	assert_int_equal(landlock.rules[3].access, 0xc);
	assert_null(landlock.rules[4].path);
	assert_int_equal(landlock.rules[4].port, 8080);
	assert_int_equal(landlock.rules[4].access, 1);
	assert_int_equal(landlock.rules[5].access, 2);
	assert_int_equal(landlock.handled_files, 0xffff);
	assert_int_equal(landlock.handled_ports, 3);
	assert_int_equal(landlock.scopes, 2);
	landlock_deinit(&landlock);
	assert_false(landlock.is_asked);
}

static void no_port_at_all_is_a_rule_too(void **state)
{
	struct landlock landlock;
	struct error error;

	assert_int_equal(parse(&landlock, "tcp-bind:none", NEWEST_ABI, &error), 0);
	assert_int_equal(landlock.n_rules, 0);
	assert_int_equal(landlock.handled_files, 0);
	assert_int_equal(landlock.handled_ports, 1);
	landlock_deinit(&landlock);
}

static void what_is_no_rule_is_refused_and_named(void **state)
{
	static const char *const texts[] = {
		"",
		"  ",
		"best-effort",
		"ro",
		"ro:",
		"ro:relative",
		"rox:/",
		"r:/",
		"RO:/",
		"tcp-bind:",
		"tcp-bind:-1",
		"tcp-bind:65536",
		"tcp-bind:http",
		"udp-bind:53",
		"tcp:80",
		"scope:",
		"scope:all",
		"scope:signal,",
		"ro:/ nonsense",
		"ro:/,rw:/tmp:x rw",
		"tcp-connect:0x50",
	};
	struct landlock landlock;
	struct error error;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (parse(&landlock, texts[i], NEWEST_ABI, &error) != -EINVAL)
			fail_msg("'%s' was taken", texts[i]);
		assert_non_null(strstr(error.message, "lamina.landlock: "));
		landlock_deinit(&landlock);
	}
}

static void what_the_kernel_cannot_do_is_refused_but_for_best_effort(void **state)
{
	static const struct {
		const char *text, *without;
		int abi;
		uint64_t files, ports, scopes;
	} cases[] = {
		{ "ro:/", "any of it", 0, 0, 0, 0 },
		{ "ro:/", "moving files between directories", 1, 0x1fff, 0, 0 },
		{ "ro:/", "truncating files (Linux 6.2 can)", 2, 0x3fff, 0, 0 },
		{ "ro:/", "ioctls of devices (Linux 6.10 can)", 4, 0x7fff, 0, 0 },
		{ "ro:/", NULL, 5, 0xffff, 0, 0 },
		{ "tcp-bind:1", "TCP ports (Linux 6.7 can)", 3, 0, 0, 0 },
		{ "tcp-bind:1", NULL, 4, 0, 1, 0 },
		{ "scope:abstract-unix", "signals and sockets (Linux 6.12 can)", 5, 0, 0, 0 },
		{ "scope:abstract-unix", NULL, 6, 0, 0, 1 },
	};
	struct landlock landlock;
	struct error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *without;
		char text[64];

		error_init(&error);
		assert_int_equal(
			landlock_parse(&landlock, cases[i].text, cases[i].abi, &without, &error),
			cases[i].without ? -EOPNOTSUPP : 0);
		if (cases[i].without)
			assert_non_null(strstr(error.message, cases[i].without));
		landlock_deinit(&landlock);
		snprintf(text, sizeof(text), "%s best-effort", cases[i].text);
		assert_int_equal(landlock_parse(&landlock, text, cases[i].abi, &without, &error),
				 0);
		if (cases[i].without)
			assert_string_equal(without, cases[i].without);
		else
			assert_null(without);
		assert_int_equal(landlock.handled_files, cases[i].files);
		assert_int_equal(landlock.handled_ports, cases[i].ports);
		assert_int_equal(landlock.scopes, cases[i].scopes);
		landlock_deinit(&landlock);
	}
}

/* The status of a child that has put @text on itself and then connects to @address. */
static int connect_under(const char *text, const struct sockaddr_un *address, socklen_t n_bytes)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct landlock landlock;
		struct error error;
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    parse(&landlock, text, landlock_abi(), &error) < 0 ||
		    landlock_restrict(&landlock, &error) < 0)
			_exit(255);
		_exit(connect(fd, (const struct sockaddr *)address, n_bytes) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_scope_keeps_abstract_sockets_out_of_reach(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "lamina-test-%d",
			 (int)getpid());
	socklen_t n_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (landlock_abi() < 6)
		skip();
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, n_bytes), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(connect_under("scope:abstract-unix", &address, n_bytes), EPERM);
	assert_int_equal(connect_under("scope:signal", &address, n_bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_becomes_what_the_kernel_takes),
		cmocka_unit_test(no_port_at_all_is_a_rule_too),
		cmocka_unit_test(what_is_no_rule_is_refused_and_named),
		cmocka_unit_test(what_the_kernel_cannot_do_is_refused_but_for_best_effort),
		cmocka_unit_test(a_scope_keeps_abstract_sockets_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
