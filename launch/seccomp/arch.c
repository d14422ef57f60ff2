/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/arch.h"

#include <linux/audit.h>
#include <string.h>

/* Newer than some kernels' headers. */
#ifndef AUDIT_ARCH_RISCV64
#define AUDIT_ARCH_RISCV64 (243 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif

#define X32_BIT 0x40000000

const struct seccomp_arch seccomp_arches[SECCOMP_N_ARCHES] = {
	[SECCOMP_ARCH_X86_64] = { "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, .wide = true },
	[SECCOMP_ARCH_X86] = { "SCMP_ARCH_X86", AUDIT_ARCH_I386, .socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_X32] = { "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, X32_BIT },
	[SECCOMP_ARCH_AARCH64] = { "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, .wide = true },
	[SECCOMP_ARCH_ARM] = { "SCMP_ARCH_ARM", AUDIT_ARCH_ARM },
	[SECCOMP_ARCH_RISCV64] = { "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, .wide = true },
	[SECCOMP_ARCH_PPC64LE] = { "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE, .wide = true,
				   .socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_PPC64] = { "SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64, .wide = true,
				 .big_endian = true, .socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_PPC] = { "SCMP_ARCH_PPC", AUDIT_ARCH_PPC, .big_endian = true,
			       .socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_S390X] = { "SCMP_ARCH_S390X", AUDIT_ARCH_S390X, .wide = true,
				 .big_endian = true, .zero_is_unknown = true, .socketcall = 102,
				 .ipc = 117 },
	[SECCOMP_ARCH_S390] = { "SCMP_ARCH_S390", AUDIT_ARCH_S390, .big_endian = true,
				.zero_is_unknown = true, .socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_MIPS64] = { "SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64, 5000, .wide = true,
				  .big_endian = true },
	[SECCOMP_ARCH_MIPS64N32] = { "SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32, 6000,
				     .big_endian = true },
	[SECCOMP_ARCH_MIPS] = { "SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS, 4000, .big_endian = true,
				.socketcall = 102, .ipc = 117 },
	[SECCOMP_ARCH_MIPSEL64] = { "SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64, 5000, .wide = true },
	[SECCOMP_ARCH_MIPSEL64N32] = { "SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32, 6000 },
	[SECCOMP_ARCH_MIPSEL] = { "SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL, 4000, .socketcall = 102,
				  .ipc = 117 },
};

enum seccomp_arch_index seccomp_native_arch(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return SECCOMP_ARCH_X32;
#elif defined(__x86_64__)
	return SECCOMP_ARCH_X86_64;
#elif defined(__i386__)
	return SECCOMP_ARCH_X86;
#elif defined(__aarch64__)
	return SECCOMP_ARCH_AARCH64;
#elif defined(__arm__)
	return SECCOMP_ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
	return SECCOMP_ARCH_RISCV64;
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return SECCOMP_ARCH_PPC64LE;
#elif defined(__powerpc64__)
	return SECCOMP_ARCH_PPC64;
#elif defined(__powerpc__)
	return SECCOMP_ARCH_PPC;
#elif defined(__s390x__)
	return SECCOMP_ARCH_S390X;
#elif defined(__s390__)
	return SECCOMP_ARCH_S390;
#elif defined(__mips__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#if _MIPS_SIM == _ABI64
	return SECCOMP_ARCH_MIPSEL64;
#elif _MIPS_SIM == _ABIN32
	return SECCOMP_ARCH_MIPSEL64N32;
#else
	return SECCOMP_ARCH_MIPSEL;
#endif
#elif defined(__mips__)
#if _MIPS_SIM == _ABI64
	return SECCOMP_ARCH_MIPS64;
#elif _MIPS_SIM == _ABIN32
	return SECCOMP_ARCH_MIPS64N32;
#else
	return SECCOMP_ARCH_MIPS;
#endif
#else
	return SECCOMP_N_ARCHES;
#endif
}

enum seccomp_arch_index seccomp_arch_find(const char *name)
{
	enum seccomp_arch_index i = 0;

	while (i < SECCOMP_N_ARCHES && strcmp(seccomp_arches[i].name, name) != 0)
		i++;
	return i;
}

bool seccomp_arch_is_mips(enum seccomp_arch_index arch)
{
	return arch >= SECCOMP_ARCH_MIPS64 && arch <= SECCOMP_ARCH_MIPSEL;
}

int seccomp_arch_enosys(enum seccomp_arch_index arch)
{
	return seccomp_arch_is_mips(arch) ? 89 : 38;
}

uint32_t seccomp_number_expand(uint16_t number, enum seccomp_arch_index arch)
{
	if (number >= SECCOMP_PRIVATE)
		return SECCOMP_PRIVATE_BASE + (number - SECCOMP_PRIVATE);
	return seccomp_arches[arch].first_number + number;
}

/* The codes of <linux/net.h>, from 1 on, and of <linux/ipc.h>. */
static const char *const socket_calls[] = {
	"socket",     "bind",	 "connect", "listen",  "accept",   "getsockname", "getpeername",
	"socketpair", "send",	 "recv",    "sendto",  "recvfrom", "shutdown",	  "setsockopt",
	"getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};

static const struct {
	const char *name;
	unsigned int code;
} ipc_calls[] = {
	{ "semop", 1 },	  { "semget", 2 },  { "semctl", 3 },  { "semtimedop", 4 },
	{ "msgsnd", 11 }, { "msgrcv", 12 }, { "msgget", 13 }, { "msgctl", 14 },
	{ "shmat", 21 },  { "shmdt", 22 },  { "shmget", 23 }, { "shmctl", 24 },
};

unsigned int seccomp_call_code(const char *name)
{
	for (unsigned int i = 0; i < sizeof(socket_calls) / sizeof(socket_calls[0]); i++) {
		if (strcmp(name, socket_calls[i]) == 0)
			return i + 1;
	}
	for (unsigned int i = 0; i < sizeof(ipc_calls) / sizeof(ipc_calls[0]); i++) {
		if (strcmp(name, ipc_calls[i].name) == 0)
			return SECCOMP_CALL_IPC + ipc_calls[i].code;
	}
	return 0;
}
