/* SPDX-License-Identifier: MIT */
/*
 * Architectures and system call numbers: what a name of a profile is to each of them.
 *
 * The names and numbers are libseccomp's, taken when lamina is built (generate_table.c), and the
 * few newer ones of newer.h. Nothing of libseccomp is needed at run time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The columns of the table, in the order of seccomp_arches[]. */
enum seccomp_arch_index {
	SECCOMP_ARCH_X86_64,
	SECCOMP_ARCH_X86,
	SECCOMP_ARCH_X32,
	SECCOMP_ARCH_AARCH64,
	SECCOMP_ARCH_ARM,
	SECCOMP_ARCH_RISCV64,
	SECCOMP_ARCH_PPC64LE,
	SECCOMP_ARCH_PPC64,
	SECCOMP_ARCH_PPC,
	SECCOMP_ARCH_S390X,
	SECCOMP_ARCH_S390,
	SECCOMP_ARCH_MIPS64,
	SECCOMP_ARCH_MIPS64N32,
	SECCOMP_ARCH_MIPS,
	SECCOMP_ARCH_MIPSEL64,
	SECCOMP_ARCH_MIPSEL64N32,
	SECCOMP_ARCH_MIPSEL,
	SECCOMP_N_ARCHES,
};

struct seccomp_arch {
	const char *name;      /* the OCI runtime spec's and libseccomp's: "SCMP_ARCH_X86_64" */
	uint32_t audit;	       /* seccomp_data.arch */
	uint32_t first_number; /* where its numbers begin: x32's bit 30, MIPS's thousands */
	bool wide;	       /* arguments are compared as 64 bits, else as their low 32 */
	bool big_endian;
	/* ENOSYS for number 0, which s390's kernel leaves in place of a number it does not know. */
	bool zero_is_unknown;
	/* The numbers of socketcall(2) and ipc(2), which carry other calls in argument 0; or 0. */
	uint16_t socketcall, ipc;
};

extern const struct seccomp_arch seccomp_arches[SECCOMP_N_ARCHES];

/** seccomp_native_arch() - the one this program was compiled for; SECCOMP_N_ARCHES: not in the
 * table
 */
enum seccomp_arch_index seccomp_native_arch(void);

/** seccomp_arch_find() - the architecture of that name, or SECCOMP_N_ARCHES */
enum seccomp_arch_index seccomp_arch_find(const char *name);

/** seccomp_arch_is_mips() - MIPS has errnos and requests of ioctl(2) of its own */
bool seccomp_arch_is_mips(enum seccomp_arch_index arch);

/** seccomp_arch_enosys() - ENOSYS, as @arch counts */
int seccomp_arch_enosys(enum seccomp_arch_index arch);

/* A number as the table keeps it: below, what comes behind first_number; from SECCOMP_PRIVATE on,
 * ARM's private calls (__ARM_NR_BASE, 0x0f0000). */
#define SECCOMP_N_NUMBERS	1024
#define SECCOMP_PRIVATE		1008
#define SECCOMP_PRIVATE_BASE	0x0f0000
#define SECCOMP_NUMBER_NONE	0xffff
#define SECCOMP_SYSCALL_UNKNOWN (-1)

/** seccomp_syscall_find() - where @name is in the table, or SECCOMP_SYSCALL_UNKNOWN */
int seccomp_syscall_find(const char *name);

/** seccomp_syscall_number() - its number (< SECCOMP_N_NUMBERS) on @arch, or SECCOMP_NUMBER_NONE */
uint16_t seccomp_syscall_number(int syscall, enum seccomp_arch_index arch);

/** seccomp_number_expand() - a number of the table as seccomp_data.nr has it */
uint32_t seccomp_number_expand(uint16_t number, enum seccomp_arch_index arch);

/**
 * seccomp_call_code() - how @name is called through socketcall(2) or ipc(2)
 *
 * Return: its code, the first argument of socketcall(2) (1 to 20), or 100 and the first argument of
 * ipc(2); 0 where it is none of both.
 */
#define SECCOMP_CALL_IPC 100
unsigned int seccomp_call_code(const char *name);

/* Generated: names in order of strcmp(), one behind the other, and where each begins. */
extern const char seccomp_table_names[];
extern const uint16_t seccomp_table_offsets[];
extern const uint16_t seccomp_table_n_names;
extern const uint16_t seccomp_table_numbers[]; /* a row of n_names for each architecture */
