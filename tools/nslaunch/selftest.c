/* SPDX-License-Identifier: MIT */
/*
 * nslaunch selftest: the escapes that other runtimes had, tried on this very executable and kernel.
 *
 * In C and not a script: the program inside the containers is nslaunch itself (selftest_inside.c),
 * so that it needs nothing but what is to be tested, and works on a machine that has nothing else.
 * Harmless: what an attack would change is a canary in a scratch directory. The races and what
 * takes a hostile process beside it are in tests/security, with more of everything.
 */
#include "tools/nslaunch/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "tools/nslaunch/verbs.h"

#define OUTPUT_MAX_BYTES 65536
#define RACE_ROUNDS	 50

const struct command_option selftest_options[] = {
	{ .name = "cve",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct selftest_options, by_cve),
	  .help = "a line for each CVE, not for each attack" },
	{ .name = "inside",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct selftest_options, inside),
	  .argument = "WHAT" }, /* what the containers run */
};

enum verdict {
	IMMUNE,
	VULNERABLE,
	NOT_APPLICABLE,
};

struct link {
	const char *path;   /* in the bundle */
	const char *target; /* "@": the canary, "" an empty directory, NULL: no more */
};

/* An attack as data: a container that must be refused, or must not find what it looks for. */
struct attack {
	const char *cves; /* separated by blanks */
	const char *what;
	const char *inside;  /* what it runs; NULL: nothing, and it must be refused... */
	const char *refusal; /* ... in these words: another reason proves nothing */
	struct link links[3];
	const char *swapped[2]; /* exchanged all the time: a race, whose end alone counts */
	const char *user, *cwd; /* NULL: 0 and / */
	const char *dev;	/* source of a bind on /dev in place of the usual tmpfs; "": none */
	const char *mounts, *linux_section, *top; /* JSON, with a comma in front; "@": the bundle */
	bool terminal;
	/* Another way than to run such a container once. */
	enum verdict (*attempt)(const struct attack *attack, char *reason);
};

#define REASON_BYTES 256

static const char config_format[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":%s,\"gid\":0},"
	"\"args\":[\"/probe\",\"selftest\",\"--inside\",\"%s\"],\"env\":[\"LD_PRELOAD=/probe\"],"
	"\"cwd\":\"%s\",\"terminal\":%s,\"capabilities\":{\"bounding\":[\"CAP_DAC_OVERRIDE\","
	"\"CAP_MKNOD\",\"CAP_SETUID\"],\"effective\":[\"CAP_DAC_OVERRIDE\"],"
	"\"permitted\":[\"CAP_DAC_OVERRIDE\"]}},\"root\":{\"path\":\"rootfs\"},"
	"\"hostname\":\"selftest\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","
	"\"source\":\"proc\"}%s%s%s%s,{\"destination\":\"/sys\",\"type\":\"sysfs\","
	"\"source\":\"sysfs\",\"options\":[\"ro\"]},{\"destination\":\"/sys/fs/cgroup\","
	"\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\"]}%s],"
	"\"linux\":{\"maskedPaths\":[\"/masked\"],\"namespaces\":[{\"type\":\"mount\"},"
	"{\"type\":\"pid\"},{\"type\":\"uts\"},{\"type\":\"ipc\"},{\"type\":\"network\"},"
	"{\"type\":\"cgroup\"}]%s}%s}";

/* @text with the scratch directory in place of each "@"; to be freed. */
static char *placed(const char *text, const char *place)
{
	size_t n = 0, n_place = strlen(place);
	char *result;

	for (const char *p = text; *p; p++)
		n += *p == '@' ? n_place : 1;
	result = malloc(n + 1);
	for (char *out = result; result; text++) {
		if (*text == '@') {
			memcpy(out, place, n_place);
			out += n_place;
		} else if (!(*out++ = *text)) {
			break;
		}
	}
	return result;
}

static int config_write(const struct attack *attack)
{
	static const char devices[] =
		",{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
		"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
		"\"options\":[\"newinstance\",\"ptmxmode=0666\"]}";
	static const char bind_format[] =
		",{\"destination\":\"/dev\",\"type\":\"bind\",\"options\":[\"bind\"],\"source\":\"";
	_cleanup_free_ char *raw = NULL, *directory = getcwd(NULL, 0), *text = NULL;
	bool is_bind = attack->dev && *attack->dev;

	raw = string_format(
		config_format, attack->user ? attack->user : "0",
		attack->inside ? attack->inside : "nothing", attack->cwd ? attack->cwd : "/",
		attack->terminal ? "true" : "false", attack->dev ? "" : devices,
		is_bind ? bind_format : "", is_bind ? attack->dev : "", is_bind ? "\"}" : "",
		attack->mounts ? attack->mounts : "",
		attack->linux_section ? attack->linux_section : "", attack->top ? attack->top : "");
	text = raw && directory ? placed(raw, directory) : NULL;
	return text ? file_replace_at(AT_FDCWD, "b/config.json", text, strlen(text), 0600, 0)
		    : -ENOMEM;
}

/* Everything is made anew for each: nothing of an attack is left for the next. */
static int bundle_make(const struct attack *attack)
{
	(void)path_remove_tree(AT_FDCWD, "b");
	(void)path_remove_tree(AT_FDCWD, "canary");
	if (mkdir("b", 0700) < 0 || mkdir("b/rootfs", 0755) < 0 || mkdir("canary", 0755) < 0 ||
	    link("probe", "b/rootfs/probe") < 0 || link("probe", "b/probe") < 0)
		return -errno;
	for (const struct link *made = attack->links; made->path; made++) {
		_cleanup_free_ char *directory = getcwd(NULL, 0);
		_cleanup_free_ char *canary = string_format("%s/canary", directory);
		_cleanup_free_ char *target = canary ? placed(made->target, canary) : NULL;

		if (!target)
			return -ENOMEM;
		if (*target ? symlink(target, made->path) < 0 : mkdir(made->path, 0755) < 0)
			return -errno;
	}
	if (file_write_at(AT_FDCWD, "b/rootfs/masked", "secret\n", 7, 0644) < 0 ||
	    file_write_at(AT_FDCWD, "canary/file", "untouched\n", 10, 0644) < 0)
		return -EIO;
	return config_write(attack);
}

static bool canary_lives(void)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;

	/* A directory more would be a link more, a file more its size or its time. */
	return file_read_at(AT_FDCWD, "canary/file", 64, &text, NULL) == 0 &&
	       !strcmp(text, "untouched\n") && unlink("canary/file") == 0 && rmdir("canary") == 0 &&
	       stat("canary", &st) < 0;
}

/*
 * The copy of nslaunch with these arguments, quietly; its exit status, and the last it said in
 * @reason. A copy, since what is being executed, by this process too, can't be written anyway.
 */
static int launcher_run(char *const argv[], char *reason)
{
	_cleanup_free_ char *text = NULL;
	int status = 0, null_fd, out_fd;
	pid_t pid = process_fork(0, -1, NULL);
	char *line;

	if (pid == 0) {
		/* What must not come along; without the right to it there is nothing that could. */
		(void)setgroups(1, &(gid_t){ 1 });
		null_fd = open("/dev/null", O_RDWR);
		out_fd = open("output", O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (null_fd >= 0 && out_fd >= 0 && dup2(null_fd, 0) >= 0 && dup2(out_fd, 1) >= 0 &&
		    dup2(out_fd, 2) >= 0)
			execv("probe", argv);
		_exit(125);
	}
	if (pid < 0 || process_wait(pid, &status) < 0)
		return 125;
	*reason = '\0';
	if (file_read_at(AT_FDCWD, "output", OUTPUT_MAX_BYTES, &text, NULL) == 0 && *text) {
		/* A warning may be in front. */
		for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n';)
			text[--n] = '\0';
		line = strrchr(text, '\n');
		snprintf(reason, REASON_BYTES, "%s", line ? line + 1 : text);
	}
	return process_exit_status(status);
}

#define LAUNCHER(...)                                                                              \
	((char *const[]){ (char *)"nslaunch", (char *)"--root", (char *)"state", __VA_ARGS__,      \
			  NULL })
#define ID	((char *)"selftest")
#define WORD(w) ((char *)(w))

static int container_run(char *reason)
{
	return launcher_run(LAUNCHER(WORD("run"), WORD("--bundle"), WORD("b"), ID), reason);
}

static enum verdict judge(const struct attack *attack, int status, char *reason)
{
	if (!canary_lives()) {
		snprintf(reason, REASON_BYTES, "the host's directory was changed");
		return VULNERABLE;
	}
	if (attack->inside && status == SELFTEST_IMMUNE)
		return IMMUNE;
	if (status == SELFTEST_VULNERABLE)
		return VULNERABLE;
	if (attack->inside)
		return NOT_APPLICABLE;
	if (status == 125)
		return strstr(reason, attack->refusal) ? IMMUNE : NOT_APPLICABLE;
	snprintf(reason, REASON_BYTES, "the container was started");
	return VULNERABLE;
}

static enum verdict attempt_once(const struct attack *attack, char *reason)
{
	return judge(attack, container_run(reason), reason);
}

/* While another exchanges two names; whether a round ends in a refusal or not is chance. */
static enum verdict attempt_race(const struct attack *attack, char *reason)
{
	pid_t pid = process_fork(0, -1, NULL);
	int status;

	if (pid == 0) {
		while (sys_renameat2(AT_FDCWD, attack->swapped[0], AT_FDCWD, attack->swapped[1],
				     RENAME_EXCHANGE) == 0)
			;
		_exit(0);
	}
	for (int i = 0; pid > 0 && i < RACE_ROUNDS; i++)
		(void)container_run(reason);
	if (pid < 0 || kill(pid, SIGKILL) < 0 || process_wait(pid, &status) < 0)
		return NOT_APPLICABLE;
	if (canary_lives())
		return IMMUNE;
	snprintf(reason, REASON_BYTES, "the host's directory was changed");
	return VULNERABLE;
}

/* /proc/self/fd/3 and on, of which one may be the host's. */
static enum verdict attempt_descriptors(const struct attack *attack, char *reason)
{
	for (int i = 3; i < 64; i++) {
		char cwd[32];
		struct attack one = *attack;

		snprintf(cwd, sizeof(cwd), "/proc/self/fd/%d", i);
		one.cwd = cwd;
		if (config_write(&one) < 0)
			return NOT_APPLICABLE;
		if (container_run(reason) == 0) {
			snprintf(reason, REASON_BYTES, "%s was entered", cwd);
			return VULNERABLE;
		}
		if (!strstr(reason, attack->refusal))
			return NOT_APPLICABLE;
	}
	return IMMUNE;
}

static bool container_create(char *reason)
{
	return launcher_run(LAUNCHER(WORD("create"), WORD("--bundle"), WORD("b"),
				     WORD("--pid-file"), WORD("pid"), ID),
			    reason) == 0;
}

static void container_delete(void)
{
	char reason[REASON_BYTES];

	(void)launcher_run(LAUNCHER(WORD("delete"), WORD("--force"), ID), reason);
}

/* The process that waits is the launcher still: its executable, opened now and written when it has
 * ended. */
static enum verdict attempt_executable(const struct attack *attack, char *reason)
{
	_cleanup_close_ int fd = -EBADF, write_fd = -EBADF;
	_cleanup_free_ char *pid = NULL;
	char path[64];

	(void)attack;
	if (!container_create(reason))
		return NOT_APPLICABLE;
	if (file_read_at(AT_FDCWD, "pid", 16, &pid, NULL) == 0) {
		snprintf(path, sizeof(path), "/proc/%d/exe", atoi(pid));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		write_fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	container_delete();
	if (fd < 0) {
		snprintf(reason, REASON_BYTES, "cannot open '%s'", path);
		return NOT_APPLICABLE;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write_fd < 0)
		write_fd = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(reason, REASON_BYTES, "the executable can be written");
	return write_fd >= 0 ? VULNERABLE : IMMUNE;
}

static enum verdict attempt_exec(const struct attack *attack, char *reason)
{
	enum verdict verdict = NOT_APPLICABLE;
	int status;

	if (!container_create(reason))
		return NOT_APPLICABLE;
	if (launcher_run(LAUNCHER(WORD("start"), ID), reason) == 0) {
		status = launcher_run(LAUNCHER(WORD("exec"), WORD("-u"), WORD("1"), ID,
					       WORD("/probe"), WORD("selftest"), WORD("--inside"),
					       WORD("user")),
				      reason);
		verdict = judge(attack, status, reason);
	}
	container_delete();
	return verdict;
}

/* What the hook finds comes as the reason why the container isn't started. */
static enum verdict attempt_hook(const struct attack *attack, char *reason)
{
	int status = container_run(reason);

	return strstr(reason, "has the variable") ? VULNERABLE : judge(attack, status, reason);
}

#define BIND(destination)                                                                          \
	",{\"destination\":\"" destination "\",\"type\":\"bind\",\"source\":\"@/b/x\","            \
	"\"options\":[\"bind\"]}"

static const struct attack attacks[] = {
	{ .cves = "CVE-2016-8867 CVE-2022-24769 CVE-2022-27650 CVE-2022-29162 CVE-2025-27612",
	  .what = "inheritable and ambient capabilities",
	  .inside = "capabilities" },
	{ .cves = "CVE-2022-36109 CVE-2022-2989 CVE-2023-25173",
	  .what = "the caller's supplementary groups",
	  .inside = "groups" },
	{ .cves = "CVE-2024-40635",
	  .what = "user 4294967295",
	  .refusal = "process.user",
	  .user = "4294967295" },
	{ .cves = "CVE-2026-30892 CVE-2016-3697",
	  .what = "exec as user 1 is user 1",
	  .inside = "wait",
	  .attempt = attempt_exec },
	{ .cves = "CVE-2019-5736",
	  .what = "writing the launcher's executable",
	  .inside = "wait",
	  .attempt = attempt_executable },
	{ .cves = "CVE-2024-21626",
	  .what = "a working directory by descriptor",
	  .refusal = "working directory",
	  .attempt = attempt_descriptors },
	{ .cves = "CVE-2024-21626",
	  .what = "descriptors that are left open",
	  .inside = "descriptors" },
	{ .cves = "CVE-2017-5226 CVE-2016-10124",
	  .what = "the caller's terminal and session",
	  .inside = "session" },
	{ .cves = "CVE-2019-19921 CVE-2023-27561 CVE-2023-28642 CVE-2025-54867",
	  .what = "/proc is a link",
	  .refusal = "must be an ordinary directory",
	  .links = { { "b/rootfs/proc", "@" } } },
	{ .cves = "CVE-2019-19921",
	  .what = "/sys is a link",
	  .refusal = "must be an ordinary directory",
	  .links = { { "b/rootfs/sys", "@" } } },
	{ .cves = "CVE-2026-41579 CVE-2026-47766",
	  .what = "/dev is a link, and no mount is on it",
	  .refusal = "must be an ordinary directory",
	  .dev = "",
	  .links = { { "b/rootfs/dev", "@" } } },
	{ .cves = "CVE-2021-30465",
	  .what = "a mount's destination that is swapped for a link",
	  .links = { { "b/rootfs/a", "" }, { "b/rootfs/b", "@" } },
	  .swapped = { "b/rootfs/a", "b/rootfs/b" },
	  .mounts = ",{\"destination\":\"/a/made\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}",
	  .attempt = attempt_race },
	{ .cves = "CVE-2024-45310 CVE-2019-18837",
	  .what = "a mount's destination below a link to the host",
	  .inside = "nothing",
	  .links = { { "b/rootfs/a", "@" }, { "b/rootfs/c", "@/new" } },
	  .mounts = ",{\"destination\":\"/a/made\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"
		    ",{\"destination\":\"/c\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}" },
	{ .cves = "CVE-2025-31133 CVE-2025-62161",
	  .what = "a mask made of the image's /dev/null",
	  .inside = "masked",
	  .dev = "@/b/x",
	  .links = { { "b/x", "" }, { "b/x/null", "../probe" } } },
	{ .cves = "CVE-2025-52565",
	  .what = "/dev/console is a link",
	  .refusal = "must be an ordinary file",
	  .terminal = true,
	  .dev = "@/b/x",
	  .links = { { "b/x", "" }, { "b/x/console", "@/file" } },
	  .mounts = ",{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\"}" },
	{ .cves = "CVE-2019-16884 CVE-2025-52881",
	  .what = "a mount on /proc/self/attr",
	  .refusal = "it is inside /proc",
	  .links = { { "b/x", "" } },
	  .mounts = BIND("/proc/self/attr") },
	{ .cves = "CVE-2019-16884",
	  .what = "a mount on /proc that is no procfs",
	  .refusal = "only a procfs",
	  .links = { { "b/x", "" } },
	  .mounts = BIND("/proc") },
	{ .cves = "CVE-2025-52881 CVE-2025-62596",
	  .what = "a mount below a link to /proc",
	  .refusal = "it is inside /proc",
	  .links = { { "b/x", "" }, { "b/rootfs/a", "/proc/self" } },
	  .mounts = BIND("/a/attr") },
	{ .cves = "CVE-2022-0811",
	  .what = "a sysctl behind another's name",
	  .refusal = "bad name",
	  .linux_section = ",\"sysctl\":{\"kernel.shm_rmid_forced+kernel.selftest\":\"0\"}" },
	{ .cves = "CVE-2023-25809 CVE-2022-0492",
	  .what = "writing to the cgroups",
	  .inside = "cgroups" },
	{ .cves = "CVE-2025-23266",
	  .what = "a hook with the image's LD_PRELOAD",
	  .attempt = attempt_hook,
	  .inside = "nothing",
	  .top = ",\"hooks\":{\"createContainer\":[{\"path\":\"@/probe\",\"args\":[\"probe\","
		 "\"selftest\",\"--inside\",\"environment\"]}]}" },
};

static const char *const verdict_names[] = { "immune", "VULNERABLE", "not applicable" };

static void verdict_print(const struct attack *attack, enum verdict verdict, const char *reason,
			  bool by_cve)
{
	const char *cves = attack->cves;

	do {
		size_t n = by_cve ? strcspn(cves, " ") : strlen(cves);

		printf("%.*s\t%s\t%s", (int)n, cves, verdict_names[verdict], attack->what);
		printf(verdict == IMMUNE ? "\n" : ": %s\n", reason);
		cves += n + (cves[n] == ' ');
	} while (*cves);
	(void)fflush(stdout);
}

static int probe_make(struct error *error)
{
	_cleanup_close_ int from_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int fd = open("probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;

	if (from_fd < 0 || fd < 0 || fstat(from_fd, &st) < 0)
		return error_set(error, -errno, "cannot copy nslaunch");
	for (off_t at = 0; at < st.st_size;) {
		if (sendfile(fd, from_fd, &at, (size_t)(st.st_size - at)) <= 0)
			return error_set(error, -errno, "cannot copy nslaunch");
	}
	return fchmod(fd, 0755) < 0 ? error_set(error, -errno, "cannot copy nslaunch") : 0;
}

/* Without one that works, a refusal says nothing. */
static int control_check(struct error *error)
{
	static const struct attack control = { .inside = "nothing" };
	char reason[REASON_BYTES];
	int r = bundle_make(&control);

	if (r < 0)
		return error_set(error, r, "cannot make a bundle");
	if (container_run(reason) != 0)
		return error_say(error, -EIO, "no container can be started here: %s", reason);
	return 0;
}

static int attacks_try(bool by_cve, struct error *error)
{
	size_t n_vulnerable = 0;
	int r = probe_make(error);

	if (r == 0)
		r = control_check(error);
	for (size_t i = 0; r == 0 && i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		const struct attack *attack = &attacks[i];
		char reason[REASON_BYTES] = "";
		enum verdict verdict;

		r = bundle_make(attack);
		if (r < 0)
			return error_set(error, r, "%s: cannot make the bundle", attack->what);
		verdict = attack->attempt ? attack->attempt(attack, reason)
					  : attempt_once(attack, reason);
		verdict_print(attack, verdict, reason, by_cve);
		n_vulnerable += verdict == VULNERABLE;
	}
	return r < 0 ? r : n_vulnerable > 0;
}

int verb_selftest(const struct command_call *call, struct error *error)
{
	const struct selftest_options *options = call->options;
	const char *parent = getenv("TMPDIR");
	_cleanup_free_ char *scratch = NULL;
	_cleanup_close_ int parent_fd = -EBADF;
	int r;

	if (options->inside)
		return selftest_inside(options->inside);
	scratch = string_format("%s/nslaunch-selftest.XXXXXX", parent && *parent ? parent : "/tmp");
	if (!scratch)
		return error_set(error, -ENOMEM, "cannot make a scratch directory");
	if (strpbrk(scratch, "\"\\@") || *scratch != '/')
		return error_say(error, -EINVAL, "TMPDIR: '%s' can't be used", scratch);
	if (!mkdtemp(scratch) || chdir(scratch) < 0)
		return error_set(error, -errno, "cannot make the scratch directory '%s'", scratch);
	r = attacks_try(options->by_cve, error);
	parent_fd = open("..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (path_remove_tree(parent_fd, strrchr(scratch, '/') + 1) < 0)
		fprintf(stderr, "nslaunch: selftest: cannot remove '%s'\n", scratch);
	return r;
}
