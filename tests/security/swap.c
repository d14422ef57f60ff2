/* SPDX-License-Identifier: MIT */
/* swap A B: exchanges two names for ever, as an attacker in a shared volume does (CVE-2021-30465).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/syscalls.h"

int main(int argc, char *argv[])
{
	if (argc != 3) {
		fprintf(stderr, "usage: swap A B\n");
		return 2;
	}
	while (sys_renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
		;
	fprintf(stderr, "swap: cannot exchange '%s' and '%s': %s\n", argv[1], argv[2],
		strerror(errno));
	return 1;
}
