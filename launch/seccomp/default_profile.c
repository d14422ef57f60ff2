/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/default_profile.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#define CAP(name)  (UINT64_C(1) << CAP_##name)
#define ARCH(name) (UINT32_C(1) << SECCOMP_ARCH_##name)

/* <asm/ioctls.h>, of the architecture that the profile is for: MIPS has numbers of its own. */
#define TIOCSTI	       0x5412
#define TIOCLINUX      0x541c
#define MIPS_TIOCSTI   0x5472
#define MIPS_TIOCLINUX 0x5483

/* <linux/sched.h>'s CLONE_NEW* but CLONE_NEWTIME, which is no flag of clone(2). */
#define CLONE_NAMESPACES 0x7e020000

/* Names with a space between them: less to load than a table of pointers. */
static const char always[] =
	"_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset"
	" chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64"
	" clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range"
	" connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl"
	" epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve"
	" execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate"
	" fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64"
	" fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64"
	" fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait"
	" futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents"
	" getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32"
	" getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid"
	" getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt"
	" gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init"
	" inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents"
	" io_pgetevents_time64 io_setup io_submit ioprio_get ioprio_set ipc kill"
	" landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32"
	" lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr"
	" lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create"
	" memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2"
	" mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64"
	" mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd"
	" msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat"
	" openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect"
	" poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease"
	" process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev"
	" pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64"
	" recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2"
	" restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask"
	" rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64"
	" rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity"
	" sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval"
	" sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam"
	" sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop"
	" semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list"
	" set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32"
	" setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid"
	" setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid"
	" setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd"
	" signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64"
	" statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time"
	" timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime"
	" timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime"
	" timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat"
	" uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid"
	" write writev";

/* Allowed with a capability in the bounding set, or on some architectures. */
static const struct {
	const char *names;
	uint64_t capability;
	uint32_t arches;
} sometimes[] = {
	{ "swapcontext sync_file_range2", 0, ARCH(PPC64LE) },
	{ "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2", 0,
	  ARCH(ARM) | ARCH(AARCH64) },
	{ "arch_prctl", 0, ARCH(X86_64) | ARCH(X32) },
	{ "modify_ldt", 0, ARCH(X86_64) | ARCH(X32) | ARCH(X86) },
	{ "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", 0,
	  ARCH(S390) | ARCH(S390X) },
	{ "riscv_flush_icache", 0, ARCH(RISCV64) },
	{ "open_by_handle_at", CAP(DAC_READ_SEARCH), 0 },
	{ "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie"
	  " lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount"
	  " open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog"
	  " umount umount2 unshare",
	  CAP(SYS_ADMIN), 0 },
	{ "reboot", CAP(SYS_BOOT), 0 },
	{ "chroot", CAP(SYS_CHROOT), 0 },
	{ "delete_module finit_module init_module", CAP(SYS_MODULE), 0 },
	{ "acct", CAP(SYS_PACCT), 0 },
	{ "kcmp pidfd_getfd process_madvise", CAP(SYS_PTRACE), 0 },
	{ "ioperm iopl", CAP(SYS_RAWIO), 0 },
	{ "clock_settime clock_settime64 settimeofday stime", CAP(SYS_TIME), 0 },
	{ "vhangup", CAP(SYS_TTY_CONFIG), 0 },
	{ "get_mempolicy mbind set_mempolicy set_mempolicy_home_node", CAP(SYS_NICE), 0 },
	{ "syslog", CAP(SYSLOG), 0 },
	{ "bpf", CAP(BPF), 0 },
	{ "perf_event_open", CAP(PERFMON), 0 },
};

/* Docker's archMap: what runs on a kernel for the first. */
static const struct {
	enum seccomp_arch_index arch, with, and_with;
} families[] = {
	{ SECCOMP_ARCH_X86_64, SECCOMP_ARCH_X86, SECCOMP_ARCH_X32 },
	{ SECCOMP_ARCH_AARCH64, SECCOMP_ARCH_ARM, SECCOMP_N_ARCHES },
	{ SECCOMP_ARCH_MIPS64, SECCOMP_ARCH_MIPS, SECCOMP_ARCH_MIPS64N32 },
	{ SECCOMP_ARCH_MIPS64N32, SECCOMP_ARCH_MIPS, SECCOMP_ARCH_MIPS64 },
	{ SECCOMP_ARCH_MIPSEL64, SECCOMP_ARCH_MIPSEL, SECCOMP_ARCH_MIPSEL64N32 },
	{ SECCOMP_ARCH_MIPSEL64N32, SECCOMP_ARCH_MIPSEL, SECCOMP_ARCH_MIPSEL64 },
	{ SECCOMP_ARCH_S390X, SECCOMP_ARCH_S390, SECCOMP_N_ARCHES },
};

/*
 * The families of sockets, a bit each, that socket(2) makes: all but those that Linux 7.2 no longer
 * has (DECnet 12, Econet 19, ATM SVC 20, IrDA 23, Wanpipe 25, ISDN 34, CAIF 37), AF_ALG (38), whose
 * kernel code let a container write to any file it could read (CVE-2026-31431), and AF_VSOCK (40),
 * which reaches the virtual machine's host past every network namespace.
 */
#define FAMILIES UINT64_C(0x3e9bfd67efff)

/* The personalities that change nothing of the kernel's checks: Linux, Linux 32 and UNAME26. */
static const uint64_t personalities[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff };

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void write_names(struct json_writer *writer, const char *names)
{
	char name[64];

	while (*names) {
		size_t n = strcspn(names, " ");

		memcpy(name, names, n);
		name[n] = '\0';
		json_write_string(writer, NULL, name);
		names += n + strspn(names + n, " ");
	}
}

static void rule_begin(struct json_writer *writer, const char *names)
{
	json_write_object_begin(writer, NULL);
	json_write_array_begin(writer, "names");
	write_names(writer, names);
}

static void rule_end(struct json_writer *writer)
{
	json_write_array_end(writer);
	json_write_string(writer, "action", "SCMP_ACT_ALLOW");
	json_write_object_end(writer);
}

/* A rule for one call with one condition; errno_number 0: allowed. */
static void write_condition(struct json_writer *writer, const char *name, int errno_number,
			    unsigned int argument, const char *operator, uint64_t value,
			    uint64_t value_two)
{
	json_write_object_begin(writer, NULL);
	json_write_array_begin(writer, "names");
	json_write_string(writer, NULL, name);
	json_write_array_end(writer);
	json_write_string(writer, "action", errno_number ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW");
	if (errno_number)
		json_write_int(writer, "errnoRet", errno_number);
	json_write_array_begin(writer, "args");
	json_write_object_begin(writer, NULL);
	json_write_uint(writer, "index", argument);
	json_write_uint(writer, "value", value);
	if (strcmp(operator, "SCMP_CMP_MASKED_EQ") == 0)
		json_write_uint(writer, "valueTwo", value_two);
	json_write_string(writer, "op", operator);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void write_arches(struct json_writer *writer, enum seccomp_arch_index arch)
{
	json_write_array_begin(writer, "architectures");
	json_write_string(writer, NULL, seccomp_arches[arch].name);
	for (size_t i = 0; i < N_ELEMENTS(families); i++) {
		if (families[i].arch != arch)
			continue;
		json_write_string(writer, NULL, seccomp_arches[families[i].with].name);
		if (families[i].and_with < SECCOMP_N_ARCHES)
			json_write_string(writer, NULL, seccomp_arches[families[i].and_with].name);
	}
	json_write_array_end(writer);
}

static void write_sockets(struct json_writer *writer)
{
	unsigned int family = 0;

	/* One rule for the first run, as a range can only be said from one side (see profile.h). */
	while (FAMILIES & UINT64_C(1) << family)
		family++;
	write_condition(writer, "socket", 0, 0, "SCMP_CMP_LT", family, 0);
	for (; family < 64; family++) {
		if (FAMILIES & UINT64_C(1) << family)
			write_condition(writer, "socket", 0, 0, "SCMP_CMP_EQ", family, 0);
	}
}

/* The allowed rest is a condition too: a rule without one would decide alone. */
static void write_ioctl(struct json_writer *writer, enum seccomp_arch_index arch)
{
	bool is_mips = seccomp_arch_is_mips(arch);

	write_condition(writer, "ioctl", EIO, 1, "SCMP_CMP_MASKED_EQ", UINT32_MAX,
			is_mips ? MIPS_TIOCSTI : TIOCSTI);
	write_condition(writer, "ioctl", EIO, 1, "SCMP_CMP_MASKED_EQ", UINT32_MAX,
			is_mips ? MIPS_TIOCLINUX : TIOCLINUX);
	write_condition(writer, "ioctl", 0, 1, "SCMP_CMP_GE", 0, 0);
}

static void write_clone(struct json_writer *writer, enum seccomp_arch_index arch)
{
	/* s390 has the flags of clone(2) behind the stack. */
	bool is_s390 = arch == SECCOMP_ARCH_S390 || arch == SECCOMP_ARCH_S390X;

	write_condition(writer, "clone", 0, is_s390 ? 1 : 0, "SCMP_CMP_MASKED_EQ", CLONE_NAMESPACES,
			0);

	/* Its flags are behind a pointer; ENOSYS makes programs use clone(2). */
	json_write_object_begin(writer, NULL);
	json_write_array_begin(writer, "names");
	json_write_string(writer, NULL, "clone3");
	json_write_array_end(writer);
	json_write_string(writer, "action", "SCMP_ACT_ERRNO");
	json_write_int(writer, "errnoRet", seccomp_arch_enosys(arch));
	json_write_object_end(writer);
}

void seccomp_default_format(struct json_writer *writer, const char *key, uint64_t capabilities,
			    enum seccomp_arch_index arch)
{
	json_write_object_begin(writer, key);
	json_write_string(writer, "defaultAction", "SCMP_ACT_ERRNO");
	json_write_int(writer, "defaultErrnoRet", EPERM);
	if (arch < SECCOMP_N_ARCHES)
		write_arches(writer, arch);
	json_write_array_begin(writer, "syscalls");
	rule_begin(writer, always);
	for (size_t i = 0; i < N_ELEMENTS(sometimes); i++) {
		if (sometimes[i].capability
			    ? (capabilities & sometimes[i].capability) != 0
			    : arch < SECCOMP_N_ARCHES && sometimes[i].arches & UINT32_C(1) << arch)
			write_names(writer, sometimes[i].names);
	}
	rule_end(writer);
	write_sockets(writer);
	for (size_t i = 0; i < N_ELEMENTS(personalities); i++)
		write_condition(writer, "personality", 0, 0, "SCMP_CMP_EQ", personalities[i], 0);
	write_ioctl(writer, arch);
	if (!(capabilities & CAP(SYS_ADMIN)))
		write_clone(writer, arch);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

uint64_t seccomp_default_capabilities(void)
{
	uint64_t capabilities = 0;

	for (size_t i = 0; i < N_ELEMENTS(sometimes); i++)
		capabilities |= sometimes[i].capability;
	return capabilities;
}
