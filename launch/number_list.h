/* SPDX-License-Identifier: MIT */
/*
 * Lists of small numbers as the kernel writes them for processors and memory nodes (cpuset(7), List
 * format): "0-3,8".
 */
#pragma once

#include <stddef.h>

/* The kernel's own limits: CONFIG_NR_CPUS and MAX_NUMNODES. */
#define NUMBER_LIST_MAX_CPUS  8192
#define NUMBER_LIST_MAX_NODES 1024

/**
 * number_list_parse() - the bits of @list
 * @bits: of @n_bits, a multiple of a long's, all cleared before; NULL: look at its form only
 *
 * Return: how many bits are set, or -EINVAL: no such list, an empty one, or a number from @n_bits
 * on.
 */
int number_list_parse(const char *list, unsigned long *bits, size_t n_bits);
