/* SPDX-License-Identifier: MIT */
/*
 * Is this a program that the compiler may have made? Asked of what comes from a disk.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * seccomp_program_is_valid() - one that the kernel takes, of the instructions that we write
 *
 * 1 to BPF_MAXINSNS of them, each known, loads from whole words of seccomp_data, jumps inside, a
 * return at the end. It says nothing of the verdicts.
 */
bool seccomp_program_is_valid(const struct sock_filter *code, size_t n);
