/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/arch.h"

#include <string.h>

int seccomp_syscall_find(const char *name)
{
	int low = 0, high = seccomp_table_n_names;

	while (low < high) {
		int middle = (low + high) / 2;
		int order = strcmp(name, seccomp_table_names + seccomp_table_offsets[middle]);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SECCOMP_SYSCALL_UNKNOWN;
}

uint16_t seccomp_syscall_number(int syscall, enum seccomp_arch_index arch)
{
	return seccomp_table_numbers[(size_t)arch * seccomp_table_n_names + (size_t)syscall];
}
