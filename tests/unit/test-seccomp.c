/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/text.h"
#include "launch/seccomp/default_profile.h"
#include "launch/seccomp/load.h"
#include "launch/spec/seccomp_option.h"
#include "tests/unit/bpf.h"

static int compile_text(const char *text, struct seccomp_filter *ret_filter, struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	int r;

	error_init(error);
	r = json_parse(&document, text, strlen(text), error);
	return r < 0 ? r : seccomp_compile(json_root(&document), ret_filter, error);
}

/* The verdict of a filter of this machine on a call. */
static uint32_t verdict(const struct seccomp_filter *filter, uint32_t audit, uint32_t number,
			uint64_t argument)
{
	const struct bpf_call call = { number, audit, { argument, argument } };

	assert_true(bpf_check(filter->program.filter, filter->program.len));
	return bpf_run(filter->program.filter, &call, NULL);
}

static uint32_t native_audit(void)
{
	return seccomp_arches[seccomp_native_arch()].audit;
}

static const struct {
	const char *file;
	int code;
	const char *message; /* how it begins, behind "seccomp profile: " */
} refused[] = {
	{ "not-an-object", -EINVAL, "not an object" },
	{ "no-default-action", -EINVAL, "defaultAction: an action is missing, or not a string" },
	{ "unknown-default-action", -EINVAL, "defaultAction: unknown action 'SCMP_ACT_DENY'" },
	{ "default-action-is-a-number", -EINVAL, "defaultAction: an action is missing" },
	{ "default-errno-too-great", -EINVAL,
	  "defaultAction: the errno of 'SCMP_ACT_ERRNO' is not a number from 0 to 4095" },
	{ "default-errno-negative", -EINVAL, "defaultAction: the errno of 'SCMP_ACT_ERRNO'" },
	{ "default-errno-for-kill", -EINVAL,
	  "defaultAction: action 'SCMP_ACT_KILL' takes no errno" },
	{ "default-notify", -EINVAL, "SCMP_ACT_NOTIFY needs a supervisor" },
	{ "notify", -EINVAL, "SCMP_ACT_NOTIFY needs a supervisor" },
	{ "listener-path", -EINVAL,
	  "'listenerPath' must be an absolute path, not 'run/agent.sock'" },
	{ "listener-metadata", -EINVAL, "'listenerMetadata' needs a 'listenerPath'" },
	{ "unknown-architecture", -EINVAL, "unknown architecture 'SCMP_ARCH_VAX'" },
	{ "architectures-not-an-array", -EINVAL, "'architectures' is not an array" },
	{ "unknown-flag", -EINVAL, "unknown flag 'SECCOMP_FILTER_FLAG_FAST'" },
	{ "flags-not-an-array", -EINVAL, "'flags' is not an array" },
	{ "rules-not-an-array", -EINVAL, "'syscalls' is not an array" },
	{ "rule-not-an-object", -EINVAL, "a rule has no 'names'" },
	{ "rule-without-names", -EINVAL, "a rule has no 'names'" },
	{ "rule-with-empty-names", -EINVAL, "a rule has no 'names'" },
	{ "name-is-a-number", -EINVAL, "a name is not a string" },
	{ "rule-without-action", -EINVAL, "rule for 'read': an action is missing" },
	{ "unknown-action", -EINVAL, "rule for 'read': unknown action 'ALLOW'" },
	{ "errno-for-allow", -EINVAL, "rule for 'read': action 'SCMP_ACT_ALLOW' takes no errno" },
	{ "errno-is-a-string", -EINVAL, "rule for 'read': the errno of 'SCMP_ACT_ERRNO'" },
	{ "args-not-an-array", -EINVAL, "rule for 'read': 'args' is not an array" },
	{ "argument-without-index", -EINVAL,
	  "rule for 'read': the index of an argument is not 0 to 5" },
	{ "argument-6", -EINVAL, "rule for 'read': the index of an argument is not 0 to 5" },
	{ "argument-without-value", -EINVAL, "rule for 'read': the value of argument 1 is not" },
	{ "value-negative", -EINVAL, "rule for 'read': the value of argument 0 is not a number" },
	{ "value-a-fraction", -EINVAL, "rule for 'read': the value of argument 0 is not a number" },
	{ "value-too-great", -EINVAL, "rule for 'read': the value of argument 0 is not a number" },
	{ "value-two-a-string", -EINVAL, "rule for 'read': the valueTwo of argument 0 is not" },
	{ "unknown-operator", -EINVAL, "rule for 'read': unknown operator '=='" },
	{ "argument-without-operator", -EINVAL, "rule for 'read': unknown operator ''" },
	{ "contradiction", -EINVAL, "two rules for the same call and the same arguments" },
	{ "too-many-instructions", -E2BIG, "the filter would have more than 4096 instructions" },
};

#define N_REFUSED (sizeof(refused) / sizeof(refused[0]))

static int open_refused(void)
{
	_cleanup_free_ char *path =
		string_format("%s/refuse/seccomp", getenv("TESTS_SOURCE") ?: "tests");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void bad_profiles_are_refused_with_the_reason(void **state)
{
	_cleanup_close_ int directory_fd = open_refused();

	for (size_t i = 0; i < N_REFUSED; i++) {
		_cleanup_free_ char *name = string_format("%s.json", refused[i].file);
		_cleanup_free_ char *message =
			string_format("seccomp profile: %s", refused[i].message);
		_cleanup_free_ char *text = NULL;
		struct seccomp_filter filter = {};
		struct error error;

		assert_int_equal(file_read_at(directory_fd, name, 1 << 20, &text, NULL), 0);
		assert_int_equal(compile_text(text, &filter, &error), refused[i].code);
		assert_null(filter.instructions);
		if (!string_has_prefix(error.message, message))
			fail_msg("%s: '%s' does not begin with '%s'", name, error.message, message);
	}
}

static void every_refused_input_has_its_reason_here(void **state)
{
	_cleanup_closedir_ DIR *directory = fdopendir(open_refused());
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		n += *entry->d_name != '.';
	}
	assert_int_equal(n, N_REFUSED);
}

static void names_that_no_kernel_has_are_passed_over(void **state)
{
	_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
	struct error error;

	assert_int_equal(
		compile_text("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
			     "[\"frobnicate\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
			     &filter, &error),
		0);
	assert_int_equal(verdict(&filter, native_audit(), SYS_read, 0), SECCOMP_RET_ALLOW);
}

static void a_profile_without_rules_is_its_default_action(void **state)
{
	_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
	struct error error;

	assert_int_equal(compile_text("{\"defaultAction\":\"SCMP_ACT_LOG\"}", &filter, &error), 0);
	assert_int_equal(verdict(&filter, native_audit(), SYS_read, 0), SECCOMP_RET_LOG);
	assert_int_equal(verdict(&filter, native_audit(), 4000, 0), SECCOMP_RET_LOG);
	assert_int_equal(verdict(&filter, 0x1234, SYS_read, 0), SECCOMP_RET_KILL_THREAD);
}

static void calls_newer_than_the_profile_are_unknown(void **state)
{
	static const struct {
		const char *action;
		uint32_t newer;
	} cases[] = {
		{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO | ENOSYS },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_ERRNO | ENOSYS },
		{ "SCMP_ACT_TRAP", SECCOMP_RET_ERRNO | ENOSYS },
		{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
		{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM },
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
		_cleanup_free_ char *text = string_format(
			"{\"defaultAction\":\"%s\",\"syscalls\":[{\"names\":[\"openat2\"],"
			"\"action\":\"SCMP_ACT_KILL\"}]}",
			cases[i].action);
		struct error error;

		assert_int_equal(compile_text(text, &filter, &error), 0);
		assert_int_equal(verdict(&filter, native_audit(), SYS_openat2, 0),
				 SECCOMP_RET_KILL_THREAD);
		assert_int_equal(verdict(&filter, native_audit(), SYS_openat2 + 1, 0),
				 cases[i].newer);
		assert_int_equal(verdict(&filter, native_audit(), 100000, 0), cases[i].newer);
	}
}

static void one_argument_named_twice_is_met_by_either(void **state)
{
	_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
	struct error error;

	assert_int_equal(
		compile_text(
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],"
			"\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			"{\"index\":0,\"value\":3,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":0,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]}]}",
			&filter, &error),
		0);
	assert_int_equal(verdict(&filter, native_audit(), SYS_read, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&filter, native_audit(), SYS_read, 9), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&filter, native_audit(), SYS_read, 4), SECCOMP_RET_ERRNO | EPERM);
}

static void flags_are_the_profiles_or_spec_allow(void **state)
{
	static const struct {
		const char *flags;
		unsigned int expected;
	} cases[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",\"flags\":null", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",\"flags\":[]", 0 },
		{ ",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"]",
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
		_cleanup_free_ char *text =
			string_format("{\"defaultAction\":\"SCMP_ACT_ALLOW\"%s}", cases[i].flags);
		struct error error;

		assert_int_equal(compile_text(text, &filter, &error), 0);
		assert_int_equal(filter.flags, cases[i].expected);
	}
}

static void every_name_of_the_default_profile_is_one_of_the_tables(void **state)
{
	/* In Docker's list all the same: no kernel that lamina runs on has them. */
	static const char *const known_by_docker_alone[] = { "epoll_ctl_old", "epoll_wait_old",
							     "getsid", "utimensat_time64" };
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_json_ struct json_document document = {};

	seccomp_default_format(&writer, NULL, UINT64_MAX, SECCOMP_ARCH_X86_64);
	assert_int_equal(json_parse(&document, writer.buffer.bytes, writer.buffer.n_bytes, NULL),
			 0);
	JSON_FOR_EACH (rule, json_get(json_root(&document), "syscalls")) {
		JSON_FOR_EACH (name, json_get(rule, "names")) {
			size_t i = 0;

			while (i < 4 && strcmp(known_by_docker_alone[i], json_string(name)) != 0)
				i++;
			if (i == 4 && seccomp_syscall_find(json_string(name)) < 0)
				fail_msg("'%s' has no number", json_string(name));
		}
	}
}

static void the_default_profile_is_found_ready_made(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	_cleanup_json_writer_ struct json_writer compiled = {};
	_cleanup_seccomp_filter_ struct seccomp_filter ready = {};
	_cleanup_seccomp_filter_ struct seccomp_filter made = {};
	struct error error;

	if (seccomp_prebuilt_arch == SECCOMP_N_ARCHES)
		skip();
	/* A capability that the profile does not look at changes nothing. */
	seccomp_default_write(&writer, NULL, SECCOMP_DEFAULT_CAPABILITIES | 1 << CAP_NET_ADMIN,
			      seccomp_native_arch());
	seccomp_default_format(&compiled, NULL, SECCOMP_DEFAULT_CAPABILITIES,
			       seccomp_native_arch());
	assert_string_equal(writer.buffer.bytes, compiled.buffer.bytes);
	assert_int_equal(compile_text(writer.buffer.bytes, &ready, &error), 0);
	assert_null(ready.instructions);
	assert_ptr_equal(ready.program.filter, seccomp_prebuilt_program.filter);

	/* One space more, and it is compiled: to the same. */
	buffer_add_char(&writer.buffer, ' ');
	writer.buffer.bytes[writer.buffer.n_bytes - 1] = '}';
	writer.buffer.bytes[writer.buffer.n_bytes - 2] = ' ';
	assert_int_equal(compile_text(writer.buffer.bytes, &made, &error), 0);
	assert_non_null(made.instructions);
	assert_int_equal(made.program.len, ready.program.len);
	assert_memory_equal(made.program.filter, ready.program.filter,
			    made.program.len * sizeof(*made.program.filter));
	assert_int_equal(made.flags, ready.flags);
}

static void capabilities_open_what_they_open_in_docker(void **state)
{
	static const struct {
		unsigned int capability;
		long number;
	} cases[] = {
		{ CAP_SYS_ADMIN, SYS_mount },	      { CAP_SYS_ADMIN, SYS_clone3 },
		{ CAP_SYS_CHROOT, SYS_chroot },	      { CAP_SYS_MODULE, SYS_init_module },
		{ CAP_SYS_PTRACE, SYS_kcmp },	      { CAP_SYS_TIME, SYS_settimeofday },
		{ CAP_SYSLOG, SYS_syslog },	      { CAP_BPF, SYS_bpf },
		{ CAP_PERFMON, SYS_perf_event_open }, { CAP_SYS_NICE, SYS_mbind },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
		_cleanup_json_writer_ struct json_writer writer = {};
		uint64_t capability = UINT64_C(1) << cases[i / 2].capability;
		struct error error;
		uint32_t found;

		seccomp_default_write(&writer, NULL, i % 2 ? capability : ~capability & 0xff,
				      seccomp_native_arch());
		assert_int_equal(compile_text(writer.buffer.bytes, &filter, &error), 0);
		found = verdict(&filter, native_audit(), (uint32_t)cases[i / 2].number, 0);
		assert_int_equal(found == SECCOMP_RET_ALLOW, i % 2);
	}
}

/* In the child, under the default filter: 0, or the line of what is not as it should be. */
static int try_calls(void)
{
	static const struct {
		int line;
		long number;
		unsigned long arguments[3];
		int expected; /* errno */
	} calls[] = {
		{ __LINE__, SYS_ioctl, { 999, TIOCSTI, 0 }, EIO },
		{ __LINE__, SYS_ioctl, { 999, TIOCSTI | 1UL << 32, 0 }, EIO },
		{ __LINE__, SYS_ioctl, { 999, TIOCLINUX, 0 }, EIO },
		{ __LINE__, SYS_ioctl, { 999, TIOCLINUX | 0xffUL << 40, 0 }, EIO },
		{ __LINE__, SYS_ioctl, { 999, FIONREAD, 0 }, EBADF },
		{ __LINE__, SYS_ioctl, { 999, TCGETS, 0 }, EBADF },
		{ __LINE__, SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 }, EPERM },
		{ __LINE__, SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EPERM },
		{ __LINE__, SYS_socket, { AF_ALG | 1UL << 32, SOCK_SEQPACKET, 0 }, EPERM },
		{ __LINE__, SYS_socket, { AF_INET, 999, 0 }, EINVAL },
		{ __LINE__, SYS_unshare, { CLONE_NEWUSER, 0, 0 }, EPERM },
		{ __LINE__, SYS_clone, { CLONE_NEWUSER, 0, 0 }, EPERM },
		{ __LINE__, SYS_clone3, { 0, 0, 0 }, ENOSYS },
		{ __LINE__, SYS_mount, { 0, 0, 0 }, EPERM },
		{ __LINE__, SYS_close, { 999, 0, 0 }, EBADF },
		{ __LINE__, 1000, { 0, 0, 0 }, ENOSYS },
		{ __LINE__, SYS_io_uring_setup, { 0, 0, 0 }, EPERM },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		errno = 0;
		if (syscall(calls[i].number, calls[i].arguments[0], calls[i].arguments[1],
			    calls[i].arguments[2]) >= 0 ||
		    errno != calls[i].expected)
			return calls[i].line;
	}
	return 0;
}

static void the_kernel_takes_the_default_filter_and_does_what_it_says(void **state)
{
	int status;
	pid_t pid;

	if (seccomp_prebuilt_arch == SECCOMP_N_ARCHES)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(2);
		if (seccomp_load(&seccomp_prebuilt_program, SECCOMP_PREBUILT_FLAGS) < 0)
			_exit(3);
		_exit(try_calls() == 0 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_filter_that_the_kernel_refuses_is_an_error(void **state)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 1) };
	const struct sock_fprog program = { 1, code };

	assert_int_equal(seccomp_load(&program, 0), -EINVAL);
	assert_int_equal(seccomp_load(&program, SECCOMP_FILTER_FLAG_SPEC_ALLOW), -EINVAL);
}

static int docker_text(const char *text, struct json_writer *writer, struct error *error)
{
	error_init(error);
	return seccomp_option_write(text, strlen(text), UINT64_C(1) << CAP_SYS_ADMIN, writer,
				    error);
}

static void dockers_conditions_are_resolved(void **state)
{
	static const struct {
		const char *rule;
		bool kept;
	} cases[] = {
		{ "", true },
		{ ",\"includes\":{},\"excludes\":{}", true },
		{ ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", true },
		{ ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_BPF\"]}", false },
		{ ",\"excludes\":{\"caps\":[\"CAP_BPF\",\"CAP_SYS_ADMIN\"]}", false },
		{ ",\"excludes\":{\"caps\":[\"CAP_BPF\"]}", true },
		{ ",\"includes\":{\"arches\":[\"arm64\",\"amd64\"]}", true },
		{ ",\"includes\":{\"arches\":[\"arm64\"]}", false },
		{ ",\"excludes\":{\"arches\":[\"amd64\"]}", false },
		{ ",\"includes\":{\"minKernel\":\"3.10\"}", true },
		{ ",\"includes\":{\"minKernel\":\"4.20\"}", true },
		{ ",\"includes\":{\"minKernel\":\"1000.0\"}", false },
		{ ",\"excludes\":{\"minKernel\":\"4.18\"}", false },
		{ ",\"excludes\":{\"minKernel\":\"1000.1\"}", true },
	};

	if (seccomp_native_arch() != SECCOMP_ARCH_X86_64)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_writer_ struct json_writer writer = {};
		_cleanup_free_ char *text = string_format(
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":"
			"\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],"
			"\"syscalls\":[{\"name\":\"read\",\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
			"null%s}]}",
			cases[i].rule);
		struct error error;

		assert_int_equal(docker_text(text, &writer, &error), 0);
		assert_string_equal(
			writer.buffer.bytes,
			cases[i].kept ? "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":["
					"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"],\"syscalls\":[{"
					"\"names\":["
					"\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"
				      : "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":["
					"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"],\"syscalls\":[]}");
	}
}

static void an_empty_docker_profile_switches_seccomp_off(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	struct error error;

	assert_int_equal(docker_text("{}", &writer, &error), 0);
	assert_string_equal(writer.buffer.bytes, "null");
}

static void contradictory_docker_profiles_are_refused(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		"\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}",
		"{\"syscalls\":[{\"name\":\"read\",\"names\":[\"write\"]}]}",
		"{\"syscalls\":[{\"names\":[\"write\"],\"includes\":{\"minKernel\":\"new\"}}]}",
		"{\"syscalls\":[{\"names\":[\"write\"],\"excludes\":{\"minKernel\":4.8}}]}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_json_writer_ struct json_writer writer = {};
		struct error error;

		assert_true(docker_text(texts[i], &writer, &error) < 0);
		assert_string_not_equal(error.message, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_profiles_are_refused_with_the_reason),
		cmocka_unit_test(every_refused_input_has_its_reason_here),
		cmocka_unit_test(names_that_no_kernel_has_are_passed_over),
		cmocka_unit_test(a_profile_without_rules_is_its_default_action),
		cmocka_unit_test(calls_newer_than_the_profile_are_unknown),
		cmocka_unit_test(one_argument_named_twice_is_met_by_either),
		cmocka_unit_test(flags_are_the_profiles_or_spec_allow),
		cmocka_unit_test(every_name_of_the_default_profile_is_one_of_the_tables),
		cmocka_unit_test(the_default_profile_is_found_ready_made),
		cmocka_unit_test(capabilities_open_what_they_open_in_docker),
		cmocka_unit_test(the_kernel_takes_the_default_filter_and_does_what_it_says),
		cmocka_unit_test(a_filter_that_the_kernel_refuses_is_an_error),
		cmocka_unit_test(dockers_conditions_are_resolved),
		cmocka_unit_test(an_empty_docker_profile_switches_seccomp_off),
		cmocka_unit_test(contradictory_docker_profiles_are_refused),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
