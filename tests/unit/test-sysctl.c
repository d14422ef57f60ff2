/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "launch/sysctl.h"

static int check(const char *sysctl, const char *namespaces)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_config_ struct config config = {};
	char text[1024];

	snprintf(
		text, sizeof(text),
		"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"x\"],"
		"\"cwd\":\"/\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}%s],\"sysctl\":%s}}",
		namespaces, sysctl);
	scratch_write(&scratch, "config.json", text);
	assert_int_equal(config_parse(&config, scratch.fd, NULL), 0);
	return sysctl_check(&config, NULL);
}

#define OWN ",{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}"

static void what_has_a_namespace_of_its_own_may_be_set(void **state)
{
	static const char *const names[] = {
		"net.ipv4.ip_forward", "net/ipv4/ip_forward",	 "net.ipv4.conf.eth0/1.forwarding",
		"net.core.somaxconn",  "kernel.msgmax",		 "kernel/sem",
		"kernel.shmmax",       "kernel.shm_rmid_forced", "fs.mqueue.msg_max",
		"kernel.domainname",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char sysctl[128];

		snprintf(sysctl, sizeof(sysctl), "{\"%s\":\"1\"}", names[i]);
		if (check(sysctl, OWN) != 0)
			fail_msg("%s", names[i]);
	}
	assert_int_equal(check("{}", ""), 0);
	assert_int_equal(check("null", ""), 0);
}

static void what_is_the_hosts_is_refused_with_all_namespaces(void **state)
{
	static const char *const names[] = {
		"kernel.core_pattern",
		"kernel/core_pattern",
		"kernel.hostname",
		"kernel.shmmax2",
		"kernel.msg",
		"kernel.semx",
		"vm.swappiness",
		"fs.file-max",
		"fs.mqueue",
		"netx.ipv4",
		"kernel.unprivileged_bpf_disabled",
		/* What can't be a name (CVE-2022-0811). */
		"",
		".",
		"/net/ipv4",
		".net.ipv4",
		"net..ipv4",
		"net/../kernel/core_pattern",
		"net//ipv4",
		"net.ipv4.x+kernel.core_pattern",
		"net.ipv4 x",
		"net.ipv4.\\n",
		"net.ipv4.x=1",
		"net.ip\\u00e4",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char sysctl[128];

		snprintf(sysctl, sizeof(sysctl), "{\"%s\":\"1\"}", names[i]);
		if (check(sysctl, OWN) >= 0)
			fail_msg("%s", names[i]);
	}
}

static void a_value_must_be_a_string(void **state)
{
	assert_int_equal(check("{\"net.ipv4.ip_forward\":1}", OWN), -EINVAL);
	assert_int_equal(check("{\"net.ipv4.ip_forward\":null}", OWN), -EINVAL);
}

static void without_a_namespace_apart_it_would_be_the_hosts(void **state)
{
	static const struct {
		const char *name, *type, *file;
	} cases[] = {
		{ "net.ipv4.ip_forward", "network", "net" },
		{ "kernel.msgmax", "ipc", "ipc" },
		{ "fs.mqueue.msg_max", "ipc", "ipc" },
		{ "kernel.domainname", "uts", "uts" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char sysctl[128], joined[128];

		snprintf(sysctl, sizeof(sysctl), "{\"%s\":\"1\"}", cases[i].name);
		assert_int_equal(check(sysctl, ""), -EPERM);
		snprintf(joined, sizeof(joined), ",{\"type\":\"%s\",\"path\":\"/proc/self/ns/%s\"}",
			 cases[i].type, cases[i].file);
		assert_int_equal(check(sysctl, joined), -EPERM);
		snprintf(joined, sizeof(joined), ",{\"type\":\"%s\",\"path\":\"/nosuch\"}",
			 cases[i].type);
		assert_int_equal(check(sysctl, joined), -EPERM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_a_namespace_of_its_own_may_be_set),
		cmocka_unit_test(what_is_the_hosts_is_refused_with_all_namespaces),
		cmocka_unit_test(a_value_must_be_a_string),
		cmocka_unit_test(without_a_namespace_apart_it_would_be_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
